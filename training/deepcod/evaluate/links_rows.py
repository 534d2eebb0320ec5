"""What plots and page of `deepcod links` share: names, order, choosing rows."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]

#: (name, colour) of each method in the order of tables and plots. Okabe and Ito's colours, and two more.
METHODS = {
    "ours": ("ours", "#d55e00"),
    "paper": ("paper's form", "#e69f00"),
    "offload": ("Offload", "#0072b2"),
    "offload-lossy": ("Offload, quantised", "#009e73"),
    "offload-intp": ("Offload, interpolated", "#cc79a7"),
    "offload-cs": ("Offload, compressed sensing", "#b8a800"),
    "offload-ae": ("Offload, autoencoder", "#7f3c8d"),
    "on-device": ("on the device", "#b22222"),
    "jpeg": ("JPEG", "#8a8a8a"),
    "webp": ("WebP", "#56b4e9"),
    "avif": ("AVIF", "#1a1a1a"),
}
#: Bandwidths of the bars and of the energy table.
BARS_MBPS = (2, 10)


def name(method: str) -> str:
    """A method as people read it."""
    return METHODS.get(method, (method, ""))[0]


def colour(method: str) -> str:
    """A method's colour; black for one that is not known."""
    return METHODS.get(method, ("", "#000000"))[1]


def methods(rows: list[Row]) -> list[str]:
    """Those of the rows, ours first."""
    found = {row["method"] for row in rows}
    return [m for m in METHODS if m in found] + sorted(found - METHODS.keys())


def values(rows: list[Row], key: str) -> list[Any]:
    """What the rows have under this key, rising."""
    return sorted({row[key] for row in rows})


def where(rows: list[Row], **wanted: Any) -> list[Row]:
    """The rows that have all of these values."""
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]

"""What plots and page of `deepcod links` share: names, order, choosing rows, what of them is not real."""

from __future__ import annotations

from typing import Any

from ..baselines.names import COLOURS, LABELS

Row = dict[str, Any]

#: The order of tables and plots.
_ORDER = (
    "ours",
    "ours-pictures",
    "paper",
    "offload",
    "offload-lossy",
    "offload-intp",
    "offload-cs",
    "offload-ae",
    "on-device",
    "jpeg",
    "webp",
    "avif",
)
#: What a row's `simulated` may name besides what a service assumes, as people read it.
_SIMULATED = {"device": "devices", "edge": "the edge with a GPU", "link": "links", "energy": "energy"}
#: Bandwidths of the bars and of the energy table.
BARS_MBPS = (2, 10)


def name(method: str) -> str:
    """A method as people read it."""
    return LABELS.get(method, method)


def colour(method: str) -> str:
    """A method's colour; black for one that is not known."""
    return COLOURS.get(method, "#000000")


def methods(rows: list[Row]) -> list[str]:
    """Those of the rows, ours first."""
    found = {row["method"] for row in rows}
    return [m for m in _ORDER if m in found] + sorted(found.difference(_ORDER))


def values(rows: list[Row], key: str) -> list[Any]:
    """What the rows have under this key, rising."""
    return sorted({row[key] for row in rows})


def where(rows: list[Row], **wanted: Any) -> list[Row]:
    """The rows that have all of these values."""
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def assumed(rows: list[Row]) -> list[str]:
    """What the rows' service assumes instead of measuring."""
    return sorted({part for row in rows for part in row["simulated"]} - _SIMULATED.keys())


def note(rows: list[Row], energy: bool = False) -> str:
    """What of these rows was not measured on the real thing; of their energy only where it is shown."""
    found = {part for row in rows for part in row["simulated"]} - (set() if energy else {"energy"})
    parts = {
        "simulated": [word for part, word in _SIMULATED.items() if part in found],
        "computed": ["links too slow to time"] if any(row["computed"] for row in rows) else [],
        "assumed": assumed(rows),
    }
    return "; ".join(f"{what}: {', '.join(which)}" for what, which in parts.items() if which)

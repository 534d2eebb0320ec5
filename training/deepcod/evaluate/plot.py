"""The plot of accuracy over size: one line for each codec, labelled where it starts, bands of the bootstrap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

#: Okabe and Ito's colours, told apart by all common forms of colour vision; greys for what everyone has already.
_IMAGE_STYLE = {
    "jpeg": ("JPEG", "#8a8a8a", "o"),
    "webp": ("WebP", "#56b4e9", "s"),
    "avif": ("AVIF", "#1a1a1a", "^"),
}
_OURS = [("#d55e00", "D"), ("#009e73", "v"), ("#0072b2", "P"), ("#cc79a7", "X")]
_PAPER = [("#e69f00", "h"), ("#f0e442", "<")]
#: The plot starts at this share of the uncompressed AP; what lies below is in the table.
_FLOOR = 0.5
#: White around letters, so that a line behind them does not cross them out.
_HALO = [withStroke(linewidth=3, foreground="white")]
_TICKS = [0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 60, 100, 200]


def draw(report: dict[str, Any], *files: Path) -> None:
    """Draw a report of `deepcod rate` into each of the files; the ending says which format."""
    best = report["uncompressed"]["ap"]
    with plt.rc_context({"font.size": 11, "svg.hashsalt": "deepcod", "axes.spines.top": False}):
        figure, ax = plt.subplots(figsize=(9, 5.6), dpi=150)
        labels = [_curve(ax, best, *curve) for curve in _curves(report["rows"])]
        _frame(ax, report, best)
        _spread(ax, [label for label in labels if label is not None])
        figure.tight_layout()
        for file in files:
            figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else {})
        plt.close(figure)


def _curves(rows: list[dict[str, Any]]) -> list[tuple[list[dict[str, Any]], str, str, str, bool]]:
    """(rows by size, label, colour, marker, whether it is ours) of each curve, ours last: they lie on top."""
    groups: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["method"], row["partition"]), []).append(row)
    result = []
    used = {"ours": 0, "paper": 0}
    for (method, partition), group in groups.items():
        if method in _IMAGE_STYLE:
            label, colour, marker = _IMAGE_STYLE[method]
        else:
            styles = _OURS if method == "ours" else _PAPER
            colour, marker = styles[used[method] % len(styles)]
            used[method] += 1
            label = f"ours, {partition}" if method == "ours" else f"paper's form, {partition}"
        result.append((sorted(group, key=lambda r: r["kb"]), label, colour, marker, method == "ours"))
    return sorted(result, key=lambda c: c[4])


def _curve(
    ax: Axes, best: float, rows: list[dict[str, Any]], label: str, colour: str, marker: str, ours: bool
) -> Text | None:
    """One line with its band; returns its label, or None where all of it lies below the plot."""
    kb = np.array([r["kb"] for r in rows])
    ap = np.array([r["ap"] for r in rows])
    low, high = (np.array([r["ap_relative_interval"][side] for r in rows]) * best for side in (0, 1))
    ax.fill_between(kb, low, high, color=colour, alpha=0.13, linewidth=0)
    ax.plot(kb, ap, color=colour, marker=marker, markersize=6 if ours else 5, linewidth=2.2 if ours else 1.5)
    shown = np.flatnonzero(ap >= _FLOOR * best)
    if len(shown) == 0:
        return None
    first = shown[0]
    return ax.annotate(
        label,
        (kb[first], ap[first]),
        xytext=(-9, 0) if ours else (9, 0),
        textcoords="offset points",
        ha="right" if ours else "left",
        va="center",
        color=colour,
        fontweight="bold",
        path_effects=_HALO,
    )


def _frame(ax: Axes, report: dict[str, Any], best: float) -> None:
    kbs = [r["kb"] for r in report["rows"] if r["ap"] >= _FLOOR * best] or [r["kb"] for r in report["rows"]]
    ax.set_xscale("log")
    ax.set_xlim(min(kbs) / 2.3, max(kbs) * 1.12)
    top = max(best, *(r["ap_relative_interval"][1] * best for r in report["rows"]))
    ax.set_ylim(_FLOOR * best, min(top * 1.01, best * 1.12))
    ax.xaxis.set_major_locator(FixedLocator([t for t in _TICKS if ax.get_xlim()[0] <= t <= ax.get_xlim()[1]]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.axhline(best, color="#444444", linewidth=1.2, linestyle=(0, (5, 3)), zorder=1)
    ax.annotate(
        f"uncompressed: AP {best:.3f}, {report['uncompressed']['kb']:.0f} KB",
        (0.01, best),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),
        textcoords="offset points",
        color="#444444",
        path_effects=_HALO,
    )
    ax.grid(True, color="#e6e6e6", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.set_xlabel("KB per picture, sent over the link (logarithmic; 1 KB = 1024 bytes)")
    ax.set_ylabel("accuracy: AP on the labelled photos")
    share = ax.secondary_yaxis("right", functions=(lambda v: 100 * v / best, lambda v: v * best / 100))
    share.set_ylabel("% of the uncompressed accuracy")
    ax.set_title(
        f"{report['service']} on {report['images']} photos of {report['dataset']}: further left and higher is better",
        loc="left",
        fontsize=12,
    )


def _spread(ax: Axes, labels: list[Text]) -> None:
    """Move labels apart, up or down, until none covers another."""
    figure = ax.figure
    figure.canvas.draw()
    points = 72 / figure.dpi
    placed: list[Text] = []
    for label in sorted(labels, key=lambda t: t.xy[1], reverse=True):
        for shift in (0, 7, -7, 14, -14, 21, -21, 28, -28):
            label.set_position((label.get_position()[0], shift))
            box = label.get_window_extent().padded(1 / points)
            if not any(box.overlaps(other.get_window_extent()) for other in placed):
                break
        placed.append(label)

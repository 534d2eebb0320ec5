"""The plot of the baselines: accuracy over size, one panel for each partition point."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .names import COLOURS, LABELS

#: Each method that has a line.
_MARKERS = {
    "offload": "s",
    "offload-lossy": "o",
    "offload-intp": "v",
    "offload-cs": "P",
    "offload-ae": "X",
    "jpeg": ".",
    "webp": ".",
    "avif": ".",
    "paper": "h",
    "ours": "D",
}


def draw(report: dict[str, Any], *files: Path) -> None:
    """Draw a report of `deepcod baselines` into each of the files; the ending says which format."""
    points = list(report["device_ms"])
    with plt.rc_context({"font.size": 10, "svg.hashsalt": "deepcod", "axes.spines.top": False}):
        figure, panels = plt.subplots(
            1, len(points), figsize=(1.5 + 4 * len(points), 4.8), dpi=150, sharex=True, sharey=True, squeeze=False
        )
        for ax, point in zip(panels[0], points, strict=True):
            _panel(ax, report, point)
        panels[0, 0].set_ylabel("% of the uncompressed service's AP")
        figure.suptitle(
            f"{report['service']} on {report['images']} photos of {report['dataset']}: "
            "further left and higher is better",
            x=0.01,
            ha="left",
        )
        _legend(figure, panels[0])
        for file in files:
            figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else {})
        plt.close(figure)


def _panel(ax: Axes, report: dict[str, Any], point: str) -> None:
    for method, marker in _MARKERS.items():
        rows = [r for r in report["rows"] if (r["method"], r["partition"]) == (method, point)]
        rows.sort(key=lambda r: r["kb"])
        ours = method == "ours"
        ax.plot(
            [r["kb"] for r in rows],
            [100 * r["ap_relative"] for r in rows],
            color=COLOURS[method],
            marker=marker,
            markersize=6,
            linewidth=2.2 if ours else 1.3,
            # interpolation has two kernels: a line through all of its marks would join what does not belong together
            linestyle="none" if method == "offload-intp" else "-",
            zorder=3 if ours else 2,
            label=LABELS[method],
        )
    device = [r for r in report["rows"] if r["method"] == "on-device" and r["setting"] != "float32"]
    for row, dashes in zip(device, itertools.cycle((":", "-.")), strict=False):
        label = f"on the device, {row['setting']}"
        ax.axhline(100 * row["ap_relative"], color="#444444", linewidth=1, linestyle=dashes, label=label)
    ax.axhline(100, color="#444444", linewidth=1, linestyle=(0, (5, 3)), zorder=1)
    ax.set_xscale("log")
    ax.set_ylim(0, 108)
    ax.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.tick_params(axis="x", labelsize=8)
    ax.grid(True, color="#e6e6e6", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.set_title(f"cut at {point}", loc="left", fontsize=10)
    ax.set_xlabel("KB per picture (logarithmic; 1 KB = 1024 bytes)")


def _legend(figure: Any, panels: Any) -> None:
    """One for all panels, below them."""
    named = {}
    for ax in panels:
        for line, label in zip(*ax.get_legend_handles_labels(), strict=True):
            if len(line.get_xdata()):
                named.setdefault(label, line)
    figure.legend(named.values(), named.keys(), loc="lower center", ncols=5, fontsize=9, frameon=False)
    figure.tight_layout(rect=(0, 0.13, 1, 0.99))

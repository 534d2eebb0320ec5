"""The plots of `deepcod links`: where the time goes, latency over bandwidth, latency beside other traffic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from .links_rows import BARS_MBPS, Row, colour, methods, name, note, values, where

_PARTS = (
    ("device", "device_part_ms", "#e69f00"),
    ("network", "link_ms", "#56b4e9"),
    ("edge", "edge_part_ms", "#009e73"),
)
#: Bars longer than so many times ours are cut; their number says how long they are.
_CUT = 6.0
_GRID = "#e6e6e6"
_LINES = "the edge is one CPU thread; dashed: loses more than a point of AP"
_PLAIN = FuncFormatter(lambda v, _: f"{v:g}")


def draw(report: dict[str, Any], json: Path) -> list[Path]:
    """Draw all plots beside the report, as SVG and PNG; returns the SVG files."""
    rows = report["rows"]
    free = where(rows, background_mbps=0)
    names = {device["id"]: device["name"] for device in report["devices"]}
    figures = {"parts": _parts(free, names), "bandwidth": _bandwidth(free, names)}
    if len(values(rows, "background_mbps")) > 1:
        figures["background"] = _background(rows, names)
    files = []
    with plt.rc_context({"svg.hashsalt": "deepcod"}):
        for kind, figure in figures.items():
            file = json.with_name(f"{json.stem}-{kind}.svg")
            figure.savefig(file, metadata={"Date": None}, bbox_inches="tight")
            figure.savefig(file.with_suffix(".png"), dpi=130, bbox_inches="tight")
            plt.close(figure)
            files.append(file)
    return files


def _panels(rows: int, columns: int, width: float, height: float) -> tuple[Figure, Any]:
    return plt.subplots(rows, columns, figsize=(width * columns, height * rows), squeeze=False)


def _parts(rows: list[Row], names: dict[str, str]) -> Figure:
    """Stacked bars: device, network, edge; a row of panels for each bandwidth, a column for each device."""
    bandwidths = [mbps for mbps in BARS_MBPS if mbps in values(rows, "mbps")] or values(rows, "mbps")[:1]
    delay = values(rows, "delay_ms")[0]
    shown = methods(rows)
    figure, axes = _panels(len(bandwidths), len(names), 4.6, 0.6 + 0.33 * len(shown))
    for line, mbps in zip(axes, bandwidths, strict=True):
        for ax, device in zip(line, names, strict=True):
            cell = where(rows, mbps=mbps, delay_ms=delay, device=device)
            _bars(
                ax,
                {r["method"]: r for r in where(cell, edge="cpu")},
                {r["method"]: r for r in where(cell, edge="gpu")},
                shown,
            )
            ax.set_title(f"{names[device]}, {mbps:g} Mbit/s", loc="left", fontsize=10)
            if ax is not line[0]:
                ax.set_yticklabels([])
    handles: list[Any] = [Patch(color=c, label=label) for label, _, c in _PARTS]
    handles.append(
        Line2D([], [], color="black", marker="D", markersize=4, linestyle="", label="with an assumed GPU at the edge")
    )
    shown_rows = [row for mbps in bandwidths for row in where(rows, mbps=mbps, delay_ms=delay)]
    _finish(figure, handles, "milliseconds of one frame, median; * loses more than a point of AP", shown_rows)
    return figure


def _bars(ax: Axes, cpu: dict[str, Row], gpu: dict[str, Row], shown: list[str]) -> None:
    longest = max(row["p50_ms"] for row in cpu.values())
    own = cpu["ours"]["p50_ms"] if "ours" in cpu else longest
    limit = min(longest, _CUT * own)
    for y, method in enumerate(shown):
        row, left = cpu[method], 0.0
        for _, key, part_colour in _PARTS:
            ax.barh(y, max(0.0, min(row[key], limit - left)), left=left, color=part_colour, height=0.72)
            left = min(limit, left + row[key])
        cut = " \u2192" if row["p50_ms"] > limit * 1.001 else ""
        text = f"{row['p50_ms']:.0f}{'' if row['within_floor'] else '*'}{cut}"
        ax.annotate(text, (left, y), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8)
        if method in gpu and gpu[method]["p50_ms"] <= limit:
            ax.plot(gpu[method]["p50_ms"], y, color="black", marker="D", markersize=3.5)
    ax.set_xlim(0, limit * 1.16)
    ax.set_yticks(range(len(shown)), [name(m) for m in shown], fontsize=9)
    ax.invert_yaxis()
    ax.grid(True, axis="x", color=_GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def _bandwidth(rows: list[Row], names: dict[str, str]) -> Figure:
    """Latency over bandwidth, both logarithmic: a row of panels for each delay, a column for each device."""
    delays = values(rows, "delay_ms")
    figure, axes = _panels(len(delays), len(names), 4.6, 3.4)
    for line, delay in zip(axes, delays, strict=True):
        for ax, device in zip(line, names, strict=True):
            _lines(ax, where(rows, delay_ms=delay, device=device, edge="cpu"), "mbps")
            ticks = values(rows, "mbps")
            ax.set_xscale("log")
            ax.set_yscale("log")
            ax.xaxis.set_major_locator(FixedLocator(ticks))
            ax.xaxis.set_minor_locator(NullLocator())
            ax.xaxis.set_major_formatter(_PLAIN)
            ax.tick_params(labelsize=7)
            ax.yaxis.set_major_formatter(_PLAIN)
            ax.set_title(f"{names[device]}, {delay:g} ms there and back", loc="left", fontsize=10)
            if ax is line[0]:
                ax.set_ylabel("ms of one frame, median", fontsize=9)
            if line is axes[-1]:
                ax.set_xlabel("Mbit/s of the link", fontsize=9)
    _finish(figure, _legend(rows), _LINES, where(rows, edge="cpu"))
    return figure


def _background(rows: list[Row], names: dict[str, str]) -> Figure:
    """Latency beside other traffic: a panel for each device."""
    first = next(row for row in rows if row["background_mbps"] > 0)
    shared = where(rows, mbps=first["mbps"], delay_ms=first["delay_ms"], edge="cpu")
    figure, axes = _panels(1, len(names), 4.6, 3.4)
    for ax, device in zip(axes[0], names, strict=True):
        _lines(ax, where(shared, device=device), "background_mbps")
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(_PLAIN)
        ax.yaxis.set_minor_formatter(_PLAIN)
        ax.tick_params(which="both", labelsize=7)
        ax.set_title(f"{names[device]}, link of {first['mbps']:g} Mbit/s", loc="left", fontsize=10)
        ax.set_xlabel("Mbit/s of other traffic", fontsize=9)
    axes[0][0].set_ylabel("ms of one frame, median", fontsize=9)
    _finish(figure, _legend(rows), _LINES, shared)
    return figure


def _lines(ax: Axes, rows: list[Row], across: str) -> None:
    for method in reversed(methods(rows)):
        line = sorted(where(rows, method=method), key=lambda r: r[across])
        ours = method.startswith("ours")
        ax.plot(
            [r[across] for r in line],
            [r["p50_ms"] for r in line],
            color=colour(method),
            linewidth=2.6 if ours else 1.4,
            linestyle="-" if all(r["within_floor"] for r in line) else "--",
            marker="o" if ours else ".",
            markersize=5,
        )
    ax.grid(True, color=_GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def _legend(rows: list[Row]) -> list[Line2D]:
    def line(method: str) -> Line2D:
        width = 2.4 if method.startswith("ours") else 1.4
        return Line2D([], [], color=colour(method), linewidth=width, label=name(method))

    return [line(method) for method in methods(rows)]


def _finish(figure: Figure, handles: list[Any], how: str, rows: list[Row]) -> None:
    """Legend below; above how to read it, and what of the rows shown is not real."""
    figure.tight_layout()
    figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=6, frameon=False, fontsize=9)
    figure.text(0.5, 1.0, f"{how}\n{note(rows)}", ha="center", va="bottom", fontsize=9, color="#444444")

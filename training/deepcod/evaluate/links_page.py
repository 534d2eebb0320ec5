"""The section of docs/results/links.md for one report of `npm run bench:links`: no figure is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .links_rows import BARS_MBPS, Row, assumed, methods, name, note, values, where
from .page import table

#: What tells one cell from another.
_CELL = ("device", "edge", "mbps", "delay_ms", "background_mbps")
#: What is compared with the others, not with itself.
_OURS = ("ours", "ours-pictures")
_PLOTS = {
    "parts": "Where one frame's time goes",
    "bandwidth": "Latency over bandwidth",
    "background": "Latency beside other traffic",
}


def section(json: Path, report: dict[str, Any], plots: list[Path]) -> str:
    """Plots, goals and tables of a report in `json`, which lies beside the page."""
    parts = [_facts(json, report), f"    {report['command']}"]
    for plot in plots:
        title = _PLOTS[plot.stem.removeprefix(f"{json.stem}-")]
        parts += [f"**{title}, {report['service']}**", f"![{title}, {report['service']}]({plot.name})"]
    parts += _goals(report)
    rows = where(report["rows"], background_mbps=0)
    delay = values(rows, "delay_ms")[0]
    near = where(rows, delay_ms=delay)
    for edge, what in (("cpu", "edge on one CPU thread"), ("gpu", f"edge with an assumed GPU, {_speed_up(report)}")):
        for device in report["devices"]:
            shown = where(near, device=device["id"], edge=edge)
            parts.append(
                f"Milliseconds of one frame, median; {device['name']}, {what}, {delay:g} ms there and back "
                f"({note(shown)}):"
            )
            parts.append(_latency(shown))
    parts += [
        "Energy of one frame in millijoules, edge on one CPU thread: all of it, in brackets without what idling takes "
        f"({note(_in_bars(where(near, edge='cpu')), energy=True)}):",
        _energy(report, near),
    ]
    parts += ["Devices (all simulated):", _devices(report)]
    return "\n" + "\n\n".join(parts) + "\n"


def _speed_up(report: dict[str, Any]) -> str:
    return f"{report['gpu_speed_up']:g} times as fast (simulated)"


def _facts(json: Path, report: dict[str, Any]) -> str:
    machine = report["machine"]
    link = "network namespaces: real TCP" if report["link"] == "namespaces" else "a relay on loopback: simulated"
    found = assumed(report["rows"])
    not_measured = f"; assumed, not measured: {', '.join(found)}" if found else ""
    computed = sum(row["computed"] for row in report["rows"])
    return (
        f"Service `{report['service']}`. Links: {link}; broker {report['broker']}. Machine: {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['os']}. {len(report['rows'])} rows, {computed} of them with a computed "
        f"link{not_measured}. Accuracy: {report['accuracy_floor']}. "
        f"{'A quick check, not a measurement. ' if report['quick'] else ''}JSON: [{json.name}]({json.name}). Command:"
    )


def _goals(report: dict[str, Any]) -> list[str]:
    """The paper's goals against what was found."""
    if report["ratios"] is None:
        return ["Ours is not among the methods."]
    goals = report["ratios"]
    lines = [
        f"- Fastest at every cell? {name(method)}: in {found['won']} of {found['cells']} cells; among the methods that "
        f"lose at most a point of AP in {found['won_at_equal_accuracy']}, at worst {found['worst']:.2f} times as long "
        f"as the fastest of them ({note(report['rows'])})."
        for method, found in goals["fastest"].items()
    ]
    lines += [
        f"- 8 times faster than best-partition offload, YOLOv3 on a Pi 4 at 2 Mbit/s? {found['ratio']:.1f} times "
        f"(edge: {found['edge']}, {found['delay_ms']:g} ms; {_behind(report, found)})."
        for found in goals["offload_pi4_2mbps"]["found"]
    ]
    if low := goals["offload_low_end"]["found"]:
        lines.append(
            f"- 35 times at the low end? At most {low['ratio']:.1f} times at {low['mbps']:g} Mbit/s "
            f"({low['device']}, edge: {low['edge']}, {low['delay_ms']:g} ms; {_behind(report, low)})."
        )
    parts = ["\n".join(lines)]
    for ours in goals["fastest"]:
        if lost := _lost(report["rows"], ours):
            said = f"Where another method was faster than {name(ours)}, in cells, and how many times as long it takes:"
            parts += [said, lost]
    return parts


def _behind(report: dict[str, Any], cell: dict[str, Any]) -> str:
    """What is not real behind a cell's ratio of offload to ours."""
    rows = where(report["rows"], **{key: cell[key] for key in _CELL})
    return note([row for row in rows if row["method"] in ("ours", "offload")])


def _lost(rows: list[Row], ours: str) -> str:
    """Table of the cells where another method was faster, by method, device and edge; empty where there are none."""

    def cell(row: Row) -> tuple[Any, ...]:
        return tuple(row[key] for key in _CELL)

    own = {cell(row): row["p50_ms"] for row in where(rows, method=ours)}
    groups: dict[tuple[str, str, str], list[tuple[Row, float]]] = {}
    for row in rows:
        slower = own.get(cell(row), 0.0) / row["p50_ms"]
        if slower > 1 and row["method"] not in _OURS:
            groups.setdefault((row["method"], row["device"], row["edge"]), []).append((row, slower))
    lines = []
    for (method, device, edge), found in groups.items():
        slower = sorted(times for _, times in found)
        floor = "yes" if all(row["within_floor"] for row, _ in found) else "no"
        at = sorted({row["mbps"] for row, _ in found})
        span = f"{at[0]:g}" if len(at) == 1 else f"{at[0]:g} to {at[-1]:g}"
        lines.append([name(method), device, edge, floor, str(len(found)), span, f"{slower[0]:.2f} to {slower[-1]:.2f}"])
    heads = ["method", "device", "edge", "loses at most a point", "cells", "Mbit/s", "as long, times"]
    return table(heads, lines) if lines else ""


def _latency(rows: list[Row]) -> str:
    bandwidths = values(rows, "mbps")
    lines = []
    for method in methods(rows):
        own = {row["mbps"]: row for row in where(rows, method=method)}
        accuracy = sorted({row["ap_relative"] for row in own.values()})
        shown = f"{accuracy[0]:.3f}" if len(accuracy) == 1 else f"{accuracy[0]:.3f} to {accuracy[-1]:.3f}"
        lines.append([name(method), shown, *(_cell(own[mbps]) for mbps in bandwidths)])
    return table(["method", "AP / uncompressed", *(f"{mbps:g} Mbit/s" for mbps in bandwidths)], lines)


def _cell(row: Row) -> str:
    return f"{row['p50_ms']:.0f}{' (c)' if row['computed'] else ''} {row['partition']}"


def _in_bars(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["mbps"] in BARS_MBPS]


def _energy(report: dict[str, Any], rows: list[Row]) -> str:
    bandwidths = values(_in_bars(rows), "mbps")
    columns = [(device, mbps) for device in report["devices"] for mbps in bandwidths]
    lines = []
    for method in methods(rows):
        cells = []
        for device, mbps in columns:
            row = where(rows, method=method, device=device["id"], mbps=mbps, edge="cpu")[0]
            cells.append(f"{row['energy_mj']:.0f} ({row['energy_active_mj']:.0f})")
        lines.append([name(method), *cells])
    return table(
        ["method", *(f"{device['name'].removeprefix('Raspberry ')}, {mbps:g} Mbit/s" for device, mbps in columns)],
        lines,
    )


def _devices(report: dict[str, Any]) -> str:
    lines = []
    for device in report["devices"]:
        power = device["power"]
        watts = f"{power['idle_w']:g}, {power['busy_w']:g}, {power['send_w']:g}"
        lines.append([device["name"], f"{device['slow_down']:.1f}", device["source"], watts, power["source"]])
    return table(["device", "this machine's time, times", "from", "W idle, busy, sending", "from"], lines)

"""`deepcod edge`: page and picture of what bench/edge.ts measured: the edge at its limits."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `edge`."""
    p = commands.add_parser("edge", help="page of what `npm run bench:edge` measured", description=__doc__)
    p.add_argument("measured", type=Path, help="JSON written by bench/edge.ts")
    p.add_argument("--json", type=Path, required=True, help="report to write")
    p.add_argument("--page", type=Path, required=True, help="Markdown page to write; its pictures go beside the report")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write report, pictures and page."""
    report = json.loads(args.measured.read_text())
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(report, indent=2) + "\n")
    stem = args.json.with_suffix("")
    if report["rows"]:
        draw(report["rows"], stem.with_suffix(".svg"), stem.with_suffix(".png"))
    args.page.write_text(page(report, args.json.name))
    return 0


def draw(rows: list[dict[str, Any]], *files: Path) -> None:
    """Frames a second with the bare loop's, and latency, by the number of cameras."""
    cameras = [row["cameras"] for row in rows]
    with plt.rc_context({"font.size": 10, "svg.hashsalt": "deepcod", "axes.spines.top": False}):
        figure, (speed, wait) = plt.subplots(1, 2, figsize=(10, 4), dpi=130)
        speed.plot(cameras, [row["bare_fps"] for row in rows], "--", color="#999999", label="bare loop, same batch")
        speed.plot(cameras, [row["fps"] for row in rows], "o-", color="#0072b2", label="edge")
        speed.set_ylabel("frames a second")
        wait.plot(cameras, [row["p50_ms"] for row in rows], "o-", color="#009e73", label="p50")
        wait.plot(cameras, [row["p99_ms"] for row in rows], "s-", color="#d55e00", label="p99")
        wait.set_ylabel("ms from sending to the answer")
        for ax in (speed, wait):
            ax.set_ylim(0, 1.08 * ax.dataLim.ymax)
            ax.set_xscale("log", base=2)
            ax.set_xticks(cameras, [str(n) for n in cameras])
            ax.set_xlabel("cameras that send as fast as they are answered")
            ax.grid(True, color="#e6e6e6", linewidth=0.6)
            ax.legend(frameon=False)
        figure.tight_layout()
        for file in files:
            figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else {})
        plt.close(figure)


def page(report: dict[str, Any], json_name: str) -> str:
    """Markdown: machine and command, cameras against the bare loop, many devices on one broker."""
    machine, versions, rows = report["machine"], report["versions"], report["rows"]
    lines = [
        "# The edge at its limits",
        "",
        f"`{report['command']}` on {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['os']}; Node.js {versions['node']}, ONNX Runtime {versions['onnxruntime']}; "
        f"load of the machine before: {machine['load_before']:.1f}. "
        "Cameras, edge, broker and bare loop are processes on this one machine. "
        f"All figures: [{json_name}]({json_name}).",
        "",
    ]
    if rows:
        lines += _cameras(report, json_name)
    if report["devices"]:
        lines += _devices(report["devices"])
    return "\n".join(lines)


def _cameras(report: dict[str, Any], json_name: str) -> list[str]:
    rows, bare = report["rows"], report["bare"]
    full = [row for row in rows if row["cameras"] > 1]
    worst = min(full or rows, key=lambda row: row["share"])
    own, through = [row["bare_fps"] for row in rows], [row["fps"] for row in rows]
    share = report["decoder_share"]
    decoder = "" if share is None else f" The decoder is {100 * share:.0f}% of the tail's time (tail less service)."
    return [
        "## Cameras that send as fast as they are answered",
        "",
        f"Bundle {report['bundle']}, cut at {report['partition']}, broker {report['broker']}. "
        f"Goal: {report['goal']}. With more than one camera the least was {100 * worst['share']:.0f}% "
        f"({worst['cameras']} cameras). "
        "The bare loop is one ONNX Runtime session with the same model, provider, threads and batch, and nothing "
        f"else; with threads that spin it makes {bare['spinning']:.1f} frames a second, "
        f"without {bare['one']:.1f}. Measured anew for every row, it made between {min(own):.1f} and {max(own):.1f}: "
        "shares are no more certain than that. "
        f"All rows together: {100 * sum(through) / sum(own):.0f}% of it.{decoder}",
        "",
        f"![Frames a second and latency by cameras]({Path(json_name).with_suffix('.png')})",
        "",
        "| cameras | provider | batch | frames/s | bare loop | share | p50 ms | p99 ms | refused | unanswered "
        "| decode ms | processor ms a frame: edge, bare, broker |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|",
        *(
            f"| {r['cameras']} | {r['provider']} | {r['batch']:.1f} | {r['fps']:.1f} | {r['bare_fps']:.1f} "
            f"| {100 * r['share']:.0f}% | {r['p50_ms']:.0f} | {r['p99_ms']:.0f} | {r['refused']} | {r['unanswered']} "
            f"| {r['decode_ms']:.2f} | {r['edge_cpu_ms']:.1f}, {r['bare_cpu_ms']:.1f}, {_number(r['broker_cpu_ms'])} |"
            for r in rows
        ),
        "",
        "Each camera has two frames on their way, as an agent does; refused frames were answered with "
        "`overloaded` at once.",
        "",
    ]


def _devices(rows: list[dict[str, Any]]) -> list[str]:
    return [
        "## Many devices at one frame a second on one broker",
        "",
        "The model is a toy (the test bundle's), so that broker and edge are what is measured. "
        "Processors: 1 is one core busy all the time.",
        "",
        "| broker | devices | sent/s | answered/s | lost | p50 ms | p99 ms | edge: processors, MB "
        "| broker: processors, MB |",
        "|---|---:|---:|---:|---:|---:|---:|---|---|",
        *(
            f"| {r['broker']} | {r['devices']} | {r['sent_fps']:.0f} | {r['fps']:.0f} | {r['lost']} "
            f"| {r['p50_ms']:.1f} | {r['p99_ms']:.1f} | {r['edge_cpu']:.2f}, {r['edge_mb']} "
            f"| {_broker(r)} |"
            for r in rows
        ),
        "",
    ]


def _broker(row: dict[str, Any]) -> str:
    return "in the edge" if row["broker_cpu"] is None else f"{row['broker_cpu']:.2f}, {row['broker_mb']}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"

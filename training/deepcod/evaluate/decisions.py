"""`deepcod decisions`: page and picture of what bench/simulate.ts ran: the agent's decision, simulated."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

#: Where frames were cut, from the camera's side to the edge's; Okabe and Ito's colours.
_LANES = {"device": "#1a1a1a", "stage2": "#0072b2", "stage1": "#009e73", "input": "#d55e00"}


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `decisions`."""
    p = commands.add_parser("decisions", help="page of what `npm run bench:simulator` ran", description=__doc__)
    p.add_argument("measured", type=Path, help="JSON written by bench/simulate.ts")
    p.add_argument("--json", type=Path, required=True, help="report to write")
    p.add_argument("--page", type=Path, required=True, help="Markdown page to write; its pictures go beside the report")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write report, pictures and page."""
    report = json.loads(args.measured.read_text())
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(report, separators=(",", ":")) + "\n")
    stem = args.json.with_suffix("")
    draw(report["moving"], stem.with_suffix(".svg"), stem.with_suffix(".png"))
    args.page.write_text(page(report, args.json.name))
    return 0


def draw(moving: list[dict[str, Any]], *files: Path) -> None:
    """For each moving link: its rate, where frames were cut, and how long they took, over ten minutes."""
    with plt.rc_context({"font.size": 10, "svg.hashsalt": "deepcod", "axes.spines.top": False}):
        figure, axes = plt.subplots(len(moving) * 3, 1, figsize=(10, 4.2 * len(moving)), dpi=130, squeeze=False)
        for trace, (link, cut, wait) in zip(moving, axes[:, 0].reshape(-1, 3), strict=True):
            _course(trace, link, cut, wait)
        axes[-1, 0].set_xlabel("minutes of virtual time")
        figure.tight_layout(h_pad=0.6)
        for file in files:
            figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else {})
        plt.close(figure)


def _course(trace: dict[str, Any], link: plt.Axes, cut: plt.Axes, wait: plt.Axes) -> None:
    seconds = trace["seconds"]
    minutes = np.arange(len(seconds)) / 60
    for ax in (link, cut, wait):
        ax.set_xlim(0, minutes[-1])
        ax.grid(True, color="#e6e6e6", linewidth=0.6)
    for ax in (link, cut):
        ax.tick_params(labelbottom=False)
    link.set_title(f"{trace['scenario']} (simulated)", loc="left", fontsize=11)
    link.semilogy(minutes, np.maximum([s["mbps"] for s in seconds], 0.02), color="#56b4e9", linewidth=1)
    link.set_ylabel("Mbit/s")
    lanes = list(_LANES)
    for lane, colour in _LANES.items():
        at = [i for i, s in enumerate(seconds) if s["choice"] and s["choice"].split("/")[0] == lane]
        cut.scatter(minutes[at], [lanes.index(lane)] * len(at), color=colour, marker="|", s=60)
    cut.set_yticks(range(len(lanes)), lanes)
    cut.set_ylim(-0.6, len(lanes) - 0.4)
    cut.set_ylabel("cut at")
    shown = [(m, s["ms"]) for m, s in zip(minutes, seconds, strict=True) if s["ms"] is not None]
    wait.semilogy(*zip(*shown, strict=True), color="#444444", linewidth=0.8)
    lost = [m for m, s in zip(minutes, seconds, strict=True) if s["lost"]]
    wait.scatter(lost, [2000] * len(lost), color="#cc0000", marker="x", s=18, zorder=3)
    for ax, ticks in ((link, [0.1, 1, 10, 100]), (wait, [30, 100, 300, 1000])):
        ax.yaxis.set_major_locator(FixedLocator(ticks))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    wait.set_ylabel("ms, slowest\n(× lost)")


def page(report: dict[str, Any], json_name: str) -> str:
    """Markdown: what was asked, how it went, every changing scenario, the steady ones in one table."""
    model, harmonic = (report["summary"][k] for k in ("model", "harmonic"))
    steady = [s for s in report["scenarios"] if s["steady"]]
    changing = [s for s in report["scenarios"] if not s["steady"] and not s["unseen"]]
    unseen = [s for s in report["scenarios"] if s["unseen"]]
    lines = [
        "# The decision, simulated",
        "",
        "The agent chooses for every frame where to cut the network and at which rate. Here its own planner runs",
        "in virtual time through links, devices and edges that a seed decides: **all figures of this page are",
        "simulated**, and the same on every machine. What is chosen from: the points and rates of the default bundle",
        "that keep 97% of the accuracy, and the device. Each picture counts with its *wait*: the time from the picture",
        "to the first answer of it or of a newer one, so slow, lost and skipped frames all count for what they cost.",
        "",
        f"`{report['command']}`; every figure is in [{json_name}]({json_name}).",
        "",
        "- **Best single choice**: the one point and rate that would have been best for the whole run, in hindsight.",
        "- **Oracle**: for each frame the choice that ends soonest, the future of the link, the luck of the frame and",
        "  all else known, and changes for nothing; or the best single choice where that does better.",
        "- **Harmonic**: the same agent, pings and all, but judging the link as the paper does: harmonic mean of the",
        "  last ten throughputs.",
        "",
        "The agent starts with profiles of both sides in which each figure is off by up to a third. Pings go beside",
        "the frames' queue, which favours it a little. The decision's constants were chosen by looking at these",
        "scenarios; the moving links of other seeds were not looked at before.",
        "",
        "| wait of the agent, as a share of | the best single choice: mean, worst | the oracle: mean, worst |",
        "|---|---|---|",
    ]
    for name, summary in (("latency = base + bytes / rate", model), ("harmonic mean", harmonic)):
        for kind in ("steady", "changing"):
            fixed, oracle = summary[kind]["over_fixed"], summary[kind]["over_oracle"]
            lines.append(
                f"| {kind} circumstances, {name} | {fixed['mean']:.3f}, {fixed['most']:.3f} "
                f"| {oracle['mean']:.3f}, {oracle['most']:.3f} |"
            )
    within = _within(steady, "over_fixed", 1.05)
    lines += [
        "",
        f"On {within} of {len(steady)} steady links the agent waits at most 5% longer than the best single choice, on",
        f"{_within(steady, 'over_oracle', 1.05)} at most 5% longer than the oracle. Where circumstances change, on",
        f"{_within(changing, 'over_fixed', 1.05)} of {len(changing)} at most 5% longer than the best single choice, on",
        f"{_within(changing, 'over_oracle', 1.15)} at most 15% longer than the oracle.",
        f"Moving links of other seeds: on average (worst, best) {_share(unseen, 'over_fixed')} of the best single",
        f"choice's wait, {_share(unseen, 'over_oracle')} of the oracle's.",
        "",
        "## Moving links",
        "",
        f"![Rate of the link, cut and latency over ten minutes]({Path(json_name).with_suffix('.svg')})",
        "",
        "## Where circumstances change",
        "",
        "| scenario | wait, ms | harmonic | best single choice | oracle | p50 | p95 | p99 ms | lost | skipped "
        "| changes |",
        "|---|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {_waits(s)} "
        f"| {s['p50_ms']:.0f} | {s['p95_ms']:.0f} | {s['p99_ms']:.0f} "
        f"| {s['lost']} of {s['frames']} | {s['skipped']} | {s['changes']} |"
        for s in [*changing, *unseen]
    ]
    lines += [
        "",
        "Percentiles are of frames that were answered; *skipped* pictures came while there was no room for them.",
        "",
        "## Steady links",
        "",
        "| scenario | wait, ms | harmonic | best single choice | oracle | changes |",
        "|---|---:|---:|---|---:|---:|",
    ]
    lines += [f"| {_waits(s)} | {s['changes']} |" for s in steady]
    return "\n".join(lines) + "\n"


def _within(scenarios: list[dict[str, Any]], key: str, limit: float) -> int:
    return sum(s[key] <= limit for s in scenarios)


def _share(scenarios: list[dict[str, Any]], key: str) -> str:
    """Mean, worst and best of a ratio; a dash where there is nothing."""
    values = [s[key] for s in scenarios]
    return f"{np.mean(values):.3f} ({max(values):.3f}, {min(values):.3f})" if values else "–"


def _waits(s: dict[str, Any]) -> str:
    """Cells of a scenario's name and of the waits of all policies."""
    fixed = f"{s['best_fixed_ms']:.0f} ({s['best_fixed']})"
    return f"{s['scenario']} | {s['agent_ms']:.0f} | {s['harmonic_ms']:.0f} | {fixed} | {s['oracle_ms']:.0f}"

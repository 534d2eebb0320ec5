"""The section of a Markdown page that shows a report of `deepcod baselines`; no figure is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..evaluate.page import replace_section, table
from .names import LABELS


def update_page(page: Path, json: Path, report: dict[str, Any]) -> None:
    """Write the section of a report in `json`, which lies beside the page, anew.

    Raises:
        DeepcodError: the page lacks the markers.
    """
    replace_section(page, json, section(json, report))


def section(json: Path, report: dict[str, Any]) -> str:
    """Plot, facts, and a table each of the rows, of the work on the device and of training."""
    uncompressed, machine, versions = report["uncompressed"], report["machine"], report["versions"]
    title = f"Accuracy over KB per picture of the baselines, {report['service']} on {report['dataset']}"
    facts = (
        f"Service `{report['service']}` on {report['images']} pictures of {report['dataset']} "
        f"({report['boxes']} boxes). "
        f"Uncompressed: AP {uncompressed['ap']:.3f}, AP50 {uncompressed['ap50']:.3f}, {uncompressed['kb']:.1f} KB, "
        f"{uncompressed['network_ms']:.0f} ms for the network. Intervals: {report['interval']}, seed {report['seed']}. "
        f"{'A quick check, not a measurement. ' if report['quick'] else ''}"
        f"Machine: {machine['cpu']}, one thread; ONNX Runtime {versions['onnxruntime']}, torch {versions['torch']}. "
        f"{_scaled(report['rate_times'])}"
        f"JSON: [{json.name}]({json.name}). Command:"
    )
    parts = [f"![{title}]({json.with_suffix('.svg').name})", facts, f"    {report['command']}", _rows(report)]
    parts += [_device(report), _budget(report), _training(report)]
    return "\n" + "\n\n".join(parts) + "\n"


def _rows(report: dict[str, Any]) -> str:
    head = ["method", "cut at", "setting", "KB", "AP", "AP50", "AP / uncompressed", "device ms", "edge ms"]
    rows = []
    for row in report["rows"]:
        low, high = row["ap_relative_interval"]
        rows.append(
            [
                LABELS[row["method"]],
                f"`{row['partition']}`",
                row["setting"],
                f"{row['kb']:.1f}",
                f"{row['ap']:.3f}",
                f"{row['ap50']:.3f}",
                f"{row['ap_relative']:.3f} [{low:.3f}, {high:.3f}]",
                f"{row['device_ms']:.1f}",
                f"{row['edge_ms']:.1f}",
            ]
        )
    return table(head, rows)


def _device(report: dict[str, Any]) -> str:
    """What the device must do before anything is sent."""
    head = ["cut at", "prefix ms", "remainder ms", "prefix MFLOP", "our encoder MFLOP", "auto-encoder's MFLOP"]
    rows = [
        [
            f"`{name}`",
            f"{report['device_ms'][name]:.1f}",
            f"{report['edge_ms'][name]:.1f}",
            *(_number(report["encoder_mflop"][name][key]) for key in ("prefix", "ours", "autoencoder")),
        ]
        for name in report["device_ms"]
    ]
    return table(head, rows)


def _scaled(times: dict[str, float] | None) -> str:
    """How the times of the rate bench's rows were made comparable."""
    if times is None:
        return ""
    return (
        "Rows of the image codecs and ours were timed in another run, whose uncompressed network took "
        f"{times['network_ms']:.1f} ms: their times are multiplied by {times['factor']:.3f}. "
    )


def _budget(report: dict[str, Any]) -> str:
    """The auto-encoder's training against our codec's."""
    measured = {row["partition"] for row in report["rows"] if row["method"] == "offload-ae"}
    minutes = {(row["what"], row["partition"]): row["minutes"] for row in report["training"]}

    def trained(what: str, partition: str) -> str:
        spent = minutes.get((what, partition))
        return "not trained yet" if spent is None else f"{spent:.1f} minutes"

    parts = [
        f"at `{p}` {trained('auto-encoder', p) if p in measured else 'not measured yet'} ({trained('ours', p)})"
        for p in report["device_ms"]
    ]
    return f"Training of the auto-encoder, and in brackets of our codec: {'; '.join(parts)}."


def _training(report: dict[str, Any]) -> str:
    """Training time against training the service."""
    head = ["trained", "cut at", "minutes", "steps", "on"]
    rows = [
        [
            r["what"],
            f"`{r['partition']}`" if r["partition"] else "",
            _number(r["minutes"]),
            str(r["steps"]),
            str(r["machine"]),
        ]
        for r in report["training"]
    ]
    return table(head, rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"

"""What training costs: of each codec, of each auto-encoder, and of the service itself where its description says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx

from ..codec.codec import open_codec
from ..graph.cut import partition_points
from . import autoencoder


def training_times(description: dict[str, Any], codecs: Path, checkpoints: Path) -> list[dict[str, Any]]:
    """{what, partition, minutes, steps, machine} of the service, of ours, of auto-encoders: those that are there."""
    rows = []
    own = description.get("training")
    if own:
        rows.append({"what": "service", "partition": None, **{k: own.get(k) for k in ("minutes", "steps", "machine")}})
    for partition in description["partitions"]:
        file = codecs / f"{partition}.pt"
        if file.exists():
            facts = open_codec(file)[1]
            runs = list(_runs(facts))
            rows.append(_row("ours", partition, sum(r["minutes"] for r in runs), sum(r["steps"] for r in runs)))
    for partition in description["partitions"]:
        file = autoencoder.checkpoint(checkpoints, partition)
        if file.exists():
            facts = autoencoder.load(file)[1]
            rows.append(_row("auto-encoder", partition, facts["minutes"], facts["steps"]))
    for row in rows:
        row["minutes"] = row["minutes"] and round(row["minutes"], 1)
    return rows


def _row(what: str, partition: str, minutes: float, steps: int) -> dict[str, Any]:
    return {"what": what, "partition": partition, "minutes": minutes, "steps": steps, "machine": "one core"}


def _runs(facts: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """The runs that a codec came from, each begun with the one before it."""
    while facts:
        yield facts
        facts = facts.get("start")


def encoder_flops(
    model: onnx.ModelProto, description: dict[str, Any], codecs: Path, checkpoints: Path
) -> dict[str, dict[str, float | None]]:
    """By partition point, in MFLOP: `prefix`, and the encoders after it, `ours` and `autoencoder` (None: not there)."""
    before = {p.name: p for p in partition_points(model, default_only=False)}
    result = {}
    for partition, tensor in description["partitions"].items():
        shape = before[tensor].shape
        ours = codecs / f"{partition}.pt"
        other = autoencoder.checkpoint(checkpoints, partition)
        result[partition] = {
            "prefix": _mega(before[tensor].flops_before),
            "ours": _mega(_ours(ours)) if ours.exists() else None,
            "autoencoder": _mega(autoencoder.load(other)[0].encoder_flops(*shape[2:])) if other.exists() else None,
        }
    return result


def _ours(file: Path) -> int:
    config = open_codec(file)[0].config
    height, width, channels = config.code
    return 2 * height * width * channels * config.source[0] * config.kernel**2


def _mega(flops: int) -> float:
    return round(flops / 1e6, 2)

"""What was found, as JSON, as a table, and in a bundle's manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx

from deepcod.errors import DeepcodError
from deepcod.export.manifest import read_manifest, write_manifest

KIND = "reveal"


def head_digest(file: Path) -> str:
    """SHA-256 over a head's nodes and weights, wherever the weights lie: two heads with one digest make one code."""
    graph = onnx.load(str(file)).graph
    digest = hashlib.sha256()
    for node in graph.node:
        digest.update(node.SerializeToString(deterministic=True))
    for weight in sorted(graph.initializer, key=lambda w: w.name):
        digest.update(f"{weight.name} {weight.data_type} {list(weight.dims)} ".encode())
        digest.update(onnx.numpy_helper.to_array(weight).tobytes())
    return digest.hexdigest()


def partition_report(partition: dict[str, Any], digest: str, rates: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One partition point; `rates` are its scores. `reveals` is the largest mean SSIM, held to 0..1."""
    reveals = max(0.0, *(rate["ssim"] for rate in rates))
    return {"partition": partition["id"], "reveals": round(reveals, 3), "head": digest, "rates": list(rates)}


def table(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = [
        f"{report['bundle']} on {report['images']['set']}: {report['images']['count']} pictures",
        f"{'':10} rate  KB/frame   PSNR dB   SSIM   most",
    ]
    for row in report["partitions"]:
        for r in row["rates"]:
            size = f"{r['payload_bytes_mean'] / 1024:8.2f}"
            scores = f"{r['psnr']:7.2f}  {r['ssim']:.3f}  {r['ssim_most']:.3f}"
            lines.append(f"{row['partition']:10} {r['rate']:4}  {size}   {scores}")
    n = report["nothing"]
    lines.append(f"{'nothing':10}         0.00   {n['psnr']:7.2f}  {n['ssim']:.3f}  {n['ssim_most']:.3f}")
    return "\n".join(lines)


def is_reveal(report: dict[str, Any]) -> bool:
    """Whether a JSON file is one of `deepcod reveal`."""
    return report.get("kind") == KIND


def add_reveals(folder: Path, report: dict[str, Any]) -> dict[str, Any]:
    """Write `reveals` of each partition point into a bundle's manifest.

    Raises DeepcodError for a point that the bundle lacks, or whose head has changed since: the figure is of another.
    """
    manifest = read_manifest(folder)
    points = {p["id"]: p for p in manifest["partitions"]}
    for row in report["partitions"]:
        point = points.get(row["partition"])
        if point is None:
            raise DeepcodError(f"{folder}: the report is of partition {row['partition']}, which the bundle lacks")
        if head_digest(folder / point["head"]) != row["head"]:
            raise DeepcodError(
                f"{folder}: the head of {row['partition']} is not the one that the report is of",
                "Measure this bundle: deepcod reveal.",
            )
        point["reveals"] = row["reveals"]
    write_manifest(manifest, folder)
    return manifest

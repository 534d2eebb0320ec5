"""Assembles a bundle: every graph, the weights they share, tables, and the manifest that the runtime checks."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch

from deepcod.codec import codec as codecs
from deepcod.codec.codec import Codec
from deepcod.codec.data import Pictures
from deepcod.codec.service import Service
from deepcod.errors import DeepcodError
from deepcod.graph.flops import graph_flops
from deepcod.graph.shapes import tensor_shapes
from deepcod.graph.split import split

from .check import check_codec, check_service
from .entropy import train_tables
from .halves import head_graph, service_graph, tail_graph
from .manifest import read_manifest, write_manifest
from .sequences import SequencePlan, frames
from .sequences import count as frame_count
from .weights import WeightStore

FORMAT = 1

#: Partition id of pictures that are sent as JPEG files.
PICTURE = "jpeg"
#: A photo at a middling quality, until it was measured.
_JPEG_BYTES_PER_PIXEL = 0.1


@dataclass(frozen=True)
class Sources:
    """What a bundle is made of. `pictures` are training pictures: they give the tables, never the accuracy."""

    service: Service
    codecs: Sequence[Path]
    pictures: Pictures
    table_pictures: int = 300


def build(sources: Sources, out: Path) -> dict:
    """Write the bundle to `out` (replaced only when everything succeeded) and return the manifest.

    Raises DeepcodError where ONNX Runtime and PyTorch disagree (see `check`).
    """
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        manifest = _write(sources, temporary)
        old = out.with_name(f".{out.name}-old")
        if out.exists():
            out.replace(old)
        temporary.chmod(0o755)
        temporary.replace(out)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return manifest


def _write(sources: Sources, folder: Path) -> dict:
    service, store = sources.service, WeightStore()
    loaded = [codecs.load(path) for path in sources.codecs]
    names = [c.config.partition for c, _ in loaded]
    if len(set(names)) != len(names):
        raise DeepcodError(f"two codecs for one partition point: {', '.join(names)}")
    graphs = {"service.onnx": service_graph(service)}
    for codec, _ in loaded:
        graphs[f"{codec.config.partition}.head.onnx"] = head_graph(service, codec)
        graphs[f"{codec.config.partition}.tail.onnx"] = tail_graph(service, codec)
    flops = {name: _flops(graph) for name, graph in graphs.items()}
    for name, graph in graphs.items():
        store.share(graph)
        onnx.save(graph, str(folder / name))
    store.write(folder)

    count = min(sources.table_pictures, len(sources.pictures))
    chosen = torch.linspace(0, len(sources.pictures) - 1, count).long()

    examples = sources.pictures.plain(chosen[:: max(1, count // 4)][:4])
    check_service(service, folder / "service.onnx", examples)
    partitions = []
    for codec, facts in loaded:
        check_codec(service, codec, folder, examples)
        plan = SequencePlan() if codec.config.form == "context" else SequencePlan(length=1)
        shown = frames(sources.pictures, chosen.numpy(), plan)
        partitions.append(_partition(service, codec, facts, folder, flops, shown, frame_count(count, plan)))
    facts = service.facts
    manifest = {
        "format": FORMAT,
        "service": {
            "name": facts["name"],
            "task": facts["task"],
            "classes": facts["classes"],
            "licence": facts["licence"],
            "provenance": facts["provenance"],
            "model": "service.onnx",
            "flops": flops["service.onnx"],
            "decode": facts["decode"],
            "score_threshold": facts["score_threshold"],
            "nms_iou": facts["nms_iou"],
        },
        "input": {k: facts["picture"][k] for k in ("width", "height", "letterbox")},
        "partitions": partitions,
        "device": {},
    }
    write_manifest(manifest, folder)
    return manifest


def _flops(graph: onnx.ModelProto) -> int:
    return graph_flops(graph, tensor_shapes(graph))


def _partition(service: Service, codec: Codec, facts: dict, folder: Path, flops: dict, pictures, count: int) -> dict:
    cfg = codec.config
    name = cfg.partition
    height, width, channels = cfg.code
    encoder = codec.encoder.flops(*cfg.source[1:])
    prefix, remainder = 0, flops["service.onnx"]
    if cfg.tensor != service.model.graph.input[0].name:
        prefix, remainder = (_flops(part) for part in split(service.model, cfg.tensor))
    report = train_tables(folder / f"{name}.head.onnx", cfg, pictures, count, folder / f"{name}.entropy.json")
    return {
        "id": name,
        "head": f"{name}.head.onnx",
        "tail": f"{name}.tail.onnx",
        "code": {"height": height, "width": width, "channels": channels, "levels": cfg.levels},
        "entropy": f"{name}.entropy.json",
        "rates": [{"payload_bytes_mean": round(r["payload_bytes_mean"], 1)} for r in report["rates"]],
        "flops": {
            "prefix": prefix,
            "encoder": encoder,
            "decoder": flops[f"{name}.tail.onnx"] - remainder,
            "remainder": remainder,
        },
        "provenance": facts,
    }


def add_qualities(folder: Path, qualities: Sequence[int]) -> dict:
    """Let the picture itself be sent as JPEG, at these qualities (of libjpeg, 1..100); replaces those that were there.

    Sizes are a guess until `deepcod evaluate --partition jpeg` has measured them.
    """
    if wrong := [q for q in qualities if not 1 <= q <= 100]:
        raise DeepcodError(f"quality {wrong[0]}: JPEG has 1 to 100")
    manifest = read_manifest(folder)
    guess = manifest["input"]["width"] * manifest["input"]["height"] * _JPEG_BYTES_PER_PIXEL
    manifest["pictures"] = [{"quality": q, "payload_bytes_mean": guess} for q in sorted(set(qualities))]
    write_manifest(manifest, folder)
    return manifest


def _measured_picture(manifest: dict, folder: Path, row: dict) -> None:
    pictures = manifest.get("pictures", [])
    if row["rate"] >= len(pictures):
        raise DeepcodError(f"{folder}: the evaluation is of JPEG quality number {row['rate']}, which the bundle lacks")
    pictures[row["rate"]] |= {"payload_bytes_mean": row["bytes_per_frame"][0], "accuracy": row["accuracy"]}


def add_accuracy(folder: Path, evaluations: Sequence[dict]) -> dict:
    """Write measured accuracy into the manifest; each evaluation is the JSON of `deepcod evaluate`."""
    manifest = read_manifest(folder)
    for evaluation in evaluations:
        manifest["accuracy"] = manifest["device"]["accuracy"] = evaluation["uncompressed"]
        for row in evaluation["rows"]:
            if row["partition"] == PICTURE:
                _measured_picture(manifest, folder, row)
                continue
            partition = next((p for p in manifest["partitions"] if p["id"] == row["partition"]), None)
            if partition is None:
                raise DeepcodError(
                    f"{folder}: the evaluation is of partition {row['partition']}, which the bundle lacks"
                )
            partition["rates"][row["rate"]]["accuracy"] = row["accuracy"]
            best = max((r for r in partition["rates"] if "accuracy" in r), key=lambda r: r["accuracy"]["ap"])
            partition["accuracy"] = best["accuracy"]
    write_manifest(manifest, folder)
    return manifest

"""Heads whose prefix computes with 8-bit integers: on ARM faster than floats, and less exact.

The encoder and the quantiser stay float, and so does the tail: the codec sees the prefix's error as noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch

from deepcod.codec.data import Pictures
from deepcod.errors import DeepcodError
from deepcod.graph.integers import quantised

from .copy import copied_bundle
from .halves import FRONT
from .manifest import read_manifest, write_manifest
from .weights import WeightStore

#: Pictures that ranges are taken from.
CALIBRATION = 64


def quantise_heads(bundle: Path, points: Sequence[str], packs: Sequence[Path], out: Path) -> dict:
    """A copy of a bundle with these points' heads quantised; `packs` are training pictures. Returns its manifest.

    What was measured at these points no longer holds and is left out, and so are their heads that read YUV: those
    compute with floats. Entropy tables stay. `out` is replaced only when everything succeeded.
    """
    manifest = read_manifest(bundle)
    partitions = {p["id"]: p for p in manifest["partitions"]}
    if unknown := [p for p in points if p not in partitions]:
        raise DeepcodError(f"--points {unknown[0]}: {bundle} has {', '.join(partitions)}")
    if empty := [p for p in points if not partitions[p]["flops"]["prefix"]]:
        raise DeepcodError(f"--points {empty[0]}: its head has no prefix: an encoder alone stays float")
    with copied_bundle(bundle, out) as made:
        # Not opened in place: they share one file of weights.
        graphs = {path.name: onnx.load(str(path)) for path in sorted(made.glob("*.onnx"))}
        pictures = Pictures(packs, torch.device("cpu"), pad=manifest["input"]["letterbox"]["pad"])
        for point in points:
            partition = partitions[point]
            if of_planes := partition.pop("head_yuv", None):
                del graphs[of_planes]
                (made / of_planes).unlink()
            graphs[partition["head"]] = quantised_head(graphs[partition["head"]], pictures, len(partition["rates"]))
            for measured in (partition, *partition["rates"]):
                measured.pop("accuracy", None)
            partition["provenance"] = {**partition["provenance"], "head": "prefix quantised to int8"}
        store = WeightStore()
        for name, graph in graphs.items():
            store.share(graph)
            onnx.save(graph, str(made / name))
        store.write(made)
        write_manifest(manifest, made)
    return manifest


def quantised_head(head: onnx.ModelProto, pictures: Pictures, rates: int) -> onnx.ModelProto:
    """A head whose nodes before the encoder are quantised."""
    plain = _plain(head)
    prefix = [n.name for n in plain.graph.node if not n.name.startswith(FRONT)]
    return quantised(plain, _feeds(head, pictures, rates), nodes=prefix, signed=True)


def _plain(head: onnx.ModelProto) -> onnx.ModelProto:
    """With weights as float32 initialisers, for kernels behind a Cast are not quantised, and a name for every node."""
    made = onnx.ModelProto.FromString(head.SerializeToString())
    for node in made.graph.node:
        node.name = node.name or node.output[0]
    halves = {n.input[0]: n.output[0] for n in made.graph.node if n.name.endswith("/cast")}
    for tensor in made.graph.initializer:
        if tensor.name in halves:
            array = onnx.numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(array, halves[tensor.name]))
    kept = [n for n in made.graph.node if not n.name.endswith("/cast")]
    del made.graph.node[:]
    made.graph.node.extend(kept)
    return made


def _feeds(head: onnx.ModelProto, pictures: Pictures, rates: int) -> Iterator[dict[str, np.ndarray]]:
    """Training pictures, evenly chosen; the prefix does not know the rate."""
    chosen = torch.linspace(0, len(pictures) - 1, min(CALIBRATION, len(pictures))).long()
    several = any(i.name == "rate" for i in head.graph.input)
    for i in chosen:
        picture = pictures.data[i].permute(1, 2, 0).contiguous().numpy()[None]
        yield {"picture": picture, **({"rate": np.array([rates - 1], np.int64)} if several else {})}

"""Exported graphs against PyTorch: symbols equal but for ties, outputs to 1e-3 of their size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from deepcod.codec.codec import Codec
from deepcod.codec.service import Service
from deepcod.errors import DeepcodError
from deepcod.graph.interpreter import OnnxModule

from .entropy import run_head

TOLERANCE = 1e-3
#: Share of symbols that may differ: a value on a threshold falls on either side by rounding.
TIES = 1e-4


def check_service(service: Service, path: Path, pictures: Tensor) -> float:
    """Largest relative difference between the exported service and the original graph in PyTorch."""
    with torch.no_grad():
        wanted = OnnxModule(service.model)(service.feed(pictures))[0]
    session = onnxruntime.InferenceSession(str(path))
    got = session.run(list(wanted), {"picture": _bytes(pictures)})
    return _compare(path, got, list(wanted.values()))


def check_codec(service: Service, codec: Codec, folder: Path, pictures: Tensor) -> float:
    """Largest relative difference of a tail's outputs; symbols must agree but for ties."""
    name = codec.config.partition
    prefix, remainder, _ = service.halves(name)
    head = onnxruntime.InferenceSession(str(folder / f"{name}.head.onnx"))
    tail = onnxruntime.InferenceSession(str(folder / f"{name}.tail.onnx"))
    rates = codec.quantiser.rates
    rate = torch.arange(len(pictures)) % rates
    with torch.no_grad():
        source = service.source(prefix, pictures)
        coded = codec.coded(source, rate)
        wanted = remainder(codec.reconstruct(coded["symbols"], rate))[0]
    expected = {k: v.permute(0, 2, 3, 1).numpy().astype(np.uint8) for k, v in coded.items()}
    got = [run_head(head, p, int(r)) for p, r in zip(_bytes(pictures), rate, strict=True)]
    for output, indices in expected.items():
        far = np.abs(np.concatenate([g[output] for g in got]).astype(int) - indices.astype(int))
        # of a symbol on its threshold either neighbour may be the alternate
        if (far > 0).mean() > TIES or far.max() > (1 if output == "symbols" else 2):
            raise DeepcodError(
                f"{name}: {(far > 0).mean():.2%} of the head's {output} differ from PyTorch's, by up to {far.max()}"
            )
    feeds = {"symbols": expected["symbols"]} | ({"rate": rate.numpy()} if rates > 1 else {})
    return _compare(folder / f"{name}.tail.onnx", tail.run(list(wanted), feeds), list(wanted.values()))


def _bytes(pictures: Tensor) -> np.ndarray:
    return pictures.permute(0, 2, 3, 1).round().to(torch.uint8).contiguous().numpy()


def _compare(path: Path, got: list[np.ndarray], wanted: list[Tensor]) -> float:
    worst = max(float(np.abs(g - w.numpy()).max() / max(1e-6, w.abs().max())) for g, w in zip(got, wanted, strict=True))
    if not worst <= TOLERANCE:
        raise DeepcodError(
            f"{path.name}: outputs differ from PyTorch's by {worst:.2g} of their range, over {TOLERANCE}"
        )
    return worst

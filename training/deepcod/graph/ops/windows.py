"""Padding arithmetic shared by convolutions and pools."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from .registry import OpNode


def window_pads(node: OpNode, size: list[int], kernel: list[int], stride: list[int], dilation: list[int]) -> list[int]:
    """Pads [begin..., end...] per spatial axis, from `pads` or `auto_pad`, for an input of spatial `size`."""
    auto = node.attribute("auto_pad", "NOTSET")
    rank = len(kernel)
    if auto == "NOTSET":
        return list(node.attribute("pads", [0] * (2 * rank)))
    if auto == "VALID":
        return [0] * (2 * rank)
    begin, end = [], []
    for length, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        total = max((math.ceil(length / s) - 1) * s + (k - 1) * d + 1 - length, 0)
        small, large = total // 2, total - total // 2
        begin.append(small if auto == "SAME_UPPER" else large)
        end.append(large if auto == "SAME_UPPER" else small)
    return begin + end


def is_symmetric(pads: list[int]) -> bool:
    """Whether begin and end pads are equal on every axis."""
    rank = len(pads) // 2
    return pads[:rank] == pads[rank:]


def pad(x: torch.Tensor, pads: list[int], value: float) -> torch.Tensor:
    """Pad the last len(pads)/2 axes; ONNX order [begin..., end...]."""
    rank = len(pads) // 2
    flat: list[int] = []
    for axis in reversed(range(rank)):
        flat += [pads[axis], pads[axis + rank]]
    return F.pad(x, flat, value=value)

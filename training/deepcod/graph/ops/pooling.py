"""Pools over windows and over whole pictures."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .registry import Kernel, OpNode, operator
from .windows import is_symmetric, pad, window_pads

_MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


@operator("MaxPool")
def max_pool(node: OpNode) -> Kernel:
    """Largest value of each window; padding never wins."""
    if len(node.outputs) > 1:
        raise node.refuse("the Indices output is not covered", "Export the model without it.")
    kernel = node.attribute("kernel_shape")
    rank = len(kernel)
    stride = node.attribute("strides", [1] * rank)
    dilation = node.attribute("dilations", [1] * rank)
    ceil = bool(node.attribute("ceil_mode", 0))

    def run(x: torch.Tensor) -> torch.Tensor:
        pads = window_pads(node, list(x.shape[2:]), kernel, stride, dilation)
        inner = pads[:rank]
        if not is_symmetric(pads) or any(2 * p > k for p, k in zip(inner, kernel, strict=True)):
            x, inner = pad(x, pads, float("-inf")), [0] * rank
        return _MAX[rank](x, kernel, stride, inner, dilation, ceil)

    return run


@operator("AveragePool")
def average_pool(node: OpNode) -> Kernel:
    """Mean of each window, with or without the padding in the count."""
    kernel = node.attribute("kernel_shape")
    rank = len(kernel)
    stride = node.attribute("strides", [1] * rank)
    include = bool(node.attribute("count_include_pad", 0))
    ceil = bool(node.attribute("ceil_mode", 0))
    if any(d != 1 for d in node.attribute("dilations", [1] * rank)):
        raise node.refuse("dilated average pooling is not covered", "Replace it by a convolution.")

    def run(x: torch.Tensor) -> torch.Tensor:
        pads = window_pads(node, list(x.shape[2:]), kernel, stride, [1] * rank)
        if is_symmetric(pads) and all(2 * p <= k for p, k in zip(pads[:rank], kernel, strict=True)):
            return _AVERAGE[rank](x, kernel, stride, pads[:rank], ceil, include)
        total = _AVERAGE[rank](pad(x, pads, 0.0), kernel, stride, 0, ceil)
        if include:
            return total
        share = _AVERAGE[rank](pad(torch.ones_like(x[:1, :1]), pads, 0.0), kernel, stride, 0, ceil)
        return total / share

    return run


@operator("GlobalAveragePool")
def global_average_pool(node: OpNode) -> Kernel:
    """[N, C, ...] -> [N, C, 1...]."""
    return lambda x: x.mean(dim=tuple(range(2, x.dim())), keepdim=True)


@operator("GlobalMaxPool")
def global_max_pool(node: OpNode) -> Kernel:
    """[N, C, ...] -> [N, C, 1...]."""
    return lambda x: x.amax(dim=tuple(range(2, x.dim())), keepdim=True)

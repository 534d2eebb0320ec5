"""Convolutions and matrix products: the operators that FLOPs are counted for."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .registry import Kernel, OpNode, operator
from .windows import is_symmetric, pad, window_pads

_CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


@operator("Conv")
def convolution(node: OpNode) -> Kernel:
    """x [N, C, ...], w [M, C/group, k...], optional bias [M] -> [N, M, ...]."""
    group = node.attribute("group", 1)

    def run(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
        rank = w.dim() - 2
        stride = node.attribute("strides", [1] * rank)
        dilation = node.attribute("dilations", [1] * rank)
        pads = window_pads(node, list(x.shape[2:]), list(w.shape[2:]), stride, dilation)
        if is_symmetric(pads):
            return _CONV[rank](x, w, b, stride, pads[:rank], dilation, group)
        return _CONV[rank](pad(x, pads, 0.0), w, b, stride, 0, dilation, group)

    return run


@operator("ConvTranspose")
def transposed_convolution(node: OpNode) -> Kernel:
    """x [N, C, ...], w [C, M/group, k...] -> [N, M, ...]; asymmetric pads are cropped after."""
    group = node.attribute("group", 1)
    if node.attribute("output_shape") is not None or node.attribute("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise node.refuse("output_shape and auto_pad are not covered", "Export it with explicit pads.")

    def run(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
        rank = w.dim() - 2
        stride = node.attribute("strides", [1] * rank)
        dilation = node.attribute("dilations", [1] * rank)
        extra = node.attribute("output_padding", [0] * rank)
        pads = node.attribute("pads", [0] * (2 * rank))
        if is_symmetric(pads):
            return _TRANSPOSED[rank](x, w, b, stride, pads[:rank], extra, group, dilation)
        y = _TRANSPOSED[rank](x, w, b, stride, 0, extra, group, dilation)
        for axis in range(rank):
            y = y.narrow(axis + 2, pads[axis], y.shape[axis + 2] - pads[axis] - pads[axis + rank])
        return y

    return run


@operator("Gemm")
def gemm(node: OpNode) -> Kernel:
    """alpha * A' @ B' + beta * C, A and B optionally transposed."""
    alpha, beta = node.attribute("alpha", 1.0), node.attribute("beta", 1.0)
    trans_a, trans_b = node.attribute("transA", 0), node.attribute("transB", 0)

    def run(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
        y = (a.t() if trans_a else a) @ (b.t() if trans_b else b)
        y = y if alpha == 1.0 else alpha * y
        return y if c is None else y + (c if beta == 1.0 else beta * c)

    return run


@operator("MatMul")
def matmul(node: OpNode) -> Kernel:
    """Matrix product with numpy's broadcasting of leading axes."""
    return torch.matmul


@operator("Einsum")
def einsum(node: OpNode) -> Kernel:
    """Einstein summation."""
    equation = node.attribute("equation")
    return lambda *args: torch.einsum(equation, *args)

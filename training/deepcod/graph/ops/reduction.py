"""Reductions over axes."""

from __future__ import annotations

import torch

from .registry import Kernel, OpNode, operator


def _product(x: torch.Tensor, axes: tuple[int, ...], keep: bool) -> torch.Tensor:
    for axis in sorted((a % x.dim() for a in axes), reverse=True):
        x = x.prod(dim=axis, keepdim=keep)
    return x


_REDUCE: dict[str, Kernel] = {
    "ReduceL1": lambda x, axes, keep: x.abs().sum(dim=axes, keepdim=keep),
    "ReduceL2": lambda x, axes, keep: x.square().sum(dim=axes, keepdim=keep).sqrt(),
    "ReduceMax": lambda x, axes, keep: x.amax(dim=axes, keepdim=keep),
    "ReduceMean": lambda x, axes, keep: x.mean(dim=axes, keepdim=keep),
    "ReduceMin": lambda x, axes, keep: x.amin(dim=axes, keepdim=keep),
    "ReduceProd": _product,
    "ReduceSum": lambda x, axes, keep: x.sum(dim=axes, keepdim=keep),
    "ReduceSumSquare": lambda x, axes, keep: x.square().sum(dim=axes, keepdim=keep),
}


@operator(*_REDUCE)
def reduce(node: OpNode) -> Kernel:
    """Reduce over the given axes, or over all where none are given."""
    function, axes_of = _REDUCE[node.op], node.axes(1)
    keep, no_axes_is_identity = bool(node.attribute("keepdims", 1)), node.attribute("noop_with_empty_axes", 0)

    def run(*args: torch.Tensor) -> torch.Tensor:
        x, axes = args[0], axes_of(args)
        if not axes:
            if no_axes_is_identity:
                return x
            axes = list(range(x.dim()))
        return function(x, tuple(axes), keep)

    return run


@operator("ArgMax", "ArgMin")
def arg_extreme(node: OpNode) -> Kernel:
    """Index of the first extreme along one axis."""
    axis, keep = node.attribute("axis", 0), bool(node.attribute("keepdims", 1))
    if node.attribute("select_last_index", 0):
        raise node.refuse("select_last_index is not covered", "Export the model without it.")
    function = torch.argmax if node.op == "ArgMax" else torch.argmin
    return lambda x: function(x, dim=axis, keepdim=keep)

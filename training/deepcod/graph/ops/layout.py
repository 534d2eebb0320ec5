"""Operators that move elements without computing: reshape, slice, concatenate, gather, pad."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from .registry import Kernel, OpNode, operator, same_device
from .windows import pad as pad_constant


class Reshape:
    """Reshape whose target may have been written for another batch size.

    `batch` = (axis of x, its length when the graph was written, entry of the target that carries it); set by
    graph/batch.py where the target is baked. The entry is then scaled by how much that axis has grown.
    """

    def __init__(self, node: OpNode) -> None:
        self.node = node
        self.target = node.integers(1)
        self.baked = node.constant(1) is not None or node.attribute("shape") is not None
        self.keep_zero = bool(node.attribute("allowzero", 0))
        self.batch: tuple[int, int, int] | None = None

    def resolve(self, shape: Sequence[int], args: tuple[torch.Tensor, ...] = ()) -> list[int]:
        """Target as written, zeros replaced by the input's lengths."""
        target = list(self.node.attribute("shape") or self.target(args) or [])
        if not self.keep_zero:
            target = [shape[i] if t == 0 else t for i, t in enumerate(target)]
        return target

    def __call__(self, *args: torch.Tensor) -> torch.Tensor:
        x = args[0]
        target = self.resolve(x.shape, args)
        if self.batch is not None:
            axis, length, entry = self.batch
            written = list(self.node.attribute("shape") or self.target(args) or [])
            follows = written[entry] == -1 or (written[entry] == 0 and not self.keep_zero)
            if not follows:
                target[entry] = target[entry] * x.shape[axis] // length
        return x.reshape(target)


@operator("Reshape")
def reshape(node: OpNode) -> Kernel:
    """Same elements in row-major order, another shape."""
    return Reshape(node)


@operator("Flatten")
def flatten(node: OpNode) -> Kernel:
    """To two axes, split before `axis`."""
    axis = node.attribute("axis", 1)
    return lambda x: x.reshape(math.prod(x.shape[:axis]), -1)


@operator("Transpose")
def transpose(node: OpNode) -> Kernel:
    """Permute the axes; reversed unless told otherwise."""
    order = node.attribute("perm")
    return lambda x: x.permute(order or list(reversed(range(x.dim()))))


@operator("Squeeze")
def squeeze(node: OpNode) -> Kernel:
    """Drop the given axes of length 1, or all of them."""
    axes_of = node.axes(1)

    def run(*args: torch.Tensor) -> torch.Tensor:
        axes = axes_of(args)
        x = args[0]
        if axes and any(x.shape[a] != 1 for a in axes):
            raise ValueError(f"Squeeze node '{node.name}': axes {axes} of shape {tuple(x.shape)} are not all 1")
        return x.squeeze() if axes is None else x.squeeze(tuple(axes))

    return run


@operator("Unsqueeze")
def unsqueeze(node: OpNode) -> Kernel:
    """Insert axes of length 1."""
    axes_of = node.axes(1)

    def run(*args: torch.Tensor) -> torch.Tensor:
        x, axes = args[0], axes_of(args) or []
        rank = x.dim() + len(axes)
        for axis in sorted(a % rank for a in axes):
            x = x.unsqueeze(axis)
        return x

    return run


@operator("Concat")
def concat(node: OpNode) -> Kernel:
    """Join along one axis; a constant of batch 1 (a class token, say) is repeated to the others' batch."""
    axis = node.attribute("axis")
    loose = {i for i in range(len(node.inputs)) if node.constant(i) is not None}

    def run(*args: torch.Tensor) -> torch.Tensor:
        tensors = same_device(*args)
        if loose and len(loose) < len(tensors) and tensors[0].dim() > 1 and axis % tensors[0].dim() != 0:
            batch = max(t.shape[0] for t in tensors)
            tensors = [
                t.expand(batch, *t.shape[1:]) if i in loose and t.shape[0] == 1 else t for i, t in enumerate(tensors)
            ]
        return torch.cat(tensors, dim=axis)

    return run


@operator("Split")
def split(node: OpNode) -> Kernel:
    """Cut along one axis into the given lengths, or into equal parts."""
    axis = node.attribute("axis", 0)
    given, lengths_of = node.attribute("split"), node.integers(1)
    parts = node.attribute("num_outputs", len(node.outputs))

    def run(*args: torch.Tensor) -> tuple[torch.Tensor, ...]:
        lengths = given or lengths_of(args)
        if lengths is None:
            return args[0].split(math.ceil(args[0].shape[axis] / parts), dim=axis)
        return args[0].split(list(lengths), dim=axis)

    return run


@operator("Slice")
def slice_(node: OpNode) -> Kernel:
    """x[start:end:step] on the given axes; a negative step goes backwards."""
    attributes = {k: node.attribute(k) for k in ("starts", "ends", "axes")} if node.opset < 10 else None
    readers = [node.integers(i) for i in range(1, 5)]

    def run(*args: torch.Tensor) -> torch.Tensor:
        x = args[0]
        if attributes is not None:
            starts, ends, axes, steps = attributes["starts"], attributes["ends"], attributes["axes"], None
        else:
            starts, ends, axes, steps = (read(args) for read in readers)
        axes = axes or list(range(len(starts)))
        steps = steps or [1] * len(starts)
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
            if step > 0:
                first, last, step = slice(start, end, step).indices(x.shape[axis])
                x = x[(slice(None),) * (axis % x.dim()) + (slice(first, max(first, last), step),)]
            else:
                picked = list(range(*slice(start, end, step).indices(x.shape[axis])))
                x = x.index_select(axis, torch.tensor(picked, dtype=torch.int64, device=x.device))
        return x

    return run


@operator("Gather")
def gather(node: OpNode) -> Kernel:
    """Take entries along one axis; the index's axes replace it."""
    axis = node.attribute("axis", 0)

    def run(x: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        length = x.shape[axis]
        if index.dim() == 0 and index.device.type == "cpu":
            return x.select(axis, int(index))
        index = index.to(x.device)
        index = torch.where(index < 0, index + length, index)
        picked = x.index_select(axis, index.reshape(-1))
        at = axis % x.dim()
        return picked.reshape(*x.shape[:at], *index.shape, *x.shape[at + 1 :])

    return run


@operator("Expand")
def expand(node: OpNode) -> Kernel:
    """Broadcast to the given shape."""
    target = node.integers(1)

    def run(*args: torch.Tensor) -> torch.Tensor:
        shape = torch.broadcast_shapes(args[0].shape, tuple(target(args) or ()))
        return args[0].expand(shape)

    return run


@operator("Tile")
def tile(node: OpNode) -> Kernel:
    """Repeat along each axis."""
    repeats = node.integers(1)
    return lambda *args: args[0].repeat(repeats(args))


@operator("DepthToSpace")
def depth_to_space(node: OpNode) -> Kernel:
    """[N, C*b*b, H, W] -> [N, C, H*b, W*b]."""
    b, crd = node.attribute("blocksize"), node.attribute("mode", "DCR") == "CRD"

    def run(x: torch.Tensor) -> torch.Tensor:
        if crd:
            return F.pixel_shuffle(x, b)
        n, c, h, w = x.shape
        return x.reshape(n, b, b, c // (b * b), h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c // (b * b), h * b, w * b)

    return run


@operator("SpaceToDepth")
def space_to_depth(node: OpNode) -> Kernel:
    """[N, C, H*b, W*b] -> [N, b*b*C, H, W]."""
    b = node.attribute("blocksize")

    def run(x: torch.Tensor) -> torch.Tensor:
        n, c, h, w = x.shape
        return x.reshape(n, c, h // b, b, w // b, b).permute(0, 3, 5, 1, 2, 4).reshape(n, c * b * b, h // b, w // b)

    return run


@operator("Pad")
def pad(node: OpNode) -> Kernel:
    """Constant, reflect or edge padding; negative pads crop."""
    mode = node.attribute("mode", "constant")
    given, pads_of, axes_of = node.attribute("pads"), node.integers(1), node.integers(3)
    fill = node.constant(2)
    if node.has(2) and fill is None:
        raise node.refuse("the fill value is not a constant", "Fold it into the graph.")
    value = float(fill) if fill is not None else node.attribute("value", 0.0)

    def run(*args: torch.Tensor) -> torch.Tensor:
        x, pads = args[0], list(given or pads_of(args))
        axes = axes_of(args)
        if axes is not None:
            full = [0] * (2 * x.dim())
            for i, axis in enumerate(axes):
                full[axis % x.dim()], full[axis % x.dim() + x.dim()] = pads[i], pads[i + len(axes)]
            pads = full
        if mode == "constant":
            return pad_constant(x, pads, value)
        rank = x.dim()
        if any(pads[:2] + pads[rank : rank + 2]):
            raise node.refuse(f"{mode} padding of batch or channels", "Only spatial axes are covered.")
        spatial = pads[2:rank] + pads[rank + 2 :]
        half, flat = rank - 2, []
        for axis in reversed(range(half)):
            flat += [spatial[axis], spatial[axis + half]]
        return F.pad(x, flat, mode="replicate" if mode == "edge" else mode)

    return run


@operator("Shape")
def shape(node: OpNode) -> Kernel:
    """Lengths of the axes, as int64 on the host."""
    start, end = node.attribute("start", 0), node.attribute("end")
    return lambda x: torch.tensor(list(x.shape)[start:end], dtype=torch.int64)


@operator("Size")
def size(node: OpNode) -> Kernel:
    """Number of elements, as int64 on the host."""
    return lambda x: torch.tensor(x.numel(), dtype=torch.int64)


@operator("ConstantOfShape")
def constant_of_shape(node: OpNode) -> Kernel:
    """A tensor of the given shape, one value throughout (0 unless given)."""
    value = node.attribute("value")
    fill = torch.zeros(1) if value is None else torch.from_numpy(np.array(value).reshape(1))
    target = node.integers(0)
    return lambda *args: fill.expand(target(args) or []).clone()


@operator("Range")
def range_(node: OpNode) -> Kernel:
    """start, start + step, ... below the limit; on the host."""
    return lambda start, limit, delta: torch.arange(start.item(), limit.item(), delta.item(), dtype=start.dtype)

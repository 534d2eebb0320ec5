"""Resize and Upsample, nearest and linear, with ONNX's coordinate rules written out."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from .registry import Kernel, OpNode, operator

_ROUND = {
    "floor": np.floor,
    "ceil": np.ceil,
    "round_prefer_floor": lambda v: np.ceil(v - 0.5),
    "round_prefer_ceil": lambda v: np.floor(v + 0.5),
}


def source_coordinates(rule: str, length: int, new: int, scale: float) -> np.ndarray:
    """Where each of `new` samples lies on an axis of `length`, by ONNX's coordinate_transformation_mode."""
    i = np.arange(new, dtype=np.float64)
    if rule == "asymmetric":
        return i / scale
    if rule == "align_corners":
        return i * (length - 1) / max(new - 1, 1)
    if rule == "pytorch_half_pixel" and new == 1:
        return np.zeros(1)
    if rule in ("half_pixel", "pytorch_half_pixel"):
        return (i + 0.5) / scale - 0.5
    raise KeyError(rule)


@operator("Resize", "Upsample")
def resize(node: OpNode) -> Kernel:
    """Scale any axes; batch and channels must keep their lengths."""
    mode = node.attribute("mode", "nearest")
    old = node.op == "Upsample" or node.opset < 11
    rule = "asymmetric" if old else node.attribute("coordinate_transformation_mode", "half_pixel")
    rounding = "floor" if old else node.attribute("nearest_mode", "round_prefer_floor")
    if mode not in ("nearest", "linear"):
        raise node.refuse(f"mode '{mode}' is not covered", "Use nearest or linear.")
    if rule == "tf_crop_and_resize" or node.attribute("antialias", 0):
        raise node.refuse(f"'{rule}' with antialias {node.attribute('antialias', 0)} is not covered", "Use half_pixel.")
    axes = node.attribute("axes")
    scale_input = 1 if old else 2
    scales_known, sizes_of = node.constant(scale_input), node.integers(3)
    given = node.attribute("scales")

    def run(*args: torch.Tensor | None) -> torch.Tensor:
        x = args[0]
        assert x is not None
        at = list(axes) if axes else list(range(x.dim()))
        sizes = sizes_of(args)
        if sizes:
            new = dict(zip(at, sizes, strict=True))
            scales = {axis: new[axis] / x.shape[axis] for axis in at}
        else:
            values = given if given is not None else scales_known
            values = args[scale_input].tolist() if values is None else [float(v) for v in values]
            scales = dict(zip(at, values, strict=True))
            new = {axis: int(np.floor(x.shape[axis] * scales[axis])) for axis in at}
        moving = [axis for axis in at if axis >= 2 and (new[axis] != x.shape[axis])]
        whole = {axis: round(scales[axis]) for axis in moving}
        if mode == "nearest" and x.dim() == 4 and _repeats(rule, rounding, x, new, scales, whole):
            return F.interpolate(x, size=[new.get(2, x.shape[2]), new.get(3, x.shape[3])], mode="nearest")
        for axis in moving:
            where = source_coordinates(rule, x.shape[axis], new[axis], scales[axis])
            x = _sample(x, axis, where, mode, rounding)
        return x

    return run


def _repeats(
    rule: str, rounding: str, x: torch.Tensor, new: dict[int, int], scales: dict[int, float], whole: dict[int, int]
) -> bool:
    """Whether nearest sampling only repeats each pixel k times, which every backend does fast."""
    for axis, k in whole.items():
        length = x.shape[axis]
        if abs(scales[axis] - k) > 1e-9 or new[axis] != length * k:
            return False
        index = _ROUND[rounding](source_coordinates(rule, length, new[axis], scales[axis])).clip(0, length - 1)
        if not np.array_equal(index, np.arange(new[axis]) // k):
            return False
    return True


def _sample(x: torch.Tensor, axis: int, where: np.ndarray, mode: str, rounding: str) -> torch.Tensor:
    """Sample one axis at fractional positions."""
    last = x.shape[axis] - 1
    if mode == "nearest":
        index = _ROUND[rounding](where).clip(0, last).astype(np.int64)
        return x.index_select(axis, torch.from_numpy(index).to(x.device))
    where = where.clip(0, last)
    low = np.floor(where).astype(np.int64)
    high = np.minimum(low + 1, last)
    shape = [1] * x.dim()
    shape[axis] = -1
    weight = torch.from_numpy((where - low).astype(np.float32)).to(x.device, x.dtype).reshape(shape)
    a = x.index_select(axis, torch.from_numpy(low).to(x.device))
    b = x.index_select(axis, torch.from_numpy(high).to(x.device))
    return a + (b - a) * weight

"""[maxpool], [avgpool], [upsample], [softmax], and layers that do nothing at inference."""

from __future__ import annotations

import numpy as np

from ..cfg import Section
from ..emitter import Emitter, Map
from .registry import layer


@layer("maxpool", "max")
def max_pool(section: Section, x: Map, emitter: Emitter) -> Map:
    """Darknet pads `padding` (size - 1 unless given) in all: half of it, rounded down, before, the rest after.

    Output length = (length + padding - size) / stride + 1, so stride 1 keeps the size and stride 2 halves it upwards.
    """
    stride = section.integer("stride", 1)
    stride_x, stride_y = section.integer("stride_x", stride), section.integer("stride_y", stride)
    size = section.integer("size", stride)
    padding = section.integer("padding", size - 1)
    if section.integer("maxpool_depth", 0):
        raise section.fail("maxpool_depth is not covered", "maxpool_depth")
    if min(size, stride_x, stride_y) < 1 or padding < 0:
        raise section.fail("size and stride must be at least 1, padding at least 0")
    before, after = padding // 2, padding - padding // 2
    y = emitter.node(
        "MaxPool",
        [x.name],
        f"layer{emitter.index}",
        kernel_shape=[size, size],
        strides=[stride_y, stride_x],
        pads=[before, before, after, after],
    )
    height, width = (x.height + padding - size) // stride_y + 1, (x.width + padding - size) // stride_x + 1
    return Map(y, x.channels, height, width)


@layer("avgpool", "avg")
def average_pool(section: Section, x: Map, emitter: Emitter) -> Map:
    """Mean over the whole picture."""
    return Map(emitter.node("GlobalAveragePool", [x.name], f"layer{emitter.index}"), x.channels, 1, 1)


@layer("upsample")
def upsample(section: Section, x: Map, emitter: Emitter) -> Map:
    """Repeat each pixel stride x stride times, times `scale`."""
    stride, scale = section.integer("stride", 2), section.real("scale", 1.0)
    if stride < 1:
        raise section.fail(f"stride={stride}: sampling down is not covered", "stride")
    name = f"layer{emitter.index}"
    factors = emitter.constant(f"{name}_factors", np.array([1, 1, stride, stride], np.float32))
    y = emitter.node(
        "Resize",
        [x.name, "", factors],
        name if scale == 1.0 else f"{name}_resized",
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    if scale != 1.0:
        y = emitter.node("Mul", [y, emitter.constant(f"{name}_scale", np.array(scale, np.float32))], name)
    return Map(y, x.channels, x.height * stride, x.width * stride)


@layer("softmax", "soft")
def softmax(section: Section, x: Map, emitter: Emitter) -> Map:
    """Softmax over all values (one group, temperature 1)."""
    if section.integer("groups", 1) != 1 or section.real("temperature", 1.0) != 1.0 or section.integer("spatial", 0):
        raise section.fail("groups, temperature and spatial are not covered")
    name = f"layer{emitter.index}"
    flat = emitter.node("Flatten", [x.name], f"{name}_flat", axis=1) if x.height else x.name
    count = x.channels * max(x.height, 1) * max(x.width, 1)
    return Map(emitter.node("Softmax", [flat], name, axis=1), count, 0, 0)


@layer("dropout", "cost")
def nothing(section: Section, x: Map, emitter: Emitter) -> Map:
    """Acts in training only; the layer keeps its number."""
    return x

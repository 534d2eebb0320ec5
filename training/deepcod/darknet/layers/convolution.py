"""[convolutional] and [connected]: weights, batch normalisation, activation."""

from __future__ import annotations

import numpy as np

from ..cfg import Section
from ..emitter import Emitter, Map
from .activation import activate
from .registry import layer


@layer("convolutional", "conv")
def convolution(section: Section, x: Map, emitter: Emitter) -> Map:
    """A convolution, grouped or dilated; `pad=1` means size / 2, else `padding` counts.

    Values in the file: biases, [scales, means, variances], weights [filters, channels / groups, size, size].
    """
    filters = section.integer("filters", 1)
    size = section.integer("size", 1)
    stride = section.integer("stride", 1)
    stride_x, stride_y = section.integer("stride_x", stride), section.integer("stride_y", stride)
    groups, dilation = section.integer("groups", 1), section.integer("dilation", 1)
    padding = (size // 2 if section.integer("pad", 0) else section.integer("padding", 0)) * dilation
    if min(filters, size, stride_x, stride_y, groups, dilation) < 1:
        raise section.fail("filters, size, stride, groups and dilation must be at least 1")
    if x.channels % groups or filters % groups:
        raise section.fail(f"groups={groups} does not divide {x.channels} channels in and {filters} out", "groups")
    if section.integer("binary", 0) or section.integer("xnor", 0):
        raise section.fail("binary convolutions are not covered")
    reach = (size - 1) * dilation + 1
    height = (x.height + 2 * padding - reach) // stride_y + 1
    width = (x.width + 2 * padding - reach) // stride_x + 1
    if height < 1 or width < 1:
        raise section.fail(f"its input of {x.height}x{x.width} is too small for size={size}")
    name = f"layer{emitter.index}"
    shape = (filters, x.channels // groups, size, size)
    weight, bias, norm = _parameters(section, emitter, filters, shape)
    inputs = [x.name, emitter.constant(f"{name}_weights", weight)]
    if bias is not None:
        inputs.append(emitter.constant(f"{name}_biases", bias))
    plain = norm is None and section.text("activation", "logistic") == "linear"
    y = emitter.node(
        "Conv",
        inputs,
        name if plain else f"{name}_conv",
        kernel_shape=[size, size],
        strides=[stride_y, stride_x],
        pads=[padding] * 4,
        dilations=[dilation, dilation],
        group=groups,
    )
    if norm is not None:
        names = [emitter.constant(f"{name}_{key}", value) for key, value in norm.items()]
        linear = section.text("activation", "logistic") == "linear"
        y = emitter.node("BatchNormalization", [y, *names], name if linear else f"{name}_norm", epsilon=emitter.epsilon)
    return Map(activate(section, y, name, emitter), filters, height, width)


def _parameters(
    section: Section, emitter: Emitter, filters: int, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray | None, dict[str, np.ndarray] | None]:
    """(weights, biases, normalisation kept apart or None)."""
    where = f"layer {emitter.index} [{section.kind}]{' residual' if emitter.index in emitter.residual else ''}"
    take = emitter.weights.take
    bias = take((filters,), f"{where} biases")
    if not section.integer("batch_normalize", 0):
        return take(shape, f"{where} weights"), bias, None
    scale, mean, var = (take((filters,), f"{where} {what}") for what in ("scales", "means", "variances"))
    weight = take(shape, f"{where} weights")
    if emitter.fold:
        return *fold_batch_norm(weight, bias, scale, mean, var, emitter.epsilon), None
    return weight, None, {"scales": scale, "biases": bias, "means": mean, "variances": var}


def fold_batch_norm(
    weight: np.ndarray, bias: np.ndarray, scale: np.ndarray, mean: np.ndarray, var: np.ndarray, epsilon: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases of the one convolution that equals convolution then normalisation.

    With g = scale / sqrt(var + epsilon): w' = w g, b' = bias - mean g. Computed in float64, returned as float32.
    """
    gain = scale.astype(np.float64) / np.sqrt(var.astype(np.float64) + epsilon)
    folded = weight * gain.reshape(-1, *[1] * (weight.ndim - 1))
    return folded.astype(np.float32), (bias - mean * gain).astype(np.float32)


@layer("connected", "conn")
def connected(section: Section, x: Map, emitter: Emitter) -> Map:
    """A full connection of everything, flattened: biases, weights [out, in], [scales, means, variances]."""
    outputs = section.integer("output")
    inputs = x.channels * max(x.height, 1) * max(x.width, 1)
    name = f"layer{emitter.index}"
    where = f"layer {emitter.index} [connected]"
    take = emitter.weights.take
    bias, weight = take((outputs,), f"{where} biases"), take((outputs, inputs), f"{where} weights")
    if section.integer("batch_normalize", 0):
        scale, mean, var = (take((outputs,), f"{where} {what}") for what in ("scales", "means", "variances"))
        weight, bias = fold_batch_norm(weight, bias, scale, mean, var, emitter.epsilon)
    flat = emitter.node("Flatten", [x.name], f"{name}_flat", axis=1) if x.height else x.name
    linear = section.text("activation", "logistic") == "linear"
    names = [emitter.constant(f"{name}_weights", weight), emitter.constant(f"{name}_biases", bias)]
    y = emitter.node("Gemm", [flat, *names], name if linear else f"{name}_product", transB=1)
    return Map(activate(section, y, name, emitter), outputs, 0, 0)


@layer("batchnorm")
def batch_norm(section: Section, x: Map, emitter: Emitter) -> Map:
    """A normalisation of its own: biases, scales, means, variances."""
    name = f"layer{emitter.index}"
    where = f"layer {emitter.index} [batchnorm]"
    keys = ("biases", "scales", "means", "variances")
    values = {key: emitter.weights.take((x.channels,), f"{where} {key}") for key in keys}
    names = [emitter.constant(f"{name}_{k}", values[k]) for k in ("scales", "biases", "means", "variances")]
    y = emitter.node("BatchNormalization", [x.name, *names], name, epsilon=emitter.epsilon)
    return Map(y, x.channels, x.height, x.width)

"""Darknet's activations in ONNX operators."""

from __future__ import annotations

import numpy as np

from ..cfg import Section
from ..emitter import Emitter, Map
from .registry import layer

_SINGLE: dict[str, tuple[str, dict[str, float]]] = {
    "elu": ("Elu", {"alpha": 1.0}),
    "leaky": ("LeakyRelu", {"alpha": 0.1}),
    "logistic": ("Sigmoid", {}),
    "relie": ("LeakyRelu", {"alpha": 0.01}),
    "relu": ("Relu", {}),
    "selu": ("Selu", {"alpha": 1.6732, "gamma": 1.0507}),
    "tanh": ("Tanh", {}),
}
NAMES = sorted([*_SINGLE, "linear", "relu6", "hardtan", "mish", "swish"])


def activate(section: Section, source: str, output: str, emitter: Emitter, default: str = "logistic") -> str:
    """Emit the section's activation from `source` to `output`; returns the tensor to use (`source` for linear)."""
    kind = section.text("activation", default)
    if kind == "linear":
        return source
    if kind in _SINGLE:
        op, attributes = _SINGLE[kind]
        return emitter.node(op, [source], output, **attributes)
    if kind in ("relu6", "hardtan"):
        low, high = (0.0, 6.0) if kind == "relu6" else (-1.0, 1.0)
        limits = [
            emitter.constant(f"{output}_{name}", np.array(value, np.float32))
            for name, value in (("low", low), ("high", high))
        ]
        return emitter.node("Clip", [source, *limits], output)
    if kind == "swish":
        gate = emitter.node("Sigmoid", [source], f"{output}_gate")
        return emitter.node("Mul", [source, gate], output)
    if kind == "mish":
        gate = emitter.node("Tanh", [emitter.node("Softplus", [source], f"{output}_plus")], f"{output}_gate")
        return emitter.node("Mul", [source, gate], output)
    raise section.fail(f"activation '{kind}' is not known", "activation", f"Known: {', '.join(NAMES)}.")


@layer("activation")
def activation_layer(section: Section, x: Map, emitter: Emitter) -> Map:
    """An activation of its own."""
    name = activate(section, x.name, f"layer{emitter.index}", emitter, "linear")
    return Map(name, x.channels, x.height, x.width)

"""ONNX operators in torch. A new operator is one function with `@operator("Name")` in one of these files."""

from . import convolution, elementwise, layout, normalisation, pooling, reduction, resize
from .registry import Kernel, OpNode, UnsupportedOperator, build, known_operators, operator

__all__ = [
    "Kernel",
    "OpNode",
    "UnsupportedOperator",
    "build",
    "convolution",
    "elementwise",
    "known_operators",
    "layout",
    "normalisation",
    "operator",
    "pooling",
    "reduction",
    "resize",
]

"""Darknet's layers. A new layer is one function with `@layer("name")` in one of these files."""

from . import activation, convolution, joining, spatial, yolo
from .registry import BUILDERS, layer

__all__ = ["BUILDERS", "activation", "convolution", "joining", "layer", "spatial", "yolo"]

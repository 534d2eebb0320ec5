"""The frozen service as a graph: run it in torch, list its shapes and FLOPs, cut it in two."""

from .interpreter import OnnxModule
from .ops import UnsupportedOperator

__all__ = ["OnnxModule", "UnsupportedOperator"]

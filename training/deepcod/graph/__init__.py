"""The frozen service as a graph: run it in torch, list its shapes and FLOPs, cut it in two."""

from .batch import BatchIsFixed
from .cut import Point, partition_points
from .flops import graph_flops
from .interpreter import OnnxModule
from .ops import UnsupportedOperator
from .shapes import tensor_shapes
from .split import NotAPartitionPoint, split

__all__ = [
    "BatchIsFixed",
    "NotAPartitionPoint",
    "OnnxModule",
    "Point",
    "UnsupportedOperator",
    "graph_flops",
    "partition_points",
    "split",
    "tensor_shapes",
]

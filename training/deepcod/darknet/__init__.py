"""Darknet networks (.cfg + .weights) as ONNX services."""

from .cfg import parse_cfg
from .convert import Imported, convert
from .errors import DarknetError
from .random_weights import RandomWeights
from .topologies import TOPOLOGIES
from .weights import WeightsReader, write_weights

__all__ = [
    "TOPOLOGIES",
    "DarknetError",
    "Imported",
    "RandomWeights",
    "WeightsReader",
    "convert",
    "parse_cfg",
    "write_weights",
]

"""Collects ONNX nodes and weights while layers are converted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
IR_VERSION = 8


class Weights(Protocol):
    """Where values come from: a file, or a random generator."""

    def take(self, shape: Any, what: str) -> np.ndarray: ...

    def finish(self) -> None: ...


@dataclass(frozen=True)
class Map:
    """A layer's output: tensor name and shape (channels, height, width); `head` where it is a [yolo] layer's."""

    name: str
    channels: int
    height: int
    width: int
    head: bool = False


@dataclass
class Emitter:
    """The graph so far. Node and tensor names begin with `layer<index>`, darknet's own numbering."""

    weights: Weights
    epsilon: float
    fold: bool
    maps: list[Map] = field(default_factory=list)
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: list[onnx.TensorProto] = field(default_factory=list)
    heads: list[dict[str, Any]] = field(default_factory=list)
    #: Indices of convolutions whose output goes straight into a shortcut.
    residual: set[int] = field(default_factory=set)

    @property
    def index(self) -> int:
        """Number of the layer being converted."""
        return len(self.maps)

    def constant(self, name: str, value: np.ndarray) -> str:
        """Store a weight."""
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node with one output; returns the output's name."""
        self.nodes.append(helper.make_node(op, inputs, [output], name=f"{output}/{op}", **attributes))
        return output

    def model(self, source: Map, outputs: list[Map], name: str) -> onnx.ModelProto:
        """The finished model; the batch is free."""

        def info(m: Map) -> onnx.ValueInfoProto:
            shape = ["batch", m.channels] if m.height == 0 else ["batch", m.channels, m.height, m.width]
            return helper.make_tensor_value_info(m.name, TensorProto.FLOAT, shape)

        graph = helper.make_graph(self.nodes, name, [info(source)], [info(o) for o in outputs], self.initializers)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="deepcod",
        )
        onnx.checker.check_model(model)
        return model

"""A small ONNX graph builder: nodes whose meaning is the same in opset 11 and later."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn


class Builder:
    """Adds nodes and constants under a prefix, so that its names never meet those of the service."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, value: np.ndarray | Tensor, hint: str) -> str:
        array = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
        name = f"{self.prefix}{hint}_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def floats(self, value: np.ndarray | Tensor | float, hint: str) -> str:
        array = value.detach().cpu().float().numpy() if isinstance(value, Tensor) else np.asarray(value)
        return self.constant(array.astype(np.float32), hint)

    def op(self, kind: str, inputs: Sequence[str], output: str | None = None, **attributes: object) -> str:
        name = output or f"{self.prefix}{kind}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(
                kind, list(inputs), [name], name=f"{self.prefix}{kind}_{len(self.nodes)}_node", **attributes
            )
        )
        return name

    def conv(self, layer: nn.Conv2d | nn.ConvTranspose2d, x: str) -> str:
        kind = "ConvTranspose" if isinstance(layer, nn.ConvTranspose2d) else "Conv"
        pads = [layer.padding[0], layer.padding[1]] * 2
        inputs = [x, self.floats(layer.weight, "weight"), self.floats(layer.bias, "bias")]
        return self.op(kind, inputs, kernel_shape=list(layer.kernel_size), strides=list(layer.stride), pads=pads)

    def cast(self, x: str, to: int) -> str:
        return self.op("Cast", [x], to=to)

    def table_row(self, table: Tensor, rate: str, width: int) -> str:
        """Rows of `table` `[rates, width]` for `rate` `[N]`, as `[N, width, 1, 1]`."""
        rows = self.op("Gather", [self.floats(table, "table"), rate], axis=0)
        return self.op("Reshape", [rows, self.constant(np.array([-1, width, 1, 1], np.int64), "shape")])


def value(name: str, kind: int, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, list(shape))


def model(nodes, initializers, inputs, outputs, opset: int, ir_version: int) -> onnx.ModelProto:
    """A checked model from parts; `producer` says who wrote it."""
    graph = helper.make_graph(nodes, "deepcod", inputs, outputs, initializers)
    made = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version, producer_name="deepcod"
    )
    onnx.checker.check_model(made)
    return made


UINT8, INT64, FLOAT = TensorProto.UINT8, TensorProto.INT64, TensorProto.FLOAT

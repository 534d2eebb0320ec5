"""Floating-point operations of each node: 2 x multiply-accumulates of convolutions and matrix products.

Everything else (activations, pools, additions) is left out, as darknet's BFLOPs and most published figures do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import onnx

Shapes = Mapping[str, tuple[int, ...]]


def node_flops(node: onnx.NodeProto, shapes: Shapes) -> int:
    """FLOPs of one node for the batch that the shapes are given for."""
    if node.op_type == "Conv":
        weight = shapes[node.input[1]]  # [M, C/group, k...]
        return 2 * math.prod(shapes[node.output[0]]) * math.prod(weight[1:])
    if node.op_type == "ConvTranspose":
        weight = shapes[node.input[1]]  # [C, M/group, k...]
        return 2 * math.prod(shapes[node.input[0]]) * math.prod(weight[1:])
    if node.op_type == "Gemm":
        a = shapes[node.input[0]]
        trans = next((x.i for x in node.attribute if x.name == "transA"), 0)
        return 2 * math.prod(shapes[node.output[0]]) * a[0 if trans else 1]
    if node.op_type == "MatMul":
        return 2 * math.prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
    return 0


def graph_flops(model: onnx.ModelProto, shapes: Shapes) -> int:
    """FLOPs of a whole graph."""
    return sum(node_flops(node, shapes) for node in model.graph.node)

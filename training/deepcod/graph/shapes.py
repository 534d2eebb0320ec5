"""Shape of every tensor of a graph, at batch 1."""

from __future__ import annotations

import onnx
from onnx import shape_inference

from .interpreter import OnnxModule
from .ops import UnsupportedOperator


def tensor_shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Shapes by tensor name, weights included.

    Found by running the graph without data, which resolves every computed Reshape; a graph with an operator that the
    interpreter does not know falls back to ONNX's own inference, and tensors it cannot tell are left out.
    """
    shapes = {t.name: tuple(t.dims) for t in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            shapes.update((node.output[0], tuple(a.t.dims)) for a in node.attribute if a.name == "value")
    try:
        shapes.update(OnnxModule(model).shapes())
    except UnsupportedOperator:
        inferred = shape_inference.infer_shapes(model, data_prop=True).graph
        for info in [*inferred.input, *inferred.value_info, *inferred.output]:
            lengths = [d.dim_value for d in info.type.tensor_type.shape.dim]
            lengths = [d or 1 if i == 0 else d for i, d in enumerate(lengths)]
            if all(lengths):
                shapes[info.name] = tuple(lengths)
    return shapes

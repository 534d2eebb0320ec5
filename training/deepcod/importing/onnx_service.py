"""An ONNX file as a service: is it usable, what does it take, how are its outputs decoded?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch

from ..errors import DeepcodError
from ..graph.interpreter import OnnxModule
from ..graph.shapes import tensor_shapes

#: For what the file does not say; a bundle needs some text there.
NOT_STATED = "not stated"


def open_model(path: Path, size: tuple[int, int] | None) -> onnx.ModelProto:
    """Load a model with one picture input [N, 3, H, W]; `size` (width, height) fixes free lengths."""
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except FileNotFoundError:
        raise
    except Exception as error:  # protobuf and the checker raise several kinds
        raise DeepcodError(f"{path}: not a valid ONNX file: {error}") from error
    constants = {t.name for t in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in constants]
    if len(inputs) != 1:
        raise DeepcodError(f"{path}: takes {[i.name for i in inputs]}; a service takes one picture")
    dims = inputs[0].type.tensor_type.shape.dim
    if len(dims) != 4 or dims[1].dim_value not in (0, 3):
        raise DeepcodError(f"{path}: input '{inputs[0].name}' is not [N, 3, height, width]")
    wanted = (3, *((size[1], size[0]) if size else (0, 0)))
    for dim, length in zip(list(dims)[1:], wanted, strict=True):
        if dim.dim_value and length and dim.dim_value != length:
            raise DeepcodError(f"{path}: its input is {dim.dim_value}, not {length}", "Leave --size out.")
        if not dim.dim_value and not length:
            raise DeepcodError(f"{path}: its input size is free", "Give --size WIDTHxHEIGHT.")
        dim.dim_value = dim.dim_value or length
    if size:
        del model.graph.value_info[:]
    return model


def difference(model: onnx.ModelProto, scale: float, seed: int = 0) -> float:
    """Largest |torch - ONNX Runtime| over the largest |ONNX Runtime|, over all outputs, on one noise picture."""
    module = OnnxModule(model)
    name, shape = next(iter(module.inputs.items()))
    x = np.random.default_rng(seed).random([1, *(d or 1 for d in shape[1:])], dtype=np.float32) * np.float32(
        255 * scale
    )
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    expected = session.run(module.outputs, {name: x})
    with torch.no_grad():
        actual, _ = module(torch.from_numpy(x))
    return max(
        float(np.abs(actual[n].numpy() - e).max() / max(np.abs(e).max(), 1e-12))
        for n, e in zip(module.outputs, expected, strict=True)
    )


def describe(model: onnx.ModelProto, name: str, picture: dict[str, Any]) -> dict[str, Any]:
    """A description from the model's metadata where it has one, else from the shapes of its outputs."""
    props = {p.key: p.value for p in model.metadata_props}
    description: dict[str, Any] = {
        "name": props.get("service", name),
        "task": "detect",
        "licence": NOT_STATED,
        "provenance": NOT_STATED,
    }
    constants = {t.name for t in model.graph.initializer}
    shape = next(i for i in model.graph.input if i.name not in constants).type.tensor_type.shape.dim
    size = {"width": shape[3].dim_value, "height": shape[2].dim_value}
    known = json.loads(props["picture"]) if "picture" in props else {}
    description["picture"] = {
        **size,
        "order": "rgb",
        "scale": 1 / 255,
        "letterbox": {"align": "top-left", "pad": 114},
        **known,
        **picture,
    }
    decode = json.loads(props["decode"]) if "decode" in props else _decode_of(model, size)
    if decode is None:
        description["task"] = "classify"
        return description
    description["decode"] = decode
    description["classes"] = json.loads(props["classes"]) if "classes" in props else _classes(model, decode)
    description["score_threshold"], description["nms_iou"] = 0.3, 0.45
    return description


def _decode_of(model: onnx.ModelProto, size: dict[str, int]) -> dict[str, Any] | None:
    """YOLOX's one output [N, cells of strides 8, 16, 32, 5 + C], told by its number of cells."""
    shapes = tensor_shapes(model)
    strides = [8, 16, 32]
    cells = sum((size["width"] // s) * (size["height"] // s) for s in strides)
    out = [shapes.get(o.name, ()) for o in model.graph.output]
    if len(out) == 1 and len(out[0]) == 3 and out[0][1] == cells and out[0][2] > 5:
        return {"type": "yolox", "strides": strides}
    return None


def _classes(model: onnx.ModelProto, decode: dict[str, Any]) -> list[str]:
    shapes = tensor_shapes(model)
    if decode["type"] == "yolox":
        count = shapes[model.graph.output[0].name][2] - 5
    else:
        first = decode["outputs"][0]
        count = shapes[first["name"]][1] // len(first["anchors"]) - 5
    return [f"class{i}" for i in range(count)]

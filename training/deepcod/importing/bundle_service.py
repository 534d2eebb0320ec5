"""The service back from a bundle: to train further codecs for it, nothing else is needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from ..errors import DeepcodError
from ..export.halves import FRONT


def open_bundle(folder: Path) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """The service's graph with its own input `[N, 3, H, W]`, weights inside, and its description.

    The export put the camera's bytes before the service and halved weights; both are taken back, exactly.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        model = onnx.load(str(folder / manifest["service"]["model"]))
    except FileNotFoundError as error:
        raise DeepcodError(f"{folder}: not a bundle: {error.filename} is missing") from error
    except (KeyError, ValueError) as error:
        raise DeepcodError(f"{folder}: not a bundle that this toolkit can read: {error}") from error
    graph = model.graph
    front = [n for n in graph.node if n.name.startswith(FRONT)]
    constants = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    if not front:
        raise DeepcodError(f"{folder}: its service does not start with the nodes that `deepcod export` writes")
    halves = {n.output[0]: n.input[0] for n in graph.node if n.name.endswith("/cast") and n.input[0].endswith("/half")}
    kept = [n for n in graph.node if not n.name.startswith(FRONT) and n.output[0] not in halves]
    for name, half in halves.items():
        constants[name] = constants.pop(half).astype(np.float32)
    scale = next(v.item() for k, v in constants.items() if k.startswith(f"{FRONT}scale"))
    order = "bgr" if any(n.op_type == "Gather" for n in front) else "rgb"
    size = manifest["input"]
    entry = onnx.helper.make_tensor_value_info(
        front[-1].output[0], onnx.TensorProto.FLOAT, ["N", 3, size["height"], size["width"]]
    )
    rebuilt = onnx.helper.make_graph(
        kept,
        graph.name,
        [entry],
        list(graph.output),
        [onnx.numpy_helper.from_array(v, k) for k, v in constants.items() if not k.startswith(FRONT)],
    )
    service = manifest["service"]
    description = {key: service[key] for key in ("name", "task", "licence", "provenance")}
    description["picture"] = {**size, "order": order, "scale": scale}
    description |= {k: service[k] for k in ("decode", "classes", "score_threshold", "nms_iou") if k in service}
    made = onnx.helper.make_model(rebuilt, opset_imports=model.opset_import, ir_version=model.ir_version)
    return made, description

"""Run a service by itself: ONNX Runtime and numpy, no bundle, no compression."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime

from ..errors import DeepcodError
from .ap import Detection
from .decode import DECODERS, suppress
from .letterbox import Fit, letterbox, to_source
from .truth import Truth

#: Scores below this are left out, and no more boxes than this are kept: COCO's own limits.
SCORE, LIMIT = 0.001, 100


class ServiceRunner:
    """A service ready to run on pictures."""

    def __init__(self, model: Path, description: dict[str, Any]) -> None:
        kind = description.get("decode", {}).get("type")
        if kind not in DECODERS:
            raise DeepcodError(
                f"{model}: its description has no decode rule of a known type ({', '.join(DECODERS)})",
                "Import the service with `deepcod import`, or complete its description.",
            )
        self.description = description
        self._session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])

    def outputs(self, source: np.ndarray) -> tuple[dict[str, np.ndarray], Any]:
        """Raw outputs for an RGB picture [h, w, 3] uint8, without the batch axis, and its fit."""
        canvas, fit = letterbox(source, self.description["picture"])
        names = [o.name for o in self._session.get_outputs()]
        values = self._session.run(names, {self._session.get_inputs()[0].name: feed(canvas, self.description)})
        return {name: value[0] for name, value in zip(names, values, strict=True)}, fit

    def detect(self, source: np.ndarray, score: float = SCORE, limit: int = LIMIT) -> list[Detection]:
        """Detections of an RGB picture, best first: {category_id, bbox in source pixels, score}."""
        outputs, fit = self.outputs(source)
        return detections(outputs, fit, self.description, score, limit)

    def detect_all(self, truth: Truth, folder: Path, progress: Any = iter) -> list[Detection]:
        """Detections of all pictures of a data set, with their image_id."""
        pairs: Iterable[tuple[dict[str, Any], Path]] = progress(
            list(zip(truth.images, truth.paths(folder), strict=True))
        )
        return [{"image_id": image["id"], **d} for image, path in pairs for d in self.detect(read_picture(path))]


def feed(canvas: np.ndarray, description: dict[str, Any]) -> np.ndarray:
    """A letterboxed RGB picture [H, W, 3] uint8 as the service takes it, [1, 3, H, W] float32."""
    picture = description["picture"]
    if picture["order"] == "bgr":
        canvas = canvas[:, :, ::-1]
    return np.ascontiguousarray(canvas.transpose(2, 0, 1)[None]).astype(np.float32) * np.float32(picture["scale"])


def detections(
    outputs: dict[str, np.ndarray], fit: Fit, description: dict[str, Any], score: float = SCORE, limit: int = LIMIT
) -> list[Detection]:
    """What a service's raw outputs, without the batch axis, say about a picture; see `ServiceRunner.detect`."""
    decode = DECODERS[description["decode"]["type"]]
    candidates = decode(outputs, description["decode"], description["picture"], score)
    boxes, scores, classes = suppress(candidates, description.get("nms_iou", 0.45), limit)
    corners = to_source(boxes, fit)
    return [
        {"category_id": int(c), "bbox": [x0, y0, x1 - x0, y1 - y0], "score": float(s)}
        for (x0, y0, x1, y1), s, c in zip(corners.tolist(), scores.tolist(), classes.tolist(), strict=True)
        if x1 > x0 and y1 > y0
    ]


def read_picture(path: Path) -> np.ndarray:
    """[h, w, 3] uint8 RGB, upright."""
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise DeepcodError(f"{path}: cannot be read as a picture")
    return picture[:, :, ::-1]


def load_description(model: Path, description: Path | None) -> dict[str, Any]:
    """The description given, or FILE.json beside the model, or what the model's metadata and shapes tell."""
    beside = model.with_suffix(".json")
    file = description or (beside if beside.is_file() else None)
    if file is None:
        from ..importing.onnx_service import describe

        return describe(onnx.load(str(model)), model.stem, {})
    try:
        return json.loads(file.read_text())
    except json.JSONDecodeError as error:
        raise DeepcodError(f"{file}: no valid JSON: {error}") from error

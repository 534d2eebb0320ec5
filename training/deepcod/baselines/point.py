"""A service cut at a partition point, run by ONNX Runtime on one thread: what every method stands between."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime

from ..evaluate.letterbox import Fit
from ..evaluate.service import feed
from ..graph.split import split
from .quantise import Limits

Outputs = dict[str, np.ndarray]


class Network:
    """An ONNX graph with one input, ready to run on one thread."""

    def __init__(self, model: onnx.ModelProto | bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        content = model if isinstance(model, bytes) else model.SerializeToString()
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._names = [o.name for o in self._session.get_outputs()]

    def __call__(self, x: np.ndarray) -> Outputs:
        """Outputs by name, without the batch axis, of an input [1, ...]."""
        values = self._session.run(self._names, {self._input: x})
        return {name: value[0] for name, value in zip(self._names, values, strict=True)}


class Point:
    """A partition point of a service.

    A *source* is what a method compresses, float32 [c, h, w]: the tensor at the partition point; at the input, the
    pixels 0..255 (RGB) of the picture alone, without the letterbox's border, which the edge can add by itself.

    Attributes:
        partition: its name, `input`, `stage1`, ...
        at_input: whether the source are pixels.
        limits: of a source's values, where they are known.
    """

    def __init__(self, model: onnx.ModelProto, description: dict[str, Any], partition: str) -> None:
        self.partition = partition
        self.description = description
        tensor = description["partitions"][partition]
        self.at_input = tensor == model.graph.input[0].name
        self.limits: Limits | None = (0.0, 255.0) if self.at_input else None
        self._prefix = None if self.at_input else Network(split(model, tensor)[0])
        self._remainder = Network(model if self.at_input else split(model, tensor)[1])

    def source(self, canvas: np.ndarray, fit: Fit) -> np.ndarray:
        """Of a letterboxed RGB picture [H, W, 3] uint8: what the device has at this point."""
        if self._prefix is None:
            content = canvas[fit.y : fit.y + fit.height, fit.x : fit.x + fit.width]
            return content.transpose(2, 0, 1).astype(np.float32)
        return next(iter(self._prefix(feed(canvas, self.description)).values()))

    def outputs(self, source: np.ndarray, fit: Fit) -> Outputs:
        """The service's outputs for a source, or for what is left of it: pixels are rounded first."""
        if not self.at_input:
            return self._remainder(source[None])
        picture = self.description["picture"]
        canvas = np.full((picture["height"], picture["width"], 3), picture["letterbox"]["pad"], np.uint8)
        content = np.clip(np.rint(source), 0, 255).astype(np.uint8).transpose(1, 2, 0)
        canvas[fit.y : fit.y + fit.height, fit.x : fit.x + fit.width] = content
        return self._remainder(feed(canvas, self.description))

"""8-bit integers in place of a graph's floats: ONNX Runtime's static quantisation, kernels by channel, QDQ form."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import version_converter
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

#: The first operator set whose DequantizeLinear has an axis.
OPSET = 13


def quantised(
    model: onnx.ModelProto,
    feeds: Iterable[dict[str, np.ndarray]],
    *,
    operators: Sequence[str] | None = None,
    nodes: Sequence[str] | None = None,
    signed: bool = False,
    average: bool = False,
) -> onnx.ModelProto:
    """The model with integers where operators have such a form; ranges of activations are those that `feeds` give.

    `operators` and `nodes` (by name) narrow it down. Activations are uint8, or int8 if `signed`, as ARM prefers.
    Ranges hold all values that were seen, or with `average` those of the average feed.
    """
    with tempfile.TemporaryDirectory() as scratch:
        source, clean, made = (str(Path(scratch) / name) for name in ("source.onnx", "clean.onnx", "made.onnx"))
        onnx.save(_with_axes(model), source)
        # ONNX Runtime's own optimisations would rename what `nodes` names.
        quant_pre_process(source, clean, skip_symbolic_shape=True, skip_optimization=nodes is not None)
        level = logging.root.manager.disable
        logging.disable(logging.WARNING)  # that it was just pre-processed is not seen, and warned of
        try:
            quantize_static(
                clean,
                made,
                _Feeds(feeds),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=operators,
                nodes_to_quantize=nodes,
                per_channel=True,
                activation_type=QuantType.QInt8 if signed else QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.MinMax,
                extra_options={"CalibMovingAverage": average},
            )
        finally:
            logging.disable(level)
        return onnx.load(made)


def _with_axes(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model in an operator set in which kernels can be quantised by channel."""
    version = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    return model if version >= OPSET else version_converter.convert_version(model, OPSET)


class _Feeds(CalibrationDataReader):
    """One after the other."""

    def __init__(self, feeds: Iterable[dict[str, np.ndarray]]) -> None:
        self._left = iter(feeds)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next, or None after the last."""
        return next(self._left, None)

"""on-device: all of the service on the device, nothing sent: as it is, and with 8-bit integers.

ONNX Runtime's static quantisation: ranges of activations from training pictures, kernels by channel, QDQ form. `int8`
quantises every operator it can; `int8, convolutions` only convolutions, where nearly all work is: what follows them
keeps its precision.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import version_converter
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from ..codec.data import Pictures
from ..errors import DeepcodError
from ..evaluate.service import feed
from .methods import Materials

#: Setting -> operators that are quantised; None: all that can be.
INT8 = {"int8": None, "int8, convolutions": ["Conv"]}
AS_IT_IS = "float32"
#: Pictures that ranges are taken from.
CALIBRATION = 64
#: The first whose DequantizeLinear has an axis.
_OPSET = 13


def models(materials: Materials) -> Iterator[tuple[str, onnx.ModelProto]]:
    """(setting, the whole service) of each way; the quantised ones are kept in the materials' folder."""
    for setting, operators in INT8.items():
        yield setting, quantised(materials, operators)
    yield AS_IT_IS, materials.model


def quantised(materials: Materials, operators: list[str] | None) -> onnx.ModelProto:
    """The service with 8-bit integers; made once for this service, these pictures and these operators."""
    digest = hashlib.sha256(materials.model.SerializeToString())
    for pack in materials.packs:
        digest.update(pack.read_bytes())
    digest.update(repr((operators, CALIBRATION, _OPSET, onnxruntime.__version__)).encode())
    file = materials.folder / f"int8-{digest.hexdigest()[:16]}.onnx"
    if not file.exists():
        if not materials.packs:
            raise DeepcodError("on-device: no pictures to take ranges from", "Give --pictures PACK (`deepcod pack`).")
        materials.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            source, clean, made = (Path(scratch) / name for name in ("source.onnx", "clean.onnx", "made.onnx"))
            onnx.save(_with_axes(materials.model), str(source))
            quant_pre_process(str(source), str(clean), skip_symbolic_shape=True)
            logging.disable(logging.WARNING)  # that it was just pre-processed is not seen, and warned of
            quantize_static(
                str(clean),
                str(made),
                _Pictures(materials, onnx.load(str(clean)).graph.input[0].name),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=operators,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.MinMax,
                extra_options={"CalibMovingAverage": True},
            )
            logging.disable(logging.NOTSET)
            part = file.with_suffix(".part")
            part.write_bytes(made.read_bytes())
            part.replace(file)
    return onnx.load(str(file))


def _with_axes(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model in an operator set in which kernels can be quantised by channel."""
    version = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    return model if version >= _OPSET else version_converter.convert_version(model, _OPSET)


class _Pictures(CalibrationDataReader):
    """Training pictures, evenly chosen, as the service takes them."""

    def __init__(self, materials: Materials, name: str) -> None:
        pad = materials.description["picture"]["letterbox"]["pad"]
        pictures = Pictures(materials.packs, torch.device("cpu"), pad=pad)
        count = min(CALIBRATION, len(pictures))
        chosen = torch.linspace(0, len(pictures) - 1, count).long()
        self._left: Iterator[np.ndarray] = (
            feed(canvas.permute(1, 2, 0).numpy(), materials.description) for canvas in pictures.data[chosen]
        )
        self._name = name

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next picture, or None after the last."""
        x = next(self._left, None)
        return None if x is None else {self._name: x}

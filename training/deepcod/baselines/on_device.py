"""on-device: all of the service on the device, nothing sent: as it is, and with 8-bit integers.

ONNX Runtime's static quantisation: ranges of activations from training pictures, kernels by channel, QDQ form. `int8`
quantises every operator it can; `int8, convolutions` only convolutions, where nearly all work is: what follows them
keeps its precision.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import onnx
import onnxruntime
import torch

from ..codec.data import Pictures
from ..errors import DeepcodError
from ..evaluate.service import feed
from ..graph import integers
from .methods import Materials

#: Setting -> operators that are quantised; None: all that can be.
INT8 = {"int8": None, "int8, convolutions": ["Conv"]}
AS_IT_IS = "float32"
#: Pictures that ranges are taken from.
CALIBRATION = 64


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
    digest.update(repr((operators, CALIBRATION, integers.OPSET, onnxruntime.__version__)).encode())
    file = materials.folder / f"int8-{digest.hexdigest()[:16]}.onnx"
    if not file.exists():
        if not materials.packs:
            raise DeepcodError("on-device: no pictures to take ranges from", "Give --pictures PACK (`deepcod pack`).")
        materials.folder.mkdir(parents=True, exist_ok=True)
        name = materials.model.graph.input[0].name
        feeds = ({name: x} for x in _pictures(materials))
        made = integers.quantised(materials.model, feeds, operators=operators, average=True)
        part = file.with_suffix(".part")
        onnx.save(made, str(part))
        part.replace(file)
    return onnx.load(str(file))


def _pictures(materials: Materials) -> Iterator[np.ndarray]:
    """Training pictures, evenly chosen, as the service takes them."""
    pad = materials.description["picture"]["letterbox"]["pad"]
    pictures = Pictures(materials.packs, torch.device("cpu"), pad=pad)
    count = min(CALIBRATION, len(pictures))
    chosen = torch.linspace(0, len(pictures) - 1, count).long()
    return (feed(canvas.permute(1, 2, 0).numpy(), materials.description) for canvas in pictures.data[chosen])

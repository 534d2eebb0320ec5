"""The methods: one file each, one line here. What a file gives is a list of `Coder` for a partition point."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from .point import Point

#: Method -> its file; each has coders(point, materials) -> list[Coder].
METHODS = {
    "offload": "offload",
    "offload-lossy": "lossy",
    "offload-intp": "interpolate",
    "offload-cs": "sensing",
    "offload-ae": "autoencoder",
}
#: The service on the device, quantised (`on_device.py`): nothing crosses the link, so it has no coder.
ON_DEVICE = "on-device"


@dataclass(frozen=True)
class Coder:
    """One method at one setting.

    Attributes:
        setting: names it in the report.
        encode: source [c, h, w] -> the message.
        decode: message -> the source again, or what is left of it; of the same shape.
        depends: what else its results follow from (a checkpoint's hash).
    """

    setting: str
    encode: Callable[[np.ndarray], bytes]
    decode: Callable[[bytes], np.ndarray]
    depends: str = ""


@dataclass(frozen=True)
class Materials:
    """What methods that learn need.

    Attributes:
        model, description: the service.
        packs: training pictures, files of `deepcod pack`.
        folder: where checkpoints lie.
        minutes: of the processor's time for training at each partition point, resumed runs included.
    """

    model: onnx.ModelProto
    description: dict[str, Any]
    packs: list[Path]
    folder: Path
    minutes: float


def coders(method: str, point: Point, materials: Materials) -> list[Coder]:
    """All settings of a method at a partition point, smallest messages first; trains first what must be trained."""
    return importlib.import_module(f"{__package__}.{METHODS[method]}").coders(point, materials)

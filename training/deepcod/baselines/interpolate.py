"""offload-intp: fewer samples, interpolated at the edge. Every 2x2 or 4x4 values become their mean, 8 bits, Huffman."""

from __future__ import annotations

import struct
from functools import partial

import cv2
import numpy as np

from .methods import Coder, Materials
from .point import Point
from .quantise import Limits, pack, unpack

FACTORS = (4, 2)
KERNELS = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}
_SIZE = struct.Struct("<2H")


def coders(point: Point, materials: Materials) -> list[Coder]:
    """Each kernel with each factor."""
    return [
        Coder(
            f"1/{factor}, {kernel}", partial(shrink, factor=factor, limits=point.limits), partial(grow, kernel=kernel)
        )
        for kernel in KERNELS
        for factor in FACTORS
    ]


def shrink(source: np.ndarray, factor: int, limits: Limits | None) -> bytes:
    """The message of a source at 1/factor of its height and width."""
    height, width = source.shape[1:]
    small = _resize(source, max(1, round(height / factor)), max(1, round(width / factor)), cv2.INTER_AREA)
    return _SIZE.pack(height, width) + pack(small, 8, limits)


def grow(message: bytes, kernel: str) -> np.ndarray:
    """The source at its full size."""
    return _resize(unpack(message[_SIZE.size :]), *_SIZE.unpack_from(message), KERNELS[kernel])


def _resize(x: np.ndarray, height: int, width: int, kernel: int) -> np.ndarray:
    """[c, h, w]; OpenCV wants channels last and drops the axis of a single one."""
    made = cv2.resize(np.ascontiguousarray(x.transpose(1, 2, 0)), (width, height), interpolation=kernel)
    return np.ascontiguousarray(made.reshape(height, width, -1).transpose(2, 0, 1))

"""offload-lossy: JPEG of the picture; inside the service, features quantised uniformly and Huffman coded."""

from __future__ import annotations

import io
from functools import partial

import numpy as np
from PIL import Image

from .methods import Coder, Materials
from .point import Point
from .quantise import pack, unpack

QUALITIES = (30, 50, 75, 80, 85, 90)
BITS = (4, 6, 8)


def coders(point: Point, materials: Materials) -> list[Coder]:
    """JPEG qualities at the input, else bits a value."""
    if point.at_input:
        return [Coder(f"JPEG q{q}", partial(jpeg, quality=q), unjpeg) for q in QUALITIES]
    return [Coder(f"{bits} bits", partial(pack, bits=bits), unpack) for bits in BITS]


def jpeg(source: np.ndarray, quality: int) -> bytes:
    """JPEG (4:2:0, Huffman tables of its own) of pixels [3, h, w]."""
    out = io.BytesIO()
    Image.fromarray(source.transpose(1, 2, 0).astype(np.uint8)).save(
        out, "JPEG", quality=quality, optimize=True, subsampling="4:2:0"
    )
    return out.getvalue()


def unjpeg(message: bytes) -> np.ndarray:
    """The pixels."""
    return np.asarray(Image.open(io.BytesIO(message))).transpose(2, 0, 1).astype(np.float32)

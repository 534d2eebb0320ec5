"""offload: everything, without loss: PNG of the picture; inside the service, half-precision features by deflate.

Half precision rounds to 11 bits, which no detector notices; full precision would send twice as much of what cannot be
compressed. The bytes of each half are sent apart: the high ones repeat, the low ones are noise.
"""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from .methods import Coder, Materials
from .point import Point

_SHAPE = struct.Struct("<3H")


def coders(point: Point, materials: Materials) -> list[Coder]:
    """PNG at the input, else halves."""
    return [Coder("PNG", png, unpng) if point.at_input else Coder("float16, deflate", halves, unhalves)]


def png(source: np.ndarray) -> bytes:
    """PNG of pixels [3, h, w]."""
    out = io.BytesIO()
    Image.fromarray(source.transpose(1, 2, 0).astype(np.uint8)).save(out, "PNG", compress_level=6)
    return out.getvalue()


def unpng(message: bytes) -> np.ndarray:
    """The pixels."""
    return np.asarray(Image.open(io.BytesIO(message))).transpose(2, 0, 1).astype(np.float32)


def halves(source: np.ndarray) -> bytes:
    """Shape, then deflate's of the high and the low bytes of all values in half precision."""
    planes = np.ascontiguousarray(source, "<f2").view(np.uint8).reshape(-1, 2).T
    return _SHAPE.pack(*source.shape) + zlib.compress(np.ascontiguousarray(planes).tobytes(), 6)


def unhalves(message: bytes) -> np.ndarray:
    """The values in half precision, as float32."""
    planes = np.frombuffer(zlib.decompress(message[_SHAPE.size :]), np.uint8).reshape(2, -1)
    values = np.ascontiguousarray(planes.T).view("<f2")
    return values.astype(np.float32).reshape(_SHAPE.unpack_from(message))

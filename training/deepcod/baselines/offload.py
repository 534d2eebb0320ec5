"""offload: everything, without loss: the picture's pixels as they are or as PNG; inside the service, half-precision
features as they are or by deflate.

Uncompressed is the fastest on a fast link, where there is less to gain from fewer bytes than compressing costs.

Half precision rounds to 11 bits, which no detector notices; full precision would send twice as much of what cannot be
compressed. The bytes of each half are sent apart: the high ones repeat, the low ones are noise.
"""

from __future__ import annotations

import io
import struct
import zlib
from functools import partial

import numpy as np
from PIL import Image

from .methods import Coder, Materials
from .point import Point

_SHAPE = struct.Struct("<3H")


def coders(point: Point, materials: Materials) -> list[Coder]:
    """PNG and pixels at the input, else halves."""
    if point.at_input:
        return [
            Coder("PNG", partial(png, level=6), unpng),
            Coder("PNG, level 1", partial(png, level=1), unpng),
            Coder("raw, uint8", partial(raw, kind="u1"), partial(unraw, kind="u1")),
        ]
    return [
        Coder("float16, deflate", halves, unhalves),
        Coder("raw, float16", partial(raw, kind="<f2"), partial(unraw, kind="<f2")),
    ]


def png(source: np.ndarray, level: int) -> bytes:
    """PNG of pixels [3, h, w], deflated at a level 1..9."""
    out = io.BytesIO()
    Image.fromarray(source.transpose(1, 2, 0).astype(np.uint8)).save(out, "PNG", compress_level=level)
    return out.getvalue()


def unpng(message: bytes) -> np.ndarray:
    """The pixels."""
    return np.asarray(Image.open(io.BytesIO(message))).transpose(2, 0, 1).astype(np.float32)


def raw(source: np.ndarray, kind: str) -> bytes:
    """Shape, then all values as this NumPy type, which must hold them."""
    return _SHAPE.pack(*source.shape) + source.astype(kind).tobytes()


def unraw(message: bytes, kind: str) -> np.ndarray:
    """The values, float32."""
    return np.frombuffer(message, kind, offset=_SHAPE.size).astype(np.float32).reshape(_SHAPE.unpack_from(message))


def halves(source: np.ndarray) -> bytes:
    """Shape, then deflate's of the high and the low bytes of all values in half precision."""
    planes = np.ascontiguousarray(source, "<f2").view(np.uint8).reshape(-1, 2).T
    return _SHAPE.pack(*source.shape) + zlib.compress(np.ascontiguousarray(planes).tobytes(), 6)


def unhalves(message: bytes) -> np.ndarray:
    """The values in half precision, as float32."""
    planes = np.frombuffer(zlib.decompress(message[_SHAPE.size :]), np.uint8).reshape(2, -1)
    values = np.ascontiguousarray(planes.T).view("<f2")
    return values.astype(np.float32).reshape(_SHAPE.unpack_from(message))

"""Huffman coding of bytes, as real messages.

The code is deflate's: canonical, made for each run of 32,767 symbols (a picture's histogram, or one of a few parts of
it), its table in the message; matching of repeated strings is off. So what is counted was really sent, and is decoded
again.
"""

from __future__ import annotations

import zlib

import numpy as np

#: Symbols that share a code: zlib's largest buffer, less the place of the end mark.
BLOCK = 32767


def huffman(symbols: np.ndarray) -> bytes:
    """The message of symbols, uint8 of any shape."""
    coder = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_HUFFMAN_ONLY)
    return coder.compress(np.ascontiguousarray(symbols, np.uint8).tobytes()) + coder.flush()


def unhuffman(message: bytes) -> np.ndarray:
    """The symbols again, uint8 [count]."""
    return np.frombuffer(zlib.decompress(message, -15), np.uint8)

"""Uniform quantisation of a tensor to 2..256 levels, Huffman coded: what several methods send."""

from __future__ import annotations

import struct

import numpy as np

from .entropy import huffman, unhuffman

_HEADER = struct.Struct("<3H2f")

Limits = tuple[float, float]


def pack(x: np.ndarray, bits: int, limits: Limits | None = None) -> bytes:
    """The message of a tensor [c, h, w] with `bits` (1..8) a value: shape, range, symbols.

    One range for the whole tensor: equal steps in all channels lose least for their bytes. `limits` is the range where
    it is known beforehand, else it is the tensor's own.
    """
    low, high = limits or (float(x.min()), float(x.max()))
    step = (high - low) / (2**bits - 1) or 1.0
    symbols = np.clip(np.rint((x - low) / step), 0, 2**bits - 1).astype(np.uint8)
    return _HEADER.pack(*x.shape, low, step) + huffman(symbols)


def unpack(message: bytes) -> np.ndarray:
    """The tensor of a message, float32, off by half a step at most."""
    *shape, low, step = _HEADER.unpack_from(message)
    symbols = unhuffman(message[_HEADER.size :]).reshape(shape)
    return symbols.astype(np.float32) * np.float32(step) + np.float32(low)

"""offload-cs: compressive sensing. The device sends random projections of blocks; the edge looks for the sparsest
blocks that explain them.

Each block of 26 x 26 values of a channel (26 divides 416, 104 and 52) is measured by the rows of one seeded random
matrix with orthonormal rows: the block's mean, then Gaussian directions. Measurements have 8 bits and are Huffman
coded. The edge minimises |y - A c|^2 / 2 + t |w c|_1 over the block's DCT coefficients c by FISTA; w grows with
frequency, as natural pictures' coefficients shrink with it, and t falls over the iterations.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from .methods import Coder, Materials
from .point import Point
from .quantise import pack, unpack

BLOCK = 26
RATIOS = (0.1, 0.25, 0.5)
ITERATIONS = 30
#: Thresholds, first and last, relative to the block's largest coefficient; they and the iterations were chosen on
#: photos of coco-train.
FIRST, LAST = 0.3, 0.005
SEED = 1
_HEADER = struct.Struct("<3HI")


def coders(point: Point, materials: Materials) -> list[Coder]:
    """Ratios of measurements to values."""
    return [
        Coder(f"{ratio:g} measurements a value", partial(sense, ratio=ratio), partial(recover, ratio=ratio))
        for ratio in RATIOS
    ]


@dataclass(frozen=True)
class _Sensing:
    """`rows` [m, n] measure a block; `atoms` [m, n] are the same rows in the DCT's coordinates; `dct` [n, n]."""

    rows: np.ndarray
    atoms: np.ndarray
    dct: np.ndarray
    weights: np.ndarray


@cache
def _sensing(ratio: float) -> _Sensing:
    n = BLOCK * BLOCK
    m = max(2, round(ratio * n))
    random = np.random.default_rng(SEED).standard_normal((n, m))
    random[:, 0] = 1
    q, r = np.linalg.qr(random)
    rows = (q * np.sign(np.diag(r))).T.astype(np.float32)
    k = np.arange(BLOCK)
    one = np.cos(np.pi * (2 * k[None] + 1) * k[:, None] / (2 * BLOCK)) * np.sqrt(2 / BLOCK)
    one[0] /= np.sqrt(2)
    dct = np.kron(one, one).astype(np.float32)  # coefficients = dct @ block
    frequency = np.hypot(*np.meshgrid(k, k)).ravel()
    weights = (frequency / frequency.mean()).astype(np.float32)[:, None]  # nothing is lost of the mean
    return _Sensing(rows, rows @ dct.T, dct, weights)


def sense(source: np.ndarray, ratio: float) -> bytes:
    """The message of a source: its shape, the blocks' means, all other measurements."""
    y = _sensing(ratio).rows @ _blocks(source)
    means, rest = pack(y[None, :1], 8), pack(y[None, 1:], 8)
    return _HEADER.pack(*source.shape, len(means)) + means + rest


def recover(message: bytes, ratio: float) -> np.ndarray:
    """The source that the measurements speak of."""
    c, h, w, length = _HEADER.unpack_from(message)
    body = message[_HEADER.size :]
    means, rest = unpack(body[:length])[0], unpack(body[length:])[0]
    sensing = _sensing(ratio)
    coefficients = _fista(sensing.atoms, np.concatenate([means, rest]), sensing.weights)
    return _assemble(sensing.dct.T @ coefficients, c, h, w)


def _fista(atoms: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Coefficients [n, blocks]; the largest singular value of `atoms` is 1, so steps of 1 converge."""
    start = atoms.T @ y
    threshold = FIRST * np.abs(start[1:]).max(0, keepdims=True)
    fall = (LAST / FIRST) ** (1 / ITERATIONS)
    x, z, momentum = start, start, 1.0
    for _ in range(ITERATIONS):
        step = z - atoms.T @ (atoms @ z - y)
        following = np.sign(step) * np.maximum(np.abs(step) - threshold * weights, 0)
        faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        z = following + np.float32((momentum - 1) / faster) * (following - x)
        x, momentum, threshold = following, faster, threshold * np.float32(fall)
    return x


def _blocks(source: np.ndarray) -> np.ndarray:
    """[n, blocks] of a source, whose last rows and columns are repeated up to whole blocks."""
    c, h, w = source.shape
    padded = np.pad(source, ((0, 0), (0, -h % BLOCK), (0, -w % BLOCK)), "edge")
    rows, columns = padded.shape[1] // BLOCK, padded.shape[2] // BLOCK
    cut = padded.reshape(c, rows, BLOCK, columns, BLOCK).transpose(2, 4, 0, 1, 3)
    return np.ascontiguousarray(cut.reshape(BLOCK * BLOCK, -1), np.float32)


def _assemble(blocks: np.ndarray, c: int, h: int, w: int) -> np.ndarray:
    """The inverse of `_blocks`."""
    rows, columns = -(-h // BLOCK), -(-w // BLOCK)
    cut = blocks.reshape(BLOCK, BLOCK, c, rows, columns).transpose(2, 3, 0, 4, 1)
    return np.ascontiguousarray(cut.reshape(c, rows * BLOCK, columns * BLOCK)[:, :h, :w])

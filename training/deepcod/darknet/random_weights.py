"""Seeded random weights for a topology whose trained weights are not at hand: for timing and numerical checks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .weights import write_weights

#: Convolutions that end a residual block are damped so that activations stay of one size through 23 shortcuts.
RESIDUAL_GAIN = 0.3


class RandomWeights:
    """Stands where a WeightsReader does. He initialisation (for leaky ReLU) and batch statistics near (0, 1)."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.arrays: list[np.ndarray] = []

    def take(self, shape: Sequence[int], what: str) -> np.ndarray:
        """Values for `what`, told by its last word: weights, biases, scales, means or variances."""
        kind = what.split()[-1]
        size = tuple(shape)
        if kind == "weights":
            value = self._random.standard_normal(size) * math.sqrt(2 / (1.01 * math.prod(size[1:])))
        elif kind == "variances":
            value = self._random.uniform(0.5, 1.5, size)
        elif kind == "scales":
            value = self._random.uniform(0.8, 1.2, size) * (RESIDUAL_GAIN if "residual" in what else 1.0)
        else:
            value = self._random.standard_normal(size) * 0.1
        self.arrays.append(value.astype(np.float32))
        return self.arrays[-1]

    def finish(self) -> None:
        """Nothing is ever left over."""

    def content(self) -> bytes:
        """What was handed out, as a .weights file."""
        return write_weights(self.arrays)

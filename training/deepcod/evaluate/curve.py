"""Curves of accuracy over size: made monotone, interpolated, compared (Bjontegaard's delta rate).

A curve may dip where it should rise: few pictures, and codecs that are not trained out. Before it is read, isotonic
regression (least squares, equal weights) makes accuracy a function of size that never falls; where it stands still, the
smallest size is kept. Between the points log(size) is interpolated over accuracy by PCHIP (Fritsch and Butland's
slopes), which does not overshoot. Nothing is extrapolated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Steps of the integral over accuracy.
_STEPS = 1000


def isotonic(y: np.ndarray) -> np.ndarray:
    """The non-falling sequence [N] nearest to `y` [N] in least squares: pools neighbours that violate the order."""
    blocks: list[tuple[float, int]] = []
    for value in y:
        blocks.append((float(value), 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (a, m), (b, n) = blocks[-2:]
            blocks[-2:] = [((a * m + b * n) / (m + n), m + n)]
    return np.repeat([value for value, _ in blocks], [count for _, count in blocks])


def pchip(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Monotone piecewise cubic through (x, y), x strictly rising [N >= 2], evaluated at `at` inside [x0, xN]."""
    h, slope = np.diff(x), np.diff(y) / np.diff(x)
    if len(x) == 2:
        return y[0] + slope[0] * (at - x[0])
    d = np.zeros(len(x))
    same = slope[:-1] * slope[1:] > 0
    w1, w2 = (2 * h[1:] + h[:-1])[same], (h[1:] + 2 * h[:-1])[same]
    d[1:-1][same] = (w1 + w2) / (w1 / slope[:-1][same] + w2 / slope[1:][same])
    d[0] = _end(h[0], h[1], slope[0], slope[1])
    d[-1] = _end(h[-1], h[-2], slope[-1], slope[-2])
    i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    t = (at - x[i]) / h[i]
    return (
        y[i] * (1 + 2 * t) * (1 - t) ** 2
        + h[i] * d[i] * t * (1 - t) ** 2
        + y[i + 1] * t**2 * (3 - 2 * t)
        + h[i] * d[i + 1] * t**2 * (t - 1)
    )


def _end(h0: float, h1: float, s0: float, s1: float) -> float:
    """Slope at an end from three points, kept monotone."""
    d = ((2 * h0 + h1) * s0 - h0 * s1) / (h0 + h1)
    if d * s0 <= 0:
        return 0.0
    return 3 * s0 if s0 * s1 < 0 and abs(d) > 3 * abs(s0) else d


@dataclass(frozen=True)
class Curve:
    """Accuracy [N] strictly rising, and log(size) [N] rising with it."""

    accuracy: np.ndarray
    log_size: np.ndarray

    @staticmethod
    def fit(size: np.ndarray, accuracy: np.ndarray) -> Curve:
        """From measured points [N] in any order; sizes are positive."""
        order = np.argsort(size, kind="stable")
        smooth = isotonic(np.asarray(accuracy, float)[order])
        first = np.concatenate([[True], np.diff(smooth) > 1e-12])
        return Curve(smooth[first], np.log(np.asarray(size, float)[order][first]))

    def size_for(self, accuracy: float) -> tuple[float, bool] | None:
        """(size that reaches an accuracy, whether even the smallest size measured does), or None where none does."""
        if accuracy > self.accuracy[-1]:
            return None
        if accuracy <= self.accuracy[0]:
            return float(np.exp(self.log_size[0])), bool(accuracy < self.accuracy[0])
        return float(np.exp(pchip(self.accuracy, self.log_size, np.array([accuracy]))[0])), False


def bd_rate(reference: Curve, other: Curve) -> tuple[float, tuple[float, float]] | None:
    """Mean difference of size at equal accuracy, per cent, and the range of accuracy that both reach.

    Negative where `other` needs less. None where the curves have no accuracy in common.
    """
    low = max(reference.accuracy[0], other.accuracy[0])
    high = min(reference.accuracy[-1], other.accuracy[-1])
    if not high > low:
        return None
    at = np.linspace(low, high, _STEPS + 1)
    gap = pchip(other.accuracy, other.log_size, at) - pchip(reference.accuracy, reference.log_size, at)
    mean = float(np.mean((gap[1:] + gap[:-1]) / 2))
    return 100 * float(np.expm1(mean)), (float(low), float(high))

"""What an evaluation found, as a table and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .ap import Comparison, Interval, Scores
from .truth import Truth


@dataclass
class Row:
    """One way of running the service; `versus` is its comparison with the uncompressed service."""

    label: str
    scores: Scores
    partition: str | None = None
    rate: int = 0
    bytes_per_frame: Interval | None = None
    versus: Comparison | None = None
    steps_ms: dict[str, float] = field(default_factory=dict)

    def accuracy(self, truth: Truth) -> dict[str, float | str]:
        """The form of `accuracy` in a bundle's manifest."""
        result: dict[str, float | str] = {"dataset": truth.name, "images": len(truth.images)}
        figures = {"ap": self.scores.ap, "ap50": self.scores.ap50}
        if self.versus is not None:
            figures |= {"ap_relative": self.versus.ap_relative, "ap50_relative": self.versus.ap50_relative}
        for key, interval in figures.items():
            value, low, high = interval.as_list()
            result |= {key: value, f"{key}_low": low, f"{key}_high": high}
        return result

    def as_dict(self, truth: Truth) -> dict[str, Any]:
        """For JSON; bytes_per_frame and ap50_difference are [value, low, high]."""
        result: dict[str, Any] = {"partition": self.partition, "rate": self.rate, "accuracy": self.accuracy(truth)}
        if self.bytes_per_frame is not None:
            result["bytes_per_frame"] = self.bytes_per_frame.as_list()
        if self.versus is not None:
            result["ap50_difference"] = self.versus.ap50_difference.as_list()
        if self.steps_ms:
            result["steps_ms"] = self.steps_ms
        return result


def report(name: str, truth: Truth, interval: str, uncompressed: Row, rows: list[Row]) -> dict[str, Any]:
    """The JSON that `deepcod annotate` reads: accuracy of the service, and of each point and rate."""
    return {
        "service": name,
        "dataset": truth.name,
        "images": len(truth.images),
        "boxes": len(truth.annotations),
        "interval": interval,
        "uncompressed": uncompressed.accuracy(truth),
        "raw": uncompressed.as_dict(truth),
        "rows": [row.as_dict(truth) for row in rows],
    }


def mean_bytes(values: np.ndarray, resamples: int, seed: int) -> Interval:
    """Mean with its bootstrap interval over pictures."""
    draws = np.random.default_rng(seed).integers(0, len(values), (resamples, len(values)))
    low, high = np.percentile(values[draws].mean(1), [2.5, 97.5]) if resamples else (values.mean(), values.mean())
    return Interval(float(values.mean()), float(low), float(high))


def table(title: str, rows: list[Row]) -> str:
    """An aligned table; brackets hold 95% bootstrap intervals over pictures."""
    lines = [title, f"{'':18} {'bytes/frame':>22}  {'AP':22} {'AP50':22} {'AP / uncompressed':22} AP50 difference"]
    for row in rows:
        size = "" if row.bytes_per_frame is None else _bytes(row.bytes_per_frame)
        relative = str(row.versus.ap_relative) if row.versus else ""
        difference = _signed(row.versus.ap50_difference) if row.versus else ""
        line = f"{row.label:18} {size:>22}  {row.scores.ap!s:22} {row.scores.ap50!s:22} {relative:22} {difference}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def _bytes(interval: Interval) -> str:
    return f"{interval.value:.0f} [{interval.low:.0f}, {interval.high:.0f}]"


def _signed(interval: Interval) -> str:
    return f"{interval.value:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"

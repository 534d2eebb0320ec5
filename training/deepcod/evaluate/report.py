"""What an evaluation found, as a table and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .ap import Comparison, Interval, Scores


@dataclass
class Row:
    """One way of running the service; `versus` is its comparison with the uncompressed service."""

    label: str
    scores: Scores
    bytes_per_frame: Interval | None = None
    versus: Comparison | None = None
    steps_ms: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; intervals are [value, low, high]."""
        result: dict[str, Any] = {
            "label": self.label,
            "ap": self.scores.ap.as_list(),
            "ap50": self.scores.ap50.as_list(),
        }
        if self.bytes_per_frame is not None:
            result["bytes_per_frame"] = self.bytes_per_frame.as_list()
        if self.versus is not None:
            result["ap_relative"] = self.versus.ap_relative.as_list()
            result["ap50_relative"] = self.versus.ap50_relative.as_list()
            result["ap50_difference"] = self.versus.ap50_difference.as_list()
        if self.steps_ms:
            result["steps_ms"] = self.steps_ms
        return result


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

"""Measure a service, and a bundle as the runtime runs it: AP, AP50, bytes per frame."""

from .ap import Comparison, Interval, Scores, average_precision, bootstrap, compare
from .truth import Truth, load_truth

__all__ = [
    "Comparison",
    "Interval",
    "Scores",
    "Truth",
    "average_precision",
    "bootstrap",
    "compare",
    "load_truth",
]

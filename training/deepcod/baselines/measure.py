"""Run a way over all pictures: bytes and detections of each; and how long it takes, apart from that."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ..evaluate.letterbox import Fit, letterbox
from ..evaluate.service import detections, read_picture
from ..evaluate.truth import Truth
from .cache import sha256
from .point import Point
from .ways import Way

#: Runs that a time is the median of, after a warm-up; slow ones stop earlier, but never before the second figure.
RUNS, AT_LEAST, SECONDS = 20, 3, 1.5


@dataclass
class Pictures:
    """Labelled pictures, read and letterboxed one by one."""

    truth: Truth
    folder: Path
    description: dict[str, Any]

    def __iter__(self) -> Iterator[tuple[np.ndarray, Fit]]:
        for path in self.truth.paths(self.folder):
            yield letterbox(read_picture(path), self.description["picture"])

    def digest(self) -> str:
        """Of the pictures and of all of the description that detections follow from."""
        rules = [self.description.get(key) for key in ("picture", "decode", "nms_iou", "partitions")]
        return sha256(repr(rules), *(path.read_bytes() for path in self.truth.paths(self.folder)))


def run(way: Way, pictures: Pictures) -> dict[str, Any]:
    """{bytes: of each message, detections: [of each picture]} of all pictures."""
    sizes, found = [], []
    label = f"{way.method} {way.partition} {way.setting}"
    for canvas, fit in tqdm(pictures, total=len(pictures.truth.images), desc=label, unit="picture", disable=None):
        sent = way.device(canvas, fit)
        sizes.append(len(sent) if isinstance(sent, bytes) else 0)
        found.append(detections(way.edge(sent, fit), fit, pictures.description))
    return {"bytes": sizes, "detections": found}


def times(way: Way, pictures: list[tuple[np.ndarray, Fit]]) -> dict[str, float]:
    """{device_ms, edge_ms}: medians over pictures."""
    sent = [(way.device(*picture), picture[1]) for picture in pictures[:AT_LEAST]]
    offloaded = isinstance(sent[0][0], bytes)
    return {
        "device_ms": median_ms(lambda i: way.device(*pictures[i % len(pictures)])),
        "edge_ms": median_ms(lambda i: way.edge(*sent[i % len(sent)])) if offloaded else 0.0,
    }


def halves_ms(point: Point, pictures: list[tuple[np.ndarray, Fit]]) -> tuple[float, float]:
    """Of the prefix alone, which at the input is nothing, and of the remainder alone."""
    sources = [(point.source(*picture), picture[1]) for picture in pictures[:AT_LEAST]]
    prefix = 0.0 if point.at_input else median_ms(lambda i: point.source(*pictures[i % len(pictures)]))
    return prefix, median_ms(lambda i: point.outputs(*sources[i % len(sources)]))


def median_ms(task: Callable[[int], Any]) -> float:
    """Of the processor's time, which other work on the machine does not lengthen as it does the clock's."""
    task(0)
    spent: list[float] = []
    while len(spent) < RUNS and (len(spent) < AT_LEAST or sum(spent) < SECONDS):
        start = time.process_time()
        task(len(spent))
        spent.append(time.process_time() - start)
    return round(1000 * statistics.median(spent), 3)

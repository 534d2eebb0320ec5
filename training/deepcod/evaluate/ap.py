"""Average precision as COCO defines it (pycocotools), with intervals by the bootstrap over pictures.

A detection is {image_id, category_id, bbox [x, y, w, h] in pixels, score}. AP is the mean over IoU 0.50, 0.55, ...,
0.95 and over the classes that occur; AP50 is at IoU 0.50 alone. Values are 0..1.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from .truth import Truth

Detection = dict[str, Any]

RECALLS = np.linspace(0.0, 1.0, 101)
#: Numbers held at once while draws are scored: 32 MB each array.
_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A figure with the 2.5th and 97.5th percentile of its bootstrap."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def as_list(self) -> list[float]:
        """[value, low, high], rounded for JSON."""
        return [round(x, 5) for x in (self.value, self.low, self.high)]


class Matches:
    """Detections matched to the truth once, so that any resampling of pictures is cheap."""

    def __init__(self, truth: Truth, detections: Sequence[Detection]) -> None:
        self.images = len(truth.images)
        evaluation = _evaluate(truth, detections)
        params = evaluation.params
        count = len(params.imgIds)
        self.classes: list[_Class] = []
        areas = len(params.areaRng)
        for k in range(len(params.catIds)):
            rows = evaluation.evalImgs[k * areas * count : k * areas * count + count]  # area "all" comes first
            boxes = np.array([0 if r is None else int((r["gtIgnore"] == 0).sum()) for r in rows])
            if not boxes.any():
                continue
            present = [(i, r) for i, r in enumerate(rows) if r is not None and len(r["dtScores"])]
            if present:
                scores = np.concatenate([r["dtScores"] for _, r in present])
                order = np.argsort(-scores, kind="mergesort")
                picture = np.concatenate([np.full(len(r["dtScores"]), i) for i, r in present])[order]
                hit = np.concatenate([r["dtMatches"] > 0 for _, r in present], axis=1)[:, order]
                ignored = np.concatenate([r["dtIgnore"].astype(bool) for _, r in present], axis=1)[:, order]
            else:
                picture, hit, ignored = np.zeros(0, int), np.zeros((10, 0), bool), np.zeros((10, 0), bool)
            self.classes.append(_Class(picture, [np.flatnonzero(row) for row in hit & ~ignored], ~ignored, boxes))

    def scores(self, weights: np.ndarray) -> np.ndarray:
        """AP and AP50 [count, 2] with each picture counted as often as each row of `weights` [count, images] says."""
        weights = np.atleast_2d(weights)
        total, classes = np.zeros((len(weights), 2)), np.zeros((len(weights), 1))
        for c in self.classes:
            at_once = max(1, _AT_ONCE // max(1, len(c.picture)))
            for start in range(0, len(weights), at_once):
                rows = slice(start, start + at_once)
                precision, occurs = c.precision(weights[rows])
                total[rows] += np.stack([precision.mean(1), precision[:, 0]], 1) * occurs[:, None]
                classes[rows] += occurs[:, None]
        return total / np.maximum(classes, 1)


@dataclass(frozen=True)
class _Class:
    """Detections of one class, best first.

    Attributes:
        picture: whose each detection is [D].
        hits: at each of the 10 IoUs, numbers of the detections that hit.
        counted: hits and misses, what is not ignored [10, D].
        boxes: of each picture [images].
    """

    picture: np.ndarray
    hits: list[np.ndarray]
    counted: np.ndarray
    boxes: np.ndarray

    def precision(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean precision over the 101 recalls at each of the 10 IoUs [count, 10], and where the class occurs [count].

        Recall rises, and precision is largest, where a detection hits: nothing else needs to be looked at.
        """
        boxes = weights @ self.boxes
        total = np.maximum(boxes, 1)[:, None]
        weight = weights[:, self.picture]
        all_count = self.counted.all()
        found = np.cumsum(weight, axis=1)
        result = np.zeros((len(weights), len(self.hits)))
        for t, hits in enumerate(self.hits):
            if len(hits) == 0:
                continue
            if not all_count:
                found = np.cumsum(weight * self.counted[t], axis=1)
            true = np.cumsum(weight[:, hits], axis=1)
            precision = true / np.maximum(found[:, hits], np.spacing(1))
            precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
            reached = np.searchsorted(RECALLS, true / total, side="right")  # how many of the recalls, at each hit
            result[:, t] = (precision * np.diff(reached, axis=1, prepend=0)).sum(1) / len(RECALLS)
        return result, boxes > 0


def _evaluate(truth: Truth, detections: Sequence[Detection]) -> COCOeval:
    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO()
        gt.dataset = {
            "info": {},
            "images": truth.images,
            "annotations": truth.annotations,
            "categories": [{"id": i, "name": str(i)} for i in range(truth.classes)],
        }
        gt.createIndex()
        found = gt.loadRes([dict(d) for d in detections]) if detections else _empty(gt)
        evaluation = COCOeval(gt, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def _empty(gt: COCO) -> COCO:
    """loadRes refuses an empty list."""
    empty = COCO()
    empty.dataset = {**gt.dataset, "annotations": []}
    empty.createIndex()
    return empty


def average_precision(truth: Truth, detections: Sequence[Detection]) -> tuple[float, float]:
    """(AP, AP50) by pycocotools itself."""
    stats = _evaluate(truth, detections).stats
    return max(float(stats[0]), 0.0), max(float(stats[1]), 0.0)


@dataclass(frozen=True)
class Scores:
    """AP and AP50 of one set of detections, with intervals."""

    ap: Interval
    ap50: Interval


@dataclass(frozen=True)
class Comparison:
    """Two sets of detections on the same pictures; ratios are of the second to the first."""

    reference: Scores
    other: Scores
    ap_relative: Interval
    ap50_relative: Interval
    ap50_difference: Interval


class Drawn:
    """AP and AP50 of one set of detections, on all pictures and on each draw of them.

    Attributes:
        point: [2], AP and AP50.
        draws: [count, 2], the same with the pictures of each draw; draws of equal `weights` are paired.
    """

    def __init__(self, truth: Truth, detections: Sequence[Detection], weights: np.ndarray) -> None:
        matches = Matches(truth, detections)
        self.point = matches.scores(np.ones(matches.images, int))[0]
        self.draws = matches.scores(weights)

    def scores(self) -> Scores:
        """With intervals."""
        return Scores(interval(self.point[0], self.draws[:, 0]), interval(self.point[1], self.draws[:, 1]))


def resamples(images: int, count: int, seed: int) -> np.ndarray:
    """Weights [count, images]: how often each picture is drawn when as many as there are are drawn with replacement."""
    return np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), size=count)


def bootstrap(truth: Truth, detections: Sequence[Detection], count: int = 300, seed: int = 0) -> Scores:
    """AP and AP50 with 95% intervals over pictures, drawn with replacement `count` times."""
    return Drawn(truth, detections, resamples(len(truth.images), count, seed)).scores()


def compare(
    truth: Truth, reference: Sequence[Detection], other: Sequence[Detection], count: int = 300, seed: int = 0
) -> Comparison:
    """Paired bootstrap: both sets are measured on the same draws, so what they share cancels."""
    weights = resamples(len(truth.images), count, seed)
    return comparison(Drawn(truth, reference, weights), Drawn(truth, other, weights))


def comparison(a: Drawn, b: Drawn) -> Comparison:
    """Of two sets that were measured on the same draws."""
    return Comparison(
        a.scores(),
        b.scores(),
        interval(_ratio(b.point[0], a.point[0]), _ratio(b.draws[:, 0], a.draws[:, 0])),
        interval(_ratio(b.point[1], a.point[1]), _ratio(b.draws[:, 1], a.draws[:, 1])),
        interval(b.point[1] - a.point[1], b.draws[:, 1] - a.draws[:, 1]),
    )


def _ratio(a: Any, b: Any) -> Any:
    return np.asarray(a) / np.maximum(np.asarray(b), 1e-12)


def interval(value: float, drawn: np.ndarray) -> Interval:
    """The value with the 2.5th and 97.5th percentile of its draws."""
    low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (value, value)
    return Interval(float(value), float(low), float(high))

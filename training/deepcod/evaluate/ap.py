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
    """Detections matched to the truth once, so that any resampling of pictures is cheap.

    For each class: scores [D] in falling order, the picture of each [D], whether it hits and whether it is ignored
    [10, D], and the number of boxes per picture [images].
    """

    def __init__(self, truth: Truth, detections: Sequence[Detection]) -> None:
        self.images = len(truth.images)
        evaluation = _evaluate(truth, detections)
        params = evaluation.params
        count = len(params.imgIds)
        self.classes: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
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
            self.classes.append((picture, hit & ~ignored, ~hit & ~ignored, boxes))

    def scores(self, weights: np.ndarray) -> tuple[float, float]:
        """(AP, AP50) with each picture counted `weights` [images] times."""
        per_class = [_precision(*row, weights) for row in self.classes]
        kept = [p for p in per_class if p is not None]
        if not kept:
            return 0.0, 0.0
        return float(np.mean([p.mean() for p in kept])), float(np.mean([p[0] for p in kept]))


def _precision(
    picture: np.ndarray, hits: np.ndarray, misses: np.ndarray, boxes: np.ndarray, weights: np.ndarray
) -> np.ndarray | None:
    """Mean precision over the 101 recalls at each of the 10 IoUs, or None where the class does not occur."""
    total = float((boxes * weights).sum())
    if total == 0:
        return None
    weight = weights[picture]
    true = np.cumsum(hits * weight, axis=1)
    false = np.cumsum(misses * weight, axis=1)
    recall = true / total
    precision = true / np.maximum(true + false, np.spacing(1))
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    result = np.zeros(len(hits))
    for t in range(len(hits)):
        at = np.searchsorted(recall[t], RECALLS, side="left")
        at = at[at < precision.shape[1]]
        result[t] = precision[t, at].sum() / len(RECALLS)
    return result


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


def _resamples(images: int, count: int, seed: int) -> np.ndarray:
    """Weights [count, images]: how often each picture is drawn when as many as there are are drawn with replacement."""
    return np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), size=count)


def bootstrap(truth: Truth, detections: Sequence[Detection], resamples: int = 300, seed: int = 0) -> Scores:
    """AP and AP50 with 95% intervals over pictures, drawn with replacement `resamples` times."""
    matches = Matches(truth, detections)
    point = matches.scores(np.ones(matches.images, int))
    drawn = np.array([matches.scores(w) for w in _resamples(matches.images, resamples, seed)])
    return Scores(_interval(point[0], drawn[:, 0]), _interval(point[1], drawn[:, 1]))


def compare(
    truth: Truth, reference: Sequence[Detection], other: Sequence[Detection], resamples: int = 300, seed: int = 0
) -> Comparison:
    """Paired bootstrap: both sets are measured on the same draws, so what they share cancels."""
    a, b = Matches(truth, reference), Matches(truth, other)
    ones = np.ones(a.images, int)
    draws = _resamples(a.images, resamples, seed)
    points = np.array([*a.scores(ones), *b.scores(ones)])
    drawn = np.array([[*a.scores(w), *b.scores(w)] for w in draws])
    return Comparison(
        Scores(_interval(points[0], drawn[:, 0]), _interval(points[1], drawn[:, 1])),
        Scores(_interval(points[2], drawn[:, 2]), _interval(points[3], drawn[:, 3])),
        _interval(_ratio(points[2], points[0]), _ratio(drawn[:, 2], drawn[:, 0])),
        _interval(_ratio(points[3], points[1]), _ratio(drawn[:, 3], drawn[:, 1])),
        _interval(points[3] - points[1], drawn[:, 3] - drawn[:, 1]),
    )


def _ratio(a: Any, b: Any) -> Any:
    return np.asarray(a) / np.maximum(np.asarray(b), 1e-12)


def _interval(value: float, drawn: np.ndarray) -> Interval:
    low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (value, value)
    return Interval(float(value), float(low), float(high))

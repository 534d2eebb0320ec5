"""From a service's outputs to detections; the same rules as protocol/tasks/detect/*.ts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DeepcodError

#: Boxes that suppression looks at, at most.
MAX_CANDIDATES = 5000

Candidates = tuple[np.ndarray, np.ndarray, np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-np.clip(x, -80, 80)))


def decode_yolox(
    outputs: dict[str, np.ndarray], decode: dict[str, Any], picture: dict[str, Any], threshold: float
) -> Candidates:
    """[anchors, 5 + C]: centre = (t + cell) * stride, size = exp(t) * stride; each cell's best class."""
    rows = outputs[decode["output"]] if "output" in decode else next(iter(outputs.values()))
    grids, strides = [], []
    for stride in decode["strides"]:
        h, w = picture["height"] // stride, picture["width"] // stride
        ys, xs = np.meshgrid(np.arange(h), np.arange(w), indexing="ij")
        grids.append(np.stack([xs, ys], -1).reshape(-1, 2))
        strides.append(np.full((h * w, 1), stride))
    grid, stride = np.concatenate(grids), np.concatenate(strides)
    if len(grid) != len(rows):
        raise DeepcodError(f"the output has {len(rows)} cells, strides {decode['strides']} give {len(grid)}")
    best = rows[:, 5:].argmax(1)
    scores = rows[:, 4] * rows[np.arange(len(rows)), 5 + best]
    keep = scores >= threshold
    rows, grid, stride = rows[keep], grid[keep], stride[keep]
    centre, half = (rows[:, :2] + grid) * stride, np.exp(rows[:, 2:4]) * stride / 2
    return np.concatenate([centre - half, centre + half], 1), scores[keep], best[keep]


def decode_yolov3(
    outputs: dict[str, np.ndarray], decode: dict[str, Any], picture: dict[str, Any], threshold: float
) -> Candidates:
    """Raw maps [A * (5 + C), h, w]: centre = (sigmoid(t) s - (s - 1) / 2 + cell) stride, size = exp(t) anchor.

    The score of a class is sigmoid(objectness) * sigmoid(class); each class above the threshold is a candidate.
    """
    boxes, scores, classes = [], [], []
    for head in decode["outputs"]:
        anchors, stride, s = np.array(head["anchors"], float), head["stride"], head.get("scale_xy", 1.0)
        raw = outputs[head["name"]]
        h, w = raw.shape[1:]
        if (h * stride, w * stride) != (picture["height"], picture["width"]):
            raise DeepcodError(f"output {head['name']} is {h}x{w}; with stride {stride} it should cover the input")
        maps = raw.reshape(len(anchors), -1, h, w).transpose(0, 2, 3, 1)  # [A, h, w, 5 + C]
        score = sigmoid(maps[..., 4:5]) * sigmoid(maps[..., 5:])
        a, y, x, c = np.nonzero(score >= threshold)
        t = maps[a, y, x]
        centre = (sigmoid(t[:, :2]) * s - (s - 1) / 2 + np.stack([x, y], 1)) * stride
        half = np.exp(t[:, 2:4]) * anchors[a] / 2
        boxes.append(np.concatenate([centre - half, centre + half], 1))
        scores.append(score[a, y, x, c])
        classes.append(c)
    return np.concatenate(boxes), np.concatenate(scores), np.concatenate(classes)


DECODERS = {"yolox": decode_yolox, "yolov3": decode_yolov3}


def suppress(candidates: Candidates, iou: float, limit: int) -> Candidates:
    """Greedy per class, best first: a box that overlaps a kept box of its class by more than `iou` goes."""
    boxes, scores, classes = candidates
    order = np.argsort(-scores, kind="stable")[:MAX_CANDIDATES]
    boxes, scores, classes = boxes[order], scores[order], classes[order]
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    alive = np.isfinite(boxes).all(1) & (area > 0)
    kept: list[int] = []
    for i in range(len(boxes)):
        if len(kept) == limit:
            break
        if not alive[i]:
            continue
        kept.append(i)
        low, high = np.maximum(boxes[i, :2], boxes[i + 1 :, :2]), np.minimum(boxes[i, 2:], boxes[i + 1 :, 2:])
        both = (high - low).clip(0).prod(1)
        overlap = both / np.maximum(area[i] + area[i + 1 :] - both, 1e-12)
        alive[i + 1 :] &= ~((overlap > iou) & (classes[i + 1 :] == classes[i]))
    return boxes[kept], scores[kept], classes[kept]

"""Undo what whoever made the training set did to its photos: darkened, turned, put on a corner.

The service sees upright daylight pictures, so the training set is brought back as near to those as it can be:

- **light**: `lift` (leak.py) scales the highlights back; then a gamma brings the median towards that of daylight
  photos;
- **corner**: photos turned by 45 degrees into a diamond with black corners are turned back and cropped;
- **turn**: a public person detector (YOLOX-nano) looks at the four right-angled turns; the one where annotated
  heads sit on top of detected people wins. A mirror needs no undoing: training mirrors at random anyway.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from .leak import lift

SURE = 0.25
"""Smallest score of the winning turn; below it, a picture stays as it is."""


def brighten(picture: np.ndarray, median: float = 0.40, strongest: float = 0.55) -> np.ndarray:
    """Lift the highlights, then apply the gamma (`strongest`..1) that brings the median to `median`."""
    picture, _ = lift(picture)
    middle = float(np.median(picture)) / 255
    gamma = float(np.clip(math.log(median) / math.log(np.clip(middle, 0.01, 0.99)), strongest, 1.0))
    table = (255 * (np.arange(256) / 255) ** gamma + 0.5).astype(np.uint8)
    return table[picture]


def turn_boxes(boxes: np.ndarray, k: int, width: int, height: int) -> np.ndarray:
    """Boxes [N, 4] (x0, y0, x1, y1) of a picture that np.rot90 turned `k` times."""
    for _ in range(k % 4):
        boxes = np.stack([boxes[:, 1], width - boxes[:, 2], boxes[:, 3], width - boxes[:, 0]], 1)
        width, height = height, width
    return boxes


def turn(picture: np.ndarray, boxes: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Picture and boxes turned counter-clockwise by `k` right angles."""
    height, width = picture.shape[:2]
    return np.ascontiguousarray(np.rot90(picture, k)), turn_boxes(boxes, k, width, height)


def on_corner(picture: np.ndarray) -> bool:
    """Whether the picture is a diamond: all four corners black."""
    bright = picture.max(axis=2)
    side = min(bright.shape) // 6
    rows, columns = np.mgrid[:side, :side]
    corner = rows + columns < side
    forms = (bright, bright[:, ::-1], bright[::-1], bright[::-1, ::-1])
    return all(float((f[:side, :side][corner] < 6).mean()) > 0.9 for f in forms)


def off_corner(picture: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn a diamond by 45 degrees and crop it.

    A box drawn around a turned head of sides w and h has sides (w + h) / sqrt(2), so it shrinks by sqrt(2).
    """
    height, width = picture.shape[:2]
    side = int(math.hypot(width, height)) + 2
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 45, 1.0)
    matrix[:, 2] += (side - width) / 2, (side - height) / 2
    turned = cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR)
    mask = cv2.warpAffine((picture.max(axis=2) > 8).astype(np.uint8), matrix, (side, side), flags=cv2.INTER_NEAREST)
    rows = np.flatnonzero(mask.mean(1) > 0.5 * np.percentile(mask.mean(1), 90))
    columns = np.flatnonzero(mask.mean(0) > 0.5 * np.percentile(mask.mean(0), 90))
    y0, y1, x0, x1 = rows[0] + 1, rows[-1], columns[0] + 1, columns[-1]
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    centre = centre @ matrix[:, :2].T + matrix[:, 2] - (x0, y0)
    half = (boxes[:, 2:] - boxes[:, :2]).mean(1, keepdims=True) / 2 / math.sqrt(2)
    moved = np.concatenate([centre - half, centre + half], 1)
    return np.ascontiguousarray(turned[y0:y1, x0:x1]), moved.clip(0, np.array([x1 - x0, y1 - y0] * 2))


class People:
    """The person detector: YOLOX-nano (ONNX, 416x416, BGR 0..255)."""

    def __init__(self, model: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name
        cells, steps = [], []
        for stride in (8, 16, 32):
            n = 416 // stride
            rows, columns = np.mgrid[:n, :n]
            cells.append(np.stack([columns, rows], -1).reshape(-1, 2))
            steps.append(np.full((n * n, 1), stride))
        self.cells, self.steps = np.concatenate(cells).astype(np.float32), np.concatenate(steps).astype(np.float32)

    def find(self, picture: np.ndarray, threshold: float = 0.08) -> tuple[np.ndarray, np.ndarray]:
        """Boxes [N, 4] of people in a BGR picture and their scores [N]; overlapping boxes are not merged."""
        height, width = picture.shape[:2]
        scale = min(416 / height, 416 / width)
        canvas = np.full((416, 416, 3), 114, np.uint8)
        h, w = int(height * scale), int(width * scale)
        canvas[:h, :w] = cv2.resize(picture, (w, h))
        out = self.session.run(None, {self.input: canvas.transpose(2, 0, 1)[None].astype(np.float32)})[0][0]
        score = out[:, 4] * out[:, 5]
        keep = score > threshold
        centre = (out[keep, :2] + self.cells[keep]) * self.steps[keep]
        half = np.exp(out[keep, 2:4]) * self.steps[keep] / 2
        return np.concatenate([centre - half, centre + half], 1) / scale, score[keep]


def heads_on_top(heads: np.ndarray, people: np.ndarray, scores: np.ndarray) -> float:
    """How well heads [N, 4] sit on top of people [M, 4]: the best fitting person's score, summed over heads."""
    if not len(people):
        return 0.0
    width, height = people[:, 2] - people[:, 0], people[:, 3] - people[:, 1]
    total = 0.0
    for x0, y0, x1, y1 in heads:
        x, depth = (x0 + x1) / 2, (y0 + y1) / 2 - people[:, 1]
        fits = (x > people[:, 0]) & (x < people[:, 2]) & (depth < 0.3 * height) & (depth > -0.05 * height)
        fits &= (height > 1.5 * (y1 - y0)) & (height > 0.72 * width)
        if fits.any():
            total += float(scores[fits].max())
    return total


def restore(picture: np.ndarray, boxes: np.ndarray, turns: int) -> tuple[np.ndarray, np.ndarray]:
    """The upright daylight form of a picture, given how often it must be turned."""
    corner = on_corner(picture)
    picture = brighten(picture)
    if corner:
        picture, boxes = off_corner(picture, boxes)
    return turn(picture, boxes, turns)


def find_turns(picture: np.ndarray, boxes: np.ndarray, people: People) -> tuple[int, list[float]]:
    """How many right angles bring the picture upright, and the score of each turn."""
    scores = []
    for k in range(4):
        turned, moved = restore(picture, boxes, k)
        scores.append(round(heads_on_top(moved, *people.find(turned)), 3))
    best = int(np.argmax(scores))
    return (best if scores[best] >= SURE else 0), scores


def read_coco(folder: Path) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(file name, classes [N], boxes [N, 4] as x0, y0, x1, y1) of each picture of a COCO folder."""
    data = json.loads((folder / "instances.json").read_text())
    of: dict[int, list] = {i["id"]: [] for i in data["images"]}
    for a in data["annotations"]:
        if not a.get("iscrowd") and a["category_id"] in (0, 1):
            of[a["image_id"]].append((a["category_id"], *a["bbox"]))
    result = []
    for image in data["images"]:
        rows = np.array(of[image["id"]], np.float32).reshape(-1, 5)
        boxes = np.concatenate([rows[:, 1:3], rows[:, 1:3] + rows[:, 3:5]], 1)
        result.append((image["file_name"], rows[:, 0], boxes))
    return result


def main() -> None:
    """Find the turn of every training picture and write the list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True, help="COCO folder")
    parser.add_argument("--people", type=Path, required=True, help="YOLOX-nano ONNX file")
    parser.add_argument("--out", type=Path, required=True, help="JSON list to write")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    people = People(args.people)
    turns = {}
    for n, (name, _, boxes) in enumerate(read_coco(args.train)):
        picture = cv2.imread(str(args.train / "images" / name))
        turns[name], _ = find_turns(picture, boxes, people)
        if n % 100 == 0:
            print(n, file=sys.stderr, flush=True)
    args.out.write_text(json.dumps(turns, indent=0))
    print("turns:", dict(Counter(turns.values())))


if __name__ == "__main__":
    main()

"""Detections of the service and their average precision.

`detect` is the reference post-processing (plain YOLOv3 decoding, score = objectness x class, NMS per class).
`ap50` needs nothing but NumPy and serves while training; `main` evaluates a checkpoint on a COCO folder with
pycocotools.
A service has no class `person`: boxes of categories other than its own are left out of the truth, their pictures stay.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .model import CLASSES, INPUT, decode


def nms(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """Greedy non-maximum suppression of boxes [N, 4] (x0, y0, x1, y1): the numbers kept, best first."""
    order = np.argsort(-scores, kind="stable")
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    while len(order):
        i, rest = order[0], order[1:]
        kept.append(i)
        low, high = np.maximum(boxes[i, :2], boxes[rest, :2]), np.minimum(boxes[i, 2:], boxes[rest, 2:])
        shared = (high - low).clip(0).prod(1)
        order = rest[shared <= threshold * (area[i] + area[rest] - shared + 1e-9)]
    return np.array(kept, int)


def select(
    boxes: np.ndarray, scores: np.ndarray, threshold: float = 0.01, overlap: float = 0.5, most: int = 100
) -> np.ndarray:
    """Detections [D, 6] (class, score, x0, y0, x1, y1) of one picture from boxes [R, 4] (cx, cy, w, h) and class
    scores [R, C]."""
    result = []
    for c in range(scores.shape[1]):
        keep = scores[:, c] > threshold
        b, s = boxes[keep], scores[keep, c]
        if len(s) > 1000:
            top = np.argpartition(-s, 1000)[:1000]
            b, s = b[top], s[top]
        b = np.concatenate([b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2], 1)
        k = nms(b, s, overlap)
        result.append(np.concatenate([np.full((len(k), 1), float(c)), s[k, None], b[k]], 1))
    found = np.concatenate(result)
    return found[np.argsort(-found[:, 1], kind="stable")][:most]


@torch.no_grad()
def detect(
    model: nn.Module, anchors: Tensor, images: Tensor, batch: int = 32, threshold: float = 0.01, overlap: float = 0.5
) -> list[np.ndarray]:
    """Detections of pictures uint8 [N, 3, S, S] (RGB): one array [D, 6] each, in pixels of the letterboxed picture."""
    training = model.training
    model.eval()
    found = []
    device = next(model.parameters()).device
    for chunk in images.split(batch):
        maps = model(chunk.to(device).float() / 255)
        boxes, logits = decode(tuple(m.float() for m in maps), anchors.to(device))
        scores = logits.sigmoid()
        scores = scores[..., :1] * scores[..., 1:]
        for b, s in zip(boxes.cpu().numpy(), scores.cpu().numpy(), strict=True):
            found.append(select(b, s, threshold, overlap))
    model.train(training)
    return found


def ap50(found: list[np.ndarray], truth: list[np.ndarray], classes: int = len(CLASSES)) -> list[float]:
    """COCO's AP at IoU 0.5 (101 recall points) of each class; truth: arrays [G, 5] (class, x0, y0, x1, y1)."""
    result = []
    for c in range(classes):
        scores, hits, total = [], [], 0
        for d, t in zip(found, truth, strict=True):
            d, t = d[d[:, 0] == c], t[t[:, 0] == c][:, 1:]
            total += len(t)
            free = np.ones(len(t), bool)
            for row in d:
                hit = False
                if len(t):
                    low, high = np.maximum(row[2:4], t[:, :2]), np.minimum(row[4:6], t[:, 2:])
                    shared = (high - low).clip(0).prod(1)
                    area = (row[4] - row[2]) * (row[5] - row[3]) + (t[:, 2:] - t[:, :2]).prod(1)
                    iou = np.where(free, shared / (area - shared + 1e-9), -1)
                    k = int(iou.argmax())
                    if iou[k] >= 0.5:
                        free[k] = False
                        hit = True
                scores.append(row[1])
                hits.append(hit)
        if not total:
            result.append(float("nan"))
            continue
        order = np.argsort(-np.array(scores), kind="stable")
        hit = np.array(hits, bool)[order]
        recall = np.cumsum(hit) / total
        precision = np.cumsum(hit) / np.arange(1, len(hit) + 1)
        precision = np.maximum.accumulate(precision[::-1])[::-1] if len(hit) else precision
        place = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
        result.append(float(np.mean([precision[p] if p < len(precision) else 0.0 for p in place])))
    return result


def coco_scores(truth: dict, detections: list[dict], classes: int = len(CLASSES)) -> dict:
    """pycocotools' AP and AP50, overall and per class; truth keeps only the service's own categories."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth = dict(truth)
    truth["annotations"] = [a for a in truth["annotations"] if a["category_id"] < classes]
    truth["categories"] = [c for c in truth["categories"] if c["id"] < classes]
    truth.setdefault("info", {})
    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO()
        gt.dataset = truth
        gt.createIndex()
        if not detections:
            return {"ap": 0.0, "ap50": 0.0, "per_class": {}}
        evaluation = COCOeval(gt, gt.loadRes(detections), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    precision = evaluation.eval["precision"]  # [IoU, recall, class, area, most]

    def mean(values: np.ndarray) -> float:
        values = values[values > -1]
        return round(float(values.mean()), 4) if values.size else float("nan")

    names = {c["id"]: c["name"] for c in truth["categories"]}
    per_class = {
        names[c]: {"ap": mean(precision[:, :, i, 0, 2]), "ap50": mean(precision[0, :, i, 0, 2])}
        for i, c in enumerate(evaluation.params.catIds)
    }
    return {"ap": round(float(evaluation.stats[0]), 4), "ap50": round(float(evaluation.stats[1]), 4),
            "per_class": per_class}  # fmt: skip


def evaluate_folder(model: nn.Module, anchors: Tensor, folder: Path, overlap: float = 0.5) -> dict:
    """AP and AP50 of the service on a COCO folder (`instances.json`, `images/`)."""
    import cv2

    from .data import fit, letterbox

    truth = json.loads((folder / "instances.json").read_text())
    pictures, factors = [], []
    for image in truth["images"]:
        file = folder / "images" / image["file_name"]
        picture = cv2.imread(str(file if file.exists() else folder / image["file_name"]))
        small, _ = fit(picture, np.zeros((0, 4), np.float32))
        factors.append((picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]))
        pictures.append(torch.from_numpy(letterbox(small)[:, :, ::-1].transpose(2, 0, 1).copy()))
    assert pictures[0].shape[-1] == INPUT
    found = detect(model, anchors, torch.stack(pictures), 8, threshold=0.005, overlap=overlap)
    rows = []
    for image, detections, (fx, fy) in zip(truth["images"], found, factors, strict=True):
        for c, score, x0, y0, x1, y1 in detections.tolist():
            box = [x0 * fx, y0 * fy, (x1 - x0) * fx, (y1 - y0) * fy]
            rows.append({"image_id": image["id"], "category_id": int(c), "bbox": box, "score": score})
    return {"images": len(pictures), **coco_scores(truth, rows, model.classes)}


def main() -> None:
    """Evaluate a checkpoint on COCO folders."""
    from .export import load_checkpoint

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folders", type=Path, nargs="+", help="COCO folders")
    parser.add_argument("--overlap", type=float, default=0.5, help="NMS threshold")
    args = parser.parse_args()
    model, meta = load_checkpoint(args.checkpoint)
    for folder in args.folders:
        scores = evaluate_folder(model, torch.tensor(meta["anchors"]), folder, args.overlap)
        print(json.dumps({"dataset": folder.name, **scores}))


if __name__ == "__main__":
    main()

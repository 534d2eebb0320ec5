"""Training targets and loss for raw YOLOv3 maps.

The maps keep YOLOv3's decoding (a box's centre lies inside its cell), so the candidates of a box are the cells that
hold its centre: one cell of each scale times its anchors. Candidates whose anchor has a fitting shape compete: the
cost is the class loss plus three times -log IoU of what the network predicts there now, and about as many win as their
IoUs sum up to. Every other prediction that overlaps a box well is left out of the objectness loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .model import STRIDES, decode_map


@dataclass(frozen=True)
class Weights:
    """What the parts of the loss weigh and when a prediction counts."""

    box: float = 5.0
    objectness: float = 1.0
    label: float = 1.0
    ratio: float = 3.0
    """Candidates have an anchor whose sides differ from the box's by at most this factor."""
    ignore: float = 0.6
    """A prediction that overlaps a box by more is no negative."""


def iou_pairs(a: Tensor, b: Tensor) -> Tensor:
    """IoU of boxes a [..., N, 4] with b [..., M, 4], both (cx, cy, w, h): [..., N, M]."""
    a0, a1 = a[..., :2] - a[..., 2:] / 2, a[..., :2] + a[..., 2:] / 2
    b0, b1 = b[..., :2] - b[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2
    width = (torch.minimum(a1[..., :, None, 0], b1[..., None, :, 0])
             - torch.maximum(a0[..., :, None, 0], b0[..., None, :, 0])).clamp(min=0)  # fmt: skip
    height = (torch.minimum(a1[..., :, None, 1], b1[..., None, :, 1])
              - torch.maximum(a0[..., :, None, 1], b0[..., None, :, 1])).clamp(min=0)  # fmt: skip
    shared = width * height
    return shared / (a[..., 2:].prod(-1)[..., :, None] + b[..., 2:].prod(-1)[..., None, :] - shared + 1e-7)


def ciou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and complete IoU of boxes a and b [..., 4] (cx, cy, w, h), element by element."""
    a0, a1 = a[..., :2] - a[..., 2:] / 2, a[..., :2] + a[..., 2:] / 2
    b0, b1 = b[..., :2] - b[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2
    shared = (torch.minimum(a1, b1) - torch.maximum(a0, b0)).clamp(min=0).prod(-1)
    iou = shared / (a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - shared + 1e-7)
    hull = torch.maximum(a1, b1) - torch.minimum(a0, b0)
    far = ((a[..., :2] - b[..., :2]) ** 2).sum(-1) / ((hull**2).sum(-1) + 1e-7)
    angle = torch.atan(b[..., 2] / (b[..., 3] + 1e-7)) - torch.atan(a[..., 2] / (a[..., 3] + 1e-7))
    shape = 4 / math.pi**2 * angle**2
    with torch.no_grad():
        alpha = shape / (1 - iou + shape + 1e-7)
    return iou, iou - far - alpha * shape


@dataclass
class Assignment:
    """Matched predictions: flat picture number, prediction number and box number, each [P]."""

    picture: Tensor
    prediction: Tensor
    box: Tensor


def candidates(boxes: Tensor, anchors: Tensor, shapes: list[tuple[int, int]], ratio: float) -> tuple[Tensor, Tensor]:
    """For boxes [B, M, 4] (cx, cy, w, h): prediction numbers [B, M, S*A] of the cells that hold their centres, and
    which of them have a fitting anchor. The best fitting anchor always counts."""
    numbers, quality = [], []
    start = 0
    for a, stride, (h, w) in zip(anchors, STRIDES, shapes, strict=True):
        column = (boxes[..., 0] / stride).long().clamp(0, w - 1)
        row = (boxes[..., 1] / stride).long().clamp(0, h - 1)
        cell = (row * w + column) * len(a) + start
        numbers.append(cell[..., None] + torch.arange(len(a), device=boxes.device))
        r = boxes[..., None, 2:] / a
        quality.append(torch.maximum(r, 1 / r.clamp(min=1e-6)).amax(-1))
        start += h * w * len(a)
    number, worst = torch.cat(numbers, -1), torch.cat(quality, -1)
    return number, (worst < ratio) | (worst <= worst.amin(-1, keepdim=True))


@torch.no_grad()
def assign(
    boxes: Tensor, logits: Tensor, truth: Tensor, anchors: Tensor, shapes: list[tuple[int, int]], weights: Weights
) -> Assignment:
    """Which predictions (boxes [B, R, 4], logits [B, R, 1+C]) answer for which of the boxes truth [B, M, 5]
    (class or -1, cx, cy, w, h)."""
    b, r, _ = boxes.shape
    m = truth.shape[1]
    number, fits = candidates(truth[..., 1:], anchors, shapes, weights.ratio)
    fits &= (truth[..., 0] >= 0)[..., None]
    k = number.shape[-1]
    flat = number.view(b, m * k, 1)
    predicted = torch.gather(boxes, 1, flat.expand(-1, -1, 4)).view(b, m, k, 4)
    scores = torch.gather(logits, 1, flat.expand(-1, -1, logits.shape[-1])).view(b, m, k, -1)
    iou, _ = ciou(predicted, truth[:, :, None, 1:].expand(-1, -1, k, -1))
    onehot = functional.one_hot(truth[..., 0].long().clamp(min=0), scores.shape[-1] - 1).float()
    label = functional.binary_cross_entropy_with_logits(
        scores[..., 1:], onehot[:, :, None].expand(-1, -1, k, -1), reduction="none"
    ).sum(-1)
    cost = label - 3 * torch.log(iou.clamp(min=1e-6))
    cost = cost + 1e-4 * torch.arange(m, device=boxes.device)[:, None]  # no two boxes tie
    cost = torch.where(fits, cost, torch.full_like(cost, torch.inf))
    take = torch.where(fits, iou, torch.zeros_like(iou)).sum(-1).round().clamp(min=1)
    rank = cost.argsort(-1).argsort(-1)
    chosen = fits & (rank < take[..., None])
    # A prediction chosen by several boxes goes to the cheapest.
    cost = torch.where(chosen, cost, torch.full_like(cost, torch.inf)).view(b, m * k)
    lowest = torch.full((b, r), torch.inf, device=boxes.device).scatter_reduce_(1, number.view(b, -1), cost, "amin")
    chosen &= (cost <= torch.gather(lowest, 1, number.view(b, -1))).view(b, m, k)
    picture, box, which = torch.nonzero(chosen, as_tuple=True)
    return Assignment(picture, number[picture, box, which], box)


def loss(
    maps: tuple[Tensor, ...], boxes: Tensor, anchors: Tensor, weights: Weights
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of raw maps against boxes [B, M, 5] (class or -1, x0, y0, x1, y1 in pixels); anchors [S, A, 2].

    Returns the sum, and the parts for the log.
    """
    shapes = [(o.shape[2], o.shape[3]) for o in maps]
    decoded = [decode_map(o, a, s) for o, a, s in zip(maps, anchors, STRIDES, strict=True)]
    predicted = torch.cat([d[0].flatten(1, 3) for d in decoded], 1)
    logits = torch.cat([d[1].flatten(1, 3) for d in decoded], 1)
    centre, size = (boxes[..., 1:3] + boxes[..., 3:5]) / 2, (boxes[..., 3:5] - boxes[..., 1:3]).clamp(min=1e-3)
    truth = torch.cat([boxes[..., :1], centre, size], -1)
    room = int((boxes[..., 0] >= 0).sum(1).max().clamp(min=1))
    truth = truth[:, :room]
    found = assign(predicted.detach(), logits.detach(), truth, anchors, shapes, weights)
    count = max(len(found.box), 1)

    target_box = truth[found.picture, found.box]
    iou, complete = ciou(predicted[found.picture, found.prediction], target_box[:, 1:])
    box_loss = (1 - complete).sum() / count
    scores = logits[found.picture, found.prediction]
    onehot = functional.one_hot(target_box[:, 0].long(), scores.shape[-1] - 1).float()
    label_loss = functional.binary_cross_entropy_with_logits(scores[:, 1:], onehot, reduction="sum") / count

    with torch.no_grad():
        target = torch.zeros_like(logits[..., 0])
        overlap = iou_pairs(predicted, truth[..., 1:])
        overlap = torch.where((truth[..., 0] >= 0)[:, None], overlap, torch.zeros_like(overlap)).amax(-1)
        care = (overlap < weights.ignore).float()
        target[found.picture, found.prediction] = iou.clamp(0, 1)
        care[found.picture, found.prediction] = 1.0
    objectness = functional.binary_cross_entropy_with_logits(logits[..., 0], target, reduction="none")
    objectness_loss = (objectness * care).sum() / count
    total = weights.box * box_loss + weights.objectness * objectness_loss + weights.label * label_loss
    parts = {"box": box_loss, "objectness": objectness_loss, "class": label_loss}
    parts = {k: v.detach() for k, v in parts.items()} | {"iou": iou.detach().sum() / count}
    return total, parts | {"matches": torch.tensor(count / max(len(boxes), 1))}


def fit_anchors(sizes: Tensor, count: int = 9, seed: int = 0, rounds: int = 100) -> Tensor:
    """`count` anchors (w, h), smallest first, by k-means on the logarithm of the sides of boxes [N, 2]."""
    g = torch.Generator().manual_seed(seed)
    points = sizes.double().clamp(min=1).log()
    order = points.sum(1).argsort()
    centres = points[order[torch.linspace(0.02, 0.98, count).mul(len(points) - 1).long()]].clone()
    for _ in range(rounds):
        nearest = torch.cdist(points, centres).argmin(1)
        for i in range(count):
            mine = points[nearest == i]
            centres[i] = mine.mean(0) if len(mine) else points[torch.randint(len(points), (1,), generator=g)][0]
    anchors = centres.exp().float()
    return anchors[anchors.prod(1).argsort()]

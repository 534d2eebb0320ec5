"""Distillation, (11): the service's own features on the reconstruction must match those on the original; no labels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Distillation(nn.Module):
    """Sum over features of the error's energy relative to the feature's, plus the outputs weighted by confidence.

    `remainder` maps the partition point's tensor to the outputs and can capture tensors by name (`OnnxModule`).
    The energy of each feature is taken per call from the original's features: scale-free, so that layers count alike.
    """

    def __init__(self, remainder: nn.Module, features: Sequence[str], decode: str, outputs_weight: float = 1.0) -> None:
        super().__init__()
        self.remainder = remainder
        self.features = list(features)
        self.decode = decode
        self.outputs_weight = outputs_weight

    @torch.no_grad()
    def targets(self, source: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        return self.remainder(source, self.features)

    def forward(
        self, reconstruction: Tensor, targets: tuple[dict[str, Tensor], dict[str, Tensor]]
    ) -> tuple[Tensor, Tensor]:
        """(mean relative feature error, output error)."""
        outputs, captured = self.remainder(reconstruction, self.features)
        wanted_outputs, wanted = targets
        error = torch.zeros((), device=reconstruction.device)
        for name in self.features:
            a, b = captured[name].float(), wanted[name].float()
            error = error + (a - b).square().mean() / (b - b.mean((0, 2, 3), keepdim=True)).square().mean().clamp_min(
                1e-9
            )
        loss = {"yolox": _yolox, "yolov3": _yolov3}[self.decode]
        return error / max(1, len(self.features)), self.outputs_weight * loss(outputs, wanted_outputs)


def _bce(p: Tensor, t: Tensor) -> Tensor:
    p = p.clamp(1e-5, 1 - 1e-5)
    return -(t * p.log() + (1 - t) * (1 - p).log())


def _bce_excess(p: Tensor, t: Tensor) -> Tensor:
    """Binary cross-entropy less its least value, so that equal predictions cost nothing."""
    t = t.clamp(1e-5, 1 - 1e-5)
    return _bce(p, t) - _bce(t, t)


def _yolox(outputs: dict[str, Tensor], wanted: dict[str, Tensor]) -> Tensor:
    a, b = next(iter(outputs.values())).float(), next(iter(wanted.values())).float()
    objectness = b[..., 4]
    total = objectness.sum().clamp_min(1.0)
    score = _bce_excess(a[..., 4], objectness).sum()
    classes = (_bce_excess(a[..., 5:], b[..., 5:]).sum(-1) * objectness).sum()
    boxes = (F.smooth_l1_loss(a[..., :4], b[..., :4], reduction="none", beta=0.1).sum(-1) * objectness).sum()
    return (score + classes + boxes) / total


def _yolov3(outputs: dict[str, Tensor], wanted: dict[str, Tensor]) -> Tensor:
    loss, total = 0.0, 0.0
    for name, b in wanted.items():
        a, b = outputs[name].float(), b.float()
        n, c, h, w = b.shape
        a, b = a.view(n, 3, c // 3, h, w), b.view(n, 3, c // 3, h, w)
        objectness = b[:, :, 4].sigmoid()
        loss = loss + _bce_excess(a[:, :, 4].sigmoid(), objectness).sum()
        loss = loss + (_bce_excess(a[:, :, 5:].sigmoid(), b[:, :, 5:].sigmoid()).sum(2) * objectness).sum()
        xy = F.smooth_l1_loss(a[:, :, :2].sigmoid(), b[:, :, :2].sigmoid(), reduction="none", beta=0.1).sum(2)
        wh = F.smooth_l1_loss(a[:, :, 2:4], b[:, :, 2:4], reduction="none", beta=0.1).sum(2)
        loss = loss + ((xy + wh) * objectness).sum()
        total = total + objectness.sum()
    return loss / torch.as_tensor(total).clamp_min(1.0)

"""How much of a picture another one shows: SSIM and PSNR."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW = 11
"""Pixels of the Gaussian window (sigma 1.5), as in the paper; no picture may be smaller."""


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004) of pictures `[N, 3, H, W]` RGB 0..1: mean over luma, `[N]`, -1..1.

    Own code instead of a package: differentiable, for the attackers are trained on it, and twenty lines.
    """
    x, y = _luma(a), _luma(b)
    kernel = torch.exp(-((torch.arange(WINDOW, device=a.device, dtype=x.dtype) - WINDOW // 2) ** 2) / (2 * 1.5**2))
    kernel = kernel / kernel.sum()

    def blur(v: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(v, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))

    mx, my = blur(x), blur(y)
    vx, vy, cov = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    value = (2 * mx * my + c1) * (2 * cov + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))
    return value.mean((1, 2, 3))


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of pictures `[N, 3, H, W]` 0..1 in dB, over all three colours, `[N]`."""
    return -10 * torch.log10(((a - b) ** 2).mean((1, 2, 3)).clamp_min(1e-10))


def _luma(x: Tensor) -> Tensor:
    weights = torch.tensor([0.299, 0.587, 0.114], device=x.device, dtype=x.dtype)
    return (x * weights.view(1, 3, 1, 1)).sum(1, keepdim=True)

"""Trains one attacker, and says how well it does."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .attacker import Attacker
from .data import Held, Own
from .ssim import WINDOW, psnr, ssim

_BATCH = 8
_WINDOW_PIXELS = 176
"""About the side of a training window."""


def train(
    attacker: Attacker, own: Own, symbols: Tensor, minutes: float, *, seed: int = 0, report: Callable[[str], None]
) -> int:
    """Linear inverse first, then the network for `minutes` of processor time; returns the number of steps.

    Processor time, not the clock's: the same work on a busy machine. The loss is 1 - SSIM plus the mean absolute
    error, for SSIM is what is reported.
    """
    start = time.process_time()
    attacker.fit(symbols, own.pictures, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    linear = list(attacker.linear.parameters())
    network = [p for name, p in attacker.named_parameters() if not name.startswith("linear.")]
    # the linear inverse is good already: it moves slowly, or it would be worse before it is better
    optimiser = torch.optim.Adam([{"params": network, "peak": 1e-3}, {"params": linear, "peak": 3e-5}])
    attacker.to(memory_format=torch.channels_last).train()
    budget, step, mean, told = 60 * minutes, 0, math.nan, start
    while (spent := time.process_time() - start) < budget:
        for group in optimiser.param_groups:
            falling = 0.02 + 0.98 * (1 + math.cos(math.pi * spent / budget)) / 2
            group["lr"] = group["peak"] * falling * min(1, (step + 1) / 20)
        x, y = _windows(own, symbols, attacker.stride, generator)
        with torch.autocast("cpu", torch.bfloat16):
            guess = attacker(x.to(memory_format=torch.channels_last))
        edge = attacker.stride  # positions at a window's edge lack neighbours that they have in a picture
        guess, y = (v.float()[..., edge:-edge, edge:-edge] for v in (guess, y))
        loss = (1 - ssim(guess, y)).mean() + (guess - y).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(attacker.parameters(), 1.0)
        optimiser.step()
        step += 1
        mean = loss.item() if math.isnan(mean) else 0.98 * mean + 0.02 * loss.item()
        if time.process_time() - told > 30:
            told = time.process_time()
            report(f"step {step}, {spent / 60:.1f} of {minutes:g} minutes, loss {mean:.3f}")
    attacker.eval()
    return step


def _windows(own: Own, symbols: Tensor, stride: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Random windows of codes and of their pictures (0..1), in the content where there is room."""
    positions = torch.tensor(symbols.shape[-2:])
    # wide enough that SSIM's window fits in what is left without the edges
    side = min(max(-(-_WINDOW_PIXELS // stride), 2 + -(-WINDOW // stride)), int(positions.min()))
    index = torch.randint(len(symbols), (_BATCH,), generator=generator)
    room = (own.content[index].flip(1) // stride - side).clamp_min(0).minimum(positions - side)
    corners = (torch.rand(_BATCH, 2, generator=generator) * (room + 1)).long().tolist()
    x = torch.stack([symbols[i, :, r : r + side, c : c + side] for i, (r, c) in zip(index, corners, strict=True)])
    pixels = [
        own.pictures[i, :, r * stride : (r + side) * stride, c * stride : (c + side) * stride]
        for i, (r, c) in zip(index, corners, strict=True)
    ]
    return x, torch.stack(pixels).float() / 255


@torch.no_grad()
def reconstruct(attacker: Attacker, symbols: Tensor) -> Tensor:
    """The attacker's picture `[3, H, W]`, 0..1, rounded to bytes."""
    return (attacker(symbols[None])[0].clamp(0, 1) * 255).round() / 255


def score(pictures: Sequence[Tensor], held: Sequence[Held]) -> dict[str, float]:
    """PSNR (dB) and SSIM of reconstructions `[3, H, W]` 0..1, means over the held-out pictures without letterbox.

    `ssim_most` is that of the picture that is shown best.
    """
    pairs = [
        (h.content(p)[None], h.content(torch.from_numpy(h.input).permute(2, 0, 1).float() / 255)[None])
        for p, h in zip(pictures, held, strict=True)
    ]
    similar = torch.cat([ssim(a, b) for a, b in pairs])
    return {
        "psnr": round(float(torch.cat([psnr(a, b) for a, b in pairs]).mean()), 2),
        "ssim": round(float(similar.mean()), 4),
        "ssim_most": round(float(similar.max()), 4),
    }

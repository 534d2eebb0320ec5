"""Expected code length under contexts like those of the runtime's entropy coder; used in training only."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ContextRateModel(nn.Module):
    """Bits of every symbol given the symbols coded before it.

    Order of coding: rows, then columns, then channels. The scale of a symbol's distribution follows from magnitudes
    already known: its own channel at the left and upper neighbours, all channels there, and the lower channels at the
    same place. Its mean follows from its own channel's neighbours. The distribution is a mixture of two discretised
    logistics whose scales differ by a learned factor: one alone overestimates sparse channels.
    """

    # offsets (row, column) of the neighbours already coded
    neighbours = ((0, -1), (-1, 0), (-1, -1), (-1, 1))

    def __init__(self, channels: int, rates: int) -> None:
        super().__init__()
        taps = len(self.neighbours)
        self.own = nn.Parameter(torch.full((taps, channels), -1.5))
        self.cross = nn.Parameter(torch.full((channels, channels), -5.0))
        self.lower = nn.Parameter(torch.full((channels, channels), -5.0))
        self.mean = nn.Parameter(torch.zeros(taps, channels))
        self.slope = nn.Parameter(torch.full((3, channels), 0.5))
        self.bias = nn.Parameter(torch.full((rates, channels), -1.5))
        self.mix = nn.Parameter(torch.zeros(channels))
        self.ratio = nn.Parameter(torch.full((channels,), 1.0))
        self.register_buffer("strictly_lower", torch.ones(channels, channels).tril(-1), persistent=False)

    def _shift(self, x: Tensor) -> list[Tensor]:
        h, w = x.shape[-2:]
        padded = F.pad(x, (1, 1, 1, 0))
        return [padded[..., 1 + dy : 1 + dy + h, 1 + dx : 1 + dx + w] for dy, dx in self.neighbours]

    def forward(self, q: Tensor, rate: Tensor, known: Tensor | None = None) -> Tensor:
        """Bits `[N, C, h, w]` of the centred symbols `q`; `known` (default `q`) gives the contexts."""
        known = (q if known is None else known).float()
        q = q.float()
        magnitude = known.abs()
        shifted = self._shift(magnitude)
        column = (None, slice(None), None, None)
        own = sum(s * F.softplus(w)[column] for s, w in zip(shifted, self.own, strict=True))
        around = sum(shifted) / len(shifted)
        cross = F.conv2d(around, F.softplus(self.cross)[:, :, None, None])
        lower = F.conv2d(magnitude, (F.softplus(self.lower) * self.strictly_lower)[:, :, None, None])
        log_scale = self.bias[rate][:, :, None, None]
        for feature, slope in zip((own, cross, lower), self.slope, strict=True):
            log_scale = log_scale + slope[column] * torch.log1p(4 * feature)
        log_scale = log_scale.clamp(-5, 5)
        mean = sum(s * w[column] for s, w in zip(self._shift(known), self.mean, strict=True))
        wide = torch.sigmoid(self.mix)[column]
        p = 1e-6 + (1 - wide) * _mass(q - mean, log_scale) + wide * _mass(q - mean, log_scale + self.ratio[column])
        return -torch.log2(p)

    @torch.enable_grad()
    def fit(self, codes: list[Tensor], steps: int = 60, learning_rate: float = 0.05) -> float:
        """Fit the model alone to given codes, one a rate; returns the last mean of bits per symbol.

        Training then starts from true payloads: an untrained model overestimates them many times, and steering by it
        would first ruin a good start.
        """
        optimiser = torch.optim.Adam(self.parameters(), learning_rate)
        for step in range(steps):
            rate = step % len(codes)
            q = codes[rate].detach()
            loss = self(q, torch.full((len(q),), rate, device=q.device)).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return loss.item()


def _mass(x: Tensor, log_scale: Tensor) -> Tensor:
    """Probability that a logistic variable of this scale, mean 0, falls within 1/2 of `x`."""
    inverse = torch.exp(-log_scale)
    x = x.abs()
    return torch.sigmoid((0.5 - x) * inverse) - torch.sigmoid((-0.5 - x) * inverse)

"""Quantisers: a symbol is the index of a centre."""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: A symbol of the frame before may stay while it is within 1/2 + HOLD steps of the value: half a step is the nearest
#: one's own error, so a value must leave its centre clearly, not by its noise alone, before a new symbol is sent.
HOLD = 0.25


class CentreQuantiser(nn.Module):
    """The paper's quantiser, (12) and (13): L learned scalar centres shared by all channels.

    Forward: nearest centre. Backward: the gradient of `sum_j softmax_j(-v |y - c_j|) c_j`, v = 1, straight through.
    """

    rates = 1

    def __init__(self, levels: int, spread: float = 1.0, hardness: float = 1.0) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.linspace(-spread, spread, levels))
        self.hardness = hardness

    @property
    def levels(self) -> int:
        return len(self.centres)

    def symbols(self, y: Tensor, rate: Tensor) -> Tensor:
        """Indices `[N, C, h, w]` (int64) of the nearest centre; ties go to the lower index."""
        ordered = self.centres.sort().values
        return torch.bucketize(y.contiguous(), (ordered[1:] + ordered[:-1]) / 2)

    def values(self, symbols: Tensor, rate: Tensor) -> Tensor:
        return self.centres.sort().values[symbols]

    def forward(self, y: Tensor, rate: Tensor) -> tuple[Tensor, Tensor]:
        """Values with gradient, and integer symbols as floats centred on the middle symbol (for a rate model)."""
        symbols = self.symbols(y, rate)
        hard = self.values(symbols, rate)
        distance = (y.unsqueeze(-1) - self.centres).abs()
        soft = (torch.softmax(-self.hardness * distance, -1) * self.centres).sum(-1)
        return soft + (hard - soft).detach(), (symbols - self.levels // 2).to(y.dtype)


class StepQuantiser(nn.Module):
    """Centres at multiples of a learned step per channel and rate, with a dead zone around zero.

    One encoder then serves several rates: only the steps differ. `log_step` is `[rates, channels]`. A symbol is
    `sign(u) floor(|u| + 1/2 - dead_zone) + levels // 2` with `u = y / step`, clipped to `0..levels-1`: nearest centre
    with the decision thresholds moved outwards by `dead_zone`, which saves more bits than it costs in error.
    Gradient: straight through (the limit of (13) for many centres).
    """

    def __init__(self, steps: Tensor, levels: int, dead_zone: float) -> None:
        super().__init__()
        if levels % 2 == 0:
            raise ValueError(f"levels {levels} must be odd, so that zero is a centre")
        self.log_step = nn.Parameter(steps.log())
        self.levels = levels
        self.dead_zone = dead_zone

    @property
    def rates(self) -> int:
        return self.log_step.shape[0]

    def step(self, rate: Tensor) -> Tensor:
        """Steps `[N, C, 1, 1]` for the rate index of each picture `[N]`."""
        return self.log_step.exp()[rate][:, :, None, None]

    def quantise(self, u: Tensor) -> Tensor:
        half = self.levels // 2
        return (u.sign() * (u.abs() + 0.5 - self.dead_zone).floor()).clamp(-half, half)

    def symbols(self, y: Tensor, rate: Tensor) -> Tensor:
        return (self.quantise(y / self.step(rate)) + self.levels // 2).long()

    def alternates(self, y: Tensor, rate: Tensor) -> Tensor:
        """The neighbouring centre where that is within 1/2 + `HOLD` steps as well, elsewhere the symbol itself."""
        u = y / self.step(rate)
        q, half = self.quantise(u), self.levels // 2
        lean = ((u - q) * (0.5 / (0.5 - HOLD))).round()
        return ((q + lean).clamp(-half, half) + half).long()

    def values(self, symbols: Tensor, rate: Tensor) -> Tensor:
        return (symbols - self.levels // 2).to(self.log_step.dtype) * self.step(rate)

    def forward(self, y: Tensor, rate: Tensor) -> tuple[Tensor, Tensor]:
        """Dequantised values and centred symbols, both with straight-through gradients."""
        step = self.step(rate)
        u = y / step
        q = u + (self.quantise(u) - u).detach()
        return q * step, q

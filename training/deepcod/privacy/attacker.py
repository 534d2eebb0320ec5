"""The attacker: from a code back to the picture, without the picture's owner."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepcod.codec.decoder import ResidualBlock, ResidualUp
from deepcod.errors import DeepcodError

_WIDTHS = (96, 64, 32, 24)
_BLOCKS = 3
"""Residual blocks, all at the code's resolution, where they cost least."""
_LAST_STRIDE = 4
"""The network doubles the resolution until one transposed convolution of at most this stride is left."""


class Attacker(nn.Module):
    """Symbols `[N, C, h, w]` to a picture `[N, 3, h * stride, w * stride]`, RGB 0..1 (not clipped).

    A linear inverse over 3x3 positions, found in closed form (`fit`), plus a residual network of transposed
    convolutions that learns what the linear one cannot.
    """

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        doublings = 0
        while (stride >> doublings) > _LAST_STRIDE and (stride >> doublings) % 2 == 0 and doublings + 1 < len(_WIDTHS):
            doublings += 1
        rest = stride >> doublings
        widths = _WIDTHS[: doublings + 1]
        self.stride = stride
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(channels))
        self.linear = nn.ConvTranspose2d(channels, 3, 3 * stride, stride, stride)
        self.entry = nn.Conv2d(channels, widths[0], 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(widths[0]) for _ in range(_BLOCKS)))
        self.ups = nn.Sequential(*(ResidualUp(a, b) for a, b in itertools.pairwise(widths)))
        self.exit = nn.ConvTranspose2d(widths[-1], 3, rest + 2 * (rest // 2), rest, rest // 2)
        nn.init.zeros_(self.exit.weight)
        nn.init.zeros_(self.exit.bias)

    def forward(self, symbols: Tensor) -> Tensor:
        z = self.normalised(symbols)
        x = self.ups(self.blocks(self.entry(z)))
        return self.exit(F.leaky_relu(x, 0.1)) + self.linear(z)

    def normalised(self, symbols: Tensor) -> Tensor:
        """Mean 0, variance 1 in each channel of the attacker's own codes: centres are not needed, they are in order.

        Held to eight deviations: what a symbol that hardly ever occurs means was learned from one photo, and would
        paint a piece of that photo.
        """
        return ((symbols.float() - self.mean[:, None, None]) * self.scale[:, None, None]).clamp(-8, 8)

    @torch.no_grad()
    def fit(self, symbols: Tensor, pictures: Tensor, *, rows: int = 60_000, seed: int = 0) -> None:
        """Set normalisation and linear inverse by ridge regression.

        Args:
            symbols: uint8 `[N, C, h, w]`.
            pictures: uint8 `[N, 3, h * stride, w * stride]`.
            rows: code positions that are used, at most; each gives one equation for each pixel of its block.
        """
        count, channels, h, w = symbols.shape
        values = symbols.permute(1, 0, 2, 3).reshape(channels, -1)
        # float64 sums of bytes are exact: no copy of all codes as float32
        self.mean.copy_(values.sum(1, dtype=torch.float64) / values.shape[1])
        power = torch.stack([(v.float() - m).square().mean() for v, m in zip(values, self.mean, strict=True)])
        self.scale.copy_(1 / (power.sqrt() + 1e-2))
        generator = torch.Generator().manual_seed(seed)
        each = max(1, min(h * w, rows // count))
        features, blocks = [], []
        for one, picture in zip(symbols, pictures, strict=True):
            chosen = torch.randperm(h * w, generator=generator)[:each]
            around = F.unfold(self.normalised(one[None]), 3, padding=1)[0]
            features.append(around[:, chosen].T)
            blocks.append(F.pixel_unshuffle(picture[None].float() / 255, self.stride)[0].flatten(1)[:, chosen].T)
        x, y = torch.cat(features), torch.cat(blocks)
        x = torch.cat([x, torch.ones(len(x), 1)], 1)
        gram = (x.T @ x).double()
        gram.diagonal().add_(1e-3 * len(x))
        solution = torch.linalg.solve(gram, (x.T @ y).double()).float()
        if not solution.isfinite().all():
            raise DeepcodError("the codes cannot be inverted linearly: no finite solution")
        s = self.stride
        # [channel, row, column around; colour, row, column in the block] -> kernel: the block above is its first part
        kernel = solution[:-1].reshape(channels, 3, 3, 3, s, s).flip(1, 2)
        self.linear.weight.copy_(kernel.permute(0, 3, 1, 4, 2, 5).reshape(channels, 3, 3 * s, 3 * s))
        # one bias for each colour: the mean of its pixels
        self.linear.bias.copy_(solution[-1].reshape(3, -1).mean(1))

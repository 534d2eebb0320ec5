"""Decoders G_theta: residual transposed convolutions and self-attention; the edge runs them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class DecoderShape:
    """Widths (channels) and numbers of residual blocks, from the code's resolution up, each twice the one before.

    Where the last is still below the source's, one transposed convolution goes the rest of the way: full resolution
    is where a decoder's time goes, and little of what a detector sees is lost without channels there.
    """

    widths: tuple[int, ...]
    blocks: tuple[int, ...]


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a leaky rectifier, added to the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.leaky_relu(self.first(x), 0.1))


class SelfAttention(nn.Module):
    """SAGAN's self-attention with keys and values pooled 2x2 (as in its later implementations); gamma starts at 0."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(width, width // 8, 1)
        self.key = nn.Conv2d(width, width // 8, 1)
        self.value = nn.Conv2d(width, width // 2, 1)
        self.out = nn.Conv2d(width // 2, width, 1)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        pooled = F.max_pool2d(x, 2)
        q = self.query(x).flatten(2).transpose(1, 2)
        k = self.key(pooled).flatten(2)
        v = self.value(pooled).flatten(2).transpose(1, 2)
        attention = torch.softmax(torch.matmul(q, k), -1)
        y = torch.matmul(attention, v).transpose(1, 2).reshape(x.shape[0], -1, x.shape[2], x.shape[3])
        return x + self.gamma * self.out(y)


class ResidualUp(nn.Module):
    """Doubles the resolution: a transposed convolution and a 3x3 convolution beside a 2x2 transposed convolution."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(width_in, width_out, 4, 2, 1)
        self.mix = nn.Conv2d(width_out, width_out, 3, padding=1)
        self.skip = nn.ConvTranspose2d(width_in, width_out, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.skip(x) + self.mix(F.leaky_relu(self.up(x), 0.1))


class Decoder(nn.Module):
    """Code `[N, channels, h, w]` to source `[N, source_channels, h * stride, w * stride]`.

    The sum of a linear synthesis (one transposed convolution, which starts as the encoder's transpose) and a residual
    network that works at the code's resolution first, where a picture element costs least, and then doubles the
    resolution as often as `shape` says. With several rates every residual stage is scaled and shifted per rate.
    """

    def __init__(
        self,
        channels: int,
        source_channels: int,
        kernel: int,
        stride: int,
        shape: DecoderShape,
        rates: int,
        *,
        synthesis: bool = True,
    ) -> None:
        super().__init__()
        rest = stride >> (len(shape.widths) - 1)
        if rest == 0 or len(shape.blocks) != len(shape.widths):
            raise ValueError(
                f"stride {stride} has at most {stride.bit_length()} widths, each with its blocks; got {shape}"
            )
        self.synthesis = (
            nn.ConvTranspose2d(channels, source_channels, kernel, stride, (kernel - stride) // 2) if synthesis else None
        )
        self.register_buffer("code_scale", torch.ones(channels))
        self.entry = nn.Conv2d(channels, shape.widths[0], 3, padding=1)
        stages = zip(shape.widths, shape.blocks, strict=True)
        self.stages = nn.ModuleList(nn.Sequential(*(ResidualBlock(w) for _ in range(n))) for w, n in stages)
        self.attention = SelfAttention(shape.widths[0])
        self.ups = nn.ModuleList(ResidualUp(a, b) for a, b in itertools.pairwise(shape.widths))
        self.exit = (
            nn.Conv2d(shape.widths[-1], source_channels, 3, padding=1)
            if rest == 1
            else nn.ConvTranspose2d(shape.widths[-1], source_channels, 2 * rest, rest, rest // 2)
        )
        if synthesis:
            nn.init.zeros_(self.exit.weight)
            nn.init.zeros_(self.exit.bias)
        self.films = (
            nn.ParameterList(nn.Parameter(torch.zeros(rates, 2 * w)) for w in shape.widths) if rates > 1 else None
        )

    def forward(self, z: Tensor, rate: Tensor) -> Tensor:
        x = self.entry(z * self.code_scale[None, :, None, None])
        for i, stage in enumerate(self.stages):
            if i:
                x = self.ups[i - 1](x)
            if self.films is not None:
                scale, shift = self.films[i][rate][:, :, None, None].chunk(2, 1)
                x = x * (1 + scale) + shift
            x = stage(x)
            if i == 0:
                x = self.attention(x)
        x = self.exit(F.leaky_relu(x, 0.1))
        return x if self.synthesis is None else x + self.synthesis(z)

"""The encoder E_phi: one convolution, the only learned layer that the device runs for the codec."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class LinearEncoder(nn.Conv2d):
    """One convolution without activation, (5) in DESIGN.md.

    Input `[N, source_channels, H, W]`, output `[N, channels, H / stride, W / stride]`. A kernel larger than the
    stride overlaps its neighbours (a lapped transform); the padding is then `(kernel - stride) / 2` on each side.
    """

    def __init__(self, source_channels: int, channels: int, kernel: int, stride: int) -> None:
        if kernel < stride or (kernel - stride) % 2:
            raise ValueError(f"kernel {kernel} must be the stride {stride} or exceed it by an even number")
        super().__init__(source_channels, channels, kernel, stride, padding=(kernel - stride) // 2)
        nn.init.zeros_(self.bias)

    def matrix(self) -> Tensor:
        """E as the matrix `[channels, source_channels * kernel * kernel]` of (7), transposed."""
        return self.weight.flatten(1)

    def orthogonality(self) -> Tensor:
        """Mean square of `E'^T E' - I`, (7): zero for a semi-orthogonal kernel."""
        e = self.matrix()
        return (e @ e.T - torch.eye(e.shape[0], device=e.device, dtype=e.dtype)).square().mean()

    def flops(self, height: int, width: int) -> int:
        """2 x multiply-accumulates for a source of `height` x `width`."""
        return 2 * self.weight.numel() * (height // self.stride[0]) * (width // self.stride[1])

    @torch.no_grad()
    def init_orthogonal(self) -> None:
        """Random semi-orthogonal kernel: the paper's form starts here."""
        nn.init.orthogonal_(self.weight.view(self.out_channels, -1))

    @torch.no_grad()
    def init_rows(self, rows: Tensor) -> None:
        """Use `rows` `[channels, source_channels, stride, stride]` at the kernel's centre, zeros around them."""
        self.weight.zero_()
        low = (self.kernel_size[0] - self.stride[0]) // 2
        high = low + self.stride[0]
        self.weight[:, :, low:high, low:high] = rows


def dct_rows(channels: int, block: int, order: str) -> Tensor:
    """Orthonormal block DCT of a colour picture, the first `channels` of luma and chroma by rising frequency.

    `order` is "rgb" or "bgr". Two thirds of the channels are luma, the rest chroma in equal parts; luma comes first
    where frequencies tie. Returns `[channels, 3, block, block]` with orthonormal rows (ITU-T T.81's transform on an
    orthonormal opponent-colour basis).
    """
    k = torch.arange(block, dtype=torch.float64)
    basis = torch.cos(math.pi * (2 * k[None] + 1) * k[:, None] / (2 * block)) * math.sqrt(2 / block)
    basis[0] /= math.sqrt(2)
    luma = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)
    colours = torch.linalg.qr(
        torch.stack([luma, torch.tensor([-0.5, -0.5, 1.0]), torch.tensor([1.0, -0.8, -0.2])]).T.double()
    )[0].T
    colours[0] *= torch.sign(colours[0].sum())
    if order == "bgr":
        colours = colours.flip(1)
    elif order != "rgb":
        raise ValueError(f"channel order {order!r}: use 'rgb' or 'bgr'")
    per_chroma = channels // 6
    wanted = {0: channels - 2 * per_chroma, 1: per_chroma, 2: per_chroma}
    if wanted[0] > block * block:
        raise ValueError(f"{channels} channels: a block of {block}x{block} has {block * block} luma frequencies")
    frequencies = sorted((u * u + v * v, u, v) for u in range(block) for v in range(block))
    picked = [(f, plane, u, v) for plane, n in wanted.items() for f, u, v in frequencies[:n]]
    picked.sort()
    return torch.stack(
        [colours[p][:, None, None] * (basis[u][:, None] * basis[v][None]) for _, p, u, v in picked]
    ).float()


def principal_rows(patches: Tensor, channels: int, source_channels: int, block: int) -> Tensor:
    """The `channels` leading principal components of `patches` `[n, source_channels * block * block]`, orthonormal."""
    x = patches.double() - patches.double().mean(0)
    vectors = torch.linalg.eigh(x.T @ x / len(x))[1].flip(1)
    return vectors[:, :channels].T.reshape(channels, source_channels, block, block).float()

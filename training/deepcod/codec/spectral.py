"""Spectral normalisation of every decoder layer by power iteration, (9) in DESIGN.md."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize


class UnitSpectralNorm(nn.Module):
    """Divides a convolution's kernel by the largest singular value of the kernel as a matrix.

    One step of power iteration per training forward, as in Miyato et al. (2018). `sigma` is the latest estimate of
    the unnormalised kernel's value.
    """

    def __init__(self, weight: Tensor, output_axis: int) -> None:
        super().__init__()
        self.output_axis = output_axis
        matrix = self._matrix(weight)
        self.register_buffer("u", F.normalize(torch.randn(matrix.shape[0]), dim=0))
        self.register_buffer("v", F.normalize(torch.randn(matrix.shape[1]), dim=0))
        self._iterate(matrix, 15)

    def _matrix(self, weight: Tensor) -> Tensor:
        return weight.transpose(0, self.output_axis).flatten(1)

    @torch.no_grad()
    def _iterate(self, matrix: Tensor, steps: int) -> None:
        with torch.autocast(matrix.device.type, enabled=False):
            for _ in range(steps):
                self.v.copy_(F.normalize(torch.mv(matrix.T, self.u), dim=0))
                self.u.copy_(F.normalize(torch.mv(matrix, self.v), dim=0))

    def forward(self, weight: Tensor) -> Tensor:
        matrix = self._matrix(weight).float()
        if self.training:
            self._iterate(matrix.detach(), 1)
        with torch.autocast(weight.device.type, enabled=False):
            sigma = torch.dot(self.u.clone(), torch.mv(matrix, self.v.clone()))
        return weight / sigma

    def right_inverse(self, weight: Tensor) -> Tensor:
        return weight


def _layers(module: nn.Module) -> list[tuple[str, nn.Module]]:
    return [(n, m) for n, m in module.named_modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear))]


def normalise_spectrum(module: nn.Module) -> None:
    """Register (9) on every convolution of `module`; zero kernels are drawn anew, since zero has no direction."""
    for _, layer in _layers(module):
        if not layer.weight.any():
            nn.init.orthogonal_(layer.weight.flatten(1))
            nn.init.xavier_uniform_(layer.weight)
        axis = 1 if isinstance(layer, nn.ConvTranspose2d) else 0
        parametrize.register_parametrization(layer, "weight", UnitSpectralNorm(layer.weight, axis))


@torch.no_grad()
def largest_singular_values(module: nn.Module) -> dict[str, float]:
    """The largest singular value of each layer's kernel as it is used, by layer name."""
    out = {}
    for name, layer in _layers(module):
        axis = 1 if isinstance(layer, nn.ConvTranspose2d) else 0
        out[name] = torch.linalg.matrix_norm(layer.weight.transpose(0, axis).flatten(1).float(), 2).item()
    return out


def bake(module: nn.Module) -> None:
    """Replace every parametrised kernel by its value: what inference uses."""
    for _, layer in _layers(module):
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)

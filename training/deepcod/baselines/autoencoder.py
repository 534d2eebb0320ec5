"""offload-ae: a symmetric convolutional auto-encoder (the paper's Offload-AE+): the encoder is as deep as the decoder.

Half of its work lies on the device, which is what deep compressive offloading avoids. It gets what our codecs get: the
same pictures, a start from principal components, reconstruction first and then the service's own features (11), windows
of pictures. It is compressed: its kernels have 8 bits. Codes lie in [-1, 1], are quantised to a few levels, another
number of them in each step of training, and Huffman coded.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from ..codec.data import Pictures
from ..codec.decoder import ResidualBlock
from ..codec.distil import Distillation
from ..codec.encoder import principal_rows
from ..codec.service import Service
from ..errors import DeepcodError
from .entropy import huffman, unhuffman
from .methods import Coder, Materials
from .point import Point

#: Odd, so that nothing is coded as nothing.
LEVELS = (7, 15, 31)
#: Widths, from the source's resolution down, and channels of the code: at the input 1/8 of the resolution, at the first
#: point after it 1/4, then 1/2.
INPUT = ((24, 48, 64), 12)
FEATURES = (((48, 64), 48), ((64,), 48))
BATCH, CROP, LEARNING_RATE, SEED = 8, 224, 1e-3, 1
#: Learning rate of the linear layers, which start well, relative to the others'.
LINEAR = 0.1
#: Share of the time in which reconstruction alone is learned, and its weight afterwards.
RECONSTRUCTION, RECONSTRUCTION_WEIGHT = 0.2, 0.3
#: Seconds of training between checkpoints.
_SAVE_EVERY = 60
_HEADER = struct.Struct("<5H")


class Autoencoder(nn.Module):
    """Halves the resolution len(widths) times, a residual block after each; back by the mirror image of that.

    Beside each of the two deep halves stands one linear layer, which starts as principal components of patches and
    their transpose; what the deep ones add starts at nothing.
    """

    def __init__(self, channels: int, widths: tuple[int, ...], code: int) -> None:
        super().__init__()
        self.shape = (channels, widths, code)
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))
        down, up = [], []
        before = channels
        for width in widths:
            down += [nn.Conv2d(before, width, 4, 2, 1), nn.LeakyReLU(0.1), ResidualBlock(width)]
            up += [nn.ConvTranspose2d(width, before, 4, 2, 1), nn.LeakyReLU(0.1), ResidualBlock(width)]
            before = width
        self.encoder = nn.Sequential(*down, nn.Conv2d(before, code, 3, padding=1))
        self.decoder = nn.Sequential(nn.Conv2d(code, before, 3, padding=1), *reversed(up))
        self.analysis = nn.Conv2d(channels, code, self.stride, self.stride)
        self.synthesis = nn.ConvTranspose2d(code, channels, self.stride, self.stride)
        for layer in (self.encoder[-1], self.decoder[-1], self.analysis, self.synthesis):
            nn.init.zeros_(layer.bias)
        for layer in (self.encoder[-1], self.decoder[-1]):
            nn.init.zeros_(layer.weight)

    @torch.no_grad()
    def calibrate(self, source: Tensor) -> None:
        """Start from examples: means, deviations and principal components.

        A component with more energy gets more levels, by the root of its deviation: between equal steps and equal
        numbers of levels. Three deviations of the largest are what the code can hold.
        """
        self.mean.copy_(source.mean((0, 2, 3)))
        self.deviation.copy_(source.std((0, 2, 3)).clamp_min(1e-6))
        x = self.normalise(source)
        patches = F.unfold(x, self.stride, stride=self.stride).transpose(1, 2).flatten(0, 1)
        rows = principal_rows(patches[:: max(1, len(patches) // 20000)], self.shape[2], self.shape[0], self.stride)
        deviation = F.conv2d(x, rows, stride=self.stride).std((0, 2, 3)).clamp_min(1e-6)
        scale = (deviation.sqrt() * 3 * deviation.max().sqrt())[:, None, None, None]
        self.analysis.weight.copy_(rows / scale)
        self.synthesis.weight.copy_(rows * scale)

    def normalise(self, source: Tensor) -> Tensor:
        """Each channel with mean 0 and deviation 1."""
        return (source - self.mean[:, None, None]) / self.deviation[:, None, None]

    def code(self, source: Tensor) -> Tensor:
        """[N, code, h, w] in [-1, 1] of a source."""
        x = self.normalise(source)
        return F.hardtanh(self.analysis(x) + self.encoder(x))

    def source(self, code: Tensor) -> Tensor:
        """The source again."""
        x = self.synthesis(code) + self.decoder(code)
        return x * self.deviation[:, None, None] + self.mean[:, None, None]

    def forward(self, source: Tensor, levels: int) -> Tensor:
        """A source through its quantised code; the gradient passes the quantiser as if it were not there."""
        code = self.code(source).float()
        steps = (levels - 1) / 2
        return self.source(code + (torch.round(code * steps) / steps - code).detach())

    @property
    def stride(self) -> int:
        """How many values of the source one of the code stands for, in each direction."""
        return 2 ** len(self.shape[1])

    def encoder_flops(self, height: int, width: int) -> int:
        """Of encoding a source: 2 x multiply-accumulates of its convolutions."""
        total = 2 * self.analysis.weight.numel() * (height // self.stride) * (width // self.stride)
        scale = 1
        for layer in self.encoder.modules():
            if isinstance(layer, nn.Conv2d):
                scale *= layer.stride[0]
                total += 2 * layer.weight.numel() * (height // scale) * (width // scale)
        return total


def coders(point: Point, materials: Materials) -> list[Coder]:
    """Numbers of levels; trains the auto-encoder first unless it is trained already."""
    file = checkpoint(materials.folder, point.partition)
    train(materials, point.partition, file)
    model, _ = load(file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return [
        Coder(f"{levels} levels", partial(encode, model, levels=levels), partial(decode, model, levels=levels), digest)
        for levels in LEVELS
    ]


def checkpoint(folder: Path, partition: str) -> Path:
    """Where the auto-encoder of a partition point lies."""
    return folder / f"ae-{partition}.pt"


@torch.inference_mode()
def encode(model: Autoencoder, source: np.ndarray, levels: int) -> bytes:
    """The message of a source, whose last rows and columns are repeated up to whole code values."""
    h, w = source.shape[1:]
    padded = np.pad(source, ((0, 0), (0, -h % model.stride), (0, -w % model.stride)), "edge")
    code = model.code(torch.from_numpy(padded)[None])[0]
    symbols = torch.round((code + 1) * ((levels - 1) / 2)).to(torch.uint8).numpy()
    return _HEADER.pack(*symbols.shape, h, w) + huffman(symbols)


@torch.inference_mode()
def decode(model: Autoencoder, message: bytes, levels: int) -> np.ndarray:
    """What the auto-encoder makes of a message."""
    *shape, h, w = _HEADER.unpack_from(message)
    symbols = torch.from_numpy(unhuffman(message[_HEADER.size :]).reshape(shape).astype(np.float32))
    made = model.source(symbols[None] / ((levels - 1) / 2) - 1)[0, :, :h, :w]
    return np.ascontiguousarray(made.numpy())


def quantise_kernels(model: Autoencoder) -> None:
    """Round each kernel to 8 bits for each channel it makes: what would be stored on the device."""
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                made = 1 if isinstance(layer, nn.ConvTranspose2d) else 0
                others = [d for d in range(4) if d != made]
                step = layer.weight.abs().amax(others, keepdim=True).clamp_min(1e-12) / 127
                layer.weight.copy_(torch.round(layer.weight / step) * step)


def load(file: Path) -> tuple[Autoencoder, dict]:
    """A trained auto-encoder with kernels of 8 bits, and the facts of its training: minutes, steps, pictures."""
    state = torch.load(file, map_location="cpu", weights_only=True)
    model = Autoencoder(*state["shape"])
    model.load_state_dict(state["model"])
    quantise_kernels(model)
    return model.eval().requires_grad_(False), state["facts"]


def structure(service: Service, partition: str) -> tuple[tuple[int, ...], int]:
    """(widths, code channels) for a partition point."""
    points = [p for p in service.facts["partitions"] if not _at_input(service, p)]
    return INPUT if _at_input(service, partition) else FEATURES[min(points.index(partition), len(FEATURES) - 1)]


def _at_input(service: Service, partition: str) -> bool:
    return service.tensor(partition) == service.model.graph.input[0].name


def train(materials: Materials, partition: str, file: Path) -> None:
    """Train for `materials.minutes` of the processor's time, less what `file` was trained already; writes `file`.

    The learning rate follows that time, so that a run that was cut anneals once.
    """
    start = torch.load(file, map_location="cpu", weights_only=True) if file.exists() else None
    spent = start["facts"]["minutes"] * 60 if start else 0.0
    budget = materials.minutes * 60
    if start and spent >= budget:
        return
    if not materials.packs:
        raise DeepcodError(
            f"{file}: trained for {spent / 60:.1f} of {materials.minutes:g} minutes, and nothing to train it on",
            "Give --pictures PACK (`deepcod pack`).",
        )
    service = Service(materials.description, materials.model)
    pad = materials.description["picture"]["letterbox"]["pad"]
    pictures = Pictures(materials.packs, torch.device("cpu"), pad=pad)
    prefix, remainder, features = service.halves(partition)
    at_input = _at_input(service, partition)
    crop = CROP if pictures.size > CROP else None
    for half in filter(None, (prefix, remainder)):
        half.any_size = crop is not None
    distil = Distillation(remainder, features, materials.description["decode"]["type"])
    steps = start["facts"]["steps"] if start else 0
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED + steps)

    def source(batch: Tensor) -> Tensor:
        return batch if at_input else service.source(prefix, batch)

    def served(x: Tensor) -> Tensor:
        return service.feed(x) if at_input else x

    with torch.no_grad():
        first = source(pictures.batch(BATCH, generator)).float()
    model = Autoencoder(first.shape[1], *structure(service, partition))
    if start:
        model.load_state_dict(start["model"])
    else:
        model.calibrate(first)
    model.to(memory_format=torch.channels_last)
    linear = [*model.analysis.parameters(), *model.synthesis.parameters()]
    deep = [*model.encoder.parameters(), *model.decoder.parameters()]
    groups = [{"params": linear, "factor": LINEAR}, {"params": deep, "factor": 1.0}]
    optimiser = torch.optim.AdamW(groups, LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.0)
    if start:
        optimiser.load_state_dict(start["optimiser"])

    def write() -> None:
        facts = {"minutes": spent / 60, "steps": steps, "pictures": len(pictures)}
        state = {"shape": model.shape, "model": model.state_dict(), "optimiser": optimiser.state_dict(), "facts": facts}
        part = file.with_suffix(".part")
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state, part)
        part.replace(file)

    bar = tqdm(total=round(budget), unit="s", desc=file.stem, disable=not sys.stderr.isatty())
    began = time.process_time() - spent
    saved = spent
    sums = torch.zeros(3)
    while spent < budget:
        progress = spent / budget
        rate = LEARNING_RATE * min(1, (steps + 1) / 50) * (0.01 + 0.495 * (1 + math.cos(math.pi * progress)))
        for group in optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        levels = LEVELS[int(torch.randint(len(LEVELS), (), generator=generator))]
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                x = source(pictures.batch(BATCH, generator, crop)).contiguous(memory_format=torch.channels_last)
                wanted = distil.targets(served(x)) if progress >= RECONSTRUCTION else None
            y = model(x, levels)
            scale = model.deviation[:, None, None]
            reconstruction = ((x.float() - y.float()) / scale).square().mean()
            loss, feature, output = reconstruction, torch.zeros(()), torch.zeros(())
            if wanted is not None:
                feature, output = distil(served(y.to(x.dtype)), wanted)
                loss = RECONSTRUCTION_WEIGHT * reconstruction + feature + output
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if not torch.isfinite(norm):
            raise FloatingPointError(f"{file.name}: gradient not finite at step {steps}")
        optimiser.step()
        steps += 1
        spent = time.process_time() - began
        bar.update(min(round(spent), round(budget)) - bar.n)
        sums += torch.stack([reconstruction, feature, output]).detach()
        if steps % 50 == 0:
            means = (sums / 50).tolist()
            names = ("reconstruction", "feature", "output")
            line = {"name": file.stem, "step": steps, "minutes": round(spent / 60, 2)}
            line |= {k: round(v, 4) for k, v in zip(names, means, strict=True)}
            print(json.dumps(line), file=sys.stderr, flush=True)
            sums.zero_()
        if spent - saved > _SAVE_EVERY:
            write()
            saved = spent
    bar.close()
    write()

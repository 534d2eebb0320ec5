"""The attacker's own pictures, the held-out ones, and their codes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from PIL import Image, ImageOps
from torch import Tensor

from deepcod.codec.data import SUFFIXES, Pictures
from deepcod.errors import DeepcodError
from deepcod.evaluate.letterbox import letterbox
from deepcod.service.leak import HASH_BITS, dhash, distances, grey_of, hashes

from .ssim import WINDOW


@dataclass(frozen=True)
class Held:
    """A picture that no attacker was trained on. `input` is uint8 `[H, W, 3]`, its content `width` x `height`."""

    name: str
    input: np.ndarray
    x: int
    y: int
    width: int
    height: int

    def content(self, picture: Tensor) -> Tensor:
        """The part of `[..., H, W]` that is not letterbox."""
        return picture[..., self.y : self.y + self.height, self.x : self.x + self.width]


def held_out(folder: Path, spec: dict[str, Any], limit: int | None = None) -> list[Held]:
    """Pictures of a folder (and of those below it), letterboxed as `spec` (a manifest's `input`) says.

    Files that are byte-for-byte copies of one before count once; `limit` is of what is left.
    """
    if not folder.is_dir():
        raise DeepcodError(f"{folder}: no such folder", "Give a folder of pictures.")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not paths:
        raise DeepcodError(f"{folder}: no pictures ({', '.join(sorted(SUFFIXES))})")
    held: list[Held] = []
    seen: set[bytes] = set()
    for path in paths:
        if len(held) == limit:
            break
        content = path.read_bytes()
        digest = hashlib.sha256(content).digest()
        if digest in seen:
            continue
        seen.add(digest)
        try:
            source = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB"))
        except OSError as error:
            raise DeepcodError(f"{path}: not a readable picture ({error})") from error
        canvas, f = letterbox(source, spec)
        if min(f.width, f.height) < WINDOW:
            raise DeepcodError(f"{path}: {f.width}x{f.height} in the input; SSIM needs {WINDOW} pixels a side")
        held.append(Held(path.name, canvas, f.x, f.y, f.width, f.height))
    return held


@dataclass(frozen=True)
class Own:
    """The attacker's pictures: uint8 `[N, 3, H, W]`, and the size of their content `[N, 2]` (width, height)."""

    pictures: Tensor
    content: Tensor
    dropped: int


def own_pictures(packs: Sequence[Path], pad: int, count: int, held: Sequence[Held]) -> Own:
    """About `count` pictures, evenly from all packs, but none that shows a held-out one (dHash of `service.leak`)."""
    known = [hashes(_grey(h.content(torch.from_numpy(h.input).permute(2, 0, 1)))) for h in held]
    pictures, content, dropped = [], [], 0
    for path in packs:
        pack = Pictures([path], torch.device("cpu"), pad=pad)
        share = min(len(pack), -(-count // len(packs)))
        chosen = torch.linspace(0, len(pack) - 1, share).long()
        plain = np.stack([dhash(_grey(pack.data[i, :, : pack.content[i, 1], : pack.content[i, 0]])) for i in chosen])
        near = np.min([distances(forms, plain) for forms in known], axis=0) <= HASH_BITS
        keep = chosen[torch.from_numpy(~near)]
        dropped += int(near.sum())
        pictures.append(pack.data[keep].contiguous())
        content.append(pack.content[keep])
    return Own(torch.cat(pictures), torch.cat(content), dropped)


def _grey(picture: Tensor) -> np.ndarray:
    return grey_of(np.ascontiguousarray(picture.permute(1, 2, 0).numpy()[..., ::-1]))


class Head:
    """A bundle's head at one rate, on ONNX Runtime with one thread for each of torch's."""

    def __init__(self, file: Path, rate: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self.rate = {"rate": np.array([rate], np.int64)} if len(self.session.get_inputs()) > 1 else {}

    def __call__(self, picture: np.ndarray) -> Tensor:
        """uint8 `[H, W, 3]` to symbols, uint8 `[C, h, w]`."""
        symbols = self.session.run(None, {"picture": np.ascontiguousarray(picture)[None], **self.rate})[0][0]
        return torch.from_numpy(symbols).permute(2, 0, 1).contiguous()

    def all(self, pictures: Tensor) -> Tensor:
        """uint8 `[N, 3, H, W]` to symbols, uint8 `[N, C, h, w]`."""
        return torch.stack([self(p.permute(1, 2, 0).numpy()) for p in pictures])

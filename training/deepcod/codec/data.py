"""Pictures for codec training: packed once, held as bytes on the training device, augmented there."""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor
from tqdm import tqdm

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def pack(
    folders: Sequence[Path],
    size: int,
    out: Path,
    *,
    quality: int,
    limit: int | None = None,
    hold_out: int | None = None,
    held_out: int | None = None,
) -> int:
    """Write all pictures of `folders`, scaled to fit `size` x `size`, as one file of JPEGs (4:4:4); returns how many.

    Sorted by name within each folder, so that the same folders give the same file; `hold_out` K leaves out pictures
    0, K, 2K, ..., and `held_out` K leaves in no others, so that variants are compared on them. A damaged picture is
    an error that names it: a training set that shrinks silently is another set.
    """
    paths = [p for folder in folders for p in sorted(Path(folder).rglob("*")) if p.suffix.lower() in SUFFIXES]
    if hold_out:
        paths = [p for i, p in enumerate(paths) if i % hold_out]
    if held_out:
        paths = paths[::held_out]
    if limit:
        paths = paths[:: max(1, len(paths) // limit)][:limit]
    if not paths:
        raise ValueError(f"no pictures ({', '.join(sorted(SUFFIXES))}) in {', '.join(map(str, folders))}")

    def encode(path: Path) -> bytes:
        try:
            picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        except OSError as error:
            raise ValueError(f"{path}: not a readable picture ({error})") from error
        scale = min(size / picture.width, size / picture.height)
        fitted = picture.resize(
            (max(1, int(picture.width * scale)), max(1, int(picture.height * scale))), Image.Resampling.LANCZOS
        )
        buffer = io.BytesIO()
        fitted.save(buffer, "JPEG", quality=quality, subsampling=0)
        return buffer.getvalue()

    with ThreadPoolExecutor() as pool:
        jpegs = list(tqdm(pool.map(encode, paths), total=len(paths), desc="pack", unit="picture"))
    offsets = np.cumsum([0] + [len(j) for j in jpegs])
    np.savez(out, size=size, offsets=offsets, data=np.frombuffer(b"".join(jpegs), np.uint8))
    return len(jpegs)


class Pictures:
    """Letterboxed pictures `[n, 3, size, size]` uint8 RGB on `device`, content at the top left, the rest `pad`."""

    def __init__(self, packs: Sequence[Path], device: torch.device, *, pad: int, limit: int | None = None) -> None:
        jpegs: list[bytes] = []
        sizes = set()
        for path in packs:
            archive = np.load(path)
            data, offsets = archive["data"], archive["offsets"]
            sizes.add(int(archive["size"]))
            jpegs += [data[a:b].tobytes() for a, b in itertools.pairwise(offsets)]
        if len(sizes) != 1:
            raise ValueError(f"packs of different picture sizes {sorted(sizes)}: pack them again with one size")
        self.size = sizes.pop()
        self.pad = pad
        jpegs = jpegs[:limit]
        pictures = np.full((len(jpegs), self.size, self.size, 3), pad, np.uint8)

        def decode(i: int) -> tuple[int, int]:
            content = np.asarray(Image.open(io.BytesIO(jpegs[i])).convert("RGB"))
            pictures[i, : content.shape[0], : content.shape[1]] = content
            return content.shape[1], content.shape[0]

        with ThreadPoolExecutor() as pool:
            shapes = list(pool.map(decode, range(len(jpegs))))
        self.data = torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2)
        self.content = torch.tensor(shapes, device=device)

    def __len__(self) -> int:
        return len(self.data)

    def plain(self, index: Tensor) -> Tensor:
        """Pictures `[B, 3, size, size]` float 0..255 as they are."""
        return self.data[index].float()

    def batch(self, count: int, generator: torch.Generator, crop: int | None = None) -> Tensor:
        """A random batch, float 0..255, rounded to bytes: flips always, zoom for half, light for a third of them.

        With `crop`, a random `crop` x `crop` window of each, most of it picture: a convolutional codec learns the same
        from windows, at a fraction of the work.
        """
        device = self.data.device
        draw = torch.rand(count, 6, generator=generator, device=device)
        index = (draw[:, 0] * len(self)).long().clamp_max(len(self) - 1)
        x = self.plain(index)
        width = self.content[index, 0]
        columns = torch.arange(self.size, device=device)[None].expand(count, -1)
        flipped = torch.where(columns < width[:, None], width[:, None] - 1 - columns, columns)
        columns = torch.where((draw[:, 1] < 0.5)[:, None], flipped, columns)
        x = x.gather(3, columns[:, None, None].expand(-1, 3, self.size, -1))
        zoom = (draw[:, 2] < 0.5).nonzero()[:, 0]
        if len(zoom):
            x[zoom] = self._zoomed(x[zoom], draw[zoom, 3:])
        light = (torch.rand(count, generator=generator, device=device) < 0.33).nonzero()[:, 0]
        if len(light):
            gain, offset, gamma = torch.rand(3, len(light), 1, 1, 1, generator=generator, device=device)
            y = (x[light] / 255).clamp(1e-3, 1) ** (0.6 + gamma)
            x[light] = ((y - 0.5) * (0.7 + 0.6 * gain) + 0.5 + 0.3 * (offset - 0.5)) * 255
        x = x.clamp(0, 255).round()
        return x if crop is None else self._windows(x, self.content[index], crop, generator)

    def _windows(self, x: Tensor, content: Tensor, crop: int, generator: torch.Generator) -> Tensor:
        room = (content.flip(1) - crop // 2).clamp(0, self.size - crop)  # rows, columns; may reach into the padding
        start = (torch.rand(len(x), 2, generator=generator, device=x.device) * (room + 1)).long()
        return torch.stack([p[:, r : r + crop, c : c + crop] for p, (r, c) in zip(x, start.tolist(), strict=True)])

    def _zoomed(self, x: Tensor, draw: Tensor) -> Tensor:
        """Scales by 0.5 to 1.6 around a random place; what was outside becomes padding."""
        scale = 0.5 * 3.2 ** draw[:, 0]
        shift = (draw[:, 1:3] * 2 - 1) * (1 - 1 / scale)[:, None].abs()
        theta = torch.zeros(len(x), 2, 3, device=x.device)
        theta[:, 0, 0] = theta[:, 1, 1] = 1 / scale
        theta[:, :, 2] = shift
        grid = F.affine_grid(theta, list(x.shape), align_corners=False)
        return F.grid_sample(x - self.pad, grid, align_corners=False) + self.pad

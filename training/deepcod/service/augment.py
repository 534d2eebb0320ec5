"""Augmentation in batches on the device that trains, pictures and boxes together.

Every training picture of the set lies on the device as uint8 [N, 3, 416, 416], its content in the top-left corner
(`sizes`), grey 114 elsewhere; its boxes are padded to [N, M, 5] (class, x0, y0, x1, y1 in pixels; class -1
is no box). One call makes a batch: mosaics of four, single pictures under an affine map, or plain letterboxed pictures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from .model import PAD


@dataclass(frozen=True)
class Recipe:
    """How strongly pictures are changed. Probabilities are per picture (`grey`, `blur`, ...) or per tile (`turn`)."""

    mosaic: float = 0.7
    """Share of pictures that are mosaics of four."""
    plain: float = 0.1
    """Share of pictures that are left letterboxed (flip aside)."""
    scale: tuple[float, float] = (0.5, 1.7)
    """Range of the scale, log-uniform."""
    degrees: float = 8.0
    flip: float = 0.5
    turn: float = 0.03
    """Share of tiles turned by a right angle or upside down."""
    stretch: float = 0.15
    """Largest relative change of the aspect ratio."""
    colour: float = 1.0
    """Strength of the colour changes, 0..1."""
    blur: float = 0.1
    noise: float = 0.15
    grey: float = 0.05
    jpeg: float = 0.1
    erase: float = 0.15
    """Share of pictures with a few patches greyed out."""
    keep: float = 0.35
    """A box stays if this share of its area is visible."""
    smallest: float = 4.0
    """A box stays if both sides are at least this many pixels."""


STRONG = Recipe()
GENTLE = replace(
    STRONG, mosaic=0.0, plain=0.5, scale=(0.75, 1.35), degrees=3.0, turn=0.0, stretch=0.05, colour=0.5, blur=0.04,
    noise=0.05, grey=0.02, jpeg=0.05, erase=0.0,
)  # fmt: skip


@dataclass
class Pictures:
    """A whole set on one device."""

    images: Tensor
    """uint8 [N, 3, S, S]."""
    sizes: Tensor
    """float [N, 2]: width and height of the content."""
    boxes: Tensor
    """float [N, M, 5]: class (or -1), x0, y0, x1, y1."""

    def to(self, device: torch.device | str) -> Pictures:
        """The set on another device."""
        return Pictures(self.images.to(device), self.sizes.to(device), self.boxes.to(device))

    def __len__(self) -> int:
        return len(self.images)


def _uniform(n: int, low: float, high: float, g: torch.Generator) -> Tensor:
    return torch.rand(n, generator=g, device=g.device) * (high - low) + low


def _chance(n: int, p: float, g: torch.Generator) -> Tensor:
    return torch.rand(n, generator=g, device=g.device) < p


def tiles(batch: int, side: int, recipe: Recipe, g: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Where the tiles of each picture lie: rectangles [B, 4, 4] (x0, y0, x1, y1; empty if unused), kind masks
    (mosaic [B], plain [B])."""
    kind = torch.rand(batch, generator=g, device=g.device)
    mosaic = kind < recipe.mosaic
    plain = (kind >= recipe.mosaic) & (kind < recipe.mosaic + recipe.plain)
    cx = (_uniform(batch, 0.3, 0.7, g) * side).round()
    cy = (_uniform(batch, 0.3, 0.7, g) * side).round()
    zero, full = torch.zeros_like(cx), torch.full_like(cx, side)
    quads = torch.stack(
        [
            torch.stack([zero, zero, cx, cy], -1),
            torch.stack([cx, zero, full, cy], -1),
            torch.stack([zero, cy, cx, full], -1),
            torch.stack([cx, cy, full, full], -1),
        ],
        1,
    )
    single = torch.stack([torch.stack([zero, zero, full, full], -1)] + [torch.zeros(batch, 4, device=g.device)] * 3, 1)
    return torch.where(mosaic[:, None, None], quads, single), mosaic, plain


def affine(rects: Tensor, plain: Tensor, sizes: Tensor, stored: int, recipe: Recipe, g: torch.Generator) -> Tensor:
    """Maps from source pixels to output pixels, [T, 2, 3], for tiles with rectangles [T, 4] and content sizes [T, 2].

    The scale is drawn; then the picture is put so that the tile shows a random part of it (if it is larger than the
    tile) or shows it at a random place (if it is smaller). `plain` tiles keep the letterbox, but for a mirror.
    """
    n = len(rects)
    side = rects[:, 2:].max()  # full pictures reach the side of the output
    fit = side / stored
    low, high = math.log(recipe.scale[0]), math.log(recipe.scale[1])
    scale = torch.exp(_uniform(n, low, high, g)) * fit
    ratio = torch.exp(_uniform(n, -recipe.stretch, recipe.stretch, g) / 2)
    angle = _uniform(n, -recipe.degrees, recipe.degrees, g) * (math.pi / 180)
    quarter = torch.randint(1, 4, (n,), generator=g, device=g.device) * (math.pi / 2)
    angle = angle + torch.where(_chance(n, recipe.turn, g), quarter, torch.zeros_like(quarter))
    mirror = torch.where(_chance(n, recipe.flip, g), -1.0, 1.0)
    shift = torch.rand(n, 2, generator=g, device=g.device)

    scale = torch.where(plain, fit, scale)
    ratio = torch.where(plain, torch.ones_like(ratio), ratio)
    angle = torch.where(plain, torch.zeros_like(angle), angle)
    cos, sin = torch.cos(angle), torch.sin(angle)
    sx, sy = scale * ratio * mirror, scale / ratio
    linear = torch.stack([torch.stack([cos * sx, -sin * sy], -1), torch.stack([sin * sx, cos * sy], -1)], 1)
    half = sizes / 2
    # Extent of the transformed content, and the room between it and the tile (negative if it is larger).
    extent = (linear.abs() @ half[:, :, None]).squeeze(-1)
    centre_low = rects[:, :2] + extent
    centre_high = rects[:, 2:] - extent
    centre = centre_low + (centre_high - centre_low) * shift
    centre = torch.where(plain[:, None], rects[:, :2] + extent, centre)
    offset = centre - (linear @ half[:, :, None]).squeeze(-1)
    return torch.cat([linear, offset[:, :, None]], 2)


def warp(images: Tensor, sizes: Tensor, matrices: Tensor, side: int, blur: Tensor) -> tuple[Tensor, Tensor]:
    """Source pictures (uint8 [T, 3, S, S]) under maps source -> output [T, 2, 3]: [T, 3, side, side] in 0..1 minus the
    padding grey, and where there is content [T, side, side]. `blur` [T] marks those that shrink enough to need
    smoothing first."""
    stored = images.shape[-1]
    source = (images.float() - PAD) / 255
    if blur.any():
        smooth = functional.avg_pool2d(source[blur], 3, 1, 1)
        source[blur] = smooth
    (a, b), (c, d) = matrices[:, 0, :2].unbind(1), matrices[:, 1, :2].unbind(1)
    adjugate = torch.stack([torch.stack([d, -b], -1), torch.stack([-c, a], -1)], 1)
    inverse = adjugate / (a * d - b * c)[:, None, None]
    offset = -(inverse @ matrices[:, :, 2:])
    # Pixel centres: output u + 0.5 -> source x, then grid_sample's -1..1 (align_corners=False).
    k = 2.0 / stored
    theta = torch.cat([inverse * (side / 2.0), inverse.sum(2, keepdim=True) * (side / 2.0) + offset], 2) * k
    theta[:, :, 2] -= 1.0
    grid = functional.affine_grid(theta, [len(images), 3, side, side], align_corners=False)
    content = ((grid.abs() <= 1) & (grid <= (sizes * k - 1)[:, None, None])).all(-1)
    return functional.grid_sample(source, grid, mode="bilinear", padding_mode="zeros", align_corners=False), content


def move_boxes(boxes: Tensor, matrices: Tensor, rects: Tensor, recipe: Recipe) -> Tensor:
    """Boxes [T, M, 5] under maps [T, 2, 3], clipped to their tiles [T, 4]; class -1 where too little stays.

    Under a small rotation a box becomes the upright box of the same centre whose sides are those of the ellipse
    that filled it, which fits heads and helmets more tightly than the four turned corners do.
    """
    centre = (boxes[..., 1:3] + boxes[..., 3:5]) / 2
    half = (boxes[..., 3:5] - boxes[..., 1:3]) / 2
    linear = matrices[:, :, :2]
    centre = centre @ linear.transpose(1, 2) + matrices[:, None, :, 2]
    half = torch.sqrt((half**2) @ (linear**2).transpose(1, 2))
    low, high = centre - half, centre + half
    area = ((high - low).clamp(min=0)).prod(-1)
    low = torch.maximum(low, rects[:, None, :2])
    high = torch.minimum(high, rects[:, None, 2:])
    shown = (high - low).clamp(min=0)
    stays = (
        (boxes[..., 0] >= 0)
        & (shown.prod(-1) >= recipe.keep * area)
        & (shown.amin(-1) >= recipe.smallest)
        & (shown.amax(-1) < 8 * shown.amin(-1))
    )
    label = torch.where(stays, boxes[..., 0], torch.full_like(boxes[..., 0], -1))
    out = torch.cat([label[..., None], low, high], -1)
    return torch.where(stays[..., None], out, torch.tensor([-1.0, 0, 0, 0, 0], device=out.device))


def colour(x: Tensor, recipe: Recipe, g: torch.Generator) -> Tensor:
    """Exposure, contrast, gamma, saturation, hue (a rotation about the grey axis), white balance, grey, noise and blur
    of pictures [B, 3, H, W] in 0..1."""
    n, k = len(x), recipe.colour

    def v(low: float, high: float) -> Tensor:
        return _uniform(n, low, high, g)[:, None, None, None]

    some = _chance(n, 0.85, g)[:, None, None, None]
    y = x * torch.exp(v(-0.35, 0.35) * k)  # exposure
    y = y.clamp(0, 1) ** torch.exp(v(-0.5, 0.35) * k)  # gamma
    mean = y.mean((1, 2, 3), keepdim=True)
    y = (y - mean) * torch.exp(v(-0.5, 0.2) * k) + mean  # contrast
    luma = (y * torch.tensor([0.299, 0.587, 0.114], device=x.device).view(1, 3, 1, 1)).sum(1, keepdim=True)
    saturation = torch.exp(v(-0.8, 0.3) * k)
    saturation = torch.where(_chance(n, recipe.grey, g)[:, None, None, None], torch.zeros_like(saturation), saturation)
    y = luma + (y - luma) * saturation
    turn = _uniform(n, -0.2, 0.2, g) * k  # radians
    third = torch.full((3, 3), 1 / 3, device=x.device)
    cross = torch.tensor([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=x.device) / math.sqrt(3)
    cos, sin = torch.cos(turn)[:, None, None], torch.sin(turn)[:, None, None]
    matrix = cos * torch.eye(3, device=x.device) + (1 - cos) * third + sin * cross
    y = torch.einsum("nij,njhw->nihw", matrix, y)
    y = y * (1 + (torch.rand(n, 3, 1, 1, generator=g, device=g.device) - 0.5) * 0.24 * k)  # white balance
    dark = _chance(n, 0.12 * k, g)[:, None, None, None]
    y = torch.where(dark, y * v(0.25, 0.7), y)
    x = torch.where(some, y, x).clamp(0, 1)

    pick = _chance(n, recipe.blur, g)
    if pick.any():
        wide = functional.avg_pool2d(x[pick], 5, 1, 2)
        narrow = functional.avg_pool2d(x[pick], 3, 1, 1)
        x[pick] = torch.where(_chance(len(wide), 0.4, g)[:, None, None, None], wide, narrow)
    pick = _chance(n, recipe.jpeg, g)
    if pick.any():
        x[pick] = blocky(x[pick], g)
    pick = _chance(n, recipe.noise, g)
    if pick.any():
        some = x[pick]
        sigma = _uniform(len(some), 0.005, 0.05, g)[:, None, None, None]
        x[pick] = some + sigma * torch.randn(some.shape, generator=g, device=g.device)
    return x.clamp(0, 1)


def _cosines(device: torch.device) -> Tensor:
    i = torch.arange(8, device=device, dtype=torch.float32)
    basis = torch.cos((2 * i[None] + 1) * i[:, None] * math.pi / 16) / 2
    basis[0] /= math.sqrt(2)
    return basis


def blocky(x: Tensor, g: torch.Generator) -> Tensor:
    """Coarse quantisation of 8x8 cosine blocks, as a low-quality JPEG has; sides divisible by 8."""
    n, c, h, w = x.shape
    basis = _cosines(x.device)
    blocks = x.view(n, c, h // 8, 8, w // 8, 8).permute(0, 1, 2, 4, 3, 5)
    f = basis @ blocks @ basis.T
    i = torch.arange(8, device=x.device)
    step = (0.01 + 0.012 * (i[:, None] + i[None])) * _uniform(n, 1.0, 4.5, g).view(n, 1, 1, 1, 1, 1)
    f = torch.round(f / step) * step
    return (basis.T @ f @ basis).permute(0, 1, 2, 4, 3, 5).reshape(n, c, h, w).clamp(0, 1)


def erase(x: Tensor, recipe: Recipe, g: torch.Generator) -> Tensor:
    """Grey out up to three small patches; a patch may cover part of a head, never most of one of average size."""
    n, _, h, w = x.shape
    rows = torch.arange(h, device=x.device).view(1, h, 1)
    columns = torch.arange(w, device=x.device).view(1, 1, w)
    pick = _chance(n, recipe.erase, g)
    for _ in range(3):
        pw, ph = _uniform(n, 5, 16, g).view(n, 1, 1), _uniform(n, 5, 16, g).view(n, 1, 1)
        px, py = _uniform(n, 0, w, g).view(n, 1, 1), _uniform(n, 0, h, g).view(n, 1, 1)
        mask = ((columns - px).abs() < pw) & ((rows - py).abs() < ph) & pick.view(n, 1, 1)
        tone = torch.rand(n, 3, 1, 1, generator=g, device=g.device)
        x = torch.where(mask[:, None], tone, x)
    return x


def compact(boxes: Tensor, room: int) -> Tensor:
    """Bring real boxes to the front and cut the list to `room`: [B, K, 5] -> [B, room, 5]."""
    order = torch.argsort((boxes[..., 0] < 0).to(torch.uint8), dim=1, stable=True)[:, :room]
    return torch.gather(boxes, 1, order[..., None].expand(-1, -1, 5))


def batch(
    data: Pictures, index: Tensor, recipe: Recipe, g: torch.Generator, side: int | None = None, room: int = 96
) -> tuple[Tensor, Tensor]:
    """One augmented batch from the sources `index` [B, 4] (the last three serve mosaics alone).

    Returns pictures float [B, 3, side, side] in 0..1 and boxes [B, room, 5].
    """
    stored = data.images.shape[-1]
    side = side or stored
    count = len(index)
    rects, mosaic, plain = tiles(count, side, recipe, g)
    used = torch.ones(count, 4, dtype=torch.bool, device=index.device)
    used[:, 1:] = mosaic[:, None]
    owner = torch.arange(count, device=index.device)[:, None].expand(-1, 4)[used]
    source, rect = index[used], rects[used]
    matrix = affine(rect, plain[owner], data.sizes[source], stored, recipe, g)
    shrink = (matrix[:, 0, 0] * matrix[:, 1, 1] - matrix[:, 0, 1] * matrix[:, 1, 0]).abs().sqrt()
    picture, content = warp(data.images[source], data.sizes[source], matrix, side, shrink < 0.62)
    moved = move_boxes(data.boxes[source], matrix, rect, recipe)

    line = torch.arange(side, device=index.device)
    across = (line[None] >= rect[:, None, 0]) & (line[None] < rect[:, None, 2])
    down = (line[None] >= rect[:, None, 1]) & (line[None] < rect[:, None, 3])
    content = content & across[:, None, :] & down[:, :, None]
    canvas = torch.zeros(count, 3, side, side, device=index.device)
    canvas.index_add_(0, owner, picture * content[:, None])
    filled = torch.zeros(count, side, side, device=index.device)
    filled.index_add_(0, owner, content.float())
    canvas = (canvas + PAD / 255).clamp(0, 1)

    slot = torch.cumsum(used.flatten().int(), 0).view(count, 4) - 1
    empty = torch.tensor([-1.0, 0, 0, 0, 0], device=index.device)
    gathered = torch.where(used[..., None, None], moved[slot.clamp(min=0)], empty)
    boxes = compact(gathered.flatten(1, 2), room)

    if recipe.colour > 0:
        canvas = colour(canvas, recipe, g)
    if recipe.erase > 0:
        canvas = erase(canvas, recipe, g)
    canvas = torch.where(filled[:, None] > 0, canvas, PAD / 255)  # the padding is exactly what it will be at work
    return canvas, boxes

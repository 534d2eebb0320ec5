"""Short sequences of a camera that stands still, made from single pictures: what tables of predicted frames learn from.

Nothing here stands for a scene; it stands for how codes change from frame to frame: nearly everywhere not at all, by
noise near a quantiser's threshold, and altogether where something moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deepcod.codec.data import Pictures


@dataclass(frozen=True)
class SequencePlan:
    """Every `every`-th picture starts a sequence of `length` frames; the others stay alone."""

    every: int = 5
    length: int = 4
    seed: int = 5


def frames(pictures: Pictures, chosen: np.ndarray, plan: SequencePlan) -> Iterator[tuple[int, np.ndarray]]:
    """Sequence number and letterboxed picture uint8 `[H, W, 3]`, for the chosen pictures in turn.

    Each sequence begins with its picture as it is. The same pictures and plan give the same frames.
    """
    rng = np.random.default_rng(plan.seed)
    for number, index in enumerate(chosen):
        picture = _picture(pictures, index)
        yield number, picture
        if number % plan.every:
            continue
        width, height = pictures.content[index].tolist()
        content = picture[:height, :width]
        others = [_crop(pictures, int(rng.integers(len(pictures))), rng) for _ in range(rng.integers(1, 4))]
        for moved in _moves(content, others, plan.length - 1, rng):
            frame = picture.copy()
            frame[:height, :width] = moved
            yield number, frame


def count(chosen: int, plan: SequencePlan) -> int:
    """How many frames `frames` gives for so many pictures."""
    return chosen + -(-chosen // plan.every) * (plan.length - 1)


def _picture(pictures: Pictures, index: int) -> np.ndarray:
    return np.ascontiguousarray(pictures.data[index].permute(1, 2, 0).cpu().numpy())


def _crop(pictures: Pictures, index: int, rng: np.random.Generator) -> np.ndarray:
    """A piece of a picture, 5 to 35 % of its sides."""
    width, height = pictures.content[index].tolist()
    w, h = (max(4, int(side * rng.uniform(0.05, 0.35))) for side in (width, height))
    x, y = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
    return _picture(pictures, index)[y : y + h, x : x + w].astype(np.float32)


def _moves(ground: np.ndarray, things: list[np.ndarray], length: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Frames after `ground` `[h, w, 3]`: light drifts, noise is fresh, `things` move by 0.2 to 5 % of the width."""
    height, width = ground.shape[:2]
    still = ground.astype(np.float32)
    drift = rng.normal(0, 0.002)
    noise = np.exp(rng.uniform(np.log(0.3), np.log(2.5)))
    places = [rng.uniform(-0.1, 0.9, 2) * (height, width) for _ in things]
    speeds = []
    for _ in things:
        angle = rng.uniform(0, 2 * np.pi)
        speed = np.exp(rng.uniform(np.log(0.002), np.log(0.05))) * width
        speeds.append(np.array([np.sin(angle), np.cos(angle)]) * speed)
    for step in range(1, length + 1):
        frame = still * (1 + drift * step)
        for thing, place, speed in zip(things, places, speeds, strict=True):
            _paste(frame, thing, *np.round(place + speed * step).astype(int))
        frame += rng.normal(0, noise, frame.shape).astype(np.float32)
        yield np.clip(np.round(frame), 0, 255).astype(np.uint8)


def _paste(frame: np.ndarray, thing: np.ndarray, y: int, x: int) -> None:
    """Lays an ellipse of `thing` over `frame` at `y`, `x`; what lies outside is cut off."""
    h, w = thing.shape[:2]
    rows, columns = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    inside = np.clip((1 - np.hypot(rows, columns)) * min(h, w) / 4, 0, 1)[..., None].astype(np.float32)
    top, left = max(0, -y), max(0, -x)
    bottom, right = min(h, frame.shape[0] - y), min(w, frame.shape[1] - x)
    if bottom <= top or right <= left:
        return
    mask, part = inside[top:bottom, left:right], thing[top:bottom, left:right]
    under = frame[y + top : y + bottom, x + left : x + right]
    under += mask * (part - under)

"""Fit a picture into a service's input, and boxes back; the same arithmetic as protocol/letterbox.ts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np


@dataclass(frozen=True)
class Fit:
    """Where the picture lies in the input: size and offset in input pixels."""

    width: int
    height: int
    x: int
    y: int
    source_width: int
    source_height: int


def fit(picture: dict[str, Any], source_width: int, source_height: int) -> Fit:
    """The fit for a source picture; `picture` is the service's description of its input."""
    width, height, align = picture["width"], picture["height"], picture["letterbox"]["align"]
    w, h = width, height
    if align != "stretch":
        if width * source_height <= height * source_width:
            h = max(1, source_height * width // source_width)
        else:
            w = max(1, source_width * height // source_height)
    x, y = ((width - w) // 2, (height - h) // 2) if align == "center" else (0, 0)
    return Fit(w, h, x, y, source_width, source_height)


def letterbox(source: np.ndarray, picture: dict[str, Any]) -> tuple[np.ndarray, Fit]:
    """[h, w, 3] uint8 -> [H, W, 3] uint8, bilinear, with the border in the letterbox's grey."""
    f = fit(picture, source.shape[1], source.shape[0])
    canvas = np.full((picture["height"], picture["width"], 3), picture["letterbox"]["pad"], np.uint8)
    canvas[f.y : f.y + f.height, f.x : f.x + f.width] = resize(source, f.width, f.height)
    return canvas, f


def resize(source: np.ndarray, width: int, height: int) -> np.ndarray:
    """Bilinear; smoothed first where it shrinks, as the runtime's cameras do."""
    shrinks = width < source.shape[1] or height < source.shape[0]
    return cv2.resize(source, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def to_source(boxes: np.ndarray, f: Fit) -> np.ndarray:
    """Corners [N, 4] (x0, y0, x1, y1) in input pixels to source pixels, cut to the picture."""
    scale = np.array([f.source_width / f.width, f.source_height / f.height] * 2)
    moved = (boxes - np.array([f.x, f.y] * 2)) * scale
    return moved.clip(0, np.array([f.source_width, f.source_height] * 2))

"""Examples side by side: what was taken, and what each code shows of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_CELL = 208
_GAP = 6
_HEAD = 40


def write_grid(file: Path, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[np.ndarray]]) -> None:
    """Write a PNG.

    Args:
        columns: two lines of text over each.
        rows: for each column a picture, uint8 `[H, W, 3]`; all of one row have one size.
    """
    heights = [round(_CELL * row[0].shape[0] / row[0].shape[1]) for row in rows]
    width = len(columns) * (_CELL + _GAP) + _GAP
    canvas = Image.new("RGB", (width, _HEAD + sum(heights) + _GAP * len(rows)), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(14)
    for i, lines in enumerate(columns):
        for n, line in enumerate(lines):
            draw.text((_GAP + i * (_CELL + _GAP), 3 + 17 * n), line, fill="black", font=font)
    y = _HEAD
    for row, height in zip(rows, heights, strict=True):
        for i, picture in enumerate(row):
            scaled = Image.fromarray(picture).resize((_CELL, height), Image.Resampling.LANCZOS)
            canvas.paste(scaled, (_GAP + i * (_CELL + _GAP), y))
        y += height + _GAP
    file.parent.mkdir(parents=True, exist_ok=True)
    canvas.save(file, optimize=True)

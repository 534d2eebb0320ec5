"""Run a bundle as the runtime runs it: by the Node side's own modules (bench/detect.ts)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DeepcodError
from .ap import Detection
from .truth import Truth

RAW = "raw"
JPEG = "jpeg"
DEVICE = "device"


@dataclass(frozen=True)
class Run:
    """A bundle's answers at one partition point and rate.

    Attributes:
        partition, rate: what was run; `raw` is the service on the pixels, uncompressed; `device` that on the device.
        detections: with image_id, boxes in pixels of the source picture.
        bytes_per_frame: size of each frame message, header included [pictures].
        steps_ms: p50 of each step over the pictures; measured one frame at a time.
    """

    partition: str
    rate: int
    detections: list[Detection]
    bytes_per_frame: np.ndarray
    steps_ms: dict[str, float]


def runtime_program() -> list[str]:
    """Command that starts bench/detect; DEEPCOD_ROOT names the repository where it is not above this file."""
    node = shutil.which("node")
    if node is None:
        raise DeepcodError("node was not found", "A bundle is evaluated by the runtime: install Node.js 20 or later.")
    named = os.environ.get("DEEPCOD_ROOT")
    root = Path(named) if named else Path(__file__).resolve().parents[3]
    program = root / "dist" / "bench" / "detect.js"
    if not program.is_file():
        raise DeepcodError(f"{program} is missing", f"Build the runtime: cd {root} && npm ci && npm run build")
    return [node, str(program)]


def run_bundle(
    bundle: Path,
    truth: Truth,
    folder: Path,
    partition: str,
    rate: int = 0,
    threads: int | None = None,
    processor: bool = False,
    yuv: bool = False,
) -> Run:
    """Run all pictures of a data set through a bundle.

    `processor`: steps in processor time. `yuv`: pictures as the planes of a camera.
    """
    with tempfile.TemporaryDirectory() as scratch:
        listing, out = Path(scratch) / "list.txt", Path(scratch) / "detections.json"
        listing.write_text("".join(f"{image['file_name']}\n" for image in truth.images))
        command = [*runtime_program(), "--bundle", bundle, "--images", folder, "--list", listing, "--out", out]
        command += ["--partition", partition, "--rate", str(rate)]
        command += ["--threads", str(threads)] if threads else []
        command += ["--processor"] if processor else []
        command += ["--yuv"] if yuv else []
        # a person at a terminal sees the runtime's own progress and messages
        shown = None if sys.stderr.isatty() else subprocess.PIPE
        done = subprocess.run([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=shown, text=True)
        if done.returncode:
            lines = (done.stderr or "").strip().splitlines() or [f"the runtime ended with code {done.returncode}"]
            code = done.returncode if done.returncode in (2, 3) else 1
            raise DeepcodError("\n  ".join(lines[-6:]), exit_code=code)
        frames = json.loads(out.read_text())["frames"]
    detections = [
        {"image_id": image["id"], "category_id": d["class"], "bbox": d["box"], "score": d["score"]}
        for image, frame in zip(truth.images, frames, strict=True)
        for d in frame["detections"]
    ]
    steps = [key for key in frames[0] if key.endswith("_ms")]
    return Run(
        partition,
        rate,
        detections,
        np.array([frame["bytes"] for frame in frames]),
        {key.removesuffix("_ms"): round(float(np.median([f[key] for f in frames])), 3) for key in steps},
    )

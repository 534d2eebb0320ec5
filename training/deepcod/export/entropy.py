"""Entropy tables from training pictures, by the runtime's own trainer: one implementation, not two."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from tqdm import tqdm

from deepcod.codec.codec import CodecConfig
from deepcod.errors import DeepcodError

REPOSITORY = Path(__file__).resolve().parents[3]
TRAINER = REPOSITORY / "dist" / "agent" / "huffman" / "train.js"


def run_head(head: onnxruntime.InferenceSession, picture: np.ndarray, rate: int) -> dict[str, np.ndarray]:
    """`symbols` and any `alternates`, uint8 `[1, h, w, C]`, of a letterboxed picture uint8 `[H, W, 3]`."""
    feeds = {"picture": picture[None]}
    if any(i.name == "rate" for i in head.get_inputs()):
        feeds["rate"] = np.array([rate], np.int64)
    names = [o.name for o in head.get_outputs()]
    return dict(zip(names, head.run(names, feeds), strict=True))


class Hold:
    """What the runtime does before it predicts a frame: symbols of the frame before stay where they are alternates."""

    def __init__(self) -> None:
        self.sequence = -1
        self.before: dict[int, np.ndarray] = {}

    def symbols(self, sequence: int, rate: int, coded: dict[str, np.ndarray]) -> np.ndarray:
        symbols = coded["symbols"]
        if sequence != self.sequence:
            self.sequence, self.before = sequence, {}
        if rate in self.before and "alternates" in coded:
            symbols = np.where(coded["alternates"] == self.before[rate], self.before[rate], symbols)
        self.before[rate] = symbols
        return symbols


def train_tables(
    head_path: Path, config: CodecConfig, pictures: Iterator[tuple[int, np.ndarray]], count: int, out: Path
) -> dict:
    """Code `count` pictures at every rate, train the tables, write `out`; returns the trainer's report.

    `pictures` come with the number of the sequence they belong to. Form "context" also learns to code each against the
    one before it; so in at least one sequence there must be two.
    """
    node = shutil.which("node")
    if node is None or not TRAINER.exists():
        raise DeepcodError("the entropy trainer is not built", hint=f"run `npm ci && npm run build` in {REPOSITORY}")
    head = onnxruntime.InferenceSession(str(head_path))
    frames, hold = 0, Hold()
    with tempfile.TemporaryDirectory() as folder:
        symbols, rates, sequences = (Path(folder) / name for name in ("symbols.u8", "rates.u8", "sequences.u16"))
        with symbols.open("wb") as s, rates.open("wb") as r, sequences.open("wb") as q:
            for number, picture in tqdm(pictures, total=count, desc=f"code {config.partition}", unit="picture"):
                for rate in range(config.rates):
                    s.write(hold.symbols(number, rate, run_head(head, picture, rate)).tobytes())
                    r.write(bytes([rate]))
                    q.write(number.to_bytes(2, "little"))
                    frames += 1
        shape = ",".join(map(str, (frames, *config.code)))
        form = "plain" if config.form == "paper" else "context"
        command = [node, str(TRAINER), "--symbols", str(symbols), "--shape", shape, "--levels", str(config.levels)]
        command += ["--rates", str(rates), "--form", form, "--out", str(out), "--json"]
        if form == "context":
            command += ["--sequences", str(sequences)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DeepcodError(f"the entropy trainer failed for {config.partition}: {done.stderr.strip()}")
    return json.loads(done.stdout)

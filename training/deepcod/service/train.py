"""Train the work-site service from scratch within a given number of minutes.

The schedule follows the clock, not a step count: whatever the machine's speed, the learning rate has come down to its
end when time is up. Small pictures first (the first `--small-share` of it), then the full 416; the last seventh sees
gently changed, letterboxed single pictures alone. What is kept is the exponential moving average of the weights.

`OUT/last.pt` (the average in half precision, about 8 MB) is written again and again; `OUT/final.pt` at the end.
`WORK/resume.pt` holds everything needed to go on after a stop (`--resume`).
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from . import augment
from .data import HELD_OUT, PHOTO, SIMULATED, load
from .evaluate import ap50, detect
from .loss import Weights, fit_anchors, loss
from .model import CLASSES, INPUT, STRIDES, Yolov3, parameters


class Average:
    """Exponential moving average of a model's weights and statistics."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay, self.steps = decay, 0
        self.mine = [t for t in self.model.state_dict().values() if t.is_floating_point()]
        self.theirs = [t for t in model.state_dict().values() if t.is_floating_point()]

    @torch.no_grad()
    def update(self) -> None:
        """Move a little towards the model as it is now; young averages move faster."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.mine, self.theirs, 1 - decay)


def rate(progress: float, warm: float = 0.03, least: float = 0.01) -> float:
    """Share of the highest learning rate at `progress` 0..1: linear warm-up, then a cosine."""
    if progress < warm:
        return max(progress / warm, 0.01)
    rest = min(1.0, (progress - warm) / (1 - warm))
    return least + (1 - least) * 0.5 * (1 + math.cos(math.pi * rest))


def stage(progress: float, small: int, side: int, share: float = 0.33) -> tuple[int, augment.Recipe]:
    """Picture side and recipe at `progress`; the first `share` is on small pictures."""
    if progress < share:
        return small, augment.STRONG
    return side, augment.STRONG if progress < 0.85 else augment.GENTLE


def save_atomic(value: object, path: Path) -> None:
    """Write a file whole or not at all."""
    part = path.with_suffix(".part")
    torch.save(value, part)
    part.replace(path)


def checkpoint(average: nn.Module, anchors: Tensor, meta: dict) -> dict:
    """The portable checkpoint: kernels in half precision, the rest as it is, and what is needed to use them."""
    state = {k: v.detach().cpu().half() if v.ndim > 1 else v.detach().cpu() for k, v in average.state_dict().items()}
    return {"weights": state, "anchors": anchors.tolist(), "strides": list(STRIDES), "classes": list(CLASSES),
            "width": average.width, "input": INPUT, "meta": meta}  # fmt: skip


def optimiser_for(model: nn.Module, name: str, top: float, decay: float) -> torch.optim.Optimizer:
    """AdamW or SGD with Nesterov momentum; no weight decay on biases and normalisations."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    if name == "sgd":
        return torch.optim.SGD(groups, lr=top, momentum=0.937, nesterov=True)
    return torch.optim.AdamW(groups, lr=top, betas=(0.9, 0.999))


def score(
    model: nn.Module, anchors: Tensor, pictures: augment.Pictures, most: int = 0, threshold: float = 0.01
) -> list[float]:
    """AP50 of each class on pictures of the set (`most` of them; 0: all)."""
    images, boxes = pictures.images, pictures.boxes.cpu().numpy()
    if most and len(images) > most:
        images, boxes = images[:most], boxes[:most]
    with torch.backends.cudnn.flags(enabled=True, benchmark=False):  # odd batch sizes: no search for the best kernel
        found = detect(model, anchors, images, threshold=threshold)
    return ap50(found, [b[b[:, 0] >= 0] for b in boxes], len(CLASSES))


def subset(pictures: augment.Pictures, mask: Tensor) -> augment.Pictures:
    """The pictures that a mask names."""
    mask = mask.to(pictures.images.device)
    return augment.Pictures(pictures.images[mask], pictures.sizes[mask], pictures.boxes[mask])


class Training:
    """One training run."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.device = torch.device(args.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.manual_seed(args.seed)
        if self.device.type == "cuda":
            torch.backends.cudnn.benchmark = True
            torch.backends.cuda.matmul.allow_tf32 = False  # coordinates pass through small matrix products
        self.out, self.work = args.out, args.work or args.out
        self.out.mkdir(parents=True, exist_ok=True)
        self.work.mkdir(parents=True, exist_ok=True)
        begun = time.monotonic()
        data = load(args.pack, self.device, args.threads, args.limit)
        held = data["splits"] == HELD_OUT
        self.train = subset(data["pictures"], ~held)
        kinds = data["kinds"][~held]
        self.held = {
            name: subset(data["pictures"], held & (data["kinds"] == kind))
            for name, kind in (("photos", PHOTO), ("simulated", SIMULATED))
            if bool((held & (data["kinds"] == kind)).any())
        }
        share = {PHOTO: 1 - args.simulated_share, SIMULATED: args.simulated_share}
        if not bool((kinds == SIMULATED).any()) or not bool((kinds == PHOTO).any()):
            share = {PHOTO: 1.0, SIMULATED: 1.0}
        self.pick = torch.zeros(len(kinds), device=self.device)
        for kind, s in share.items():
            here = (kinds == kind).to(self.device)
            self.pick[here] = s / max(1, int(here.sum()))
        boxes = self.train.boxes[self.train.boxes[..., 0] >= 0].cpu()
        generator = torch.Generator().manual_seed(args.seed)
        jitter = torch.exp(torch.rand(len(boxes), 1, generator=generator) * 1.2 - 0.6)
        self.anchors = fit_anchors((boxes[:, 3:] - boxes[:, 1:3]) * jitter).round().view(3, 3, 2).to(self.device)
        self.model = Yolov3(width=args.width).to(self.device, memory_format=torch.channels_last)
        self.average = Average(self.model, args.average)
        self.optimiser = optimiser_for(self.model, args.optimiser, args.rate, args.decay)
        self.weights = Weights()
        self.spent, self.steps, self.seen, self.skipped = 0.0, 0, 0, 0
        self.stopping = False
        self.log_file = (self.out / "log.jsonl").open("a", encoding="utf-8")
        if args.resume:
            self.restore(args.resume)
        self.generator = torch.Generator(self.device).manual_seed(args.seed + self.steps)
        self.say(
            event="start", device=torch.cuda.get_device_name() if self.device.type == "cuda" else "cpu",
            torch=torch.__version__, pictures=len(self.train), held={k: len(v) for k, v in self.held.items()},
            boxes=len(boxes), parameters=parameters(self.model), anchors=self.anchors.tolist(),
            loading_s=round(time.monotonic() - begun, 1),
            arguments={k: str(v) if isinstance(v, Path) else v for k, v in vars(args).items()},
            weights=asdict(self.weights),
        )  # fmt: skip

    def say(self, **values: object) -> None:
        """One line to the log file and to the terminal."""
        line = json.dumps(values)
        self.log_file.write(line + "\n")
        self.log_file.flush()
        tqdm.write(line, file=sys.stdout)
        sys.stdout.flush()

    def restore(self, path: Path) -> None:
        """Go on from a resume file."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.model.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.anchors = state["anchors"].to(self.device)
        self.average.steps = self.steps = state["steps"]
        self.spent, self.seen = state["spent"], state["seen"]

    def meta(self, **more: object) -> dict:
        """What a checkpoint says about its making."""
        return {"seed": self.args.seed, "steps": self.steps, "seen": self.seen, "minutes": self.spent / 60,
                "pictures": len(self.train), **more}  # fmt: skip

    def save(self, name: str, **more: object) -> None:
        """Write the portable checkpoint and the resume file."""
        save_atomic(checkpoint(self.average.model, self.anchors.cpu(), self.meta(**more)), self.out / name)
        save_atomic(
            {"model": self.model.state_dict(), "average": self.average.model.state_dict(),
             "optimiser": self.optimiser.state_dict(), "anchors": self.anchors.cpu(), "steps": self.steps,
             "spent": self.spent, "seen": self.seen},
            self.work / "resume.pt",
        )  # fmt: skip

    def step(self, progress: float) -> dict:
        """One batch."""
        args = self.args
        side, recipe = stage(progress, args.small, args.side, args.small_share)
        for group in self.optimiser.param_groups:
            group["lr"] = args.rate * rate(progress)
        index = torch.multinomial(self.pick, args.batch * 4, True, generator=self.generator).view(-1, 4)
        with torch.no_grad():
            images, boxes = augment.batch(self.train, index, recipe, self.generator, side)
        images = images.to(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=not args.float32):
            maps = self.model(images)
        total, parts = loss(maps, boxes, self.anchors, self.weights)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), 10.0)
        if torch.isfinite(norm):
            self.optimiser.step()
            self.average.update()
        else:
            self.skipped += 1
            if self.skipped > 200:
                raise RuntimeError("the loss is not finite again and again")
        self.steps += 1
        self.seen += args.batch
        return {"loss": total.detach(), **parts, "norm": norm, "side": side}

    def run(self) -> None:
        """Train until the time is up."""
        args = self.args
        budget = args.minutes * 60
        begun = time.monotonic() - self.spent
        last_line = last_save = last_score = time.monotonic()
        bar = tqdm(total=round(budget), unit="s", file=sys.stderr, disable=not sys.stderr.isatty())
        mark_seen, mark_time = self.seen, time.monotonic()
        while not self.stopping:
            self.spent = time.monotonic() - begun
            progress = self.spent / budget
            if progress >= 1 or (args.steps and self.steps >= args.steps):
                break
            values = self.step(progress)
            now = time.monotonic()
            bar.n = min(bar.total, round(self.spent))
            bar.refresh() if not bar.disable and self.steps % 20 == 0 else None
            if now - last_line >= args.log_seconds or self.steps == 1:
                speed = (self.seen - mark_seen) / max(now - mark_time, 1e-9)
                mark_seen, mark_time, last_line = self.seen, now, now
                memory = torch.cuda.max_memory_allocated() / 2**30 if self.device.type == "cuda" else 0.0
                self.say(
                    progress=round(progress, 4), step=self.steps, epoch=round(self.seen / len(self.train), 2),
                    rate=round(args.rate * rate(progress), 6), pictures_s=round(speed, 1), gib=round(memory, 1),
                    skipped=self.skipped, **{k: round(float(v), 4) for k, v in values.items()},
                )  # fmt: skip
            if now - last_save >= args.save_seconds:
                last_save = now
                self.save("last.pt")
            if now - last_score >= args.score_seconds:
                last_score = now
                self.report("score", 128)
        bar.close()
        self.spent = time.monotonic() - begun
        self.save("final.pt")
        held = self.report("final")
        self.save("final.pt", held_out_ap50=held)

    def report(self, event: str, most: int = 0) -> dict:
        """AP50 on the held-out pictures."""
        begun = time.monotonic()
        held = {}
        for name, pictures in self.held.items():
            per_class = score(self.average.model, self.anchors, pictures, most, 0.05 if most else 0.01)
            held[name] = {c: round(v, 4) for c, v in zip(CLASSES, per_class, strict=True)}
            held[name]["mean"] = round(float(np.nanmean(per_class)), 4)
        self.say(event=event, step=self.steps, ap50=held, seconds=round(time.monotonic() - begun, 1))
        return held

    def stop(self, *_: object) -> None:
        """End after the step under way and save."""
        self.stopping = True


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True, help="training set by data.py")
    parser.add_argument("--out", type=Path, required=True, help="where checkpoints and the log go")
    parser.add_argument("--work", type=Path, help="where the resume file goes (default: --out)")
    parser.add_argument("--resume", type=Path, help="resume file to go on from")
    parser.add_argument("--minutes", type=float, default=7.0)
    parser.add_argument("--steps", type=int, default=0, help="stop after so many steps (0: by time alone)")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--side", type=int, default=INPUT)
    parser.add_argument("--small", type=int, default=320, help="side of the small pictures")
    parser.add_argument("--small-share", type=float, default=0.33, help="share of the time on small pictures")
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--optimiser", choices=("adamw", "sgd"), default="adamw")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--average", type=float, default=0.999, help="decay of the moving average")
    parser.add_argument("--simulated-share", type=float, default=0.25, help="share of simulated pictures drawn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="")
    parser.add_argument("--float32", action="store_true", help="no bfloat16")
    parser.add_argument("--threads", type=int, default=8, help="threads that decode pictures")
    parser.add_argument("--limit", type=int, default=0, help="use only so many pictures (0: all)")
    parser.add_argument("--log-seconds", type=float, default=5.0)
    parser.add_argument("--save-seconds", type=float, default=30.0)
    parser.add_argument("--score-seconds", type=float, default=60.0)
    return parser


def main() -> None:
    """Train."""
    training = Training(arguments().parse_args())
    signal.signal(signal.SIGTERM, training.stop)
    signal.signal(signal.SIGINT, training.stop)
    training.run()


if __name__ == "__main__":
    main()

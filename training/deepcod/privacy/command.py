"""`python -m deepcod reveal`: what each partition point's code shows of the picture.

For every partition point, at its smallest and its largest rate, an attacker is trained who has what anybody may have:
the public bundle and photos of their own. What it makes of codes of pictures that it never saw is compared with them.
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from deepcod.errors import DeepcodError
from deepcod.export.manifest import read_manifest

from .attacker import Attacker
from .data import Head, Held, Own, held_out, own_pictures
from .grid import write_grid
from .report import KIND, head_digest, partition_report, table
from .train import reconstruct, score, train


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `reveal`."""
    p = commands.add_parser("reveal", help="what each partition point's code shows of the picture", description=__doc__)
    p.add_argument("--bundle", type=Path, required=True, help="folder of the bundle")
    p.add_argument("--pictures", type=Path, nargs="+", required=True, help="packs of the attacker's own photos")
    p.add_argument("--images", type=Path, required=True, help="folder of held-out pictures")
    p.add_argument("--limit", type=int, help="only the first so many of them")
    p.add_argument("--partition", action="append", metavar="ID", help="partition point (default: all)")
    p.add_argument("--minutes", type=float, default=3, help="processor time for each attacker (default 3)")
    p.add_argument("--count", type=int, default=600, help="the attacker's photos, evenly from the packs (default 600)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--attackers", type=Path, help="keep trained attackers here, and take those that are there")
    p.add_argument("--json", type=Path, help="report to write; `deepcod annotate` puts it into the manifest")
    p.add_argument("--grid", type=Path, help="PNG of examples to write")
    p.add_argument("--examples", type=Path, help="folder whose first four pictures the grid shows (default: --images)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, measure, print, write."""
    manifest = read_manifest(args.bundle)
    points = _points(args, manifest)
    spec = manifest["input"]
    held = held_out(args.images, spec, args.limit)
    examples = held_out(args.examples or args.images, spec, 4) if args.grid else []
    own = own_pictures(args.pictures, spec["letterbox"]["pad"], args.count, [*held, *examples])
    width, height = spec["width"], spec["height"]
    if own.pictures.shape[-2:] != (height, width):
        raise DeepcodError(
            f"{args.pictures[0]}: pictures of {own.pictures.shape[-1]}; the bundle takes {width}x{height}",
            "Pack photos of the bundle's size: deepcod pack --size.",
        )
    say(f"{len(own.pictures)} photos to train on ({own.dropped} that show a held-out picture left out)")
    columns, shown, rows = [("original", "")], [[e.input] for e in examples], []
    for point in points:
        digest = head_digest(args.bundle / point["head"])
        sizes = [r["payload_bytes_mean"] for r in point["rates"]]
        scores = []
        for rate in sorted({int(np.argmin(sizes)), int(np.argmax(sizes))}, key=lambda r: sizes[r]):
            head = Head(args.bundle / point["head"], rate)
            attacker, steps = _attacker(args, point, digest, rate, head, own)
            result = score([reconstruct(attacker, head(h.input)) for h in held], held)
            scores.append({"rate": rate, "payload_bytes_mean": sizes[rate], "steps": steps, **result})
            say(f"{point['id']}, rate {rate}: {result}")
            columns.append((f"{point['id']}, {sizes[rate] / 1024:.1f} KB", f"SSIM {result['ssim']:.2f}"))
            for example, row in zip(examples, shown, strict=True):
                row.append(_bytes(reconstruct(attacker, head(example.input))))
        rows.append(partition_report(point, digest, scores))
    report = {
        "kind": KIND,
        "bundle": manifest["service"]["name"],
        "images": {"set": _set_name(args.images), "count": len(held)},
        "attacker": {"photos": len(own.pictures), "processor_minutes": args.minutes, "seed": args.seed},
        "nothing": score([_mean_colour(own)] * len(held), held),
        "partitions": rows,
        "command": _command(),
        "machine": f"{platform.machine()}, torch {torch.__version__}, {torch.get_num_threads()} thread(s)",
    }
    print(table(report))
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    if args.grid:
        cut = [[_cut(e, p) for p in row] for e, row in zip(examples, shown, strict=True)]
        write_grid(args.grid, columns, cut)
    return 0


def say(text: str) -> None:
    """Progress goes where messages go; the table alone is the output."""
    print(text, file=sys.stderr, flush=True)


def _points(args: argparse.Namespace, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    points = manifest["partitions"]
    known = [p["id"] for p in points]
    if not known:
        raise DeepcodError(f"{args.bundle}: the bundle has no partition points")
    if unknown := [p for p in args.partition or [] if p not in known]:
        raise DeepcodError(f"--partition {unknown[0]}: {args.bundle} has {', '.join(known)}")
    for p in points:
        height, width = manifest["input"]["height"], manifest["input"]["width"]
        if height % p["code"]["height"] or width * p["code"]["height"] != height * p["code"]["width"]:
            raise DeepcodError(f"{p['id']}: a code of {p['code']['height']} rows does not tile a picture of {height}")
    return [p for p in points if not args.partition or p["id"] in args.partition]


def _attacker(
    args: argparse.Namespace, point: dict[str, Any], digest: str, rate: int, head: Head, own: Own
) -> tuple[Attacker, int]:
    """A trained attacker, from `--attackers` where one of this head and these settings is there; and its steps."""
    attacker = Attacker(point["code"]["channels"], own.pictures.shape[-2] // point["code"]["height"])
    settings = {"head": digest, "minutes": args.minutes, "photos": len(own.pictures), "seed": args.seed}
    file = args.attackers / f"{point['id']}-{rate}.pt" if args.attackers else None
    if file and file.is_file():
        kept = torch.load(file, weights_only=True)
        if kept["settings"] == settings:
            attacker.load_state_dict(kept["weights"])
            return attacker.eval(), kept["steps"]
    torch.manual_seed(args.seed)
    attacker = Attacker(point["code"]["channels"], attacker.stride)
    name = f"{point['id']}, rate {rate}"
    steps = train(
        attacker, own, head.all(own.pictures), args.minutes, seed=args.seed, report=lambda s: say(f"{name}: {s}")
    )
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.save({"settings": settings, "steps": steps, "weights": attacker.state_dict()}, file)
    return attacker, steps


def _mean_colour(own: Own) -> Tensor:
    """The best guess of someone who sees no code: the attacker's photos' mean colour."""
    content = torch.stack(
        [p[:, :h, :w].float().mean((1, 2)) for p, (w, h) in zip(own.pictures, own.content.tolist(), strict=True)]
    )
    colour = (content.mean(0) / 255).view(3, 1, 1)
    return colour.expand(own.pictures.shape[1:])


def _bytes(picture: Tensor) -> np.ndarray:
    return (picture * 255).round().byte().permute(1, 2, 0).numpy()


def _cut(held: Held, picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(picture[held.y : held.y + held.height, held.x : held.x + held.width])


def _set_name(folder: Path) -> str:
    folder = folder.resolve()
    return folder.parent.name if folder.name == "images" else folder.name


def _command() -> str:
    """The command line, with files and folders by their names: where they lay is nobody's business."""
    return shlex.join(["deepcod", *(Path(a).name if "/" in a else a for a in sys.argv[1:])])

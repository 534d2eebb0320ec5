"""`deepcod baselines`: the paper's baselines on the same pictures, with their sizes, accuracy and times.

Every method sends real messages and decodes them again; the service's remainder looks at what arrives. AP and the
intervals are those of `deepcod evaluate`, times the processor's on one thread, for which OMP_NUM_THREADS=1 and
OPENBLAS_NUM_THREADS=1 must be set. Accuracy is kept in --work and measured again only where something changed; times
are measured anew each time. The report holds {service, images, boxes, machine, command, uncompressed: {ap, ap50, kb,
network_ms}, device_ms, edge_ms: {partition: of the service's half alone}, rate_times: {network_ms, factor}, rows:
[{method, partition, setting, kb, ap, ap50, ap_relative, device_ms, edge_ms, kb_images}], training, encoder_mflop}; the
plot lies beside it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import onnx
import torch

from ..errors import DeepcodError
from ..evaluate.rate import as_json, write_atomically
from ..evaluate.service import load_description
from ..evaluate.truth import load_truth
from ..importing.bundle_service import open_bundle
from .cache import Cache, sha256
from .machine import machine, versions
from .measure import Pictures, halves_ms, run, times
from .methods import METHODS, ON_DEVICE, Coder, Materials, coders
from .point import Network, Point
from .report import Scorer, rate_rows
from .training import encoder_flops, training_times
from .ways import Offloaded, OnDevice, Way

QUICK_PICTURES, QUICK_MINUTES, QUICK_RESAMPLES = 8, 0.1, 20
#: Pictures that times are measured on.
_TIMED = 20
#: Environment that NumPy's linear algebra takes its number of threads from.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `baselines`."""
    known = [*METHODS, ON_DEVICE]
    p = commands.add_parser("baselines", help="AP over bytes of the paper's baselines", description=__doc__)
    p.add_argument("--service", type=Path, required=True, help="ONNX service, or a bundle's folder")
    p.add_argument("--description", type=Path, help="of the service (default: the .json beside it)")
    p.add_argument("--images", type=Path, required=True, help="folder of pictures that nothing is trained on")
    p.add_argument("--annotations", type=Path, required=True, help="COCO JSON")
    p.add_argument("--json", type=Path, required=True, help="report to write")
    p.add_argument("--page", type=Path, help="Markdown page with a section for the report")
    p.add_argument("--rate-report", type=Path, help="report of bench:rate on the same pictures: its rows go beside")
    p.add_argument("--pictures", type=Path, nargs="+", default=[], help="training pictures, files of `deepcod pack`")
    p.add_argument("--codecs", type=Path, help="folder of our trained codecs, for what they cost")
    p.add_argument("--methods", help=f"some of {','.join(known)} (default: all)")
    p.add_argument("--partition", action="append", metavar="ID", help="only this partition point; may be repeated")
    p.add_argument(
        "--minutes",
        type=float,
        default=10,
        help="processor's time for each auto-encoder; a trained one goes on when this is raised (default 10)",
    )
    p.add_argument("--work", type=Path, default=Path("runs/baselines"), help="what is kept (default runs/baselines)")
    p.add_argument("--quick", action="store_true", help=f"{QUICK_PICTURES} pictures, ends of settings: only a check")
    p.add_argument("--times-only", action="store_true", help="measure times anew; all else must have been measured")
    p.add_argument("--resamples", type=int, default=300, help="draws of the bootstrap (default 300)")
    p.add_argument("--seed", type=int, default=0, help="of the bootstrap (default 0)")
    p.set_defaults(run=run_command)


def run_command(args: argparse.Namespace) -> int:
    """Measure, write, draw."""
    from .page import update_page  # here: no other command should wait for matplotlib
    from .plot import draw

    _one_thread()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    report = measure(args)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(args.json, as_json(report))
    draw(report, args.json.with_suffix(".svg"), args.json.with_suffix(".png"))
    if args.page:
        update_page(args.page, args.json, report)
    print(f"{args.json}: {len(report['rows'])} rows; {args.json.with_suffix('.svg').name}, .png")
    return 0


def _one_thread() -> None:
    """NumPy's linear algebra reads its number of threads once, from the environment: too late to set it here."""
    if many := [name for name in _THREADS if os.environ.get(name) != "1"]:
        raise DeepcodError(
            f"times are one thread's, and {' and '.join(many)} {'is' if len(many) == 1 else 'are'} not 1",
            f"Start it as: {' '.join(f'{name}=1' for name in _THREADS)} deepcod baselines ...",
        )


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """The report."""
    model, description = _service(args)
    partitions = _chosen("--partition", args.partition, list(description.get("partitions", {})))
    if not partitions:
        raise DeepcodError("the service's description names no partitions", "`deepcod import` suggests some.")
    wanted = _chosen("--methods", args.methods and args.methods.split(","), [*METHODS, ON_DEVICE])
    truth = load_truth(args.annotations, args.images, description["classes"])
    if args.quick:
        truth = truth.only([image["file_name"] for image in truth.images[:QUICK_PICTURES]])
    pictures = Pictures(truth, args.images, description)
    work = args.work / description["name"]
    minutes = 0 if args.times_only else min(args.minutes, QUICK_MINUTES) if args.quick else args.minutes
    checkpoints = work / ("quick" if args.quick else "trained")
    materials = Materials(model, description, args.pictures, checkpoints, minutes)
    cache = Cache(work / "measured", may_make=not args.times_only)
    fixed = [sha256(model.SerializeToString()), pictures.digest()]

    points = {p: Point(model, description, p) for p in partitions}
    timed = list(itertools.islice(pictures, _TIMED))
    whole = OnDevice("uncompressed", Network(model), description, fixed[0])
    scorer: Scorer | None = None
    rows = []
    for way in itertools.chain([whole], _ways(wanted, points, materials, args.quick)):
        name = f"{way.method}-{way.partition}-{way.setting}"
        found = cache.get(name, [*fixed, *way.depends], lambda way=way: run(way, pictures))
        spent = times(way, timed)
        if scorer is None:
            scorer = Scorer(truth, found["detections"], QUICK_RESAMPLES if args.quick else args.resamples, args.seed)
            network_ms = spent["device_ms"]
            continue
        row = {"method": way.method, "partition": way.partition, "setting": way.setting, **scorer.row(found), **spent}
        rows.append(row)
        _say(row)
    alone = {name: halves_ms(point, timed) for name, point in points.items()}
    codecs = args.codecs or Path("models/codecs") / description["name"]
    picture = description["picture"]
    beside, scaled = [], None
    if args.rate_report:
        beside, scaled = rate_rows(args.rate_report, description["name"], truth.name, network_ms)
    return {
        "service": description["name"],
        "dataset": truth.name,
        "images": len(truth.images),
        "boxes": len(truth.annotations),
        "kb": "1 KB = 1024 bytes; mean over the pictures",
        "interval": f"95%, bootstrap over pictures, {len(scorer.weights)} draws, the same for every row",
        "seed": args.seed,
        "quick": args.quick,
        "command": " ".join([*(f"{name}=1" for name in _THREADS), "deepcod", shlex.join(sys.argv[1:])]),
        "machine": machine(),
        "versions": versions(),
        "uncompressed": {
            **scorer.uncompressed(),
            "kb": round(3 * picture["width"] * picture["height"] / 1024, 3),
            "network_ms": network_ms,
        },
        "device_ms": {name: ms[0] for name, ms in alone.items()},
        "edge_ms": {name: ms[1] for name, ms in alone.items()},
        "rate_times": scaled,
        "rows": rows + beside,
        "training": training_times(description, codecs, checkpoints),
        "encoder_mflop": encoder_flops(model, description, codecs, checkpoints),
    }


def _service(args: argparse.Namespace) -> tuple[onnx.ModelProto, dict[str, Any]]:
    if args.service.is_dir():
        model, description = open_bundle(args.service)
        return model, json.loads(args.description.read_text()) if args.description else description
    return onnx.load(str(args.service)), load_description(args.service, args.description)


def _chosen(option: str, given: list[str] | None, known: list[str]) -> list[str]:
    if unknown := [name for name in given or [] if name not in known]:
        raise DeepcodError(f"{option} {unknown[0]}: not one of {', '.join(known)}")
    return [name for name in known if not given or name in given]


def _ways(wanted: list[str], points: dict[str, Point], materials: Materials, quick: bool) -> Iterator[Way]:
    for method in (m for m in wanted if m in METHODS):
        for point in points.values():
            for coder in _ends(coders(method, point, materials), quick):
                yield Offloaded(method, point, coder)
    if ON_DEVICE in wanted:
        from .on_device import models

        for setting, model in models(materials):
            yield OnDevice(setting, Network(model), materials.description, sha256(model.SerializeToString()))


def _ends(made: list[Coder], quick: bool) -> list[Coder]:
    return [made[0], made[-1]] if quick and len(made) > 2 else made


def _say(row: dict[str, Any]) -> None:
    kept = f"AP {row['ap']:.3f} ({100 * row['ap_relative']:.0f}%)"
    spent = f"device {row['device_ms']:.1f} ms, edge {row['edge_ms']:.1f} ms"
    label = f"{row['method']}, {row['partition']}, {row['setting']}"
    print(f"{label:54} {row['kb']:8.1f} KB  {kept}  {spent}", file=sys.stderr, flush=True)

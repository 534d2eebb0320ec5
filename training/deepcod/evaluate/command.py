"""`deepcod evaluate`: average precision of a bundle as the runtime runs it, or of a service by itself."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tqdm import tqdm

from deepcod.export.manifest import read_manifest

from ..errors import DeepcodError
from .ap import bootstrap, compare
from .bundle import DEVICE, JPEG, RAW, run_bundle
from .rate import register as register_rate
from .report import Row, mean_bytes, report, table
from .service import ServiceRunner, load_description
from .truth import Truth, load_truth

#: Classes of a description that says only "coco".
_COCO_CLASSES = 80


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `evaluate`, and `rate` (bench/rate.ts calls it), to the command line."""
    register_rate(commands)
    p = commands.add_parser("evaluate", help="AP of a bundle or a service, with bytes per frame", description=__doc__)
    what = p.add_mutually_exclusive_group(required=True)
    what.add_argument("--bundle", type=Path, help="folder of a bundle, run by the runtime's own modules")
    what.add_argument("--service", type=Path, help="an ONNX service, run by itself")
    p.add_argument("--description", type=Path, help="of the service (default: the .json beside it)")
    p.add_argument("--images", type=Path, required=True, help="folder of pictures")
    p.add_argument("--annotations", type=Path, required=True, help="COCO JSON")
    p.add_argument(
        "--partition", action="append", metavar="ID", help="a point, `raw`, `jpeg` or `device` (default: all points)"
    )
    p.add_argument("--rate", type=int, action="append", metavar="N", help="rate (default: all)")
    p.add_argument("--pictures", type=int, help="only the first so many")
    p.add_argument("--resamples", type=int, default=300, help="draws of the bootstrap (default 300)")
    p.add_argument("--seed", type=int, default=0, help="of the bootstrap (default 0)")
    p.add_argument("--threads", type=int, help="threads inside one run of a model (default: all)")
    p.add_argument("--processor", action="store_true", help="steps in processor time, which holds on busy machines")
    p.add_argument("--yuv", action="store_true", help="pictures as planes of YUV 4:2:0, as a camera gives them")
    p.add_argument("--detections", type=Path, help="folder for the detections, one COCO results file each")
    p.add_argument("--json", type=Path, help="report to write")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print, write."""
    if args.bundle:
        name, truth, rows = _bundle(args)
    else:
        name, truth, rows = _service(args)
    title = f"{name} on {truth.name}: {len(truth.images)} pictures, {len(truth.annotations)} boxes"
    print(table(title, rows))
    if args.json:
        interval = f"95%, bootstrap over pictures, {args.resamples} draws, seed {args.seed}"
        content = report(name, truth, interval, rows[0], rows[1:])
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(content, indent=1) + "\n")
    return 0


def _truth(args: argparse.Namespace, classes: Any) -> Truth:
    known = classes if isinstance(classes, list) else _COCO_CLASSES
    truth = load_truth(args.annotations, args.images, known)
    return truth.only([image["file_name"] for image in truth.images[: args.pictures]])


def _service(args: argparse.Namespace) -> tuple[str, Truth, list[Row]]:
    description = load_description(args.service, args.description)
    runner = ServiceRunner(args.service, description)
    truth = _truth(args, description["classes"])
    found = runner.detect_all(truth, args.images, lambda pairs: tqdm(pairs, unit="picture", disable=None))
    _save(args, "service", found)
    return description["name"], truth, [Row("service", bootstrap(truth, found, args.resamples, args.seed))]


def _bundle(args: argparse.Namespace) -> tuple[str, Truth, list[Row]]:
    manifest = read_manifest(args.bundle)
    service = manifest["service"]
    truth = _truth(args, service["classes"])
    known = {p["id"]: len(p["rates"]) for p in manifest["partitions"]}
    wanted = args.partition or list(known)
    known |= {JPEG: len(manifest["pictures"])} if manifest.get("pictures") else {}
    known[DEVICE] = 1
    if unknown := [p for p in wanted if p not in known and p != RAW]:
        raise DeepcodError(f"--partition {unknown[0]}: {args.bundle} has {', '.join([*known, RAW])}")
    how = (args.threads, args.processor, args.yuv)
    raw = run_bundle(args.bundle, truth, args.images, RAW, 0, *how)
    _save(args, RAW, raw.detections)
    rows = [
        Row(
            "uncompressed",
            bootstrap(truth, raw.detections, args.resamples, args.seed),
            RAW,
            bytes_per_frame=mean_bytes(raw.bytes_per_frame, args.resamples, args.seed),
            steps_ms=raw.steps_ms,
        )
    ]
    for partition in (p for p in wanted if p != RAW):
        rates = range(known[partition]) if args.rate is None else args.rate
        for rate in rates:
            if not 0 <= rate < known[partition]:
                raise DeepcodError(f"--rate {rate}: {partition} has rates 0..{known[partition] - 1}")
            result = run_bundle(args.bundle, truth, args.images, partition, rate, *how)
            _save(args, f"{partition}-{rate}", result.detections)
            versus = compare(truth, raw.detections, result.detections, args.resamples, args.seed)
            size = mean_bytes(result.bytes_per_frame, args.resamples, args.seed)
            rows.append(Row(f"{partition}, rate {rate}", versus.other, partition, rate, size, versus, result.steps_ms))
    return service["name"], truth, rows


def _save(args: argparse.Namespace, name: str, detections: list[dict[str, Any]]) -> None:
    if args.detections:
        args.detections.mkdir(parents=True, exist_ok=True)
        (args.detections / f"{name}.json").write_text(json.dumps(detections))

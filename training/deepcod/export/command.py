"""`python -m deepcod export`: a bundle from a service and its codecs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from deepcod.codec.data import Pictures
from deepcod.codec.service import Service
from deepcod.errors import DeepcodError
from deepcod.privacy.report import add_reveals, is_reveal

from . import int8, yuv
from .bundle import Sources, add_accuracy, add_qualities, build


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `export`, `annotate`, `quantise` and `yuv`."""
    parser = commands.add_parser("export", help="write a bundle", description=__doc__)
    parser.add_argument("--service", type=Path, required=True, help="description, training/services/NAME.json")
    parser.add_argument("--model", type=Path, required=True, help="the service's ONNX file")
    parser.add_argument(
        "--codecs", type=Path, nargs="*", default=[], help="trained codecs (.pt), one a partition point"
    )
    parser.add_argument(
        "--pictures", type=Path, nargs="+", required=True, help="training packs, for the entropy tables"
    )
    parser.add_argument("--table-pictures", type=int, default=300, help="how many of them (default 300)")
    parser.add_argument("--out", type=Path, required=True, help="bundle folder, replaced when all succeeded")
    parser.set_defaults(run=_export)
    annotate = commands.add_parser("annotate", help="write what was measured into a bundle's manifest")
    annotate.add_argument("bundle", type=Path)
    annotate.add_argument(
        "reports",
        type=Path,
        nargs="*",
        help="JSON files of `deepcod evaluate` (accuracy) and `deepcod reveal` (reveals)",
    )
    annotate.add_argument(
        "--qualities", type=int, nargs="+", metavar="Q", help="let the picture be sent as JPEG at these qualities"
    )
    annotate.set_defaults(run=_annotate)
    quantise = commands.add_parser("quantise", help="8-bit integers in a bundle's heads", description=int8.__doc__)
    quantise.add_argument("bundle", type=Path)
    quantise.add_argument(
        "--points", nargs="+", required=True, metavar="ID", help="partition points whose heads have a prefix"
    )
    quantise.add_argument("--pictures", type=Path, nargs="+", required=True, help="training packs, for the ranges")
    quantise.add_argument("--out", type=Path, required=True, help="the new bundle, replaced when all succeeded")
    quantise.set_defaults(run=_quantise)
    planes = commands.add_parser("yuv", help="heads that read a camera's YUV as it is", description=yuv.__doc__)
    planes.add_argument("bundle", type=Path)
    planes.add_argument("--points", nargs="+", metavar="ID", help="partition points, or `device` (default: all)")
    planes.add_argument("--out", type=Path, required=True, help="the new bundle, replaced when all succeeded")
    planes.set_defaults(run=_yuv)


def _export(arguments: argparse.Namespace) -> int:
    service = Service.open(arguments.service, arguments.model)
    pictures = Pictures(arguments.pictures, torch.device("cpu"), pad=service.facts["picture"]["letterbox"]["pad"])
    manifest = build(Sources(service, arguments.codecs, pictures, arguments.table_pictures), arguments.out)
    print(_summary(manifest, arguments.out))
    return 0


def _annotate(arguments: argparse.Namespace) -> int:
    if not arguments.qualities and not arguments.reports:
        raise DeepcodError("annotate: give reports, or --qualities")
    reports = [json.loads(p.read_text()) for p in arguments.reports]
    if arguments.qualities:
        add_qualities(arguments.bundle, arguments.qualities)
    manifest = add_accuracy(arguments.bundle, [r for r in reports if not is_reveal(r)])
    for report in filter(is_reveal, reports):
        manifest = add_reveals(arguments.bundle, report)
    print(_summary(manifest, arguments.bundle))
    return 0


def _quantise(arguments: argparse.Namespace) -> int:
    manifest = int8.quantise_heads(arguments.bundle, arguments.points, arguments.pictures, arguments.out)
    print(_summary(manifest, arguments.out))
    return 0


def _yuv(arguments: argparse.Namespace) -> int:
    manifest = yuv.add_yuv_heads(arguments.bundle, arguments.points, arguments.out)
    print(_summary(manifest, arguments.out))
    return 0


def _summary(manifest: dict, folder: Path) -> str:
    total = sum(f["bytes"] for f in manifest["files"].values())
    lines = [f"{folder}: {manifest['service']['name']}, {total / 1e6:.1f} MB in {len(manifest['files'])} files"]
    for p in manifest["partitions"]:
        sizes = ", ".join(f"{r['payload_bytes_mean'] / 1024:.2f}" for r in p["rates"])
        work = {k: f"{v / 1e9:.2f}" for k, v in p["flops"].items()}
        lines.append(f"  {p['id']}: {sizes} KB a frame on training pictures; GFLOP {work}")
    return "\n".join(lines)

"""`deepcod import`: darknet (.cfg + .weights), ONNX or a bundle to a checked service and its description.

Writes FILE.onnx and FILE.json beside it: what the picture must look like, how outputs are decoded, suggested
partition points and features. Read the description before training: licence, provenance and class names are yours to
fill in.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import onnx

from ..darknet import TOPOLOGIES, RandomWeights, WeightsReader, convert
from ..errors import DeepcodError
from ..graph.cut import partition_points
from . import onnx_service
from .bundle_service import open_bundle
from .suggest import suggest_features, suggest_partitions

_TOLERANCE = 1e-3


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `import` to the command line."""
    p = commands.add_parser(
        "import",
        help="darknet or ONNX to a checked service",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("model", type=Path, help="a darknet .cfg, an .onnx file, or the folder of a bundle")
    p.add_argument("weights", type=Path, nargs="?", help="the darknet .weights that belong to the cfg")
    p.add_argument("--out", type=Path, help="service to write (.onnx); its description goes beside it (.json)")
    p.add_argument("--random-weights", type=int, metavar="SEED", help="seeded random weights instead of a file")
    p.add_argument("--keep-batch-norm", action="store_true", help="do not fold batch normalisation into convolutions")
    p.add_argument("--name", help="the service's name (default: the file's)")
    p.add_argument("--names", type=Path, help="class names, one a line")
    p.add_argument("--letterbox", choices=["center", "top-left", "stretch"], help="how pictures are fitted")
    p.add_argument("--pad", type=int, help="grey level around a letterboxed picture, 0-255")
    p.add_argument("--order", choices=["rgb", "bgr"], help="ONNX: channel order that the service takes")
    p.add_argument("--scale", type=float, help="ONNX: factor on 0-255 pixels (default 1/255)")
    p.add_argument("--size", type=_size, metavar="WxH", help="ONNX: input size where the file leaves it free")
    p.set_defaults(run=run)

    t = commands.add_parser("topology", help="write the cfg of YOLOv3, YOLOv3-tiny or YOLOv3-spp")
    t.add_argument("topology", choices=sorted(TOPOLOGIES))
    t.add_argument("--out", type=Path, required=True, help="cfg to write")
    t.add_argument(
        "--width", type=float, default=1.0, help="factor on every layer's filters but the heads' (default 1)"
    )
    t.add_argument("--classes", type=int, default=80)
    t.add_argument("--size", type=int, default=416, help="input width and height, a multiple of 32 (default 416)")
    t.add_argument("--anchors", type=_numbers, help="w,h,w,h,... in pixels of the input (default: the published ones)")
    t.set_defaults(run=run_topology)


def run(args: argparse.Namespace) -> int:
    """Import, check against ONNX Runtime, write."""
    if args.model.suffix == ".cfg":
        model, description = _darknet(args)
    elif args.model.is_dir():
        model, description = _bundle(args)
    else:
        model, description = _onnx(args)
    if args.names:
        names = [line.strip() for line in args.names.read_text().splitlines() if line.strip()]
        expected = len(description.get("classes", names))
        if len(names) != expected:
            raise DeepcodError(f"{args.names}: {len(names)} names, the service has {expected} classes")
        description["classes"] = names
    off = onnx_service.difference(model, description["picture"]["scale"])
    if not off <= _TOLERANCE:
        raise DeepcodError(f"{args.model}: torch and ONNX Runtime differ by {off:.1e}; training on it would be wrong")
    description["partitions"] = suggest_partitions(model)
    description["features"] = suggest_features(model)
    points = partition_points(model, default_only=True)
    picture = description["picture"]
    flops = points[0].flops_after if points else 0
    print(
        f"{description['name']}: {picture['width']}x{picture['height']}, {flops / 1e9:.2f} GFLOP, "
        f"{sum(_count(t) for t in model.graph.initializer) / 1e6:.2f} M weights, "
        f"{len(points)} block starts, torch equals ONNX Runtime to {off:.1e}"
    )
    if "decode" not in description:
        print(
            "its outputs are of no known form: add `decode` to the description, or it can only be measured by yourself"
        )
    if args.out:
        _write(args.out, model, description)
    return 0


def run_topology(args: argparse.Namespace) -> int:
    """Write a cfg."""
    if args.size % 32 or args.size < 32:
        raise DeepcodError(f"--size {args.size} is not a multiple of 32")
    options: dict[str, Any] = {"size": args.size, "width": args.width, "classes": args.classes}
    if args.anchors:
        options["anchors"] = args.anchors
    args.out.write_text(TOPOLOGIES[args.topology](**options))
    print(f"{args.out}: {args.topology}, width {args.width:g}, {args.classes} classes")
    return 0


def _darknet(args: argparse.Namespace) -> tuple[onnx.ModelProto, dict[str, Any]]:
    if (args.weights is None) == (args.random_weights is None):
        raise DeepcodError("a cfg needs its .weights, or --random-weights SEED (one of the two)")
    cfg = args.model.read_text(errors="replace")
    if args.weights is None:
        weights = RandomWeights(args.random_weights)
    else:
        weights = WeightsReader(args.weights.read_bytes(), str(args.weights))
    imported = convert(
        cfg,
        weights,
        name=args.name or args.model.stem,
        source=str(args.model),
        fold=not args.keep_batch_norm,
        letterbox=args.letterbox,
    )
    description = imported.description
    if args.pad is not None:
        description["picture"]["letterbox"]["pad"] = args.pad
    if args.weights is None:
        description["provenance"] = f"{_origin(args.model)}, random weights with seed {args.random_weights}"
    else:
        description["provenance"] = f"{_origin(args.model)}, {_origin(args.weights)}"
    return imported.model, description


def _bundle(args: argparse.Namespace) -> tuple[onnx.ModelProto, dict[str, Any]]:
    if any(
        v is not None for v in (args.weights, args.random_weights, args.letterbox, args.pad, args.order, args.scale)
    ):
        raise DeepcodError(f"{args.model}: a bundle says itself what its pictures and weights are; give --out alone")
    return open_bundle(args.model)


def _onnx(args: argparse.Namespace) -> tuple[onnx.ModelProto, dict[str, Any]]:
    if args.weights is not None or args.random_weights is not None:
        raise DeepcodError(f"{args.model}: weights are given beside a .cfg only")
    model = onnx_service.open_model(args.model, args.size)
    picture: dict[str, Any] = {}
    if args.order:
        picture["order"] = args.order
    if args.scale is not None:
        picture["scale"] = args.scale
    description = onnx_service.describe(model, args.name or args.model.stem, picture)
    description["provenance"] = _origin(args.model)
    if args.letterbox:
        description["picture"]["letterbox"]["align"] = args.letterbox
    if args.pad is not None:
        description["picture"]["letterbox"]["pad"] = args.pad
    return model, description


def _write(out: Path, model: onnx.ModelProto, description: dict[str, Any]) -> None:
    if out.suffix != ".onnx":
        raise DeepcodError(f"--out {out}: the name must end in .onnx")
    props = {key: json.dumps(description[key]) for key in ("picture", "decode", "classes") if key in description}
    onnx.helper.set_model_props(model, {"service": description["name"], **props})
    out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(out))
    out.with_suffix(".json").write_text(json.dumps(description, indent=2) + "\n")
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB; {out.with_suffix('.json')}: read it and complete it")


def _origin(path: Path) -> str:
    return f"{path.name} (SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]})"


def _count(tensor: onnx.TensorProto) -> int:
    count = 1
    for length in tensor.dims:
        count *= length
    return count


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"'{text}' is not WIDTHxHEIGHT")
    return int(width), int(height)


def _numbers(text: str) -> list[float]:
    try:
        values = [float(v) for v in text.split(",")]
    except ValueError:
        values = []
    if not values or len(values) % 2:
        raise argparse.ArgumentTypeError(f"'{text}' is not w,h,w,h,...")
    return values

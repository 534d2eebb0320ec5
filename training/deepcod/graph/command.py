"""`deepcod cut`: list the partition points of a service."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .cut import Point, partition_points


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `cut` to the command line."""
    parser = commands.add_parser("cut", help="list where a service can be cut", description=__doc__)
    parser.add_argument("model", type=Path, help="the service, an ONNX file")
    parser.add_argument("--all", action="store_true", help="every single-tensor point, not only the starts of blocks")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    points = partition_points(args.model, default_only=not args.all)
    print(json.dumps([p.as_dict() for p in points], indent=1) if args.json else table(points))
    return 0


def table(points: list[Point]) -> str:
    """Partition points as an aligned table."""
    width = max([len(p.name) for p in points] + [6])
    lines = [f"{'tensor':{width}}  {'shape':>14}  {'raw KB':>8}  {'before, MFLOP':>13}  {'after, MFLOP':>12}  block"]
    for p in points:
        shape = "x".join(str(n) for n in p.shape[1:])
        lines.append(
            f"{p.name:{width}}  {shape:>14}  {p.raw_bytes / 1e3:8.0f}  {p.flops_before / 1e6:13.1f}  "
            f"{p.flops_after / 1e6:12.1f}  {'start' if p.block_start else ''}".rstrip()
        )
    return "\n".join(lines)

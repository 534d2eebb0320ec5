"""`python -m deepcod pack` and `python -m deepcod train`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import torch

from .codec import CodecConfig
from .data import Pictures, pack
from .service import Service
from .train import TrainOptions, train


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands."""
    _add_pack(commands)
    _add_train(commands)


def _add_pack(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "pack",
        help="pictures to one training file",
        description="Scale and pack folders of pictures for codec training.",
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="file to write (.npz)")
    parser.add_argument("--size", type=int, default=416, help="the service's input size (default 416)")
    parser.add_argument("--quality", type=int, default=92, help="JPEG quality of the packed pictures (default 92)")
    parser.add_argument("--limit", type=int, help="at most so many, evenly chosen")
    parser.add_argument(
        "--hold-out", type=int, metavar="K", help="leave out pictures 0, K, 2K, ..., to compare variants on"
    )
    parser.add_argument("--held-out", type=int, metavar="K", help="only the pictures that --hold-out K leaves out")
    parser.set_defaults(run=_pack)


def _pack(arguments: argparse.Namespace) -> int:
    a = arguments
    count = pack(a.folders, a.size, a.out, quality=a.quality, limit=a.limit, hold_out=a.hold_out, held_out=a.held_out)
    print(f"{count} pictures in {a.out}")
    return 0


def _add_train(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("train", help="train a codec for one partition point", description=__doc__)
    parser.add_argument(
        "--service", type=Path, required=True, help="description, such as training/services/yolox-nano.json"
    )
    parser.add_argument("--model", type=Path, required=True, help="the service's ONNX file")
    parser.add_argument(
        "--config", type=Path, required=True, help="codec configuration, such as training/codecs/yolox-nano-input.json"
    )
    parser.add_argument("--pictures", type=Path, nargs="+", required=True, help="files written by `deepcod pack`")
    parser.add_argument(
        "--out", type=Path, required=True, help="codec to write (.pt); a run that was cut resumes from it"
    )
    parser.add_argument("--start", type=Path, help="a trained codec of the same structure to begin with")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    for field in dataclasses.fields(TrainOptions):
        kind = {"int": int, "float": float, "int | None": int}[str(field.type)]
        required = field.default is dataclasses.MISSING
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=kind,
            required=required,
            default=None if required else field.default,
        )
    parser.set_defaults(run=_train)


def _train(arguments: argparse.Namespace) -> int:
    options = TrainOptions(**{f.name: getattr(arguments, f.name) for f in dataclasses.fields(TrainOptions)})
    service = Service.open(arguments.service, arguments.model)
    config = CodecConfig.from_json(json.loads(arguments.config.read_text()))
    device = torch.device(arguments.device)
    pictures = Pictures(arguments.pictures, device, pad=service.facts["picture"]["letterbox"]["pad"])
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    train(
        config,
        service,
        pictures,
        arguments.out,
        options,
        device,
        command=" ".join(["python -m deepcod", *(Path(a).name if "/" in a else a for a in sys.argv[1:])]),
        start=arguments.start,
        report=lambda s: print(s, flush=True),
    )
    return 0

"""`deepcod variants`: what parts of a trained codec give, measured by changing one at a time, with no training.

Each variant is measured at every rate of the codec: distortion (what distillation minimises) and the rate model's
estimate of the payload. The curves are compared as codecs are: bytes at equal distortion (BD-rate). What would be
learned anew around a changed part is not, so a loss is an upper bound and a gain a lower one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from deepcod.codec.codec import Codec, open_codec
from deepcod.codec.data import Pictures
from deepcod.codec.distil import Distillation
from deepcod.codec.service import Service
from deepcod.errors import DeepcodError

from .curve import Curve, bd_rate

Quantise = Callable[[Codec, Tensor, Tensor], tuple[Tensor, Tensor]]


def _as_trained(codec: Codec, u: Tensor, rate: Tensor) -> tuple[Tensor, Tensor]:
    q = codec.quantiser.quantise(u)
    return q, q


def _companded(strength: float) -> Quantise:
    """Steps that grow with the value: sign(u) log(1 + s |u|) / s is what is rounded."""

    def quantise(codec: Codec, u: Tensor, rate: Tensor) -> tuple[Tensor, Tensor]:
        q = codec.quantiser.quantise(u.sign() * torch.log1p(strength * u.abs()) / strength)
        return q.sign() * torch.expm1(strength * q.abs()) / strength, q

    return quantise


def _optimised(price: float, passes: int = 2) -> Quantise:
    """Each symbol one nearer to zero where squared error + price x bits, with the neighbours as they are, falls."""

    def quantise(codec: Codec, u: Tensor, rate: Tensor) -> tuple[Tensor, Tensor]:
        q = nearest = codec.quantiser.quantise(u)
        lower = nearest - nearest.sign()
        for _ in range(passes):
            bits = [codec.rate_model(s, rate, known=q) for s in (nearest, lower)]
            cost = [(u - s).square() + price * b for s, b in zip((nearest, lower), bits, strict=True)]
            q = torch.where(cost[1] < cost[0], lower, nearest)
        return q, q

    return quantise


@dataclass(frozen=True)
class Variant:
    """Maps values in steps to (values as decoded in steps, symbols); `without` names decoder parts to switch off."""

    name: str
    quantise: Quantise = _as_trained
    dead_zone: float | None = None
    without: tuple[str, ...] = ()


VARIANTS = (
    Variant("as trained"),
    Variant("no dead zone", dead_zone=0.0),
    Variant("dead zone half as wide", dead_zone=0.06),
    Variant("dead zone 1.5 times as wide", dead_zone=0.18),
    Variant("steps that grow with the value", _companded(0.05)),
    Variant("symbols chosen by error + 0.1 bits", _optimised(0.1), dead_zone=0.04),
    Variant("decoder without self-attention", without=("attention",)),
    Variant("decoder linear only", without=("residual",)),
)


@contextlib.contextmanager
def _changed(codec: Codec, variant: Variant) -> Iterator[None]:
    dead_zone = codec.quantiser.dead_zone
    off = [codec.decoder.attention.gamma] if "attention" in variant.without else []
    off += list(codec.decoder.exit.parameters()) if "residual" in variant.without else []
    kept = [p.detach().clone() for p in off]
    try:
        codec.quantiser.dead_zone = dead_zone if variant.dead_zone is None else variant.dead_zone
        for p in off:
            p.zero_()
        yield
    finally:
        codec.quantiser.dead_zone = dead_zone
        for p, value in zip(off, kept, strict=True):
            p.copy_(value)


@torch.no_grad()
def measure(codec: Codec, service: Service, pictures: Tensor, variants=VARIANTS) -> list[dict]:
    """For each variant and rate `kb` (estimated, mean a picture) and `distortion`; and `bytes`, % more than the first.

    `pictures` `[N, 3, H, W]`, letterboxed RGB, 0..255; never those that the codec was trained on.
    """
    prefix, remainder, features = service.halves(codec.config.partition)
    distil = Distillation(remainder, features, service.facts["decode"]["type"])
    rows = [{"variant": v.name, "rates": []} for v in variants]
    sums = np.zeros((len(variants), codec.config.rates, 2))
    for picture in tqdm(pictures.split(1), desc="measure", unit="picture"):
        source = service.source(prefix, picture)
        targets, y = distil.targets(source), codec.encoder(codec.normalise(source))
        for i, variant in enumerate(variants):
            with _changed(codec, variant):
                for r in range(codec.config.rates):
                    rate = torch.full((1,), r)
                    step = codec.quantiser.step(rate)
                    z, q = variant.quantise(codec, y / step, rate)
                    error = sum(distil(codec.denormalise(codec.decoder(z * step, rate)), targets))
                    sums[i, r] += codec.rate_model(q, rate).sum().item() / 8192, error.item()
    curves = []
    for row, values in zip(rows, sums / len(pictures), strict=True):
        row["rates"] = [{"kb": round(kb, 3), "distortion": round(d, 4)} for kb, d in values.tolist()]
        curves.append(Curve.fit(values[:, 0], -np.log(values[:, 1])))
    for row, curve in zip(rows, curves, strict=True):
        gap = bd_rate(curves[0], curve)
        row["bytes"] = gap and round(gap[0], 1)
    return rows


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `variants`."""
    parser = commands.add_parser("variants", help="what parts of a trained codec give", description=__doc__)
    parser.add_argument("codec", type=Path, help="trained codec (.pt) of form context")
    parser.add_argument("--service", type=Path, required=True, help="description in training/services")
    parser.add_argument("--model", type=Path, required=True, help="the service's ONNX file")
    parser.add_argument("--pictures", type=Path, required=True, help="pack of pictures that were not trained on")
    parser.add_argument("--limit", type=int, help="at most so many pictures")
    parser.add_argument("--json", type=Path, help="report to write")
    parser.set_defaults(run=run)


def run(a: argparse.Namespace) -> int:
    """Measure, print, write."""
    service = Service.open(a.service, a.model)
    codec, _ = open_codec(a.codec)
    if codec.rate_model is None:
        raise DeepcodError(f"{a.codec}: of form {codec.config.form}, which has one rate and no rate model")
    pictures = Pictures([a.pictures], torch.device("cpu"), pad=service.facts["picture"]["letterbox"]["pad"])
    count = len(pictures) if a.limit is None else min(a.limit, len(pictures))
    rows = measure(codec.eval(), service, pictures.plain(torch.arange(count)))
    for row in rows:
        points = "  ".join(f"{p['distortion']:.3f}@{p['kb']:.1f}" for p in row["rates"])
        change = "not comparable" if row["bytes"] is None else f"{row['bytes']:+.1f}%"
        print(f"{row['variant']:36} {change:>14}  {points}")
    if a.json:
        report = {"service": service.facts["name"], "partition": codec.config.partition, "pictures": count}
        a.json.parent.mkdir(parents=True, exist_ok=True)
        a.json.write_text(json.dumps(report | {"rows": rows}, indent=1) + "\n")
    return 0

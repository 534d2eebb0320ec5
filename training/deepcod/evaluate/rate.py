"""`deepcod rate`: scores what bench/rate.ts measured, compares curves, writes report, plot and the page's section."""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ..errors import DeepcodError
from .ap import Drawn, comparison, interval, resamples
from .curve import Curve, bd_rate
from .page import update_page
from .truth import Truth, load_truth

#: Shares of the uncompressed AP for which the size is looked up.
SHARES = (0.97, 0.99)
#: What our curves are compared with.
REFERENCES = ("jpeg", "webp", "avif", "paper")
#: A list of numbers in indented JSON; a string holds no line feed.
_NUMBERS = re.compile(r"\[\n([-+.\deE,\s]+)\]")
#: An interval is given where at least this share of the draws has curves that can be compared.
_ENOUGH = 0.95


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `rate`."""
    p = commands.add_parser("rate", help="score what `npm run bench:rate` measured", description=__doc__)
    p.add_argument("measured", type=Path, help="JSON written by bench/rate.ts: files of detections and bytes")
    p.add_argument("--images", type=Path, required=True, help="folder of pictures")
    p.add_argument("--annotations", type=Path, required=True, help="COCO JSON")
    p.add_argument("--resamples", type=int, default=300, help="draws of the bootstrap (default 300)")
    p.add_argument("--seed", type=int, default=0, help="of the bootstrap (default 0)")
    p.add_argument("--json", type=Path, required=True, help="report to write; the plot goes beside it")
    p.add_argument("--page", type=Path, help="Markdown page with a section for the report")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score, write, draw."""
    from .plot import draw  # here: no other command should wait for matplotlib

    measured = json.loads(args.measured.read_text())
    truth = load_truth(args.annotations, args.images, measured["classes"]).only(measured["pictures"])
    report = score(measured, truth, args.resamples, args.seed)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(args.json, as_json(report))
    draw(report, args.json.with_suffix(".svg"), args.json.with_suffix(".png"))
    if args.page:
        update_page(args.page, args.json, report)
    print(f"{args.json}: {len(report['rows'])} rows; {args.json.with_suffix('.svg').name}, .png")
    return 0


def as_json(report: dict[str, Any]) -> str:
    """Indented JSON, a list of numbers on one line."""
    return _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", json.dumps(report, indent=1)) + "\n"


def write_atomically(path: Path, content: str) -> None:
    """The whole file or nothing."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        file.write(content)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)


@dataclass
class _Scored:
    """One row with its draws: AP, AP50 [count, 2] in `drawn`, mean bytes [count] in `sizes`."""

    row: dict[str, Any]
    drawn: Drawn
    size: float
    sizes: np.ndarray


def score(measured: dict[str, Any], truth: Truth, count: int, seed: int) -> dict[str, Any]:
    """The report. All methods are measured on the same draws of pictures, so that what they share cancels."""
    weights = resamples(len(truth.images), count, seed)
    raw = _load(Path(measured["uncompressed"]))
    reference = Drawn(truth, detections(truth, raw), weights)
    if not reference.point[0] > 0:
        raise DeepcodError(
            f"{measured['service']} finds nothing on {truth.name}, even uncompressed: there is no accuracy to keep",
            "Do the annotations belong to these pictures, and their categories to this service?",
        )
    scored = [
        _row(entry, truth, reference, weights)
        for entry in tqdm(measured["rows"], desc="score", unit="row", disable=None)
    ]
    scores = reference.scores()
    return {
        "service": measured["service"],
        "dataset": truth.name,
        "images": len(truth.images),
        "boxes": len(truth.annotations),
        "kb": "1 KB = 1024 bytes; mean over the pictures",
        "interval": f"95%, bootstrap over pictures, {count} draws, the same for every row",
        "seed": seed,
        **measured["facts"],
        "bundles": measured["bundles"],
        "uncompressed": {
            "ap": _round(scores.ap.value),
            "ap50": _round(scores.ap50.value),
            "ap_interval": scores.ap.as_list()[1:],
            "ap50_interval": scores.ap50.as_list()[1:],
            "kb": round(float(np.mean(raw["bytes"])) / 1024, 3),
            "network_ms": raw["network_ms"],
        },
        "rows": [s.row for s in scored],
        **_compare_curves(scored, reference),
    }


def _load(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text())["value"]


def detections(truth: Truth, measured: dict[str, Any]) -> list[dict[str, Any]]:
    """Detections with their image_id; they were measured in the order of the pictures."""
    return [
        {"image_id": image["id"], "category_id": d["class"], "bbox": d["box"], "score": d["score"]}
        for image, found in zip(truth.images, measured["detections"], strict=True)
        for d in found
    ]


def _row(entry: dict[str, Any], truth: Truth, reference: Drawn, weights: np.ndarray) -> _Scored:
    measured = _load(Path(entry["file"]))
    drawn = Drawn(truth, detections(truth, measured), weights)
    versus = comparison(reference, drawn)
    sizes = np.array(measured["bytes"], float)
    row = {
        "method": entry["method"],
        "partition": entry["partition"],
        "rate": entry["rate"],
        "kb": round(float(sizes.mean()) / 1024, 3),
        "kb_images": [round(size / 1024, 3) for size in sizes.tolist()],
        "ap": _round(versus.other.ap.value),
        "ap50": _round(versus.other.ap50.value),
        "ap_relative": _round(versus.ap_relative.value),
        "encode_ms": measured["encode_ms"],
        "decode_ms": measured["decode_ms"],
        "network_ms": measured["network_ms"],
        "ap_interval": versus.other.ap.as_list()[1:],
        "ap_relative_interval": versus.ap_relative.as_list()[1:],
        "ap50_difference_interval": versus.ap50_difference.as_list()[1:],
    }
    return _Scored(row, drawn, float(sizes.mean()), weights @ sizes / weights.sum(1))


def curves(rows: list[dict[str, Any]]) -> dict[tuple[str, str | None], list[int]]:
    """Which rows make one curve: (method, partition) -> their numbers."""
    groups: dict[tuple[str, str | None], list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault((row["method"], row["partition"]), []).append(index)
    return groups


def _compare_curves(scored: list[_Scored], reference: Drawn) -> dict[str, Any]:
    """`bd_rate` of each of our curves against each of the others, and `kb_needed` of every curve."""
    groups = curves([s.row for s in scored])
    fitted = {
        name: Curve.fit(np.array([scored[i].size for i in rows]), np.array([scored[i].drawn.point[0] for i in rows]))
        for name, rows in groups.items()
    }
    drawn = {name: _drawn_curves([scored[i] for i in rows], len(reference.draws)) for name, rows in groups.items()}

    rates = []
    for ours in (name for name in groups if name[0] == "ours"):
        for other in (name for name in groups if name[0] in REFERENCES):
            found = bd_rate(fitted[other], fitted[ours])
            both = zip(drawn[other], drawn[ours], strict=True)
            draws = [d[0] for a, b in both if (d := bd_rate(a, b)) is not None]
            rates.append(
                {
                    "method": ours[0],
                    "partition": ours[1],
                    "reference": other[0],
                    "reference_partition": other[1],
                    "percent": None if found is None else round(found[0], 2),
                    "interval": _draws_interval(found and found[0], draws, len(reference.draws)),
                    "ap_range": None if found is None else [_round(v) for v in found[1]],
                }
            )

    needed = []
    for name, curve in fitted.items():
        for share in SHARES:
            found = curve.size_for(share * reference.point[0])
            sizes = [c.size_for(share * r) for c, r in zip(drawn[name], reference.draws[:, 0], strict=True)]
            draws = [s[0] / 1024 for s in sizes if s is not None]
            needed.append(
                {
                    "method": name[0],
                    "partition": name[1],
                    "share": share,
                    "kb": None if found is None else round(found[0] / 1024, 3),
                    "interval": _draws_interval(found and found[0] / 1024, draws, len(reference.draws)),
                    "or_less": found is not None and found[1],
                }
            )
    return {"bd_rate": rates, "kb_needed": needed}


def _drawn_curves(rows: list[_Scored], count: int) -> list[Curve]:
    return [
        Curve.fit(np.array([r.sizes[i] for r in rows]), np.array([r.drawn.draws[i, 0] for r in rows]))
        for i in range(count)
    ]


def _draws_interval(value: float | None, draws: list[float], count: int) -> list[float] | None:
    """[low, high], or None where the value, or too many of its draws, does not exist."""
    if value is None or not draws or len(draws) < _ENOUGH * count:
        return None
    found = interval(value, np.array(draws))
    return [round(found.low, 3), round(found.high, 3)]


def _round(value: float) -> float:
    return round(float(value), 5)

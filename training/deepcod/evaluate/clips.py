"""`deepcod clips`: scores what bench/clips.ts measured on video, and compares sizes at equal agreement.

Agreement is AP with the uncompressed service's detections, above its own threshold, as truth: 1 means that compression
changed nothing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from .ap import average_precision
from .curve import Curve
from .truth import Truth

OURS = "ours"


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `clips`."""
    p = commands.add_parser("clips", help="score what `npm run bench:clips` measured", description=__doc__)
    p.add_argument("measured", type=Path, help="JSON written by bench/clips.ts")
    p.add_argument("--json", type=Path, required=True, help="report to write")
    p.add_argument("--page", type=Path, help="Markdown page to write")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score, write."""
    report = score(json.loads(args.measured.read_text()))
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(report, indent=1) + "\n")
    if args.page:
        args.page.write_text(page(report, args.json.name))
    print(page(report, args.json.name))
    return 0


def score(measured: dict[str, Any]) -> dict[str, Any]:
    """The report: each clip by itself, and all clips of one rate of pictures together (every clip counts the same)."""
    classes = len(measured["classes"])
    series = measured["series"]
    rates = sorted({s["wanted"] for s in series})
    return {
        **{k: measured[k] for k in ("service", "bundle")},
        **measured["facts"],
        "kb": "1 KB = 1024 bytes; mean over all frames",
        "agreement": "AP with the uncompressed service's detections as truth; null where it finds nothing",
        "series": [
            {
                **{k: s[k] for k in ("clip", "wanted", "fps", "frames")},
                "shown": len(s["truth"]),
                "boxes": sum(map(len, s["truth"])),
                "rows": _rows([s], classes),
            }
            for s in series
        ],
        "all": [_together([s for s in series if s["wanted"] == rate], rate, classes) for rate in rates],
    }


def _together(series: list[dict[str, Any]], rate: float, classes: int) -> dict[str, Any]:
    rows = _rows(series, classes)
    boxes = sum(len(frame) for s in series for frame in s["truth"])
    return {"fps": rate, "boxes": boxes, "rows": rows, "needed": _needed(rows) if boxes else []}


def _rows(series: list[dict[str, Any]], classes: int) -> list[dict[str, Any]]:
    """One row for each method and setting, over these clips together."""
    truth = _truth(series, classes)
    rows = []
    for index, first in enumerate(series[0]["rows"]):
        same = [s["rows"][index] for s in series]
        found, image = [], 0
        for s, row in zip(series, same, strict=True):
            for frame in row["detections"]:
                found += [_box(d, image) | {"score": d["score"]} for d in frame]
                image += 1
            assert len(row["detections"]) == len(s["truth"])
        ap, ap50 = average_precision(truth, found) if truth.annotations else (None, None)
        rows.append(
            {
                "method": first["method"],
                "setting": first["setting"],
                "kb": round(float(np.mean([row["bytes"] for row in same])) / 1024, 4),
                "ap": ap and round(ap, 4),
                "ap50": ap50 and round(ap50, 4),
                **({"key_frames": sum(r["key_frames"] for r in same)} if "key_frames" in first else {}),
            }
        )
    return rows


def _truth(series: list[dict[str, Any]], classes: int) -> Truth:
    images, annotations = [], []
    for s in series:
        for frame in s["truth"]:
            image = len(images)
            images.append({"id": image, "file_name": str(image), "width": s["width"], "height": s["height"]})
            for d in frame:
                box = _box(d, image)
                area = d["box"][2] * d["box"][3]
                annotations.append({"id": len(annotations) + 1, **box, "area": area, "iscrowd": 0})
    return Truth("clips", images, annotations, classes)


def _box(detection: dict[str, Any], image: int) -> dict[str, Any]:
    return {"image_id": image, "category_id": detection["class"], "bbox": detection["box"]}


def _needed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each rate of ours: what the other methods need for the same agreement; null where they do not reach it."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    curves = {}
    for method in methods:
        points = [row for row in rows if row["method"] == method]
        curves[method] = Curve.fit(np.array([p["kb"] for p in points]), np.array([p["ap"] for p in points]))
    wanted = [row for row in rows if row["method"] == (OURS if OURS in methods else f"{OURS}, key frames")]
    return [{"setting": w["setting"], "ap": w["ap"], "kb": _sizes(curves, w)} for w in wanted]


def _sizes(curves: dict[str, Curve], wanted: dict[str, Any]) -> dict[str, Any]:
    sizes: dict[str, Any] = {}
    for method, curve in curves.items():
        if method.startswith(OURS):
            continue
        size = curve.size_for(wanted["ap"])
        sizes[method] = None if size is None else round(size[0], 3)
        if size is not None and size[1]:
            sizes[f"{method}, at most"] = True
    return sizes


def page(report: dict[str, Any], json_name: str) -> str:
    """Markdown: what is needed for equal agreement, and every row."""
    lines = [
        "# Between frames: measured on video",
        "",
        f"Service {report['service']}, partition point `{report['partition']}`, bundle `{report['bundle']}`, by",
        f"`{report['command']}`; every figure is in [{json_name}]({json_name}).",
        "KB (1024 bytes) are means over all frames, headers of our messages included. Agreement is AP with the",
        "uncompressed service's own detections on the same frames as truth; between frames, symbols stay while they",
        "are nearly as good as new ones, so it has an agreement of its own. Each clip counts the same; a clip that was",
        "taken at fewer pictures a second than the table says is played at its own rate; one in which the service",
        "finds nothing counts for sizes alone. Files that are H.264 already favour H.264.",
        "",
    ]
    for group in report["all"]:
        rows = {(r["method"], r["setting"]): r for r in group["rows"]}
        lines += [f"## {group['fps']} pictures a second", "", f"Agreement is over {group['boxes']} boxes.", ""]
        if group["needed"]:
            lines += [
                "| ours | each frame alone, KB | its agreement | between frames, KB | its agreement "
                "| for that: motion JPEG, KB | H.264, KB |",
                "|---|---:|---:|---:|---:|---:|---:|",
            ]
        for n in group["needed"]:
            alone, inter = (rows.get((m, n["setting"]), {}) for m in (f"{OURS}, key frames", OURS))
            others = [_size(n["kb"], method) for method in ("motion JPEG", "H.264")]
            ours = [f(r.get(k)) for r in (alone, inter) for k, f in (("kb", _kb), ("ap", _ap))]
            cells = [n["setting"], *ours, *others]
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    lines += ["## By clip", "", "| clip | fps | method | KB | agreement |", "|---|---:|---|---|---|"]
    for s in report["series"]:
        for method in dict.fromkeys(r["method"] for r in s["rows"]):
            rows = [r for r in s["rows"] if r["method"] == method]
            sizes = ", ".join(f"{r['kb']:.2f}" for r in rows)
            aps = ", ".join(f"{r['ap']:.2f}" for r in rows) if s["boxes"] else "no detection"
            lines.append(f"| {s['clip']} | {s['fps']:.4g} | {method} | {sizes} | {aps} |")
    return "\n".join(lines) + "\n"


def _kb(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _ap(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _size(kb: dict[str, Any], method: str) -> str:
    """`-`: not measured; `not reached`; `< x` where even the smallest measured one agrees more."""
    if method not in kb:
        return "–"
    if kb[method] is None:
        return "not reached"
    return f"{'< ' if kb.get(f'{method}, at most') else ''}{kb[method]:.2f}"

"""Scores of what bench/clips.ts measures, on detections whose agreement is known."""

from __future__ import annotations

import json

from deepcod.cli import main


def box(x, score=0.9):
    return {"class": 0, "label": "a", "score": score, "box": [x, 10, 20, 20]}


def series(clip, truth, methods):
    rows = [
        {"method": m, "setting": f"{m} {i}", "bytes": size, "detections": found}
        | ({"key_frames": 1} if m == "ours" else {})
        for m, points in methods.items()
        for i, (size, found) in enumerate(points)
    ]
    return {"clip": clip, "wanted": 5, "fps": 5, "frames": 8, "width": 100, "height": 50, "truth": truth, "rows": rows}


def test_sizes_at_equal_agreement(tmp_path):
    truth = [[box(0), box(50)], [box(20)]]
    half, none = [[box(0)], []], [[], []]
    methods = {
        "ours, key frames": [(1024, half), (2048, truth)],
        "ours": [(512, half), (1024, truth)],
        "motion JPEG": [(1024, none), (3072, half), (4096, truth)],
        "H.264": [(100, none), (512, half)],
    }
    empty = series("b.mp4", [[], []], {m: [(s, none) for s, _ in points] for m, points in methods.items()})
    measured = {
        "service": "s",
        "bundle": "b",
        "classes": ["a"],
        "facts": {"command": "c", "partition": "input"},
        "series": [series("a.mp4", truth, methods), empty],
    }
    (tmp_path / "measured.json").write_text(json.dumps(measured))
    files = ["--json", str(tmp_path / "clips.json"), "--page", str(tmp_path / "clips.md")]
    assert main(["clips", str(tmp_path / "measured.json"), *files]) == 0
    report = json.loads((tmp_path / "clips.json").read_text())
    first, second = report["series"]
    assert (first["boxes"], second["boxes"]) == (3, 0)
    assert [r["ap"] for r in first["rows"] if r["method"] == "ours"][1] == 1
    assert {r["ap"] for r in second["rows"]} == {None}
    low, high = report["all"][0]["needed"]
    assert low["kb"] == {"motion JPEG": 3, "H.264": 0.5}
    assert high["ap"] == 1 and high["kb"] == {"motion JPEG": 4, "H.264": None}
    text = (tmp_path / "clips.md").read_text()
    assert "| ours 1 | – | – | 1.00 | 1.000 | 4.00 | not reached |" in text
    assert "| b.mp4 | 5 | ours | 0.50, 1.00 | no detection |" in text

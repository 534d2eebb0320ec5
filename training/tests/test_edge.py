"""The page of the edge at its limits."""

import json
from pathlib import Path
from typing import Any

from deepcod.cli import main

COLUMNS = {"provider": "cpu", "batch": 1.0, "p50_ms": 100, "p99_ms": 200, "refused": 0, "unanswered": 0}
TIMES = {"decode_ms": 1.0, "edge_cpu_ms": 150.0, "bare_cpu_ms": 140.0, "broker_cpu_ms": None}


def _row(cameras: int, fps: float, bare_fps: float) -> dict[str, Any]:
    return {"cameras": cameras, "fps": fps, "bare_fps": bare_fps, "share": fps / bare_fps, **COLUMNS, **TIMES}


def test_page_says_the_worst_share_and_how_certain_it_is(tmp_path: Path) -> None:
    report = {
        "command": "npm run bench:edge",
        "goal": "at saturation at least 95% of the bare loop",
        "bundle": "worksite",
        "partition": "input",
        "broker": "mosquitto",
        "rows": [_row(1, 5.0, 10.0), _row(2, 9.0, 12.0), _row(4, 10.0, 10.0)],
        "bare": {"one": 11.0, "spinning": 12.0},
        "decoder_share": None,
        "devices": [],
        "machine": {
            "cpu": "a processor",
            "cores": 2,
            "memory_gib": 4,
            "os": "linux",
            "arch": "x64",
            "load_before": 0.1,
        },
        "versions": {"node": "20", "onnxruntime": "1"},
    }
    measured = tmp_path / "measured.json"
    measured.write_text(json.dumps(report))
    page = tmp_path / "edge.md"
    assert main(["edge", str(measured), "--json", str(tmp_path / "edge.json"), "--page", str(page)]) == 0
    text = page.read_text()
    assert "With more than one camera the least was 75% (2 cameras)." in text
    assert "between 10.0 and 12.0" in text
    assert "All rows together: 75% of it." in text
    assert "| 1 | cpu | 1.0 | 5.0 | 10.0 | 50% |" in text
    assert "Many devices" not in text
    for name in ("edge.png", "edge.svg"):
        assert (tmp_path / name).stat().st_size > 1000

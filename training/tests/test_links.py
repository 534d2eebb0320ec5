"""Plots and page of what bench/links.ts measures, on rows whose figures are known."""

from __future__ import annotations

import json

import pytest

from deepcod.baselines.names import COLOURS, LABELS
from deepcod.cli import main
from deepcod.evaluate.links_rows import methods, note

PARTS = ("parts", "bandwidth", "background")


def row(method, device, edge, mbps, p50, background=0):
    return {
        "method": method,
        "device": device,
        "edge": edge,
        "mbps": mbps,
        "delay_ms": 2,
        "background_mbps": background,
        "p50_ms": p50,
        "p95_ms": p50,
        "kb": 1,
        "ap_relative": 0.5 if method == "offload-cs" else 0.999,
        "within_floor": method != "offload-cs",
        "partition": "stage1",
        "setting": 0,
        "device_part_ms": p50 / 2,
        "link_ms": p50 / 4,
        "edge_part_ms": p50 / 4,
        "computed": mbps == 2 and method == "offload",
        "energy_mj": 77,
        "energy_active_mj": 33,
        "simulated": ["device", "energy", "sizes", *(["edge"] if edge == "gpu" else [])],
    }


def write(folder, ratios):
    power = {"idle_w": 1, "busy_w": 4, "send_w": 2, "source": "someone"}
    times = {"ours": 100, "offload": 4321, "offload-cs": 90}
    cells = [(2, 0), (10, 0), (54, 0), (54, 20)]
    report = {
        "service": "s",
        "quick": True,
        "command": "npm run bench:links -- x",
        "machine": {"cpu": "c", "cores": 1, "os": "o"},
        "link": "namespaces",
        "broker": "b",
        "accuracy_floor": "floor",
        "gpu_speed_up": 20,
        "devices": [
            {"id": d, "name": f"Raspberry {d}", "slow_down": 2.5, "source": "somewhere", "power": power}
            for d in ("Pi 4", "Pi 5")
        ],
        "ratios": ratios,
        "rows": [
            row(method, device, edge, mbps, ms, background)
            for method, ms in times.items()
            for device in ("Pi 4", "Pi 5")
            for edge in ("cpu", "gpu")
            for mbps, background in cells
        ],
    }
    file = folder / "links-s.json"
    file.write_text(json.dumps(report))
    return file


def test_plots_and_section(tmp_path):
    cell = {"device": "Pi 4", "edge": "gpu", "mbps": 2, "delay_ms": 2, "background_mbps": 0, "ratio": 43.2}
    goals = {
        "fastest": {"ours": {"cells": 8, "won": 6, "won_at_equal_accuracy": 8, "worst": 1.23}},
        "offload_pi4_2mbps": {"wanted": 8, "found": [cell]},
        "offload_low_end": {"wanted": 35, "found": cell},
    }
    file = write(tmp_path, goals)
    page = tmp_path / "links.md"
    page.write_text("before\n<!-- begin links-s.json -->\nold\n<!-- end links-s.json -->\nafter\n")
    assert main(["links", str(file), "--page", str(page)]) == 0
    for part in PARTS:
        assert (tmp_path / f"links-s-{part}.svg").stat().st_size > 1000
        assert (tmp_path / f"links-s-{part}.png").stat().st_size > 1000
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "A quick check, not a measurement." in text and "assumed, not measured: sizes" in text
    gpu = "simulated: devices, the edge with a GPU; computed: links too slow to time; assumed: sizes)"
    assert "ours: in 6 of 8 cells" in text
    assert f"a point of AP in 8, at worst 1.23 times as long as the fastest of them ({gpu}." in text
    assert f"43.2 times (edge: gpu, 2 ms; {gpu}." in text
    assert f"At most 43.2 times at 2 Mbit/s (Pi 4, edge: gpu, 2 ms; {gpu}." in text
    assert "2 ms there and back (simulated: devices; computed: links too slow to time; assumed: sizes):" in text
    assert "(simulated: devices, energy; computed: links too slow to time; assumed: sizes):\n" in text
    assert "| offload, compressive sensing | Pi 4 | cpu | no | 4 | 2 to 54 | 1.11 to 1.11 |" in text
    assert "| offload | 0.999 | 4321 (c) stage1 | 4321 stage1 | 4321 stage1 |" in text
    assert "| ours | 77 (33) | 77 (33) | 77 (33) | 77 (33) |" in text


def test_without_ours_or_rows(tmp_path):
    file = write(tmp_path, None)
    report = json.loads(file.read_text())
    report["rows"] = [r for r in report["rows"] if r["method"] != "ours" and r["background_mbps"] == 0]
    file.write_text(json.dumps(report))
    page = tmp_path / "links.md"
    page.write_text("<!-- begin links-s.json -->\n<!-- end links-s.json -->")
    assert main(["links", str(file), "--page", str(page)]) == 0
    assert "Ours is not among the methods." in page.read_text()
    assert not (tmp_path / "links-s-background.svg").exists()
    file.write_text("{}")
    assert main(["links", str(file)]) == 2


def test_page_without_markers(tmp_path, capsys):
    page = tmp_path / "links.md"
    page.write_text("no section")
    assert main(["links", str(write(tmp_path, None)), "--page", str(page)]) == 2
    assert "has no section for links-s.json" in capsys.readouterr().err


@pytest.mark.parametrize("part", PARTS)
def test_plots_are_the_same_twice(tmp_path, part):
    file = write(tmp_path, None)
    drawn = []
    for _ in range(2):
        assert main(["links", str(file)]) == 0
        drawn.append((tmp_path / f"links-s-{part}.svg").read_bytes())
    assert drawn[0] == drawn[1]


def test_every_plot_says_what_is_not_real(tmp_path):
    file = write(tmp_path, None)
    assert main(["links", str(file)]) == 0
    said = {part: (tmp_path / f"links-s-{part}.svg").read_text() for part in PARTS}
    # Text is drawn as glyphs; what was drawn stands in a comment before them.
    assert "simulated: devices, the edge with a GPU; computed: links too slow to time; assumed: sizes" in said["parts"]
    assert "simulated: devices; computed: links too slow to time; assumed: sizes" in said["bandwidth"]
    assert "simulated: devices; assumed: sizes" in said["background"]


def test_note_names_what_is_simulated():
    loopback = row("ours", "Pi 4", "cpu", 2, 1) | {"simulated": ["device", "link"]}
    assert note([loopback]) == "simulated: devices, links"
    assert note([]) == ""


def test_methods_have_a_place_and_a_colour_of_their_own():
    shown = methods([{"method": method} for method in [*LABELS, "another"]])
    assert shown[0] == "ours" and shown[-1] == "another" and set(shown[:-1]) == COLOURS.keys()
    assert len(set(COLOURS.values())) == len(LABELS)

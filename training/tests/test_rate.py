"""Accuracy over bytes: curves, BD-rate, the report, plot and page; and the whole bench on drawn pictures."""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_evaluate import made_up

from deepcod.errors import DeepcodError
from deepcod.evaluate.curve import Curve, bd_rate, isotonic, pchip
from deepcod.evaluate.page import update_page
from deepcod.evaluate.plot import draw
from deepcod.evaluate.rate import as_json, score

ROOT = Path(__file__).resolve().parents[2]

# The two pairs of curves with which implementations of BD-rate are usually compared (kbit/s and dB); the expected
# values are those of the package `bjontegaard` 1.3 (method pchip, which agrees with the JCT-VC sheet).
KNOWN = [
    (
        ([686.76, 309.58, 157.11, 85.95], [40.28, 37.18, 34.24, 31.42]),
        ([893.34, 407.8, 204.93, 112.75], [40.39, 37.21, 34.17, 31.24]),
        31.379878,
    ),
    (
        ([9487.76, 4593.60, 2486.44, 1358.24], [40.037, 38.615, 36.845, 34.851]),
        ([9787.80, 4469.00, 2451.52, 1356.24], [40.121, 38.651, 36.970, 34.987]),
        -4.417485,
    ),
]


@pytest.mark.parametrize(("reference", "other", "percent"), KNOWN)
def test_bd_rate_of_known_curves(reference: tuple, other: tuple, percent: float) -> None:
    found = bd_rate(Curve.fit(*map(np.array, reference)), Curve.fit(*map(np.array, other)))
    assert found is not None
    assert found[0] == pytest.approx(percent, abs=1e-3)


def test_bd_rate_of_half_the_bytes_is_minus_fifty() -> None:
    size, ap = np.array([2.0, 5, 9, 20]), np.array([0.1, 0.25, 0.3, 0.32])
    found = bd_rate(Curve.fit(size, ap), Curve.fit(size / 2, ap))
    assert found is not None
    assert found[0] == pytest.approx(-50, abs=1e-9)
    assert found[1] == (0.1, 0.32)
    assert bd_rate(Curve.fit(size, ap), Curve.fit(size, ap + 1)) is None


def test_pchip_equals_scipy() -> None:
    x, y = np.array([0, 1, 2.5, 3, 5]), np.array([0, 2, 2.2, 4, 4.1])
    # scipy.interpolate.PchipInterpolator(x, y)
    expected = [0.8190343362831858, 2.0425695385027307, 2.849626674331706, 4.080612244897959]
    assert np.allclose(pchip(x, y, np.array([0.3, 1.2, 2.7, 4])), expected, atol=1e-12)
    assert np.allclose(pchip(x, y, x), y)
    assert np.allclose(pchip(x[:2], y[:2], np.array([0.25])), 0.5)


def test_isotonic_regression() -> None:
    assert isotonic(np.array([1.0, 3, 2, 4])).tolist() == [1, 2.5, 2.5, 4]
    assert isotonic(np.array([4.0, 3, 2])).tolist() == [3, 3, 3]
    assert isotonic(np.array([1.0, 2, 3])).tolist() == [1, 2, 3]


def test_a_dip_keeps_the_smaller_size() -> None:
    curve = Curve.fit(np.array([8.0, 2, 4, 1]), np.array([0.30, 0.28, 0.26, 0.1]))
    assert np.allclose(curve.accuracy, [0.1, 0.27, 0.30])
    assert np.allclose(np.exp(curve.log_size), [1, 2, 8])
    assert curve.size_for(0.31) is None
    assert curve.size_for(0.05) == (pytest.approx(1), True)
    assert curve.size_for(0.27) == (pytest.approx(2), False)
    between = curve.size_for(0.29)
    assert between is not None
    assert 2 < between[0] < 8


@pytest.fixture
def report(tmp_path: Path) -> dict:
    """A report on made-up pictures: JPEG, and `ours` that keeps the same boxes with half of the bytes."""
    truth, found = made_up()
    by_image = {
        image["id"]: [
            {"class": d["category_id"], "box": d["bbox"], "score": d["score"]}
            for d in found
            if d["image_id"] == image["id"]
        ]
        for image in truth.images
    }

    def measured(name: str, kb: float, drop: int) -> str:
        detections = [
            [d for i, d in enumerate(boxes) if not drop or (n + i) % drop] for n, boxes in enumerate(by_image.values())
        ]
        times = {"encode_ms": 1.0, "decode_ms": 2.0, "network_ms": 3.0}
        value = {"bytes": [kb * 1024] * len(detections), "detections": detections, **times}
        (tmp_path / name).write_text(json.dumps({"value": value}))
        return str(tmp_path / name)

    entries = []
    for method, partition, factor in (("jpeg", None, 1.0), ("ours", "input", 0.5)):
        for rate, (kb, drop) in enumerate([(4, 2), (8, 3), (16, 8)]):
            file = measured(f"{method}{rate}.json", kb * factor, drop)
            entries.append({"method": method, "partition": partition, "rate": rate, "file": file})
    content = {
        "service": "made-up",
        "uncompressed": measured("raw.json", 507, 0),
        "rows": entries,
        "bundles": ["0" * 16],
        "facts": {
            "quick": False,
            "command": "npm run bench:rate -- --json made-up.json",
            "machine": {"cpu": "abacus"},
            "versions": {"sharp": "0", "onnxruntime": "0"},
        },
    }
    return score(content, truth, 40, 3)


def test_report(report: dict) -> None:
    keys = {"method", "partition", "rate", "kb", "ap", "ap50", "ap_relative", "encode_ms", "decode_ms"}
    assert all(keys <= set(row) for row in report["rows"])
    assert [row["kb"] for row in report["rows"]] == [4, 8, 16, 2, 4, 8]
    assert all(row["kb_images"] == [row["kb"]] * report["images"] for row in report["rows"])
    first = report["rows"][0]
    assert first["ap_relative"] == pytest.approx(first["ap"] / report["uncompressed"]["ap"], abs=1e-4)
    assert first["ap_interval"][0] < first["ap"] < first["ap_interval"][1]
    (rate,) = report["bd_rate"]
    assert (rate["reference"], rate["partition"]) == ("jpeg", "input")
    assert rate["percent"] == pytest.approx(-50, abs=0.01)
    assert rate["interval"] == pytest.approx([-50, -50], abs=0.01)
    jpeg, ours = ([n for n in report["kb_needed"] if n["method"] == m and n["share"] == 0.97] for m in ("jpeg", "ours"))
    assert (jpeg[0]["kb"], ours[0]["kb"]) == (None, None) or jpeg[0]["kb"] == pytest.approx(2 * ours[0]["kb"])


def test_a_list_of_numbers_is_one_line() -> None:
    content = {"kb_images": [1.5, -2, 3e-07], "rows": [{"a": [], "b": ["[\n1\n]", None]}], "pairs": [[1, 2], [3, 4]]}
    text = as_json(content)
    assert json.loads(text) == content
    assert ' "kb_images": [1.5, -2, 3e-07],\n' in text
    assert "  [1, 2],\n" in text


def test_nothing_found_is_an_error(tmp_path: Path) -> None:
    truth, _ = made_up(3)
    nothing = tmp_path / "raw.json"
    nothing.write_text(json.dumps({"value": {"bytes": [1, 1, 1], "detections": [[], [], []]}}))
    measured = {"service": "blind", "uncompressed": str(nothing), "rows": []}
    with pytest.raises(DeepcodError, match="blind finds nothing"):
        score(measured, truth, 5, 0)


def test_plot_and_page(report: dict, tmp_path: Path) -> None:
    draw(report, tmp_path / "rate.svg", tmp_path / "rate.png")
    assert (tmp_path / "rate.svg").read_text().startswith("<?xml")
    assert (tmp_path / "rate.png").read_bytes()[:4] == b"\x89PNG"
    again = tmp_path / "again.svg"
    draw(report, again)
    assert again.read_bytes() == (tmp_path / "rate.svg").read_bytes()

    page, file = tmp_path / "rate.md", tmp_path / "rate.json"
    page.write_text("before\n<!-- begin rate.json -->\nold\n<!-- end rate.json -->\nafter\n")
    update_page(page, file, report)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("-->\nafter\n")
    assert "old" not in text
    assert "| ours, `input` | -50% [-50, -50] |" in text
    update_page(page, file, report)
    assert page.read_text() == text
    unreached = copy.deepcopy(report)
    unreached["bd_rate"][0] |= {"percent": None, "interval": None}
    update_page(page, file, unreached)
    assert "no AP in common" in page.read_text()
    with pytest.raises(DeepcodError, match=r"no section for other\.json"):
        update_page(page, tmp_path / "other.json", report)


BENCH = ROOT / "dist" / "bench" / "rate.js"
SITE = """
import { writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { drawFrame } from './dist/agent/camera/simulated.js';
import { Scene } from './dist/agent/camera/simulated/scene.js';
const out = process.argv[1];
const images = [], annotations = [];
const size = { width: 640, height: 360 };
for (let i = 0; i < 3; i++) {
  const { data, truth } = await drawFrame(new Scene(7), 7, 90 * i, size);
  await sharp(data, { raw: { ...size, channels: 3 } }).png().toFile(`${out}/${i}.png`);
  images.push({ id: i, file_name: `${i}.png`, ...size });
  const scene = await import('./dist/agent/camera/simulated/scene.js');
  for (const { class: category_id, box } of truth) {
    const scale = size.width / scene.SOURCE_WIDTH;
    annotations.push({ id: annotations.length, image_id: i, category_id, bbox: box.map((v) => v * scale) });
  }
}
const categories = [{ id: 0, name: 'head' }, { id: 1, name: 'helmet' }];
writeFileSync(`${out}/instances.json`, JSON.stringify({ images, annotations, categories }));
"""


def test_the_whole_bench(tmp_path: Path) -> None:
    assert BENCH.exists(), f"{BENCH} is missing: run `npm run build` first"
    node = shutil.which("node")
    assert node is not None
    subprocess.run([node, "--input-type=module", "-e", SITE, str(tmp_path)], cwd=ROOT, check=True)
    report = tmp_path / "rate.json"
    command = [node, str(BENCH), "--quick", "--images", str(tmp_path), "--json", str(report), "--partition", "stage2"]
    command += ["--annotations", str(tmp_path / "instances.json")]
    env = {**os.environ, "DEEPCOD_PYTHON": sys.executable}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    content = json.loads(report.read_text())
    assert content["quick"] is True
    assert content["uncompressed"]["ap"] > 0.2
    named = {(r["method"], r["partition"]) for r in content["rows"]}
    assert named == {("jpeg", None), ("webp", None), ("avif", None), ("ours", "stage2")}
    for name in named:
        small, large = (r for r in content["rows"] if (r["method"], r["partition"]) == name)
        assert small["kb"] < large["kb"]
        assert small["encode_ms"] > 0
    assert (tmp_path / "rate.svg").exists()
    assert (tmp_path / "rate.png").exists()

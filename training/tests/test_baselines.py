"""The paper's baselines: real messages that decode again, errors that fall as bytes rise, and the whole command."""

import heapq
import itertools
import json
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from small import SIZE, small_detector

from deepcod.baselines import autoencoder, interpolate, lossy, offload, on_device, quantise, sensing
from deepcod.baselines.entropy import BLOCK, huffman, unhuffman
from deepcod.baselines.measure import median_ms
from deepcod.baselines.methods import METHODS, ON_DEVICE, Materials, coders
from deepcod.baselines.names import LABELS
from deepcod.baselines.page import update_page
from deepcod.baselines.point import Network, Point
from deepcod.baselines.report import rate_rows
from deepcod.cli import main
from deepcod.errors import DeepcodError
from deepcod.evaluate.letterbox import letterbox
from deepcod.evaluate.service import ServiceRunner

POINTS = ("input", "stage1")


def picture(seed: int = 0) -> np.ndarray:
    """RGB, smooth with some detail, wider than high: the letterbox has a border."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    smooth = np.asarray(small.resize((64, 48), Image.Resampling.BICUBIC)).astype(int)
    return np.clip(smooth + rng.integers(-9, 10, smooth.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def materials(service, packed, tmp_path) -> Materials:
    return Materials(service.model, service.facts, [packed], tmp_path / "trained", 0.02)


def at(service, partition: str) -> tuple[Point, np.ndarray]:
    point = Point(service.model, service.facts, partition)
    return point, point.source(*letterbox(picture(), service.facts["picture"]))


def huffman_bits(symbols: np.ndarray) -> int:
    """Bits of the best prefix code of a histogram: the sum of all that is merged."""
    heap = [*Counter(symbols.tolist()).values(), 1]  # deflate's mark at the end
    heapq.heapify(heap)
    bits = 0
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        bits += merged
        heapq.heappush(heap, merged)
    return bits


@pytest.mark.parametrize("levels", [2, 16, 256])
def test_huffman_bytes_are_those_of_an_independent_count(levels: int) -> None:
    rng = np.random.default_rng(levels)
    symbols = np.clip(rng.normal(levels / 2, levels / 8, 3 * BLOCK - 7), 0, levels - 1).astype(np.uint8)
    message = huffman(symbols)
    assert np.array_equal(unhuffman(message), symbols)
    data = sum(huffman_bits(symbols[i : i + BLOCK]) for i in range(0, len(symbols), BLOCK)) / 8
    # a table has at most 257 lengths of at most 7 bits and a head of 17 + 19 x 3
    assert data <= len(message) <= data + 3 * (257 * 7 + 74) / 8 + 1
    # and hardly more is spent on tables than one bit a length
    assert len(message) <= data + 3 * (levels + 60)


def test_quantised_tensors_come_back_within_half_a_step() -> None:
    x = np.random.default_rng(1).normal(0, 2, (5, 7, 9)).astype(np.float32)
    for bits in (1, 4, 6, 8):
        y = quantise.unpack(quantise.pack(x, bits))
        assert y.shape == x.shape
        assert np.abs(y - x).max() <= np.ptp(x) / (2**bits - 1) / 2 + 1e-5
    flat = np.full((1, 2, 3), 4.0, np.float32)
    assert np.array_equal(quantise.unpack(quantise.pack(flat, 8)), flat)
    pixels = np.arange(48, dtype=np.float32).reshape(3, 4, 4)
    assert np.array_equal(quantise.unpack(quantise.pack(pixels, 8, (0, 255))), pixels)


@pytest.mark.parametrize("partition", POINTS)
def test_prefix_and_remainder_are_the_service(service, tmp_path, partition: str) -> None:
    onnx.save(service.model, str(tmp_path / "service.onnx"))
    expected, fit = ServiceRunner(tmp_path / "service.onnx", service.facts).outputs(picture())
    point, source = at(service, partition)
    if partition == "input":
        assert source.shape == (3, fit.height, fit.width)  # the border is not sent
    for name, value in point.outputs(source, fit).items():
        assert np.allclose(value, expected[name], atol=1e-4)


@pytest.mark.parametrize("partition", POINTS)
def test_offload_loses_nothing(service, partition: str) -> None:
    point, source = at(service, partition)
    made = offload.coders(point, None)
    messages = [coder.encode(source) for coder in made]
    exact = source if partition == "input" else source.astype(np.float16).astype(np.float32)
    for coder, message in zip(made, messages, strict=True):
        assert np.array_equal(coder.decode(message), exact)
    raw = len(messages.pop())
    assert made[-1].setting.startswith("raw, ")
    assert raw == source.size * (1 if partition == "input" else 2) + 6  # 6: the shape
    assert all(len(message) < raw for message in messages)


@pytest.mark.parametrize("partition", POINTS)
@pytest.mark.parametrize("method", [lossy, interpolate, sensing])
def test_errors_fall_as_bytes_rise(service, method, partition: str) -> None:
    point, source = at(service, partition)
    made = method.coders(point, None)
    if method is interpolate:
        made = made[:2]  # of one kernel
    sizes, errors = [], []
    for coder in made:
        message = coder.encode(source)
        back = coder.decode(message)
        assert back.shape == source.shape
        sizes.append(len(message))
        errors.append(float(np.square(back - source).mean()))
    assert all(a < b for a, b in itertools.pairwise(sizes))
    assert all(a > b for a, b in itertools.pairwise(errors))
    assert errors[-1] < source.var() / 2


def test_sensing_recovers_what_is_sparse() -> None:
    # three frequencies of a cosine transform, measured by a quarter of the values
    k = np.arange(sensing.BLOCK)
    wave = sum(a * np.cos(np.pi * (2 * k + 1) * f / (2 * sensing.BLOCK)) for a, f in ((40, 0), (30, 3), (-20, 7)))
    block = np.outer(wave, np.ones_like(wave))[None].astype(np.float32)
    error = sensing.recover(sensing.sense(block, 0.25), 0.25) - block
    assert np.square(error).mean() < 0.01 * block.var()


def test_autoencoder_trains_on_and_keeps_eight_bit_kernels(service, materials) -> None:
    file = autoencoder.checkpoint(materials.folder, "stage1")
    made = coders("offload-ae", Point(service.model, service.facts, "stage1"), materials)
    model, facts = autoencoder.load(file)
    assert facts["minutes"] >= 0.02
    assert facts["steps"] > 0
    for kernel in model.encoder[0].weight:
        step = kernel.abs().max() / 127
        assert torch.allclose(kernel / step, (kernel / step).round(), atol=1e-3)

    _, source = at(service, "stage1")
    sizes, errors = [], []
    for coder in made:
        message = coder.encode(source)
        sizes.append(len(message))
        errors.append(float(np.square(coder.decode(message) - source).mean()))
    assert sizes[0] < sizes[-1]
    assert errors[0] > errors[-1]
    assert errors[-1] < source.var() / 2

    kept = file.read_bytes()
    again = coders("offload-ae", Point(service.model, service.facts, "stage1"), materials)
    assert file.read_bytes() == kept
    assert [c.depends for c in again] == [c.depends for c in made]
    longer = Materials(materials.model, materials.description, materials.packs, materials.folder, 0.03)
    coders("offload-ae", Point(service.model, service.facts, "stage1"), longer)
    assert autoencoder.load(file)[1]["steps"] > facts["steps"]
    nothing = Materials(materials.model, materials.description, [], materials.folder, 9)
    with pytest.raises(DeepcodError, match="nothing to train it on"):
        coders("offload-ae", Point(service.model, service.facts, "stage1"), nothing)


def test_encoder_flops_are_counted() -> None:
    model = autoencoder.Autoencoder(3, (8,), 5)
    # 4x4 to 8 channels, two 3x3 of 8 to 8, 3x3 to 5, and the linear 2x2 to 5; all at half of the resolution
    each = 8 * 3 * 16 + 2 * 8 * 8 * 9 + 5 * 8 * 9 + 5 * 3 * 4
    assert model.encoder_flops(16, 12) == 2 * each * 8 * 6


def test_the_quantised_service_answers_nearly_as_the_service_does(service, materials) -> None:
    made = dict(on_device.models(materials))
    assert list(made) == ["int8", "int8, convolutions", "float32"]
    x = np.random.default_rng(0).uniform(0, 25, (1, 3, SIZE, SIZE)).astype(np.float32)
    expected = Network(small_detector())(x)["output"]
    for setting in ("int8", "int8, convolutions"):
        kinds = Counter(node.op_type for node in made[setting].graph.node)
        assert kinds["DequantizeLinear"] > 3
        assert any(t.data_type == onnx.TensorProto.INT8 for t in made[setting].graph.initializer)
        error = Network(made[setting])(x)["output"] - expected
        assert 0 < np.square(error).mean() < 0.02 * expected.var()
    assert made["float32"] is materials.model


def test_a_time_is_the_median_of_runs_after_a_warm_up() -> None:
    calls = []
    assert median_ms(calls.append) >= 0
    assert calls == [0, *range(20)]


@pytest.fixture
def files(service, packed, tmp_path, monkeypatch) -> list[str]:
    """Arguments for a set of two pictures with a box where the small service has one."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    onnx.save(service.model, str(tmp_path / "small.onnx"))
    (tmp_path / "small.json").write_text(json.dumps(service.facts))
    folder = tmp_path / "set" / "images"
    folder.mkdir(parents=True)
    images, annotations = [], []
    runner = ServiceRunner(tmp_path / "small.onnx", service.facts)
    for i in range(2):
        Image.fromarray(picture(i)).save(folder / f"{i}.png")
        images.append({"id": i, "file_name": f"{i}.png", "width": 64, "height": 48})
        for found in runner.detect(picture(i))[:2]:
            annotations.append({"id": len(annotations), "image_id": i, **found})
    assert annotations
    categories = [{"id": 0, "name": "a"}, {"id": 1, "name": "b"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (tmp_path / "set" / "instances.json").write_text(json.dumps(content))
    data = ["--images", str(folder), "--annotations", str(tmp_path / "set" / "instances.json")]
    data += ["--pictures", str(packed), "--work", str(tmp_path / "work"), "--codecs", str(tmp_path)]
    return ["baselines", "--service", str(tmp_path / "small.onnx"), *data]


def test_the_command_measures_every_method(files, tmp_path, capsys) -> None:
    out, page = tmp_path / "baselines-small.json", tmp_path / "baselines.md"
    page.write_text("<!-- begin baselines-small.json -->\n<!-- end baselines-small.json -->\n")
    assert main([*files, "--quick", "--json", str(out), "--page", str(page)]) == 0
    report = json.loads(out.read_text())
    assert (report["service"], report["images"], report["quick"]) == ("small", 2, True)
    assert {r["method"] for r in report["rows"]} == {*METHODS, ON_DEVICE}
    cut = {(r["method"], r["partition"]) for r in report["rows"]}
    assert cut == {*itertools.product(METHODS, POINTS), (ON_DEVICE, "device")}
    assert set(report["device_ms"]) == set(report["edge_ms"]) == set(POINTS)
    assert report["device_ms"]["input"] == 0 < report["device_ms"]["stage1"]
    assert report["uncompressed"]["ap"] > 0
    for row in report["rows"]:
        assert len(row["kb_images"]) == 2
        assert row["kb"] == pytest.approx(np.mean(row["kb_images"]), abs=2e-3)
        assert row["ap_relative"] == pytest.approx(row["ap"] / report["uncompressed"]["ap"], abs=1e-3)
        sent = row["method"] != ON_DEVICE
        assert (row["kb"] > 0, row["edge_ms"] > 0) == (sent, sent)
        assert row["device_ms"] >= 0
    lossless = [r for r in report["rows"] if (r["method"], r["partition"]) == ("offload", "input")]
    assert [r["setting"] for r in lossless] == ["PNG", "raw, uint8"]  # the ends
    assert [r["ap_relative"] for r in lossless] == [1, 1]
    assert report["rate_times"] is None
    assert report["command"].startswith("OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 deepcod ")
    assert [t["what"] for t in report["training"]] == ["auto-encoder"] * 2
    assert report["encoder_mflop"]["stage1"]["autoencoder"] > 0
    assert "offload, compressive sensing" in page.read_text()
    minutes = report["training"][0]["minutes"]
    assert f"at `input` {minutes:.1f} minutes (not trained yet); at `stage1`" in page.read_text()
    assert (tmp_path / "baselines-small.png").read_bytes()[:4] == b"\x89PNG"

    # again: accuracy is there already, only times are measured
    capsys.readouterr()
    assert main([*files, "--quick", "--times-only", "--json", str(out)]) == 0
    again = json.loads(out.read_text())
    assert [r["ap"] for r in again["rows"]] == [r["ap"] for r in report["rows"]]
    again_page = ["--page", str(page), "--json", str(out)]
    assert main([*files, "--quick", "--times-only", "--methods", "offload", *again_page]) == 0
    assert "at `input` not measured yet (not trained yet)" in page.read_text()


def test_more_than_one_thread_is_refused(files, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    assert main([*files, "--quick", "--json", str(tmp_path / "out.json")]) == 2
    said = capsys.readouterr().err
    assert "OPENBLAS_NUM_THREADS is not 1" in said
    assert "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 deepcod baselines" in said


def test_times_only_needs_accuracy(files, tmp_path, capsys) -> None:
    assert main([*files, "--times-only", "--methods", "offload", "--json", str(tmp_path / "out.json")]) == 2
    assert "has not been measured" in capsys.readouterr().err


@pytest.mark.parametrize(("option", "value"), [("--methods", "offloaf"), ("--partition", "stage9")])
def test_unknown_names_are_refused(files, tmp_path, capsys, option: str, value: str) -> None:
    assert main([*files, option, value, "--json", str(tmp_path / "out.json")]) == 2
    assert f"{option} {value}: not one of" in capsys.readouterr().err


def test_rows_of_the_rate_bench_are_taken_over(tmp_path: Path) -> None:
    file = Path(__file__).resolve().parents[2] / "docs" / "results" / "rate-worksite.json"
    report = json.loads(file.read_text())
    source = report["rows"]
    source[0]["kb_images"] = [1.5, 2.25]
    for row in source[1:]:
        row.pop("kb_images", None)  # as in older reports
    file = tmp_path / "rate.json"
    file.write_text(json.dumps(report))
    rows, times = rate_rows(file, "worksite", "hardhat-clean", 2 * report["uncompressed"]["network_ms"])
    assert times == {"network_ms": report["uncompressed"]["network_ms"], "factor": 2}
    assert len(rows) == len(source)
    assert {r["partition"] for r in rows} == {"input", "stage1", "stage2"}
    assert rows[0]["setting"] == "q5"
    assert rows[0]["device_ms"] == pytest.approx(2 * source[0]["encode_ms"], abs=1e-3)
    assert rows[0]["edge_ms"] == pytest.approx(2 * (source[0]["decode_ms"] + source[0]["network_ms"]), abs=1e-3)
    assert [row["kb_images"] for row in rows[:2]] == [[1.5, 2.25], []]
    assert all(r["method"] in LABELS for r in rows)
    with pytest.raises(DeepcodError, match="is of worksite on hardhat-clean"):
        rate_rows(file, "yolox-nano", "coco-val", 1)


def test_a_page_without_a_place_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing\n")
    report = {
        "service": "s", "dataset": "d", "images": 0, "boxes": 0, "interval": "", "seed": 0, "quick": False,
        "command": "", "machine": {"cpu": ""}, "versions": {"onnxruntime": "", "torch": ""}, "rows": [],
        "uncompressed": {"ap": 0, "ap50": 0, "kb": 0, "network_ms": 0}, "device_ms": {}, "edge_ms": {}, "training": [],
        "rate_times": None,
    }  # fmt: skip
    with pytest.raises(DeepcodError, match=r"no section for b\.json"):
        update_page(page, tmp_path / "b.json", report)

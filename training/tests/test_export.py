"""A whole bundle of a small detector: graphs equal PyTorch, weights are shared, the manifest names every file."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from small import CONFIGS, SIZE, calibrated

from deepcod.codec.codec import save
from deepcod.codec.data import Pictures, pack
from deepcod.codec.train import TrainOptions, train
from deepcod.errors import DeepcodError
from deepcod.export.bundle import Sources, add_accuracy, add_qualities, build
from deepcod.export.entropy import TRAINER, run_head
from deepcod.export.halves import head_graph, service_graph, tail_graph
from deepcod.export.int8 import quantise_heads
from deepcod.export.weights import WeightStore


@pytest.mark.parametrize("name", CONFIGS)
def test_bundle_equals_pytorch_and_names_its_files(name, service, packed, tmp_path):
    if not TRAINER.exists():
        pytest.fail(f"{TRAINER} is missing: run `npm run build` first")
    config = CONFIGS[name]
    pictures = Pictures([packed], torch.device("cpu"), pad=114)
    save(calibrated(config, service, pictures), tmp_path / "codec.pt", command="test")
    out = tmp_path / "bundle"
    manifest = build(Sources(service, [tmp_path / "codec.pt"], pictures), out)  # compares with PyTorch itself
    assert manifest == json.loads((out / "manifest.json").read_text())
    for file, facts in manifest["files"].items():
        assert hashlib.sha256((out / file).read_bytes()).hexdigest() == facts["sha256"]
    assert {p.name for p in out.iterdir()} == {*manifest["files"], "manifest.json"}
    partition = manifest["partitions"][0]
    assert len(partition["rates"]) == config.rates
    assert all(r["payload_bytes_mean"] > 0 for r in partition["rates"])
    tables = json.loads((out / partition["entropy"]).read_text())
    assert len(tables.get("inter", [])) == (config.rates if config.form == "context" else 0)
    assert partition["flops"]["remainder"] > 0 and partition["flops"]["decoder"] > 0
    # a batch of several pictures, each at its own rate, equals one at a time
    tail = onnxruntime.InferenceSession(str(out / partition["tail"]))
    symbols = np.random.default_rng(2).integers(0, config.levels, (3, *config.code), dtype=np.uint8)
    rates = np.arange(3) % config.rates
    feeds = [{"symbols": symbols[i : i + 1], "rate": rates[i : i + 1]} for i in range(3)]
    feeds.append({"symbols": symbols, "rate": rates})
    wanted = {i.name for i in tail.get_inputs()}
    *single, batch = (tail.run(None, {k: v for k, v in f.items() if k in wanted})[0] for f in feeds)
    assert np.abs(np.concatenate(single) - batch).max() < 1e-3 * np.abs(batch).max()


def test_export_refuses_a_graph_that_does_not_equal_pytorch(service, packed, tmp_path, monkeypatch):
    pictures = Pictures([packed], torch.device("cpu"), pad=114)
    save(calibrated(CONFIGS["context-stage1"], service, pictures), tmp_path / "codec.pt")
    monkeypatch.setattr("deepcod.export.bundle.tail_graph", lambda s, c: _scaled(tail_graph(s, c)))
    with pytest.raises(DeepcodError, match="differ from PyTorch"):
        build(Sources(service, [tmp_path / "codec.pt"], pictures), tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def _scaled(model: onnx.ModelProto) -> onnx.ModelProto:
    weight = next(t for t in model.graph.initializer if t.name == "third.weight")
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) * 1.1, weight.name))
    return model


def test_weights_of_the_service_are_stored_once_and_unchanged(service, packed, tmp_path):
    pictures = Pictures([packed], torch.device("cpu"), pad=114)
    codec = calibrated(CONFIGS["context-input"], service, pictures).eval()
    store = WeightStore()
    graphs = [service_graph(service), tail_graph(service, codec), head_graph(service, codec)]
    for i, graph in enumerate(graphs):
        store.share(graph)
        onnx.save(graph, str(tmp_path / f"{i}.onnx"))
    store.write(tmp_path)
    places = [
        {(e.key, e.value) for t in g.graph.initializer if t.name.startswith("second.weight") for e in t.external_data}
        for g in graphs[:2]
    ]
    assert places[0] and places[0] == places[1]
    loaded = onnx.load(str(tmp_path / "0.onnx"))
    for original in service.model.graph.initializer:
        stored = next(t for t in loaded.graph.initializer if t.name.split("/half")[0] == original.name)
        assert np.array_equal(
            numpy_helper.to_array(stored).astype(numpy_helper.to_array(original).dtype), numpy_helper.to_array(original)
        )


def test_accuracy_goes_into_the_manifest(service, packed, tmp_path):
    pictures = Pictures([packed], torch.device("cpu"), pad=114)
    save(calibrated(CONFIGS["context-input"], service, pictures), tmp_path / "codec.pt")
    build(Sources(service, [tmp_path / "codec.pt"], pictures), tmp_path / "bundle")
    accuracy = {"dataset": "d", "images": 4, "ap": 0.5}
    rows = [{"partition": "input", "rate": 1, "accuracy": {**accuracy, "ap": 0.4}}]
    manifest = add_accuracy(tmp_path / "bundle", [{"uncompressed": accuracy, "rows": rows}])
    assert manifest["accuracy"] == accuracy
    assert manifest["partitions"][0]["rates"][1]["accuracy"]["ap"] == 0.4
    with pytest.raises(DeepcodError, match="lacks"):
        add_accuracy(tmp_path / "bundle", [{"uncompressed": accuracy, "rows": [{"partition": "x"}]}])
    measured = {"partition": "jpeg", "rate": 1, "accuracy": accuracy, "bytes_per_frame": [900.0, 800.0, 1000.0]}
    with pytest.raises(DeepcodError, match="quality number 1"):
        add_accuracy(tmp_path / "bundle", [{"uncompressed": accuracy, "rows": [measured]}])
    with pytest.raises(DeepcodError, match="1 to 100"):
        add_qualities(tmp_path / "bundle", [0])
    add_qualities(tmp_path / "bundle", [80, 45, 80])
    pictures = add_accuracy(tmp_path / "bundle", [{"uncompressed": accuracy, "rows": [measured]}])["pictures"]
    assert [p["quality"] for p in pictures] == [45, 80]
    assert pictures[1] == {"quality": 80, "payload_bytes_mean": 900.0, "accuracy": accuracy}


def test_quantised_heads_give_nearly_the_same_symbols_and_the_rest_stays(service, packed, tmp_path):
    pictures = Pictures([packed], torch.device("cpu"), pad=114)
    for name in ("context-input", "context-stage1"):
        save(calibrated(CONFIGS[name], service, pictures), tmp_path / f"{name}.pt")
    plain, made = tmp_path / "plain", tmp_path / "made"
    build(Sources(service, sorted(tmp_path.glob("*.pt")), pictures), plain)
    accuracy = {"dataset": "d", "images": 4, "ap": 0.5}
    rows = [{"partition": p, "rate": 0, "accuracy": accuracy} for p in ("input", "stage1")]
    add_accuracy(plain, [{"uncompressed": accuracy, "rows": rows}])
    manifest = quantise_heads(plain, ["stage1"], [packed], made)
    for file, facts in manifest["files"].items():
        assert hashlib.sha256((made / file).read_bytes()).hexdigest() == facts["sha256"]
    partitions = {p["id"]: p for p in manifest["partitions"]}
    assert "accuracy" in partitions["input"] and "accuracy" not in partitions["stage1"]
    assert not any("accuracy" in rate for rate in partitions["stage1"]["rates"])

    head = onnx.load(str(made / "stage1.head.onnx"))
    convolutions = [n for n in head.graph.node if n.op_type == "Conv"]
    integers = [all("DequantizeLinear" in i for i in n.input[:2]) for n in convolutions]
    assert integers == [True] * (len(convolutions) - 1) + [False], "the prefix, not the encoder"
    sessions = [onnxruntime.InferenceSession(str(folder / "stage1.head.onnx")) for folder in (plain, made)]
    shown = pictures.data[:4].permute(0, 2, 3, 1).contiguous().numpy()
    a, b = (np.stack([run_head(s, p, 0)["symbols"] for p in shown]).astype(int) for s in sessions)
    assert 0 < np.abs(a - b).mean() < 0.1 * a.std()
    for file in ("input.head.onnx", "input.tail.onnx", "stage1.tail.onnx", "service.onnx"):
        models = [onnx.load(str(folder / file)) for folder in (plain, made)]
        assert models[0].graph.node == models[1].graph.node
        weights = [{t.name: numpy_helper.to_array(t) for t in m.graph.initializer} for m in models]
        assert weights[0].keys() == weights[1].keys()
        assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])

    with pytest.raises(DeepcodError, match="has input, stage1"):
        quantise_heads(plain, ["stage7"], [packed], made)
    with pytest.raises(DeepcodError, match="no prefix"):
        quantise_heads(plain, ["input"], [packed], made)


@pytest.mark.parametrize("name", ["paper-input", "context-stage1"])
def test_training_reduces_the_error_reports_and_resumes(name, service, packed, tmp_path):
    pictures = Pictures([packed], torch.device("cpu"), pad=114)
    lines: list[dict] = []
    options = TrainOptions(minutes=5, batch=2, max_steps=100, learning_rate=1e-3, reconstruction=1e-9)
    out = tmp_path / "codec.pt"
    codec = train(
        CONFIGS[name],
        service,
        pictures,
        out,
        options,
        torch.device("cpu"),
        report=lambda s: lines.append(json.loads(s)),
    )
    assert lines[-1]["reconstruction"] < lines[0]["reconstruction"]
    assert lines[-1]["phase"] == 2 and lines[-1]["feature"] > 0
    assert {"orthogonality", "bits_per_symbol", "output"} <= set(lines[-1])
    if CONFIGS[name].form == "paper":
        assert len(lines[-1]["singular_values"]) > 5
        assert lines[-1]["largest_singular_value"] < 1.5
    again = train(
        CONFIGS[name],
        service,
        pictures,
        out,
        dataclasses.replace(options, max_steps=101),
        torch.device("cpu"),
        report=lambda s: None,
    )
    moved = [(a - b).abs().max() for a, b in zip(codec.state_dict().values(), again.state_dict().values(), strict=True)]
    assert 0 < max(moved) < 0.1
    facts = torch.load(out, weights_only=True)["facts"]
    assert facts["steps"] == 101


def test_training_starts_from_a_trained_codec_and_says_so(service, packed, tmp_path):
    pictures = Pictures([packed], torch.device("cpu"), pad=114)
    config = CONFIGS["context-stage1"]
    first = calibrated(config, service, pictures)
    save(first, tmp_path / "first.pt", command="test", minutes=3.0)
    options = TrainOptions(minutes=5, batch=2, max_steps=1)
    start = tmp_path / "first.pt"
    out = tmp_path / "second.pt"
    more = train(config, service, pictures, out, options, torch.device("cpu"), start=start, report=lambda s: None)
    moved = [(a - b).abs().max() for a, b in zip(first.state_dict().values(), more.state_dict().values(), strict=True)]
    assert 0 < max(moved) < 0.01
    assert torch.load(out, weights_only=True)["facts"]["start"]["minutes"] == 3.0
    other = dataclasses.replace(config, channels=12)
    with pytest.raises(DeepcodError, match="another structure"):
        train(other, service, pictures, tmp_path / "third.pt", options, torch.device("cpu"), start=start)


def test_pack_names_what_is_wrong(tmp_path):
    with pytest.raises(ValueError, match="no pictures"):
        pack([tmp_path], SIZE, tmp_path / "out.npz", quality=90)
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"bad\.jpg"):
        pack([tmp_path], SIZE, tmp_path / "out.npz", quality=90)


def test_unknown_partition_names_the_known_ones(service):
    with pytest.raises(ValueError, match="stage1"):
        service.tensor("stage9")


def test_windows_are_parts_of_the_pictures(packed):
    pictures = Pictures([packed], torch.device("cpu"), pad=114)
    generator = torch.Generator().manual_seed(1)
    windows = pictures.batch(16, generator, crop=16)
    assert windows.shape == (16, 3, 16, 16)
    assert windows.std() > 10
    assert torch.equal(
        pictures.batch(4, generator.manual_seed(2), crop=16), pictures.batch(4, generator.manual_seed(2), crop=16)
    )

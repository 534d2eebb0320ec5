"""The darknet importer against OpenCV's reader, and on bad files."""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest

from deepcod.darknet import TOPOLOGIES, DarknetError, Imported, RandomWeights, WeightsReader, convert, parse_cfg
from deepcod.graph import OnnxModule, graph_flops, partition_points, tensor_shapes

DETECTORS = ["mobilenetv2-yolov3-nano", "yolo-fastest-1.1-xl"]


def largest_difference(imported: Imported, cfg: str, weights: bytes, folder: Path) -> float:
    """Over all heads: largest |ONNX Runtime - OpenCV| / largest |OpenCV|, on noise."""
    (folder / "a.cfg").write_text(cfg)
    (folder / "a.weights").write_bytes(weights)
    net = cv2.dnn.readNetFromDarknet(str(folder / "a.cfg"), str(folder / "a.weights"))
    picture = imported.description["picture"]
    x = np.random.default_rng(0).random((1, 3, picture["height"], picture["width"]), dtype=np.float32)
    names = [o["name"] for o in imported.description["decode"]["outputs"]]
    net.setInput(x)
    expected = net.forward([f"conv_{name.removeprefix('layer')}" for name in names])
    session = onnxruntime.InferenceSession(imported.model.SerializeToString(), providers=["CPUExecutionProvider"])
    actual = session.run(names, {"images": x})
    assert [a.shape for a in actual] == [e.shape for e in expected]
    return max(float(np.abs(a - e).max() / np.abs(e).max()) for a, e in zip(actual, expected, strict=True))


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("fold", [True, False])
def test_real_detectors(data: Path, tmp_path: Path, name: str, fold: bool) -> None:
    cfg = (data / "detectors" / f"{name}.cfg").read_text()
    weights = (data / "detectors" / f"{name}.weights").read_bytes()
    imported = convert(cfg, WeightsReader(weights), fold=fold)
    assert largest_difference(imported, cfg, weights, tmp_path) < 1e-4
    outputs = imported.description["decode"]["outputs"]
    assert [o["stride"] for o in outputs] == [32, 16]
    assert outputs[0]["anchors"][2] in ([242, 238], [243, 238])
    assert imported.description["picture"]["letterbox"]["align"] == "stretch"
    norms = [n for n in imported.model.graph.node if n.op_type == "BatchNormalization"]
    assert bool(norms) != fold


@pytest.mark.parametrize(("name", "width"), [("yolov3", 1.0), ("yolov3-spp", 0.25), ("yolov3-tiny", 0.5)])
def test_topologies(tmp_path: Path, name: str, width: float) -> None:
    cfg = TOPOLOGIES[name](size=416, width=width)
    random = RandomWeights(0)
    imported = convert(cfg, random)
    assert largest_difference(imported, cfg, random.content(), tmp_path) < 1e-4
    assert imported.description["picture"]["letterbox"]["align"] == "center"
    if name == "yolov3":
        flops = {p.name: p.flops_before for p in partition_points(imported.model)}
        total = graph_flops(imported.model, tensor_shapes(imported.model))
        assert round(total / 1e9, 1) == 65.9
        assert [round(flops[f"layer{i}"] / 1e9, 1) for i in (4, 11, 36)] == [3.7, 8.8, 24.6]
        assert sum(a.size for a in random.arrays) == 62001757  # as yolov3.weights has


def test_width_scales_all_but_the_heads() -> None:
    sections = parse_cfg(TOPOLOGIES["yolov3"](width=0.25, classes=2))
    filters = [s.integer("filters") for s in sections if s.kind == "convolutional"]
    assert filters[0] == 8
    assert max(filters) == 256
    assert filters.count(21) == 3


def test_random_weights_are_seeded_and_sane() -> None:
    cfg = TOPOLOGIES["yolov3"](size=64, width=0.25)
    one, same, other = RandomWeights(1), RandomWeights(1), RandomWeights(2)
    imported = convert(cfg, one)
    convert(cfg, same)
    convert(cfg, other)
    assert one.content() == same.content() != other.content()
    import torch

    with torch.no_grad():
        outputs, _ = OnnxModule(imported.model)(torch.rand(2, 3, 64, 64))
    assert all(0.1 < v.std() < 100 for v in outputs.values())


NET = "[net]\nwidth=32\nheight=32\nchannels=3\n"
CONV = "[convolutional]\nfilters=4\nsize=3\nstride=1\npad=1\nactivation={}\n"
EXOTIC = (
    NET
    + CONV.format("mish")  # 0
    + "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\nstride=2\npad=1\nactivation=swish\n"  # 1
    + "[route]\nlayers=-1\ngroups=2\ngroup_id=1\n"  # 2: 4 channels
    + "[convolutional]\nfilters=6\nsize=5\nstride=1\npadding=2\nactivation=tanh\n"  # 3
    + "[shortcut]\nfrom=-3\nactivation=leaky\n"  # 4: 6 channels of 8
    + "[maxpool]\nsize=2\nstride=1\n"  # 5
    + "[shortcut]\nfrom=2\nactivation=linear\n"  # 6: 4 channels onto 6
    + "[dropout]\nprobability=.5\n"  # 7
    + "[upsample]\nstride=2\n"  # 8
    + "[convolutional]\nbatch_normalize=1\nfilters=6\ngroups=3\nsize=3\nstride=1\npad=1\nactivation=logistic\n"  # 9
    + "[maxpool]\nsize=3\nstride=2\n"  # 10
    + "[convolutional]\nfilters=14\nsize=1\nstride=1\nactivation=linear\n"  # 11
    + "[yolo]\nmask=1,0\nanchors=1,2,3,4\nclasses=2\nnum=2\n"
)


def test_every_kind_of_layer(tmp_path: Path) -> None:
    random = RandomWeights(3)
    imported = convert(EXOTIC, random)
    assert largest_difference(imported, EXOTIC, random.content(), tmp_path) < 1e-4
    assert imported.description["decode"]["outputs"][0]["anchors"] == [[3, 4], [1, 2]]


def test_classifier() -> None:
    cfg = (
        NET
        + CONV.format("relu")
        + "[avgpool]\n[connected]\noutput=5\nactivation=linear\nbatch_normalize=1\n[softmax]\ngroups=1\n[cost]\n"
    )
    imported = convert(cfg, RandomWeights(0))
    session = onnxruntime.InferenceSession(imported.model.SerializeToString(), providers=["CPUExecutionProvider"])
    y = session.run(None, {"images": np.random.default_rng(0).random((2, 3, 32, 32), dtype=np.float32)})[0]
    assert y.shape == (2, 5)
    assert np.allclose(y.sum(1), 1)
    assert imported.description["task"] == "classify"


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ("width=1\n", "1: 'width=1' stands before the first"),
        (NET, "no layers"),
        ("[convolutional]\n", "begins with"),
        (NET + "[convolutional\n", "5: .* does not close"),
        (NET + CONV.format("leaky") + "nonsense\n", "11: 'nonsense' is neither"),
        (NET + CONV.format("leaky") + "\n[flux]\n", r"12: \[flux\] is not a known layer"),
        (NET + CONV.format("frob"), "10: .* activation 'frob' is not known"),
        (NET + "[convolutional]\nfilters=x\n", "6: .* filters=x is not an integer"),
        (NET + "[convolutional]\nfilters=4\ngroups=2\n", "7: .* groups=2 does not divide 3"),
        (NET + CONV.format("leaky") + "[route]\nlayers=5\n", "12: .* layers=5 means layer 5"),
        (NET + CONV.format("leaky") + "[yolo]\nclasses=80\nmask=0\nanchors=1,2\n", "11: .* 4 channels; .* take 85"),
        (NET + CONV.format("leaky") + "[yolo]\nclasses=80\nmask=3\nanchors=1,2\n", "13: .* mask"),
        ("[net]\nwidth=0\nheight=32\n[convolutional]\n", "needs width"),
    ],
)
def test_malformed_cfg(cfg: str, message: str) -> None:
    with pytest.raises(DarknetError, match=message):
        convert(cfg, RandomWeights(0), source="net.cfg")


def test_malformed_weights() -> None:
    cfg = NET + CONV.format("leaky")
    random = RandomWeights(0)
    convert(cfg, random)
    good = random.content()
    convert(cfg, WeightsReader(good))
    for content, message in [
        (good[:-4], r"w: too short: layer 0 \[convolutional\] weights needs 108 values, 107 are left"),
        (good + bytes(8), "w: too long: 2 of 114 values are left"),
        (good[:-2], "not a whole number"),
        (b"PK\x03\x04" * 9, "is not darknet's"),
        (b"", "too few for a header"),
    ]:
        with pytest.raises(DarknetError, match=message):
            convert(cfg, WeightsReader(content, "w"))


ACTIVATIONS = {
    "linear": lambda x: x,
    "leaky": lambda x: np.where(x > 0, x, 0.1 * x),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "hardtan": lambda x: np.clip(x, -1, 1),
    "relie": lambda x: np.where(x > 0, x, 0.01 * x),
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "swish": lambda x: x / (1 + np.exp(-x)),
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "selu": lambda x: 1.0507 * np.where(x > 0, x, 1.6732 * np.expm1(x)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name: str) -> None:
    cfg = NET + f"[convolutional]\nfilters=3\nsize=1\nstride=1\nactivation=linear\n[activation]\nactivation={name}\n"
    random = RandomWeights(0)
    imported = convert(cfg + "[convolutional]\nfilters=3\nsize=1\nactivation=linear\n", random)
    bias, weight, bias2, weight2 = random.arrays
    x = np.random.default_rng(0).standard_normal((1, 3, 32, 32), dtype=np.float32) * 9
    session = onnxruntime.InferenceSession(imported.model.SerializeToString(), providers=["CPUExecutionProvider"])
    inner = ACTIVATIONS[name](np.einsum("oi,nihw->nohw", weight[..., 0, 0], x) + bias[:, None, None])
    expected = np.einsum("oi,nihw->nohw", weight2[..., 0, 0], inner) + bias2[:, None, None]
    assert np.allclose(session.run(None, {"images": x})[0], expected, atol=1e-4)

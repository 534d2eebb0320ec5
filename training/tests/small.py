"""A small detector, pictures for it, and codecs of every structure: what several tests build on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from deepcod.codec.codec import Codec, CodecConfig
from deepcod.codec.data import Pictures, pack
from deepcod.codec.decoder import DecoderShape
from deepcod.codec.service import Service

SIZE = 32


def small_detector() -> onnx.ModelProto:
    """Three convolutions with a YOLOX-like output of 8 anchors x (5 + 2)."""
    rng = np.random.default_rng(0)
    nodes, weights = [], []

    def conv(name: str, x: str, shape: tuple[int, ...], stride: int) -> str:
        values = rng.standard_normal(shape).astype(np.float32) * 0.2
        weights.append(numpy_helper.from_array(values, name + ".weight"))
        nodes.append(
            helper.make_node(
                "Conv", [x, name + ".weight"], [name], kernel_shape=list(shape[2:]), strides=[stride] * 2, pads=[1] * 4
            )
        )
        nodes.append(helper.make_node("LeakyRelu", [name], [name + ".act"], alpha=0.1))
        return name + ".act"

    x = conv("first", "images", (16, 3, 3, 3), 2)
    x = conv("second", x, (32, 16, 3, 3), 2)
    x = conv("third", x, (7, 32, 3, 3), 2)
    weights.append(numpy_helper.from_array(np.array([0, 7, -1], np.int64), "flat"))
    nodes += [
        helper.make_node("Reshape", [x, "flat"], ["rows"]),
        helper.make_node("Transpose", ["rows"], ["output"], perm=[0, 2, 1]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 16, 7])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)


def small_service() -> Service:
    facts = {
        "name": "small",
        "task": "detect",
        "licence": "none",
        "provenance": "made by a test",
        "classes": ["a", "b"],
        "picture": {
            "width": SIZE,
            "height": SIZE,
            "order": "bgr",
            "scale": 0.1,
            "letterbox": {"align": "top-left", "pad": 114},
        },
        "decode": {"type": "yolox", "strides": [8]},
        "score_threshold": 0.3,
        "nms_iou": 0.45,
        "partitions": {"input": "images", "stage1": "first.act"},
        "features": ["second.act", "first.act"],
    }
    return Service(facts, small_detector())


def small_pack(tmp_path: Path) -> Path:
    """Four of six pictures; the other two are held out."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for i in range(6):
        flat = rng.integers(0, 256, (4, 3, 3), dtype=np.uint8)
        Image.fromarray(flat).resize((64, 48), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
    out = tmp_path / "pack.npz"
    assert pack([folder], SIZE, folder.with_name("held.npz"), quality=95, held_out=3) == 2
    assert pack([folder], SIZE, out, quality=95, hold_out=3) == 4
    return out


CONFIGS = {
    "paper-input": CodecConfig(
        "paper", "input", "images", (3, SIZE, SIZE), 6, 4, 4, 8, DecoderShape((16, 8, 8), (1, 0, 0))
    ),
    "context-input": CodecConfig(
        "context",
        "input",
        "images",
        (3, SIZE, SIZE),
        24,
        4,
        4,
        31,
        DecoderShape((16, 8, 8), (1, 0, 0)),
        (0.1, 0.2),
        "bgr",
    ),
    "coarse-input": CodecConfig(
        "context", "input", "images", (3, SIZE, SIZE), 24, 4, 4, 31, DecoderShape((16,), (1,)), (0.1, 0.2), "bgr"
    ),
    "context-stage1": CodecConfig(
        "context", "stage1", "first.act", (16, 16, 16), 24, 2, 2, 31, DecoderShape((16, 8), (1, 1)), (0.1,)
    ),
}


CONFIGS["overlap-input"] = dataclasses.replace(CONFIGS["context-input"], kernel=8)


def calibrated(config: CodecConfig, service: Service, pictures: Pictures) -> Codec:
    torch.manual_seed(5)
    codec = Codec(config)
    prefix, _, _ = service.halves(config.partition)
    with torch.no_grad():
        codec.calibrate(service.source(prefix, pictures.plain(torch.arange(len(pictures)))))
        for p in codec.decoder.parameters():
            p.add_(0.05 * torch.randn_like(p))
    return codec

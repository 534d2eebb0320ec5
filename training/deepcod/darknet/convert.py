"""A darknet network as ONNX."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import onnx

from .cfg import Section, parse_cfg
from .emitter import Emitter, Map, Weights
from .errors import DarknetError
from .layers import BUILDERS

#: Added to variances, as darknet and OpenCV do.
EPSILON = 1e-6
INPUT_NAME = "images"


@dataclass(frozen=True)
class Imported:
    """A converted network: the model, its description (the form of training/services/*.json), and its maps by layer."""

    model: onnx.ModelProto
    description: dict[str, Any]
    maps: list[Map]


def convert(
    cfg: str,
    weights: Weights,
    *,
    name: str = "darknet",
    source: str = "cfg",
    fold: bool = True,
    letterbox: str | None = None,
    epsilon: float = EPSILON,
) -> Imported:
    """Convert a network.

    Args:
        cfg: the text of the .cfg file; `source` is its name in messages.
        weights: a WeightsReader, or RandomWeights.
        name: the service's name.
        fold: fold batch normalisation into the convolutions (else it stays a node of its own).
        letterbox: `center`, `top-left` or `stretch`; by default what the cfg implies, see letterbox_of.
        epsilon: added to the variances.

    The input is `images` [batch, 3, H, W], RGB, 0..1. Outputs are the raw maps that go into the [yolo] layers, named
    `layer<index>` in darknet's numbering; without such a layer, the last layer's output.
    """
    net, *layers = parse_cfg(cfg, source)
    width, height, channels = net.integer("width", 0), net.integer("height", 0), net.integer("channels", 3)
    if min(width, height) < 1 or channels != 3:
        raise net.fail(f"needs width, height and 3 channels, has {width}, {height}, {channels}")
    emitter = Emitter(weights, epsilon, fold)
    emitter.residual = {i - 1 for i, s in enumerate(layers) if s.kind == "shortcut"}
    start = Map(INPUT_NAME, channels, height, width)
    x = start
    for section in layers:
        builder = BUILDERS.get(section.kind)
        if builder is None:
            raise section.fail("is not a known layer", hint=f"Known: {', '.join(sorted(BUILDERS))}.")
        if x.height == 0 and section.kind not in ("connected", "softmax", "dropout", "cost", "route"):
            raise section.fail("needs a picture, its input is a flat list")
        x = builder(section, x, emitter)
        emitter.maps.append(x)
    weights.finish()
    outputs = [m for m in emitter.maps if m.head] or [x]
    if any(o.name == INPUT_NAME for o in outputs):
        raise DarknetError(f"{source}: the network has no layer that computes anything")
    model = emitter.model(start, outputs, name)
    description = describe(name, net, emitter, letterbox or letterbox_of(net, layers))
    props = {key: json.dumps(description[key]) for key in ("picture", "decode", "classes") if key in description}
    onnx.helper.set_model_props(model, {"service": name, **props})
    return Imported(model, description, emitter.maps)


def letterbox_of(net: Section, layers: list[Section]) -> str:
    """How darknet itself fits a picture into the input: `center` (grey 0.5 around it) or `stretch`.

    pjreddie's darknet always letterboxes in the middle. AlexeyAB's stretches unless [net] has letter_box=1; a cfg
    is his when a [yolo] layer has one of the options that only his knows.
    """
    if net.integer("letter_box", 0):
        return "center"
    newer = {"scale_x_y", "iou_loss", "iou_thresh", "iou_normalizer", "cls_normalizer", "nms_kind", "beta_nms"}
    return "stretch" if any(s.kind == "yolo" and newer & s.options.keys() for s in layers) else "center"


def describe(name: str, net: Section, emitter: Emitter, letterbox: str) -> dict[str, Any]:
    """The service's description; anchors are in pixels of the network's input."""
    width, height = net.integer("width"), net.integer("height")
    box = {"align": letterbox, "pad": 114 if letterbox == "top-left" else 127}
    description: dict[str, Any] = {
        "name": name,
        "task": "detect" if emitter.heads else "classify",
        "licence": "not stated",
        "provenance": "not stated",
        "picture": {"width": width, "height": height, "order": "rgb", "scale": 1 / 255, "letterbox": box},
    }
    if emitter.heads:
        classes = {head["classes"] for head in emitter.heads}
        if len(classes) > 1:
            raise net.fail(f"the [yolo] layers have different numbers of classes: {sorted(classes)}")
        outputs = [
            {
                "name": head["name"],
                "stride": _stride(net, head),
                "anchors": head["anchors"],
                "scale_xy": head["scale_xy"],
            }
            for head in emitter.heads
        ]
        description["decode"] = {"type": "yolov3", "outputs": outputs}
        description["classes"] = [f"class{i}" for i in range(classes.pop())]
        description["score_threshold"] = 0.3
        description["nms_iou"] = 0.45
    return description


def _stride(net: Section, head: dict[str, Any]) -> int:
    width, height = net.integer("width"), net.integer("height")
    if width % head["width"] or width // head["width"] * head["height"] != height:
        raise net.fail(f"its size {width}x{height} is no whole multiple of the map {head['width']}x{head['height']}")
    return width // head["width"]

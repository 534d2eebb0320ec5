"""From a checkpoint to `service.onnx`, and to `training/services/worksite.json`.

The graph: `images` float32 [N, 3, 416, 416] (RGB, 0..1) -> raw maps `o8`, `o16`, `o32` [N, 3*(5+C), h, w], batch
normalisation folded into the convolutions, kernels exact in half precision. How to decode lies in the model's
metadata (key `decode`, the manifest's form). Anchors are in pixels of the 416x416 input, in the order of the maps'
channels: anchor-major, (tx, ty, tw, th, objectness, classes...) for each.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from .model import CLASSES, INPUT, PAD, STRIDES, ConvBlock, Residual, Yolov3, flops, parameters

NAMES = ("o8", "o16", "o32")
#: Partition points: the picture, and the ends of the 104x104 and the 52x52 stage.
PARTITIONS = {"input": "images", "stage1": "stages.1.2", "stage2": "stages.2.8"}
#: What distillation matches: the ends of stages and necks.
FEATURES = (
    "stages.2.8",
    "stages.3.8",
    "stages.4.4",
    "neck32.4",
    "neck16.4",
    "neck8.4",
    "head8.conv",
    "head16.conv",
    "head32.conv",
)
LICENCE = "weights trained from scratch on photos under Apache-2.0 and on this project's own simulated pictures"


def load_checkpoint(path: Path) -> tuple[Yolov3, dict]:
    """The model (float32, evaluating) and the rest of a checkpoint by train.py."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    model = Yolov3(len(state["classes"]), state["width"])
    model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.pop("weights").items()})
    return model.eval(), state


def folded(block: ConvBlock) -> tuple[np.ndarray, np.ndarray]:
    """Weight and bias of a convolution with its batch normalisation inside, computed in float64."""
    bn = block.bn
    factor = bn.weight.double() / torch.sqrt(bn.running_var.double() + bn.eps)
    weight = block.conv.weight.double() * factor[:, None, None, None]
    bias = bn.bias.double() - bn.running_mean.double() * factor
    return weight.float().detach().numpy(), bias.float().detach().numpy()


@torch.no_grad()
def halved(model: Yolov3) -> Yolov3:
    """The model with its normalisations folded and its kernels rounded to half precision: what a bundle stores.

    The service is defined by these numbers, so that storing it in half precision loses nothing more.
    """
    for block in model.modules():
        if isinstance(block, ConvBlock):
            weight, bias = folded(block)
            block.conv.weight.copy_(torch.from_numpy(weight).half())
            block.bn.weight.fill_(1)
            block.bn.running_mean.zero_()
            block.bn.running_var.fill_(1 - block.bn.eps)
            block.bn.bias.copy_(torch.from_numpy(bias).half())
    for head in (model.head8, model.head16, model.head32):
        head.out.weight.copy_(head.out.weight.half())
    return model


class Graph:
    """Writes the network as ONNX nodes, named as the model's modules are."""

    def __init__(self) -> None:
        import onnx

        self.onnx, self.nodes, self.weights = onnx, [], []

    def constant(self, name: str, value: np.ndarray) -> str:
        """An initialiser."""
        self.weights.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], name: str, **attributes: object) -> str:
        """A node with one output of its own name."""
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [name], name=f"{kind}:{name}", **attributes))
        return name

    def convolution(self, name: str, x: str, layer: nn.Conv2d, weight: np.ndarray, bias: np.ndarray, out: str) -> str:
        """A convolution with given numbers."""
        pad, kernel, stride = layer.padding[0], layer.kernel_size[0], layer.stride[0]
        inputs = [x, self.constant(f"{name}.weight", weight), self.constant(f"{name}.bias", bias)]
        return self.node("Conv", inputs, out, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4)

    def block(self, name: str, x: str, block: ConvBlock) -> str:
        """Convolution, batch normalisation (folded), leaky ReLU."""
        weight, bias = (a.astype(np.float16).astype(np.float32) for a in folded(block))
        x = self.convolution(name, x, block.conv, weight, bias, out=f"{name}.conv")
        return self.node("LeakyRelu", [x], name, alpha=0.1)

    def any(self, name: str, x: str, module: nn.Module) -> str:
        """A block, a residual, or a sequence of them."""
        if isinstance(module, ConvBlock):
            return self.block(name, x, module)
        if isinstance(module, Residual):
            branch = self.block(f"{name}.expand", self.block(f"{name}.reduce", x, module.reduce), module.expand)
            return self.node("Add", [x, branch], name)
        for i, child in enumerate(module):
            x = self.any(f"{name}.{i}", x, child)
        return x

    def join(self, name: str, x: str, block: ConvBlock, skip: str) -> str:
        """1x1 convolution, nearest upsampling by two, concatenation with an earlier feature."""
        x = self.block(name, x, block)
        scales = self.constant(f"{name}.scales", np.float32([1, 1, 2, 2]))
        x = self.node("Resize", [x, "", scales], f"{name}.up", mode="nearest",
                      coordinate_transformation_mode="asymmetric", nearest_mode="floor")  # fmt: skip
        return self.node("Concat", [x, skip], f"{name}.join", axis=1)

    def head(self, name: str, x: str, head: nn.Module, out: str) -> None:
        """A head and its raw map."""
        x = self.block(f"{name}.conv", x, head.conv)
        layer = head.out
        self.convolution(f"{name}.out", x, layer, layer.weight.detach().numpy(), layer.bias.detach().numpy(), out)


def to_onnx(model: Yolov3, decode: dict, side: int = INPUT, opset: int = 17) -> object:
    """The ONNX model of a service."""
    import onnx
    from onnx import TensorProto, helper

    model = model.eval().float().cpu()
    graph = Graph()
    x = graph.block("stem", "images", model.stem)
    features = []
    for i, stage in enumerate(model.stages):
        x = graph.any(f"stages.{i}", x, stage)
        features.append(x)
    n32 = graph.any("neck32", x, model.neck32)
    n16 = graph.any("neck16", graph.join("to16", n32, model.to16, features[3]), model.neck16)
    n8 = graph.any("neck8", graph.join("to8", n16, model.to8, features[2]), model.neck8)
    for name, feature, head in (("8", n8, model.head8), ("16", n16, model.head16), ("32", n32, model.head32)):
        graph.head(f"head{name}", feature, head, f"o{name}")
    channels = model.head8.out.out_channels
    outputs = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", channels, side // s, side // s])
        for n, s in zip(NAMES, STRIDES, strict=True)
    ]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 3, side, side])
    proto = helper.make_model(
        helper.make_graph(graph.nodes, "worksite", [images], outputs, graph.weights),
        opset_imports=[helper.make_opsetid("", opset)], producer_name="deepcod",
    )  # fmt: skip
    proto.ir_version = 8
    helper.set_model_props(proto, {"decode": json.dumps(decode), "classes": json.dumps(list(CLASSES))})
    onnx.checker.check_model(proto, full_check=True)
    return proto


def decode_info(anchors: list) -> dict:
    """The manifest's `decode` entry."""
    outputs = [
        {"name": n, "stride": s, "anchors": a, "scale_xy": 1.0} for n, s, a in zip(NAMES, STRIDES, anchors, strict=True)
    ]
    return {"type": "yolov3", "outputs": outputs}


def difference(model: Yolov3, path: Path, images: torch.Tensor) -> float:
    """Largest |ONNX Runtime - PyTorch| over the largest |PyTorch|, of all maps."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    got = session.run(list(NAMES), {"images": images.numpy()})
    with torch.no_grad():
        want = [o.numpy() for o in model(images)]
    return max(float(np.abs(g - w).max() / np.abs(w).max()) for g, w in zip(got, want, strict=True))


def main() -> None:
    """Export a checkpoint, check it, and describe it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="service.onnx to write")
    parser.add_argument("--describe", type=Path, help="worksite.json to write")
    parser.add_argument("--evaluate", type=Path, nargs="*", default=[], help="COCO folders for the description")
    parser.add_argument("--pack-report", type=Path, help="report that data.py wrote beside the pack")
    args = parser.parse_args()
    model, state = load_checkpoint(args.checkpoint)
    model = halved(model)
    decode = decode_info(state["anchors"])
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_bytes(to_onnx(model, decode).SerializeToString())
    images = torch.rand(2, 3, INPUT, INPUT, generator=torch.Generator().manual_seed(0))
    off = difference(model, args.out, images)
    print(f"{args.out}: {args.out.stat().st_size} bytes, ONNX Runtime differs from PyTorch by {off:.2e}")
    if not off < 1e-3:
        raise SystemExit("ONNX Runtime and PyTorch disagree")
    if not args.describe:
        return
    from .evaluate import evaluate_folder

    scores = {f.name: evaluate_folder(model, torch.tensor(state["anchors"]), f) for f in args.evaluate}
    digest = hashlib.sha256(args.checkpoint.read_bytes()).hexdigest()
    description = {
        "name": "worksite",
        "task": "detect",
        "network": "YOLOv3 (Darknet-53, three scales) at a quarter of its width",
        "classes": state["classes"],
        "picture": {"width": INPUT, "height": INPUT, "order": "rgb", "scale": 1 / 255,
                    "letterbox": {"align": "top-left", "pad": PAD}},
        "decode": decode,
        "score_threshold": 0.35,
        "partitions": PARTITIONS,
        "features": list(FEATURES),
        "strides": state["strides"],
        "anchors": state["anchors"],
        "parameters": parameters(model),
        "flops": flops(model),
        "seed": state["meta"].get("seed"),
        "training": state["meta"],
        "data": json.loads(args.pack_report.read_text()) if args.pack_report else {},
        "licence": LICENCE,
        "provenance": f"checkpoint {digest[:16]} of deepcod.service.train",
        "accuracy": scores,
        "nms_iou": 0.5,
        "checkpoint_sha256": digest,
        "commands": [
            "python -m deepcod.service.leak --train DATA/hardhat-train --evaluation DATA/hardhat-clean --out leak.json",
            "python -m deepcod.service.upright --train DATA/hardhat-train --people DATA/detectors/yolox-nano-416.onnx"
            " --out turns.json",
            "python -m deepcod.service.data --photos DATA/hardhat-train --leak leak.json --turns turns.json"
            " --simulated SIMULATED/train --simulated-held-out SIMULATED/val --out pack.npz",
            "python -m deepcod.service.train --pack pack.npz --out OUT --minutes 45 --batch 16 --small 320"
            " --small-share 0.5 --rate 1.5e-3 --average 0.998",
            "python -m deepcod.service.export OUT/final.pt --out service.onnx --describe services/worksite.json"
            " --evaluate DATA/hardhat-clean --pack-report pack.json",
        ],
    }  # fmt: skip
    args.describe.parent.mkdir(parents=True, exist_ok=True)
    args.describe.write_text(json.dumps(description, indent=2) + "\n")
    print(json.dumps(scores))


if __name__ == "__main__":
    main()

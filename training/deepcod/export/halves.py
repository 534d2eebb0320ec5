"""Heads and tails as ONNX: everything between the camera's bytes and the symbols, and back to the service's outputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import torch

from deepcod.codec.codec import Codec
from deepcod.codec.decoder import Decoder, ResidualBlock, ResidualUp, SelfAttention
from deepcod.codec.quantiser import HOLD, CentreQuantiser
from deepcod.codec.service import Service
from deepcod.graph.split import split

from .builder import FLOAT, INT64, UINT8, Builder, model, value

#: Nodes and weights that are not the service's own begin with this.
FRONT = "deepcod/"


def _opset(service: onnx.ModelProto) -> int:
    return next(o.version for o in service.opset_import if o.domain in ("", "ai.onnx"))


def _picture_to_feed(b: Builder, service: Service, picture: str, output: str | None = None) -> str:
    """uint8 `[N, H, W, 3]` RGB to the service's input `[N, 3, H, W]`."""
    facts = service.facts["picture"]
    x = b.cast(b.op("Transpose", [picture], perm=[0, 3, 1, 2]), FLOAT)
    if facts["order"] == "bgr":
        x = b.op("Gather", [x, b.constant(np.array([2, 1, 0], np.int64), "bgr")], axis=1)
    return b.op("Mul", [x, b.floats(np.float32(facts["scale"]), "scale")], output)


def _free_batch(made: onnx.ModelProto) -> None:
    for info in (*made.graph.input, *made.graph.output):
        info.type.tensor_type.shape.dim[0].dim_param = "N"
    del made.graph.value_info[:]


def service_graph(service: Service) -> onnx.ModelProto:
    """The whole service behind the uint8 picture: `device`, and `raw` at the edge."""
    return _join(
        service,
        lambda b, output: _picture_to_feed(b, service, "picture", output),
        service.model,
        _picture_input(service, "N"),
    )


def _picture_input(service: Service, batch: int | str) -> list[onnx.ValueInfoProto]:
    p = service.facts["picture"]
    return [value("picture", UINT8, [batch, p["height"], p["width"], 3])]


def _join(
    service: Service, front: Callable[[Builder, str], object], back: onnx.ModelProto, inputs: list[onnx.ValueInfoProto]
) -> onnx.ModelProto:
    """`front` writes the tensor that `back` takes as its input."""
    b = Builder(FRONT)
    initial = {t.name for t in back.graph.initializer}
    entry = next(i.name for i in back.graph.input if i.name not in initial)
    front(b, entry)
    outputs = [onnx.ValueInfoProto.FromString(o.SerializeToString()) for o in back.graph.output]
    nodes = [*b.nodes, *back.graph.node]
    made = model(
        nodes,
        [*b.initializers, *back.graph.initializer],
        inputs,
        outputs,
        _opset(service.model),
        service.model.ir_version,
    )
    _free_batch(made)
    return made


def head_graph(service: Service, codec: Codec) -> onnx.ModelProto:
    """uint8 picture `[1, H, W, 3]` (and `rate` `[1]` if there are several) to `symbols` uint8 `[1, h, w, C]`.

    Where frames can be predicted (form "context") also `alternates` of the same shape: see `StepQuantiser.alternates`.
    """
    cfg = codec.config
    b = Builder(FRONT)
    feed_name = service.model.graph.input[0].name
    nodes, initializers = [], []
    if cfg.tensor == feed_name:
        source = _picture_to_feed(b, service, "picture")
    else:
        prefix, _ = split(service.model, cfg.tensor)
        _picture_to_feed(b, service, "picture", feed_name)
        nodes, initializers = list(prefix.graph.node), list(prefix.graph.initializer)
        source = cfg.tensor
    front = len(b.nodes)
    several = codec.quantiser.rates > 1
    y = _encode(b, codec, source)
    symbols = _quantise(b, codec, y, "rate" if several else None)
    for name, indices in symbols.items():
        b.op("Cast", [b.op("Transpose", [indices], perm=[0, 2, 3, 1])], name, to=UINT8)
    inputs = _picture_input(service, 1) + ([value("rate", INT64, [1])] if several else [])
    outputs = [value(name, UINT8, [1, *cfg.code]) for name in symbols]
    ordered = [*b.nodes[:front], *nodes, *b.nodes[front:]]
    return model(
        ordered, [*b.initializers, *initializers], inputs, outputs, _opset(service.model), service.model.ir_version
    )


def _encode(b: Builder, codec: Codec, source: str) -> str:
    """Normalisation and the encoder; folded into one convolution where no padding stands between them."""
    e = codec.encoder
    with torch.no_grad():
        scale, shift = 1 / codec.deviation, -codec.mean / codec.deviation
        if e.padding[0] == 0:
            weight = e.weight * scale[None, :, None, None]
            bias = e.bias + (e.weight * shift[None, :, None, None]).sum((1, 2, 3))
        else:
            source = b.op("Mul", [source, b.floats(scale[None, :, None, None], "scale")])
            source = b.op("Add", [source, b.floats(shift[None, :, None, None], "shift")])
            weight, bias = e.weight, e.bias
    attributes = {"kernel_shape": list(e.kernel_size), "strides": list(e.stride), "pads": [e.padding[0]] * 4}
    return b.op("Conv", [source, b.floats(weight, "encoder"), b.floats(bias, "encoder_bias")], **attributes)


def _quantise(b: Builder, codec: Codec, y: str, rate: str | None) -> dict[str, str]:
    """Indices as floats `[1, C, h, w]` by output; the arithmetic of the quantisers in deepcod.codec.quantiser."""
    quantiser = codec.quantiser
    if isinstance(quantiser, CentreQuantiser):
        centres = quantiser.centres.detach().sort().values
        steps = [
            b.cast(b.op("Greater", [y, b.floats(t, "threshold")]), FLOAT) for t in (centres[1:] + centres[:-1]) / 2
        ]
        return {"symbols": steps[0] if len(steps) == 1 else b.op("Sum", steps)}
    inverse = (-quantiser.log_step.detach()).exp()
    table = (
        b.table_row(inverse, rate, inverse.shape[1])
        if rate
        else b.floats(inverse[0][None, :, None, None], "inverse_step")
    )
    u = b.op("Mul", [y, table])
    half = quantiser.levels // 2
    low, high, middle = (b.floats(np.float32(v), n) for v, n in ((-half, "low"), (half, "high"), (half, "middle")))
    rounded = b.op(
        "Floor", [b.op("Add", [b.op("Abs", [u]), b.floats(np.float32(0.5 - quantiser.dead_zone), "rounding")])]
    )
    q = b.op("Clip", [b.op("Mul", [rounded, b.op("Sign", [u])]), low, high])
    lean = b.op("Round", [b.op("Mul", [b.op("Sub", [u, q]), b.floats(np.float32(0.5 / (0.5 - HOLD)), "lean")])])
    other = b.op("Clip", [b.op("Add", [q, lean]), low, high])
    return {"symbols": b.op("Add", [q, middle]), "alternates": b.op("Add", [other, middle])}


def tail_graph(service: Service, codec: Codec) -> onnx.ModelProto:
    """`symbols` uint8 `[N, h, w, C]` (and `rate` `[N]`) to the service's outputs."""
    cfg = codec.config
    several = codec.quantiser.rates > 1
    back = service.model if cfg.tensor == service.model.graph.input[0].name else split(service.model, cfg.tensor)[1]
    inputs = [value("symbols", UINT8, ["N", *cfg.code])] + ([value("rate", INT64, ["N"])] if several else [])

    def front(b: Builder, output: str) -> None:
        z = _dequantise(b, codec, "rate" if several else None)
        x = _decode(b, codec.decoder, z, "rate" if several else None, cfg.code)
        x = b.op("Mul", [x, b.floats(codec.deviation[None, :, None, None], "deviation")])
        b.op("Add", [x, b.floats(codec.mean[None, :, None, None], "mean")], output)

    return _join(service, front, back, inputs)


def _dequantise(b: Builder, codec: Codec, rate: str | None) -> str:
    quantiser = codec.quantiser
    symbols = b.op("Transpose", ["symbols"], perm=[0, 3, 1, 2])
    if isinstance(quantiser, CentreQuantiser):
        return b.op(
            "Gather", [b.floats(quantiser.centres.detach().sort().values, "centres"), b.cast(symbols, INT64)], axis=0
        )
    q = b.op("Sub", [b.cast(symbols, FLOAT), b.floats(np.float32(quantiser.levels // 2), "middle")])
    steps = quantiser.log_step.detach().exp()
    return b.op(
        "Mul",
        [q, b.table_row(steps, rate, steps.shape[1]) if rate else b.floats(steps[0][None, :, None, None], "step")],
    )


def _leaky(b: Builder, x: str) -> str:
    return b.op("LeakyRelu", [x], alpha=0.1)


def _decode(b: Builder, decoder: Decoder, z: str, rate: str | None, code: tuple[int, int, int]) -> str:
    x = b.conv(decoder.entry, b.op("Mul", [z, b.floats(decoder.code_scale[None, :, None, None], "code_scale")]))
    height, width = code[:2]
    for i, stage in enumerate(decoder.stages):
        if i:
            x = _up(b, decoder.ups[i - 1], x)
        if decoder.films is not None:
            scale, shift = decoder.films[i].detach().chunk(2, 1)
            x = b.op("Mul", [x, b.table_row(1 + scale, rate, scale.shape[1])])
            x = b.op("Add", [x, b.table_row(shift, rate, shift.shape[1])])
        for block in stage:
            x = _residual(b, block, x)
        if i == 0:
            x = _attend(b, decoder.attention, x, height, width)
    x = b.conv(decoder.exit, _leaky(b, x))
    return x if decoder.synthesis is None else b.op("Add", [x, b.conv(decoder.synthesis, z)])


def _residual(b: Builder, block: ResidualBlock, x: str) -> str:
    return b.op("Add", [x, b.conv(block.second, _leaky(b, b.conv(block.first, x)))])


def _up(b: Builder, up: ResidualUp, x: str) -> str:
    return b.op("Add", [b.conv(up.skip, x), b.conv(up.mix, _leaky(b, b.conv(up.up, x)))])


def _attend(b: Builder, attention: SelfAttention, x: str, height: int, width: int) -> str:
    def shape(*dims: int) -> str:
        return b.constant(np.array(dims, np.int64), "shape")

    pooled = b.op("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
    keys, values = attention.key.out_channels, attention.value.out_channels
    q = b.op("Transpose", [b.op("Reshape", [b.conv(attention.query, x), shape(0, keys, -1)])], perm=[0, 2, 1])
    k = b.op("Reshape", [b.conv(attention.key, pooled), shape(0, keys, -1)])
    v = b.op("Transpose", [b.op("Reshape", [b.conv(attention.value, pooled), shape(0, values, -1)])], perm=[0, 2, 1])
    weights = b.op("Softmax", [b.op("MatMul", [q, k])], axis=2)
    y = b.op("Transpose", [b.op("MatMul", [weights, v])], perm=[0, 2, 1])
    y = b.op("Reshape", [y, shape(0, values, height, width)])
    out = b.op("Mul", [b.conv(attention.out, y), b.floats(attention.gamma, "gamma")])
    return b.op("Add", [x, out])

"""Operators that act element by element: arithmetic, activations, comparisons, casts."""

from __future__ import annotations

import operator as py

import onnx
import torch
import torch.nn.functional as F

from .registry import Kernel, OpNode, operator, same_device

_UNARY: dict[str, Kernel] = {
    "Abs": torch.abs,
    "Ceil": torch.ceil,
    "Cos": torch.cos,
    "Erf": torch.erf,
    "Exp": torch.exp,
    "Floor": torch.floor,
    "Identity": lambda x: x,
    "Log": torch.log,
    "Mish": F.mish,
    "Neg": torch.neg,
    "Not": torch.logical_not,
    "Reciprocal": torch.reciprocal,
    "Relu": F.relu,
    "Round": torch.round,
    "Sigmoid": torch.sigmoid,
    "Sign": torch.sign,
    "Sin": torch.sin,
    "Softplus": F.softplus,
    "Softsign": F.softsign,
    "Sqrt": torch.sqrt,
    "Tanh": torch.tanh,
}

_BINARY: dict[str, Kernel] = {
    "Add": py.add,
    "And": torch.logical_and,
    "Equal": torch.eq,
    "Greater": torch.gt,
    "GreaterOrEqual": torch.ge,
    "Less": torch.lt,
    "LessOrEqual": torch.le,
    "Mul": py.mul,
    "Or": torch.logical_or,
    "Pow": torch.pow,
    "Sub": py.sub,
}

_VARIADIC: dict[str, Kernel] = {"Max": torch.maximum, "Min": torch.minimum, "Sum": py.add, "Mean": py.add}


@operator(*_UNARY)
def unary(node: OpNode) -> Kernel:
    """y = f(x)."""
    return _UNARY[node.op]


@operator(*_BINARY)
def binary(node: OpNode) -> Kernel:
    """y = f(a, b), broadcast as numpy does."""
    function = _BINARY[node.op]
    return lambda a, b: function(*same_device(a, b))


@operator("Div")
def divide(node: OpNode) -> Kernel:
    """a / b; truncated towards zero on integers, as ONNX defines it."""

    def run(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        a, b = same_device(a, b)
        return a / b if a.dtype.is_floating_point else torch.div(a, b, rounding_mode="trunc")

    return run


@operator("Mod")
def modulo(node: OpNode) -> Kernel:
    """Remainder: C's fmod with fmod=1, else the divisor's sign."""
    return torch.fmod if node.attribute("fmod", 0) else torch.remainder


@operator(*_VARIADIC)
def variadic(node: OpNode) -> Kernel:
    """Fold a binary function over any number of inputs."""
    function = _VARIADIC[node.op]
    mean = node.op == "Mean"

    def run(*args: torch.Tensor) -> torch.Tensor:
        first, *rest = same_device(*args)
        for other in rest:
            first = function(first, other)
        return first / len(args) if mean else first

    return run


@operator("LeakyRelu")
def leaky_relu(node: OpNode) -> Kernel:
    """x for x >= 0, alpha * x below; alpha is 0.01 unless given."""
    alpha = node.attribute("alpha", 0.01)
    return lambda x: F.leaky_relu(x, alpha)


@operator("PRelu")
def prelu(node: OpNode) -> Kernel:
    """Leaky ReLU with a learned slope, broadcast to x."""
    return lambda x, slope: torch.where(x >= 0, x, x * slope)


@operator("Elu")
def elu(node: OpNode) -> Kernel:
    """x above zero, alpha * (exp(x) - 1) below."""
    alpha = node.attribute("alpha", 1.0)
    return lambda x: F.elu(x, alpha)


@operator("Selu")
def selu(node: OpNode) -> Kernel:
    """gamma * elu(x, alpha)."""
    alpha = node.attribute("alpha", 1.67326319217681884765625)
    gamma = node.attribute("gamma", 1.05070102214813232421875)
    return lambda x: gamma * F.elu(x, alpha)


@operator("Gelu")
def gelu(node: OpNode) -> Kernel:
    """Gaussian error linear unit, exact or by tanh."""
    approximate = node.attribute("approximate", "none")
    return lambda x: F.gelu(x, approximate=approximate)


@operator("HardSigmoid")
def hard_sigmoid(node: OpNode) -> Kernel:
    """max(0, min(1, alpha * x + beta))."""
    alpha, beta = node.attribute("alpha", 0.2), node.attribute("beta", 0.5)
    return lambda x: torch.clamp(alpha * x + beta, 0.0, 1.0)


@operator("HardSwish")
def hard_swish(node: OpNode) -> Kernel:
    """x * max(0, min(1, x / 6 + 0.5))."""
    return F.hardswish


@operator("Clip")
def clip(node: OpNode) -> Kernel:
    """Limits from attributes (opset < 11) or inputs."""
    if node.opset < 11:
        low, high = node.attribute("min"), node.attribute("max")
        return lambda x: torch.clamp(x, low, high)
    low, high = node.constant(1), node.constant(2)
    if (low is not None or not node.has(1)) and (high is not None or not node.has(2)):
        low = None if low is None else low.item()
        high = None if high is None else high.item()
        return lambda x, *_: torch.clamp(x, low, high)
    return lambda x, lo=None, hi=None: torch.clamp(x, lo, hi)


@operator("Cast", "CastLike")
def cast(node: OpNode) -> Kernel:
    """Change of element type."""
    if node.op == "CastLike":
        return lambda x, like: x.to(like.dtype)
    dtype = torch_dtype(node.attribute("to"), node)
    return lambda x: x.to(dtype)


@operator("Where")
def where(node: OpNode) -> Kernel:
    """a where the condition holds, b elsewhere."""
    return lambda condition, a, b: torch.where(*same_device(condition, a, b))


@operator("Dropout")
def dropout(node: OpNode) -> Kernel:
    """Nothing at inference; the mask, where asked for, is all true."""
    if len(node.outputs) > 1:
        return lambda x, *_: (x, torch.ones_like(x, dtype=torch.bool))
    return lambda x, *_: x


_DTYPES = {
    onnx.TensorProto.FLOAT: torch.float32,
    onnx.TensorProto.FLOAT16: torch.float16,
    onnx.TensorProto.BFLOAT16: torch.bfloat16,
    onnx.TensorProto.DOUBLE: torch.float64,
    onnx.TensorProto.INT8: torch.int8,
    onnx.TensorProto.UINT8: torch.uint8,
    onnx.TensorProto.INT16: torch.int16,
    onnx.TensorProto.INT32: torch.int32,
    onnx.TensorProto.INT64: torch.int64,
    onnx.TensorProto.BOOL: torch.bool,
}


def torch_dtype(code: int, node: OpNode) -> torch.dtype:
    """torch's element type for ONNX's code."""
    if code not in _DTYPES:
        raise node.refuse(f"element type {code} has no torch counterpart here", "Add it to _DTYPES.")
    return _DTYPES[code]

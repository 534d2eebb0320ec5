"""The table of ONNX operators: one builder per operator, registered by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

#: Takes the node's input tensors (None for an omitted optional input); returns one tensor, or one per output.
Kernel = Callable[..., Any]


@dataclass
class OpNode:
    """One node of the graph, its attributes decoded, and the inputs that are known when the graph is loaded."""

    op: str
    name: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]
    opset: int
    constants: Mapping[str, np.ndarray] = field(repr=False)

    def attribute(self, name: str, default: Any = None) -> Any:
        """Attribute by name, or the default that the operator's specification gives."""
        return self.attributes.get(name, default)

    def has(self, index: int) -> bool:
        """Whether the optional input `index` is given."""
        return index < len(self.inputs) and self.inputs[index] != ""

    def constant(self, index: int) -> np.ndarray | None:
        """Value of input `index` if it is known at load time, else None."""
        return self.constants.get(self.inputs[index]) if self.has(index) else None

    def integers(self, index: int) -> Callable[[tuple[Any, ...]], list[int] | None]:
        """Reader of an integer-list input: from the constant if there is one, else from the tensor at run time."""
        if not self.has(index):
            return lambda args: None
        known = self.constant(index)
        if known is not None:
            values = [int(v) for v in np.atleast_1d(known)]
            return lambda args: list(values)
        return lambda args: [int(v) for v in torch.atleast_1d(args[index]).tolist()]

    def axes(self, index: int) -> Callable[[tuple[Any, ...]], list[int] | None]:
        """Axes from the attribute `axes` (older opsets) or from input `index` (newer ones)."""
        given = self.attribute("axes")
        if given is not None:
            return lambda args: list(given)
        return self.integers(index)

    def refuse(self, what: str, hint: str) -> UnsupportedOperator:
        """The error to raise for a form of this operator that is not covered."""
        return UnsupportedOperator(f"{self.op} node '{self.name}': {what}. {hint}")


class UnsupportedOperator(NotImplementedError):
    """An operator, or a form of one, that the interpreter does not know; the message says where and what to do."""


_BUILDERS: dict[str, Callable[[OpNode], Kernel]] = {}


def operator(*names: str) -> Callable[[Callable[[OpNode], Kernel]], Callable[[OpNode], Kernel]]:
    """Register a builder for the named ONNX operators (domain ai.onnx)."""

    def register(builder: Callable[[OpNode], Kernel]) -> Callable[[OpNode], Kernel]:
        for name in names:
            _BUILDERS[name] = builder
        return builder

    return register


def build(node: OpNode) -> Kernel:
    """Kernel of a node. Raises UnsupportedOperator for an operator that is not in the table."""
    builder = _BUILDERS.get(node.op)
    if builder is None:
        raise UnsupportedOperator(
            f"operator '{node.op}' (node '{node.name}', output '{node.outputs[0]}') is not known. "
            "Register it in training/deepcod/graph/ops/ (one function with @operator), or, if it belongs to "
            "post-processing such as NMS, export the model without it: the runtime does its own."
        )
    return builder(node)


def known_operators() -> list[str]:
    """Names of all registered operators."""
    return sorted(_BUILDERS)


def same_device(*tensors: torch.Tensor) -> list[torch.Tensor]:
    """Bring small host tensors (made from shapes) to the device of the others."""
    devices = {t.device for t in tensors}
    if len(devices) == 1:
        return list(tensors)
    target = next(t.device for t in tensors if t.device.type != "cpu")
    return [t.to(target) for t in tensors]

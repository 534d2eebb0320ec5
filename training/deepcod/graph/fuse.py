"""Pairs of nodes that torch has one kernel for: less memory traffic, and less kept for the gradient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from .ops import Kernel, OpNode


@dataclass
class Step:
    """One node to run.

    Attributes:
        host: whether it works on shapes, on the host.
        release: tensors that nobody needs after it.
        hidden: tensors that fusing made disappear, by name, and how to get them from the step's first input.
    """

    node: OpNode
    kernel: Kernel
    host: bool = False
    release: list[str] = field(default_factory=list)
    hidden: dict[str, Callable[[torch.Tensor], torch.Tensor]] = field(default_factory=dict)


def fuse_silu(steps: Sequence[Step], outputs: Sequence[str]) -> list[Step]:
    """x * sigmoid(x) as one SiLU, where nothing else takes the sigmoid."""
    uses = Counter(name for step in steps for name in step.node.inputs)
    gates = {
        step.node.outputs[0]: step.node.inputs[0]
        for step in steps
        if step.node.op == "Sigmoid" and uses[step.node.outputs[0]] == 1 and step.node.outputs[0] not in outputs
    }
    fused: dict[str, Step] = {}
    for step in steps:
        inputs = step.node.inputs
        if step.node.op != "Mul":
            continue
        gate = next((name for name in inputs if name in gates), None)
        if gate is not None and gates[gate] in inputs:
            step.node.inputs = [gates[gate]]
            step.kernel = F.silu
            step.hidden[gate] = torch.sigmoid
            fused[gate] = step
    return [step for step in steps if step.node.outputs[0] not in fused]

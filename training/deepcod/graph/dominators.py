"""Tensors that everything passes through: the places where one tensor carries all that the rest needs.

A tensor t is one iff every path from the inputs to the outputs runs through it, that is, iff

    paths(inputs -> t) * paths(t -> outputs) = paths(inputs -> outputs).

Path counts are exact integers, so one pass forwards and one backwards over the graph finds all of them. Edges into
Shape and Size carry no data (only lengths, which are known) and are not counted.
"""

from __future__ import annotations

from collections import defaultdict

import onnx

_LENGTHS_ONLY = ("Shape", "Size")


def dominating_tensors(model: onnx.ModelProto) -> list[str]:
    """Names of the dominating tensors, from the input to the output, in the graph's order."""
    graph = model.graph
    constant = {t.name for t in graph.initializer}
    sources = [i.name for i in graph.input if i.name not in constant]
    nodes = [node for node in graph.node if node.op_type not in _LENGTHS_ONLY]

    reaching: dict[str, int] = defaultdict(int, dict.fromkeys(sources, 1))
    for node in nodes:
        paths = sum(reaching[name] for name in set(node.input) if name)
        for name in node.output:
            reaching[name] = paths

    leaving: dict[str, int] = defaultdict(int, {o.name: 1 for o in graph.output})
    for node in reversed(nodes):
        paths = sum(leaving[name] for name in node.output)
        for name in set(node.input):
            if name:
                leaving[name] += paths

    total = sum(leaving[name] for name in sources)
    order = [*sources, *(name for node in nodes for name in node.output if name)]
    return [name for name in order if total and reaching[name] * leaving[name] == total]

"""Run a frozen ONNX graph in torch, differentiable with respect to its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn

from .batch import BatchIsFixed, batch_entry
from .fuse import Step, fuse_silu
from .ops import OpNode, build
from .ops.layout import Reshape

Inputs = torch.Tensor | Sequence[torch.Tensor] | Mapping[str, torch.Tensor]


class OnnxModule(nn.Module):
    """An ONNX graph as a torch module.

    Weights are buffers: frozen, moved by `.to()`, left out of `state_dict()`. Whatever depends on constants alone is
    computed once, here. Small integer constants and everything computed from shapes stay on the host.

    The batch is free even where the graph was written for one batch size: see graph/batch.py for the rule.

    Attributes:
        inputs: names and shapes of the graph's inputs; an unknown length is None.
        outputs: names of the graph's outputs.
        batch_reason: why only the graph's own batch can be run, or None if any can.
        any_size: take inputs of another height and width than the graph says; right for graphs whose shapes follow
            from the input's, as a detector without baked grids.
    """

    def __init__(self, model: onnx.ModelProto | str | Path) -> None:
        super().__init__()
        if not isinstance(model, onnx.ModelProto):
            model = onnx.load(str(model))
        graph = model.graph
        opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 1)
        constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        self.inputs: dict[str, list[int | None]] = {
            i.name: [d.dim_value or None for d in i.type.tensor_type.shape.dim]
            for i in graph.input
            if i.name not in constants
        }
        self.outputs: list[str] = [o.name for o in graph.output]
        self.batch_reason: str | None = None
        self.any_size = False
        self._steps: list[Step] = []
        self._host: dict[str, torch.Tensor] = {}
        self._buffer_of: dict[str, str] = {}
        self._compile(graph, constants, opset)
        self._steps = fuse_silu(self._steps, self.outputs)
        self._place(constants)
        self._release()
        self._free_batch()

    # -- loading -----------------------------------------------------------------------------------------------------

    def _compile(self, graph: onnx.GraphProto, constants: dict[str, np.ndarray], opset: int) -> None:
        """Fold what is constant; build a kernel for every other node, in the graph's (topological) order."""
        on_host: set[str] = set()
        for proto in graph.node:
            node = _decode(proto, opset, constants)
            if node.op == "Constant":
                constants[node.outputs[0]] = _constant_value(node)
                continue
            kernel = build(node)
            live = [name for name in node.inputs if name and name not in constants]
            if not live and node.inputs:
                args = [_tensor(constants[n]) if n else None for n in node.inputs]
                for name, value in zip(node.outputs, _as_tuple(kernel(*args)), strict=False):
                    constants[name] = value.numpy()
                continue
            host = node.op in ("Shape", "Size") or all(name in on_host for name in live)
            if host:
                on_host.update(node.outputs)
            self._steps.append(Step(node, kernel, host and node.op not in ("Shape", "Size")))

    def _place(self, constants: dict[str, np.ndarray]) -> None:
        """Floating constants that some kernel takes become buffers; the rest stays on the host."""
        used = {name for step in self._steps for name in step.node.inputs} | set(self.outputs)
        host_used = {name for step in self._steps if step.host for name in step.node.inputs}
        for index, name in enumerate(sorted(used & constants.keys())):
            value = _tensor(constants[name])
            if value.dtype.is_floating_point:
                buffer = f"constant_{index}"
                self.register_buffer(buffer, value, persistent=False)
                self._buffer_of[name] = buffer
                if name in host_used:
                    self._host[name] = value
            else:
                self._host[name] = value

    def _release(self) -> None:
        """Note after which step each tensor is needed no more, so that inference keeps little."""
        last: dict[str, int] = {}
        for index, step in enumerate(self._steps):
            for name in step.node.inputs:
                last[name] = index
        for name, index in last.items():
            if name and name not in self.outputs and name not in self._host and name not in self._buffer_of:
                self._steps[index].release.append(name)

    def _free_batch(self) -> None:
        """Apply the rule of graph/batch.py to every baked Reshape."""
        batches = {shape[0] for shape in self.inputs.values() if shape}
        if None in batches or len(batches) != 1:
            return
        written = self._meta(1)
        doubled = self._meta(2)
        try:
            for step in self._steps:
                kernel = step.kernel
                if isinstance(kernel, Reshape) and kernel.baked:
                    a, b = written[step.node.inputs[0]], doubled[step.node.inputs[0]]
                    kernel.batch = batch_entry(step.node.name, a.shape, b.shape, kernel.resolve(a.shape))
                self._run(step, written, meta=True)
                self._run(step, doubled, meta=True)
        except (BatchIsFixed, RuntimeError, ValueError, IndexError) as error:
            self.batch_reason = f"{step.node.op} '{step.node.name}': {error}"

    def _meta(self, times: int) -> dict[str, torch.Tensor]:
        """Inputs without data, the batch `times` what the graph says; unknown lengths are taken as 64."""
        tensors = {}
        for name, shape in self.inputs.items():
            full = [length or 64 for length in shape]
            if full:
                full[0] *= times
            tensors[name] = torch.empty(full, device="meta")
        return tensors

    # -- running -----------------------------------------------------------------------------------------------------

    def forward(
        self, x: Inputs, capture: Sequence[str] = ()
    ) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Run the graph.

        Args:
            x: the input [N, ...] (any N), or all inputs in order or by name.
            capture: ONNX tensor names whose values are wanted as well; the service's features, say.

        Returns:
            (outputs by name, captured tensors by name).
        """
        env = self._bind(x)
        wanted = set(capture)
        captured = {name: env[name] for name in wanted & env.keys()}
        for step in self._steps:
            for name in wanted & step.hidden.keys():
                captured[name] = step.hidden[name](env[step.node.inputs[0]])
            captured.update((name, value) for name, value in self._run(step, env) if name in wanted)
            for name in step.release:
                env.pop(name, None)
        if missing := wanted - captured.keys():
            raise KeyError(f"no tensor named {sorted(missing)} in the graph; `deepcod cut --all` lists the cut points")
        return {name: self._value(name, env) for name in self.outputs}, {name: captured[name] for name in capture}

    def shapes(self, batch: int = 1) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor that depends on the input, at a batch; computed without data."""
        env = {n: torch.empty([batch, *[d or 64 for d in s[1:]]], device="meta") for n, s in self.inputs.items()}
        for step in self._steps:
            self._run(step, env, meta=True)
        return {name: tuple(value.shape) for name, value in env.items()}

    def _bind(self, x: Inputs) -> dict[str, torch.Tensor]:
        if isinstance(x, torch.Tensor):
            x = [x]
        env = dict(x) if isinstance(x, Mapping) else dict(zip(self.inputs, x, strict=True))
        for name, shape in self.inputs.items():
            if name not in env:
                raise KeyError(f"input '{name}' is missing; the graph takes {list(self.inputs)}")
            actual = list(env[name].shape)
            bound = 2 if self.any_size else len(shape)
            fixed = [(a, s) for a, s in zip(actual[1:bound], shape[1:bound], strict=False) if s is not None and a != s]
            if len(actual) != len(shape) or fixed:
                raise ValueError(f"input '{name}' is {actual}, the graph takes {['N', *shape[1:]]}")
            if self.batch_reason is not None and actual[0] != shape[0]:
                raise BatchIsFixed(f"batch {actual[0]} asked, the graph is for {shape[0]} only: {self.batch_reason}")
        return env

    def _run(self, step: Step, env: dict[str, torch.Tensor], meta: bool = False) -> list[tuple[str, torch.Tensor]]:
        """Run one node; its results go into env."""
        args = [self._value(name, env, step.host, meta) if name else None for name in step.node.inputs]
        try:
            values = _as_tuple(step.kernel(*args))
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            shapes = [None if a is None else tuple(a.shape) for a in args]
            raise RuntimeError(f"{step.node.op} '{step.node.name}' on {shapes}: {error}") from error
        pairs = [(n, v) for n, v in zip(step.node.outputs, values, strict=False) if n]
        env.update(pairs)
        return pairs

    def _value(self, name: str, env: dict[str, torch.Tensor], host: bool = False, meta: bool = False) -> torch.Tensor:
        if name in env:
            return env[name]
        if name in self._host and (host or name not in self._buffer_of):
            return self._host[name]
        value = getattr(self, self._buffer_of[name])
        return value.to("meta") if meta else value


def _decode(proto: onnx.NodeProto, opset: int, constants: Mapping[str, np.ndarray]) -> OpNode:
    attributes: dict[str, Any] = {}
    for attribute in proto.attribute:
        value = helper.get_attribute_value(attribute)
        if isinstance(value, bytes):
            value = value.decode()
        elif isinstance(value, onnx.TensorProto):
            value = numpy_helper.to_array(value)
        elif attribute.type == onnx.AttributeProto.INTS or attribute.type == onnx.AttributeProto.FLOATS:
            value = list(value)
        attributes[attribute.name] = value
    op = proto.op_type if proto.domain in ("", "ai.onnx") else f"{proto.domain}.{proto.op_type}"
    name = proto.name or f"(output {proto.output[0]})"
    return OpNode(op, name, list(proto.input), list(proto.output), attributes, opset, constants)


def _constant_value(node: OpNode) -> np.ndarray:
    for key in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if key in node.attributes:
            value = node.attributes[key]
            dtype = {"value_float": np.float32, "value_floats": np.float32}.get(key, np.int64)
            return value if isinstance(value, np.ndarray) else np.array(value, dtype=dtype)
    raise node.refuse(f"constant of kind {list(node.attributes)}", "Only tensors, floats and integers are covered.")


def _tensor(value: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(value).copy()).reshape(value.shape)


def _as_tuple(value: Any) -> tuple[torch.Tensor, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)

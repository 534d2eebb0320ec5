"""A service as the codec's training and export see it: picture convention, partition points, features to distil."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import onnx
from torch import Tensor, nn

from deepcod.graph.interpreter import OnnxModule
from deepcod.graph.split import split


@dataclass(frozen=True)
class Service:
    """`facts` is the description in training/services/NAME.json; `model` the service's own ONNX graph."""

    facts: dict
    model: onnx.ModelProto

    @staticmethod
    def open(description: Path, model: Path) -> Service:
        return Service(json.loads(Path(description).read_text()), onnx.load(str(model)))

    def tensor(self, partition: str) -> str:
        try:
            return self.facts["partitions"][partition]
        except KeyError:
            known = ", ".join(self.facts["partitions"])
            raise ValueError(
                f"partition {partition!r} is not in the description of {self.facts['name']}: use one of {known}"
            ) from None

    def feed(self, pictures: Tensor) -> Tensor:
        """Letterboxed RGB pictures `[N, 3, H, W]`, 0..255, as the service wants them."""
        picture = self.facts["picture"]
        if picture["order"] == "bgr":
            pictures = pictures.flip(1)
        return pictures * picture["scale"]

    def halves(self, partition: str) -> tuple[nn.Module | None, OnnxModule, list[str]]:
        """(prefix or None at the input, remainder, names of the features after the partition point)."""
        tensor = self.tensor(partition)
        if tensor == self.model.graph.input[0].name:
            prefix, second = None, self.model
        else:
            first, second = split(self.model, tensor)
            prefix = OnnxModule(first)
        after = {name for node in second.graph.node for name in node.output}
        return prefix, OnnxModule(second), [f for f in self.facts["features"] if f in after]

    def source(self, prefix: nn.Module | None, pictures: Tensor) -> Tensor:
        """The tensor at the partition point for letterboxed RGB pictures."""
        x = self.feed(pictures)
        return x if prefix is None else next(iter(prefix(x)[0].values()))

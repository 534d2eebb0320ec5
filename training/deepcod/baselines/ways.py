"""One way to get from a picture to the service's outputs: what runs on the device, what crosses, what the edge does."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from ..evaluate.letterbox import Fit
from ..evaluate.service import feed
from .cache import sha256
from .methods import METHODS, ON_DEVICE, Coder
from .point import Network, Outputs, Point

_HERE = Path(__file__).parent
#: Files besides a method's own that decide what it gives.
_SHARED = ("entropy.py", "quantise.py", "point.py")


class Way(Protocol):
    """A method at a partition point and a setting."""

    method: str
    partition: str
    setting: str
    depends: list[str]

    def device(self, canvas: np.ndarray, fit: Fit) -> bytes | Outputs:
        """The message of a letterboxed RGB picture [H, W, 3]; the outputs where nothing is sent."""

    def edge(self, sent: bytes | Outputs, fit: Fit) -> Outputs:
        """The service's outputs from what was sent."""


def _source_of(file: str) -> str:
    return sha256(*((_HERE / name).read_text() for name in (f"{file}.py", *_SHARED)))


@dataclass
class Offloaded:
    """A coder at a partition point."""

    method: str
    point: Point
    coder: Coder
    depends: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.partition, self.setting = self.point.partition, self.coder.setting
        self.depends = [_source_of(METHODS[self.method]), self.coder.depends]

    def device(self, canvas: np.ndarray, fit: Fit) -> bytes:
        """Prefix, encoder, entropy coder."""
        return self.coder.encode(self.point.source(canvas, fit))

    def edge(self, sent: bytes, fit: Fit) -> Outputs:
        """Decoder, remainder."""
        return self.point.outputs(self.coder.decode(sent), fit)


@dataclass
class OnDevice:
    """A whole service on the device."""

    setting: str
    network: Network
    description: dict
    digest: str
    method = ON_DEVICE
    partition = "device"

    @property
    def depends(self) -> list[str]:
        """The model itself."""
        return [self.digest]

    def device(self, canvas: np.ndarray, fit: Fit) -> Outputs:
        """The service."""
        return self.network(feed(canvas, self.description))

    def edge(self, sent: Outputs, fit: Fit) -> Outputs:
        """Nothing is left to do."""
        return sent

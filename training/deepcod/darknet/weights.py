"""Darknet's .weights: a header of version and pictures seen, then float32 values in layer order, no names, no sizes.

int32 major, minor, revision; int64 seen (int32 before version 0.2); float32 values to the end, little endian
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from .errors import DarknetError


class WeightsReader:
    """Hands out the values in order, and knows when there are too few or too many."""

    def __init__(self, content: bytes, source: str = "weights") -> None:
        self.source = source
        if len(content) < 16:
            raise DarknetError(f"{source}: {len(content)} bytes are too few for a header")
        major, minor, self.revision = struct.unpack_from("<iii", content)
        if not (0 <= major < 1000 and 0 <= minor < 1000):
            raise DarknetError(f"{source}: version {major}.{minor} is not darknet's", "Is this a darknet weights file?")
        start = 20 if major * 10 + minor >= 2 else 16
        if (len(content) - start) % 4:
            raise DarknetError(f"{source}: its length is not a whole number of float32 values: truncated")
        self._values = np.frombuffer(content, dtype="<f4", offset=start)
        self._at = 0

    def take(self, shape: Sequence[int], what: str) -> np.ndarray:
        """The next values, as float32 of the shape; `what` names them in an error."""
        count = int(np.prod(shape))
        left = len(self._values) - self._at
        if count > left:
            raise DarknetError(
                f"{self.source}: too short: {what} needs {count} values, {left} are left",
                "These weights belong to another cfg, or the download was cut off.",
            )
        self._at += count
        return self._values[self._at - count : self._at].reshape(shape).astype(np.float32)

    def finish(self) -> None:
        """Every value must have been used."""
        left = len(self._values) - self._at
        if left:
            raise DarknetError(
                f"{self.source}: too long: {left} of {len(self._values)} values are left after the last layer",
                "These weights belong to another cfg (other classes, say).",
            )


def write_weights(arrays: Sequence[np.ndarray], seen: int = 0) -> bytes:
    """A .weights file (version 0.2) holding the arrays in order."""
    header = struct.pack("<iiiq", 0, 2, 5, seen)
    return header + b"".join(np.ascontiguousarray(a, dtype="<f4").tobytes() for a in arrays)

"""One file of weights that all graphs of a bundle share through ONNX external data."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

ALIGNMENT = 64
INLINE_BYTES = 1024


class WeightStore:
    """Collects tensors by content; equal tensors of different graphs are stored once.

    A float32 tensor that half precision holds exactly is stored in half precision and cast when the session is made:
    half the bytes, the same numbers.
    """

    def __init__(self, name: str = "weights.bin") -> None:
        self.name = name
        self._chunks: list[bytes] = []
        self._size = 0
        self._offsets: dict[bytes, int] = {}

    def _place(self, data: bytes) -> int:
        key = hashlib.sha256(data).digest()
        if key not in self._offsets:
            padding = -self._size % ALIGNMENT
            self._chunks += [b"\0" * padding, data]
            self._offsets[key] = self._size + padding
            self._size += padding + len(data)
        return self._offsets[key]

    def share(self, model: onnx.ModelProto) -> None:
        """Move every large initializer of `model` into the store; adds a Cast for those kept in half precision."""
        graph = model.graph
        casts = []
        for tensor in graph.initializer:
            array = onnx.numpy_helper.to_array(tensor)
            if array.nbytes < INLINE_BYTES:
                continue
            name = tensor.name
            half = array.astype(np.float16) if array.dtype == np.float32 and np.abs(array).max() < 65504 else None
            if half is not None and np.array_equal(half.astype(np.float32), array):
                array = half
                casts.append(
                    helper.make_node("Cast", [name + "/half"], [name], name=name + "/cast", to=TensorProto.FLOAT)
                )
                tensor.name = name + "/half"
            data = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
            offset = self._place(data)
            tensor.ClearField("raw_data")
            for field in ("float_data", "int32_data", "int64_data", "double_data", "uint64_data"):
                tensor.ClearField(field)
            tensor.data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
            tensor.data_location = TensorProto.EXTERNAL
            del tensor.external_data[:]
            for key, value in (("location", self.name), ("offset", str(offset)), ("length", str(len(data)))):
                tensor.external_data.add(key=key, value=value)
        nodes = casts + list(graph.node)
        del graph.node[:]
        graph.node.extend(nodes)

    def write(self, folder: Path) -> Path:
        path = folder / self.name
        path.write_bytes(b"".join(self._chunks))
        return path

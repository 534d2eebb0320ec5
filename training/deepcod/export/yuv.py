"""Heads that read a camera's YUV 4:2:0 planes: the conversion to RGB goes into their first convolution.

A head begins with a linear convolution, YUV to RGB is linear too, and a chroma value serves 2x2 pixels. So the same
numbers come from a convolution of Y, and one of U and V at half the size. What RGB loses by rounding and by clamping to
0..255 is not lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.external_data_helper import load_external_data_for_tensor

from deepcod.errors import DeepcodError

from .builder import FLOAT, Builder
from .copy import copied_bundle
from .halves import FRONT
from .manifest import read_manifest, write_manifest

#: The name of the whole service among the points.
DEVICE = "device"
#: R, G, B of Y, U - 128, V - 128: BT.601, full range, as agent/camera/yuv.ts says.
RGB_OF_YUV = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]])
GREY = np.array([0.0, 128.0, 128.0])


def add_yuv_heads(bundle: Path, points: Sequence[str] | None, out: Path) -> dict:
    """A copy of a bundle with heads that read YUV beside those that read RGB, at these points; default: at all.

    Files that were there stay as they are; weights are shared with them. `out` is replaced only when everything
    succeeded. Returns the manifest.
    """
    manifest = read_manifest(bundle)
    # by point: where its model is named, under which key, and the file that reads RGB
    models = {p["id"]: (p, "head_yuv", p["head"]) for p in manifest["partitions"]}
    models[DEVICE] = (manifest["service"], "model_yuv", manifest["service"]["model"])
    if unknown := [p for p in points or () if p not in models]:
        raise DeepcodError(f"--points {unknown[0]}: {bundle} has {', '.join(models)}")
    with copied_bundle(bundle, out) as made:
        for point in points or models:
            entry, key, file = models[point]
            name = f"{file.removesuffix('.onnx')}.yuv.onnx"
            try:
                head = yuv_head(onnx.load(str(bundle / file), load_external_data=False), bundle)
            except NotImplementedError as error:
                raise DeepcodError(f"{file}: {error}", "Name the points that can with --points.") from error
            onnx.save(head, str(made / name))
            onnx.checker.check_model(str(made / name))
            entry[key] = name
        write_manifest(manifest, made)
    return manifest


def yuv_head(head: onnx.ModelProto, folder: Path) -> onnx.ModelProto:
    """The same head for `picture` uint8 `[N, H * 3 / 2, W]`: the rows of Y, then all of U, then all of V.

    Args:
        head: reads `picture` uint8 `[N, H, W, 3]`; its tensors may lie outside.
        folder: where those lie.

    Raises:
        NotImplementedError: something not linear stands before the first convolution, or the picture has an odd size.
    """
    made = onnx.ModelProto.FromString(head.SerializeToString())
    graph = made.graph
    picture = next(i for i in graph.input if i.name == "picture")
    _, height, width, _ = (d.dim_value for d in picture.type.tensor_type.shape.dim)
    if height % 2 or width % 2:
        raise NotImplementedError(f"a picture of {width}x{height} has no whole chroma values")
    front = _Front.of(graph, folder)
    b = Builder(f"{FRONT}yuv/")
    _convolve(b, front, height, width)
    _replace(graph, front, b)
    dims = picture.type.tensor_type.shape.dim
    del dims[3]
    dims[1].dim_value, dims[2].dim_value = height * 3 // 2, width
    del graph.value_info[:]
    return made


@dataclass
class _Front:
    """From the picture to the first convolution: that takes `matrix @ rgb + shift`."""

    convolution: onnx.NodeProto
    kernel: np.ndarray
    matrix: np.ndarray = field(default_factory=lambda: np.eye(3))
    shift: np.ndarray = field(default_factory=lambda: np.zeros(3))
    passed: list[onnx.NodeProto] = field(default_factory=list)

    @classmethod
    def of(cls, graph: onnx.GraphProto, folder: Path) -> _Front:
        values = _Values(graph, folder)
        matrix, shift, passed = np.eye(3), np.zeros(3), []
        tensor, planar = "picture", False
        while True:
            (node, *others) = [n for n in graph.node if tensor in n.input]
            if others:
                raise NotImplementedError(f"{tensor} goes several ways before any convolution")
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type == "Conv" and planar:
                if attributes.get("group", 1) != 1 or set(attributes.get("dilations", [1])) != {1}:
                    raise NotImplementedError("its first convolution has groups or dilations")
                kernel = values.of(node.input[1]).astype(np.float64)
                return cls(node, kernel, matrix, shift, passed)
            if node.op_type == "Transpose" and list(attributes["perm"]) == [0, 3, 1, 2]:
                planar = True
            elif node.op_type == "Gather" and planar and attributes.get("axis", 0) == 1:
                order = values.of(node.input[1])
                matrix, shift = matrix[order], shift[order]
            elif node.op_type in ("Mul", "Add", "Sub", "Div") and planar and node.input[0] == tensor:
                by = _by_channel(values.of(node.input[1]))
                if node.op_type in ("Mul", "Div"):
                    factor = by if node.op_type == "Mul" else 1 / by
                    matrix, shift = matrix * factor[:, None], shift * factor
                else:
                    shift = shift + (by if node.op_type == "Add" else -by)
            elif not (node.op_type == "Cast" and attributes["to"] == FLOAT):
                raise NotImplementedError(f"{node.op_type} stands before its first convolution")
            passed.append(node)
            tensor = node.output[0]


class _Values:
    """A graph's constants; those kept in half precision are behind a Cast."""

    def __init__(self, graph: onnx.GraphProto, folder: Path) -> None:
        self._tensors = {t.name: t for t in graph.initializer}
        self._casts = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "Cast"}
        self._folder = folder

    def of(self, name: str) -> np.ndarray:
        tensor = self._tensors.get(self._casts.get(name, name))
        if tensor is None:
            raise NotImplementedError(f"{name} is no constant")
        own = onnx.TensorProto.FromString(tensor.SerializeToString())
        if own.data_location == onnx.TensorProto.EXTERNAL:
            load_external_data_for_tensor(own, str(self._folder))
        return numpy_helper.to_array(own)


def _by_channel(value: np.ndarray) -> np.ndarray:
    """A constant as one number for each of three channels."""
    if value.size == 1:
        return np.full(3, value.item(), np.float64)
    if value.size != 3 or value.shape[-2:] != (1, 1):
        raise NotImplementedError(f"a constant of shape {value.shape} before its first convolution")
    return value.astype(np.float64).reshape(3)


def _convolve(b: Builder, front: _Front, height: int, width: int) -> None:
    """Writes the first convolution's output from `picture`.

    Y, U and V are taken relative to the colour for which the convolution's padding stands, so that it is 0 here too.
    """
    matrix = front.matrix @ RGB_OF_YUV
    zero = GREY - np.linalg.solve(matrix, front.shift)
    kernel = np.einsum("oikl,ij->ojkl", front.kernel, matrix)

    def plane(first: int, last: int, shape: list[int], zero: np.ndarray) -> str:
        rows = [b.constant(np.array([v], np.int64), "rows") for v in (first, last, 1)]
        cut = b.op("Slice", ["picture", *rows])
        planes = b.op("Reshape", [cut, b.constant(np.array([-1, *shape], np.int64), "shape")])
        values = b.cast(planes, FLOAT)
        return b.op("Sub", [values, b.floats(zero[None, :, None, None], "zero")]) if zero.any() else values

    luma = plane(0, height, [1, height, width], zero[:1])
    chroma = plane(height, height * 3 // 2, [2, height // 2, width // 2], zero[1:])
    attributes = {a.name: helper.get_attribute_value(a) for a in front.convolution.attribute}
    strides = list(attributes.get("strides", [1, 1]))
    bias, (output,) = list(front.convolution.input[2:]), front.convolution.output
    if any(s % 2 for s in strides):
        # Each pixel has its own chroma then. Four kernels at half the size take longer than to double the planes:
        # docs/decisions/yuv.md.
        sizes = [b.floats(np.zeros(0), "roi"), b.floats(np.array([1, 1, 2, 2]), "sizes")]
        nearest = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
        whole = b.op("Resize", [chroma, *sizes], **nearest)
        yuv = b.op("Concat", [luma, whole], axis=1)
        b.op("Conv", [yuv, b.floats(kernel, "kernel"), *bias], output, **attributes)
        return
    pads = list(attributes.get("pads", [0] * 4))
    of_luma = b.op("Conv", [luma, b.floats(kernel[:, :1], "kernel"), *bias], **attributes)
    size = [height, width]
    folded, ends = kernel[:, 1:], [0, 0]
    for axis in (0, 1):
        count = (size[axis] + pads[axis] + pads[axis + 2] - kernel.shape[2 + axis]) // strides[axis] + 1
        folded, ends[axis] = _fold(folded, 2 + axis, pads[axis], strides[axis] // 2, count, size[axis] // 2)
    starts = [(pad + 1) // 2 for pad in pads[:2]]
    of_chroma = b.op(
        "Conv",
        [chroma, b.floats(folded, "kernel")],
        kernel_shape=list(folded.shape[2:]),
        strides=[s // 2 for s in strides],
        pads=[*starts, *ends],
    )
    b.op("Add", [of_luma, of_chroma], output)


def _fold(kernel: np.ndarray, axis: int, pad: int, stride: int, count: int, size: int) -> tuple[np.ndarray, int]:
    """A kernel over doubled values as one over the values themselves, along one axis.

    Args:
        pad: how far the kernel begins before the first of the doubled values.
        stride, count, size: of the result over the values: step, outputs, values.

    Returns:
        the kernel, which begins `ceil(pad / 2)` before the first value; and how far it ends behind the last one.
    """
    taps = (np.arange(kernel.shape[axis]) - pad) // 2
    folded = np.stack([kernel.compress(taps == tap, axis).sum(axis) for tap in range(taps[0], taps[-1] + 1)], axis)
    return folded, max(0, (count - 1) * stride + int(taps[-1]) + 1 - size)


def _replace(graph: onnx.GraphProto, front: _Front, b: Builder) -> None:
    """The new nodes in place of the front; what only the old ones needed goes."""
    nodes = list(graph.node)
    at = nodes.index(front.convolution)
    gone = [front.convolution, *front.passed]
    nodes = [n for n in (*nodes[:at], *b.nodes, *nodes[at:]) if n not in gone]
    used = {name for n in nodes for name in n.input} | {o.name for o in graph.output}
    nodes = [n for n in nodes if used.intersection(n.output)]
    used = {name for n in nodes for name in n.input}
    tensors = [t for t in (*graph.initializer, *b.initializers) if t.name in used]
    for content, kept in ((graph.node, nodes), (graph.initializer, tensors)):
        kept = list(kept)
        del content[:]
        content.extend(kept)

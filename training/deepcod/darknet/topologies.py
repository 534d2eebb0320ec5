"""The standard topologies of YOLOv3 as cfg text, at any width.

The structure (Darknet-53, three scales; the tiny and the SPP form) is that of the YOLOv3 report, arXiv 1804.02767.
`width` multiplies every layer's filters except the heads'; width 0.25 of yolov3 is the default bundle's service.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

ANCHORS = (10, 13, 16, 30, 33, 23, 30, 61, 62, 45, 59, 119, 116, 90, 156, 198, 373, 326)
TINY_ANCHORS = (10, 14, 23, 27, 37, 58, 81, 82, 135, 169, 344, 319)
BLOCKS = ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4))


class _Writer:
    """Adds sections; counts layers as darknet does."""

    def __init__(self, size: int, width: float, classes: int, anchors: Sequence[float], per_scale: int) -> None:
        self.width, self.classes, self.anchors, self.per_scale = width, classes, anchors, per_scale
        self.layers: list[str] = []
        self.net = _section("net", batch=1, subdivisions=1, width=size, height=size, channels=3)

    def add(self, kind: str, **options: object) -> int:
        self.layers.append(_section(kind, **options))
        return len(self.layers) - 1

    def conv(self, filters: int, size: int, stride: int = 1) -> int:
        count = max(1, round(filters * self.width))
        return self.add(
            "convolutional",
            batch_normalize=1,
            filters=count,
            size=size,
            stride=stride,
            pad=1,
            activation="leaky",
        )

    def head(self, mask: Sequence[int]) -> int:
        filters = self.per_scale * (5 + self.classes)
        self.add("convolutional", filters=filters, size=1, stride=1, pad=1, activation="linear")
        return self.add(
            "yolo",
            mask=",".join(map(str, mask)),
            anchors=",".join(f"{a:g}" for a in self.anchors),
            classes=self.classes,
            num=len(self.anchors) // 2,
        )

    def up(self, filters: int, skip: int) -> None:
        """From before the last head: halve the channels, double the size, join an earlier stage."""
        self.add("route", layers=-4)
        self.conv(filters, 1)
        self.add("upsample", stride=2)
        self.add("route", layers=f"-1,{skip}")

    def text(self) -> str:
        return "\n".join([self.net, *self.layers])


def _section(kind: str, **options: object) -> str:
    return f"[{kind}]\n" + "".join(f"{key}={value}\n" for key, value in options.items())


def _three_scales(spp: bool, size: int, width: float, classes: int, anchors: Sequence[float]) -> str:
    w = _Writer(size, width, classes, anchors, 3)
    w.conv(32, 3)
    ends = []
    for filters, count in BLOCKS:
        w.conv(filters, 3, 2)
        for _ in range(count):
            w.conv(filters // 2, 1)
            w.conv(filters, 3)
            ends.append(w.add("shortcut", **{"from": -3, "activation": "linear"}))
    ends_of_stage = [ends[sum(n for _, n in BLOCKS[: i + 1]) - 1] for i in range(len(BLOCKS))]
    for scale, filters in enumerate((512, 256, 128)):
        if scale:
            w.up(filters, ends_of_stage[4 - scale])
        for repeat in range(3):
            w.conv(filters, 1)
            if spp and scale == 0 and repeat == 1:
                _pyramid(w)
                w.conv(filters, 1)
            w.conv(filters * 2, 3)
        w.head(range(6 - 3 * scale, 9 - 3 * scale))
    return w.text()


def _pyramid(w: _Writer) -> None:
    """Spatial pyramid pooling: max over 5, 9 and 13 pixels beside the input itself."""
    w.add("maxpool", stride=1, size=5)
    w.add("route", layers=-2)
    w.add("maxpool", stride=1, size=9)
    w.add("route", layers=-4)
    w.add("maxpool", stride=1, size=13)
    w.add("route", layers="-1,-3,-5,-6")


def yolov3(size: int = 416, width: float = 1.0, classes: int = 80, anchors: Sequence[float] = ANCHORS) -> str:
    """YOLOv3: 107 layers; 65.9 GFLOP and 61.9 M parameters at 416, width 1, 80 classes."""
    return _three_scales(False, size, width, classes, anchors)


def yolov3_spp(size: int = 608, width: float = 1.0, classes: int = 80, anchors: Sequence[float] = ANCHORS) -> str:
    """YOLOv3 with spatial pyramid pooling before the first head: 114 layers."""
    return _three_scales(True, size, width, classes, anchors)


def yolov3_tiny(size: int = 416, width: float = 1.0, classes: int = 80, anchors: Sequence[float] = TINY_ANCHORS) -> str:
    """YOLOv3-tiny: 24 layers, two scales; 5.6 GFLOP at 416."""
    w = _Writer(size, width, classes, anchors, 3)
    for filters in (16, 32, 64, 128):
        w.conv(filters, 3)
        w.add("maxpool", size=2, stride=2)
    skip = w.conv(256, 3)
    w.add("maxpool", size=2, stride=2)
    w.conv(512, 3)
    w.add("maxpool", size=2, stride=1)
    w.conv(1024, 3)
    w.conv(256, 1)
    w.conv(512, 3)
    w.head((3, 4, 5))
    w.up(128, skip)
    w.conv(256, 3)
    w.head((0, 1, 2))
    return w.text()


TOPOLOGIES: dict[str, Callable[..., str]] = {
    "yolov3": yolov3,
    "yolov3-spp": yolov3_spp,
    "yolov3-tiny": yolov3_tiny,
}

"""[yolo]: a detection head. Its raw input becomes an output of the model; decoding is the runtime's."""

from __future__ import annotations

from ..cfg import Section
from ..emitter import Emitter, Map
from .registry import layer


@layer("yolo")
def yolo(section: Section, x: Map, emitter: Emitter) -> Map:
    """Note anchors (pixels of the network's input), stride and scale_xy of this scale.

    The map is [N, anchors * (5 + classes), h, w], channels in the order tx, ty, tw, th, objectness, classes.
    """
    classes = section.integer("classes", 20)
    sizes = section.reals("anchors")
    pairs = [[sizes[i], sizes[i + 1]] for i in range(0, len(sizes) - 1, 2)]
    mask = section.integers("mask") if "mask" in section.options else list(range(len(pairs)))
    if len(sizes) % 2 or any(not 0 <= m < len(pairs) for m in mask):
        raise section.fail(f"mask {mask} does not fit {len(sizes) / 2:g} anchors", "mask")
    expected = len(mask) * (5 + classes)
    if x.channels != expected:
        raise section.fail(
            f"its input has {x.channels} channels; {len(mask)} anchors of {classes} classes take {expected}",
            hint="Set filters of the layer before to anchors * (5 + classes).",
        )
    if section.integer("new_coords", 0):
        raise section.fail("new_coords is not covered", "new_coords")
    emitter.heads.append(
        {
            "name": x.name,
            "anchors": [pairs[m] for m in mask],
            "scale_xy": section.real("scale_x_y", 1.0),
            "classes": classes,
            "height": x.height,
            "width": x.width,
        }
    )
    return Map(x.name, x.channels, x.height, x.width, head=True)

"""[route], [shortcut] and [scale_channels]: layers that look back at others."""

from __future__ import annotations

import numpy as np

from ..cfg import Section
from ..emitter import Emitter, Map
from .activation import activate
from .registry import layer


def earlier(section: Section, key: str, number: int, emitter: Emitter) -> Map:
    """The output that a layer number means: absolute if >= 0, else counted back from this layer."""
    index = number if number >= 0 else emitter.index + number
    if not 0 <= index < emitter.index:
        raise section.fail(f"{key}={number} means layer {index}; layers 0 to {emitter.index - 1} come before", key)
    found = emitter.maps[index]
    if found.head:
        raise section.fail(f"{key}={number} means layer {index}, a [yolo] layer, whose output is not a feature", key)
    return found


def _channels(emitter: Emitter, x: str, output: str, first: int, last: int) -> str:
    """Channels first..last-1 of x."""
    names = [
        emitter.constant(f"{output}_{key}", np.array([value], np.int64))
        for key, value in (("first", first), ("last", last), ("axis", 1))
    ]
    return emitter.node("Slice", [x, *names], output)


@layer("route")
def route(section: Section, x: Map, emitter: Emitter) -> Map:
    """Join the channels of earlier layers; with `groups`, only part `group_id` of each."""
    sources = [earlier(section, "layers", n, emitter) for n in section.integers("layers")]
    if not sources:
        raise section.fail("layers is empty", "layers")
    groups, part = section.integer("groups", 1), section.integer("group_id", 0)
    name = f"layer{emitter.index}"
    first = sources[0]
    names, channels = [], 0
    for i, source in enumerate(sources):
        if (source.height, source.width) != (first.height, first.width):
            raise section.fail(
                f"layers differ in size: {first.height}x{first.width} and {source.height}x{source.width}", "layers"
            )
        if source.channels % groups or not 0 <= part < groups:
            raise section.fail(f"groups={groups}, group_id={part} do not fit {source.channels} channels", "groups")
        share = source.channels // groups
        picked = source.name
        if groups > 1:
            output = name if len(sources) == 1 else f"{name}_part{i}"
            picked = _channels(emitter, source.name, output, part * share, (part + 1) * share)
        names.append(picked)
        channels += share
    joined = names[0] if len(names) == 1 else emitter.node("Concat", names, name, axis=1)
    return Map(joined, channels, first.height, first.width)


@layer("shortcut")
def shortcut(section: Section, x: Map, emitter: Emitter) -> Map:
    """Add earlier layers to the input, then activate.

    The result has the input's channels: an earlier layer with more of them is cut, one with fewer adds nothing to the
    rest.
    """
    if section.text("weights_type", "none") != "none":
        raise section.fail("weighted shortcuts are not covered", "weights_type")
    name = f"layer{emitter.index}"
    linear = section.text("activation", "linear") == "linear"
    y = x.name
    sources = [earlier(section, "from", n, emitter) for n in section.integers("from")]
    for i, source in enumerate(sources):
        if (source.height, source.width) != (x.height, x.width):
            raise section.fail(f"sizes differ: {x.height}x{x.width} and {source.height}x{source.width}", "from")
        other = source.name
        if source.channels > x.channels:
            other = _channels(emitter, other, f"{name}_cut{i}", 0, x.channels)
        elif source.channels < x.channels:
            pads = np.array([0, 0, 0, 0, 0, x.channels - source.channels, 0, 0], np.int64)
            other = emitter.node("Pad", [other, emitter.constant(f"{name}_pads{i}", pads)], f"{name}_padded{i}")
        last = i == len(sources) - 1
        y = emitter.node("Add", [y, other], name if last and linear else f"{name}_sum{i}")
    return Map(activate(section, y, name, emitter, "linear"), x.channels, x.height, x.width)


@layer("scale_channels")
def scale_channels(section: Section, x: Map, emitter: Emitter) -> Map:
    """Multiply an earlier layer by the input's one value per channel (squeeze and excitation)."""
    source = earlier(section, "from", section.integer("from"), emitter)
    if (x.height, x.width) != (1, 1) or source.channels != x.channels:
        raise section.fail(f"takes {source.channels} values of 1x1, its input is {x.channels} of {x.height}x{x.width}")
    name = f"layer{emitter.index}"
    linear = section.text("activation", "linear") == "linear"
    y = emitter.node("Mul", [source.name, x.name], name if linear else f"{name}_scaled")
    return Map(activate(section, y, name, emitter, "linear"), source.channels, source.height, source.width)

"""The table of darknet layers."""

from __future__ import annotations

from collections.abc import Callable

from ..cfg import Section
from ..emitter import Emitter, Map

#: (section, its input, emitter) -> its output
Builder = Callable[[Section, Map, Emitter], Map]

BUILDERS: dict[str, Builder] = {}


def layer(*kinds: str) -> Callable[[Builder], Builder]:
    """Register a builder for the named sections."""

    def register(builder: Builder) -> Builder:
        BUILDERS.update(dict.fromkeys(kinds, builder))
        return builder

    return register

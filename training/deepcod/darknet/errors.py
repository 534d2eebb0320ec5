"""Errors of the darknet importer: they name the file, the line and the layer."""

from __future__ import annotations

from ..errors import DeepcodError


class DarknetError(DeepcodError):
    """A cfg or weights file that cannot be imported."""

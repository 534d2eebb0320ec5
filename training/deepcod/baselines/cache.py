"""What was measured, kept outside git: a run that was cut goes on, and only what changed is measured again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import DeepcodError
from ..evaluate.rate import write_atomically


def sha256(*parts: str | bytes) -> str:
    """Of the parts, in their order."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
        digest.update(b"\0")
    return digest.hexdigest()


class Cache:
    """Values by name and by all that they follow from.

    Attributes:
        may_make: False: a value that is not there is an error, as where only times are wanted.
    """

    def __init__(self, folder: Path, may_make: bool = True) -> None:
        self.folder = folder
        self.may_make = may_make

    def get(self, name: str, depends: list[str], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `make` gave for this name and these dependencies before, or gives now."""
        file = self.folder / f"{name.replace('/', '_').replace(' ', '_')}-{sha256(*depends)[:24]}.json"
        if file.exists():
            return json.loads(file.read_text())
        if not self.may_make:
            raise DeepcodError(f"{name} has not been measured", "Leave --times-only out.")
        value = make()
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(value))
        return value

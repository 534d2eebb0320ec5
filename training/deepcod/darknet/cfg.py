"""Darknet's .cfg: sections in brackets, `key=value` lines, `#` and `;` comments."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .errors import DarknetError


@dataclass
class Section:
    """One [section]; `line` is where it starts and `lines` where each option stands (1-based)."""

    kind: str
    line: int
    source: str
    options: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def fail(self, message: str, key: str | None = None, hint: str = "") -> DarknetError:
        """An error at this section, or at one of its options."""
        line = self.lines.get(key, self.line) if key else self.line
        return DarknetError(f"{self.source}:{line}: [{self.kind}] {message}", hint)

    def text(self, key: str, default: str) -> str:
        """An option as written, lower case."""
        return self.options.get(key, default).strip().lower()

    def integer(self, key: str, default: int | None = None) -> int:
        """An integer option; without a default it must be there."""
        value = self._get(key, default)
        try:
            return int(value)
        except ValueError:
            raise self.fail(f"{key}={value} is not an integer", key) from None

    def real(self, key: str, default: float) -> float:
        """A number."""
        value = self._get(key, default)
        try:
            return float(value)
        except ValueError:
            raise self.fail(f"{key}={value} is not a number", key) from None

    def integers(self, key: str) -> list[int]:
        """A comma-separated list of integers; it must be there."""
        return [int(v) for v in self._list(key, int)]

    def reals(self, key: str) -> list[float]:
        """A comma-separated list of numbers; it must be there."""
        return [float(v) for v in self._list(key, float)]

    def _list(self, key: str, kind: type[int] | type[float]) -> list[float]:
        values = [v.strip() for v in str(self._get(key, None)).split(",") if v.strip()]
        try:
            return [kind(v) for v in values]
        except ValueError:
            raise self.fail(f"{key}={self.options[key]} is not a list of numbers", key) from None

    def _get(self, key: str, default: object) -> str:
        if key not in self.options and default is None:
            raise self.fail(f"option '{key}' is missing")
        return self.options.get(key, str(default))


def parse_cfg(text: str, source: str = "cfg") -> list[Section]:
    """Sections in order; the first is [net] (or [network]). `source` is the file's name in messages."""
    sections: list[Section] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.split(r"[#;]", raw, maxsplit=1)[0].strip()
        if not line:
            continue
        if line.startswith("["):
            if not line.endswith("]"):
                raise DarknetError(f"{source}:{number}: '{line}' does not close its bracket")
            sections.append(Section(line[1:-1].strip().lower(), number, source))
            continue
        key, equals, value = line.partition("=")
        if not equals or not key.strip():
            raise DarknetError(f"{source}:{number}: '{line}' is neither [section] nor key=value")
        if not sections:
            raise DarknetError(f"{source}:{number}: '{line}' stands before the first [section]")
        section = sections[-1]
        section.options[key.strip()] = value.strip()
        section.lines[key.strip()] = number
    if not sections or sections[0].kind not in ("net", "network"):
        raise DarknetError(f"{source}: a darknet cfg begins with [net]", "Is this the right file?")
    if len(sections) == 1:
        raise DarknetError(f"{source}: no layers after [net]")
    return sections

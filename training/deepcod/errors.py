"""Errors that a person can act on."""

from __future__ import annotations


class DeepcodError(Exception):
    """What is wrong and where; `hint` says what to do; `exit_code` is the command's (2 usage, 3 bundle)."""

    def __init__(self, message: str, hint: str = "", exit_code: int = 2) -> None:
        super().__init__(message)
        self.hint = hint
        self.exit_code = exit_code

"""What a cell of the table holds when it holds no rule."""

from __future__ import annotations


class NA:
    """A column that makes no sense for a primitive, with the reason."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return f"NA({self.reason!r})"

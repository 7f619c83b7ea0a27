"""Connectionist temporal classification and its gradient."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""
    return {name: (getattr(native, name), 1) for name in ("ctc", "ctc_grad")}

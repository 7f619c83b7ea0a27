"""What torchtext kept under `prototype`; names load when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .generate import GenerationUtils, GenerationUtilsForT5

__all__ = ["GenerationUtils", "GenerationUtilsForT5"]

_MODULES = {"GenerationUtils": "generate", "GenerationUtilsForT5": "generate"}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Image transforms and pretrained vision models on Triptych.

Subpackages load when first used, so importing this one is cheap.
"""

from __future__ import annotations

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

if _TYPE_CHECKING:
    from . import datasets, io, losses, metrics, models, ops, transforms, tv_tensors, utils, weights

__all__ = [
    "datasets",
    "io",
    "losses",
    "metrics",
    "models",
    "ops",
    "transforms",
    "tv_tensors",
    "utils",
    "weights",
]


def __getattr__(name: str) -> _Any:
    if name in __all__:
        return _importlib.import_module(f".{name}", __name__)
    if name == "__version__":
        from importlib.metadata import version

        return version("triptych-vision")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})

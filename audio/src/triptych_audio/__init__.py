"""Audio reading, transforms and pretrained models on Triptych.

`load`, `save` and `info` are here; `functional`, `transforms`, `models` and `pipelines` load when
first used, and so do the libraries that decode and resample.
"""

from __future__ import annotations

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

if _TYPE_CHECKING:
    from triptych_audio import (
        augmentations,
        compliance,
        data,
        display,
        functional,
        io,
        losses,
        metrics,
        models,
        pipelines,
        prototype,
        sox_effects,
        transforms,
    )
    from triptych_audio.io import AudioMetaData, info, load, save, stream

_SUBMODULES = (
    "augmentations",
    "compliance",
    "data",
    "display",
    "functional",
    "io",
    "losses",
    "metrics",
    "models",
    "pipelines",
    "prototype",
    "sox_effects",
    "transforms",
)
_FROM_IO = ("AudioMetaData", "info", "load", "save", "stream")

__all__ = [
    "AudioMetaData",
    "augmentations",
    "compliance",
    "data",
    "display",
    "functional",
    "info",
    "io",
    "load",
    "losses",
    "metrics",
    "models",
    "pipelines",
    "prototype",
    "save",
    "sox_effects",
    "stream",
    "transforms",
]


def __getattr__(name: str) -> _Any:
    if name in _SUBMODULES:
        return _importlib.import_module(f"{__name__}.{name}")
    if name in _FROM_IO:
        return getattr(_importlib.import_module(f"{__name__}.io"), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("triptych-audio")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})

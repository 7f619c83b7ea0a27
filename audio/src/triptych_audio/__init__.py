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
        datasets,
        display,
        functional,
        io,
        kaldi_io,
        losses,
        metrics,
        models,
        pipelines,
        prototype,
        sox_effects,
        transforms,
        utils,
    )
    from triptych_audio.io import (
        AudioMetaData,
        get_audio_backend,
        info,
        list_audio_backends,
        load,
        load_with_torchcodec,
        save,
        save_with_torchcodec,
        set_audio_backend,
        stream,
    )

_SUBMODULES = (
    "augmentations",
    "compliance",
    "data",
    "datasets",
    "display",
    "functional",
    "io",
    "kaldi_io",
    "losses",
    "metrics",
    "models",
    "pipelines",
    "prototype",
    "sox_effects",
    "transforms",
    "utils",
)
_FROM_IO = (
    "AudioMetaData",
    "get_audio_backend",
    "info",
    "list_audio_backends",
    "load",
    "load_with_torchcodec",
    "save",
    "save_with_torchcodec",
    "set_audio_backend",
    "stream",
)

__all__ = [
    "AudioMetaData",
    "augmentations",
    "compliance",
    "data",
    "datasets",
    "display",
    "functional",
    "get_audio_backend",
    "info",
    "io",
    "kaldi_io",
    "list_audio_backends",
    "load",
    "load_with_torchcodec",
    "losses",
    "metrics",
    "models",
    "pipelines",
    "prototype",
    "save",
    "save_with_torchcodec",
    "set_audio_backend",
    "sox_effects",
    "stream",
    "transforms",
    "utils",
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

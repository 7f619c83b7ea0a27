"""Tokenizers, encoders and pretrained language models on Triptych.

Submodules and the names below load when first used.
"""

from __future__ import annotations

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

if _TYPE_CHECKING:
    from . import (
        analysis,
        augmentation,
        data,
        datasets,
        embedding,
        functional,
        generation,
        legacy,
        metrics,
        models,
        nn,
        pretrained,
        prototype,
        tokenizers,
        transforms,
        utils,
        vocab,
        weights,
    )
    from .embedding import SentenceEncoder, semantic_search, similarity
    from .models import from_config, from_pretrained
    from .tokenizers import Tokenizer

__all__ = [
    "SentenceEncoder",
    "Tokenizer",
    "analysis",
    "augmentation",
    "data",
    "datasets",
    "disable_torchtext_deprecation_warning",
    "embedding",
    "from_config",
    "from_pretrained",
    "functional",
    "generation",
    "legacy",
    "metrics",
    "models",
    "nn",
    "pretrained",
    "prototype",
    "semantic_search",
    "similarity",
    "tokenizers",
    "transforms",
    "utils",
    "vocab",
    "weights",
]

_NAMES = {  # name -> submodule it is from; the other names are submodules themselves
    "SentenceEncoder": "embedding",
    "Tokenizer": "tokenizers",
    "from_config": "models",
    "from_pretrained": "models",
    "semantic_search": "embedding",
    "similarity": "embedding",
}


def disable_torchtext_deprecation_warning() -> None:
    """Do nothing: torchtext 0.18 warned of its end, and programs that silenced it call this."""


def __getattr__(name: str) -> _Any:
    if name in _NAMES:
        return getattr(_importlib.import_module(f".{_NAMES[name]}", __name__), name)
    if name in __all__:
        return _importlib.import_module(f".{name}", __name__)
    if name == "__version__":
        from importlib.metadata import version

        return version("triptych-text")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})

"""Tokenizers, encoders and pretrained language models on Triptych.

Submodules and the names below load when first used.
"""

from __future__ import annotations

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

if _TYPE_CHECKING:
    from . import (
        data,
        embedding,
        functional,
        generation,
        models,
        pretrained,
        prototype,
        tokenizers,
        transforms,
        vocab,
        weights,
    )
    from .embedding import SentenceEncoder, semantic_search, similarity
    from .models import from_config, from_pretrained
    from .tokenizers import Tokenizer

__all__ = [
    "SentenceEncoder",
    "Tokenizer",
    "data",
    "embedding",
    "from_config",
    "from_pretrained",
    "functional",
    "generation",
    "models",
    "pretrained",
    "prototype",
    "semantic_search",
    "similarity",
    "tokenizers",
    "transforms",
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

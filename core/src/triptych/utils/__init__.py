"""What is needed around models: data loading, checkpointing, benchmarks, logs, summaries.

Submodules load when first used.
"""

from __future__ import annotations

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

if _TYPE_CHECKING:
    from . import benchmark as benchmark
    from . import checkpoint as checkpoint
    from . import collect_env as collect_env
    from . import data as data
    from . import deterministic as deterministic
    from . import dlpack as dlpack
    from . import flop_counter as flop_counter
    from . import tensorboard as tensorboard
    from .model_summary import summary as summary

_SUBMODULES = (
    "benchmark",
    "checkpoint",
    "collect_env",
    "data",
    "deterministic",
    "dlpack",
    "flop_counter",
    "tensorboard",
)
__all__ = sorted((*_SUBMODULES, "summary"))


def __getattr__(name: str) -> _Any:
    if name == "summary":
        return _importlib.import_module(".model_summary", __name__).summary
    if name in _SUBMODULES:
        return _importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Neural networks: functions, and the layers made of them."""

from __future__ import annotations

import importlib as _importlib
from typing import Any as _Any

__all__ = ["functional"]


def __getattr__(name: str) -> _Any:
    if name == "functional":
        return _importlib.import_module(".functional", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

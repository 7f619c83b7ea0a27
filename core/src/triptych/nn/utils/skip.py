"""Modules without the time to draw their first numbers."""

from __future__ import annotations

from typing import Any

from ..init import skipped

__all__ = ["skip_init"]


def skip_init(module_cls: type, *args: Any, **kwargs: Any) -> Any:
    """Build a module whose parameters hold arbitrary numbers, to be loaded from a checkpoint.

    Example:
        >>> skip_init(triptych.nn.Linear, 20, 30).weight.shape
        Size([30, 20])
    """
    with skipped():
        return module_cls(*args, **kwargs)

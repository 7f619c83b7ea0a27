"""Own CUDA kernels, taken in place of CuPy's operations where they fit.

Each family is a module beside this one: CUDA C in a string, compiled at run time by CuPy on first
use. Importing them needs neither CuPy nor a driver. A family offers `sources()`, its CUDA C, and
`overrides(cupy)`: for a primitive, a function with the signature of its kernel that gives
NotImplemented for arguments it is not made for. Then, and with TRIPTYCH_CUDA_KERNELS=0 in the
environment, CuPy's operations run. `cudnn` is no family: with TRIPTYCH_CUDNN=1 it is asked first
for convolutions.
"""

from __future__ import annotations

import importlib
import os
from collections import Counter
from collections.abc import Callable
from typing import Any

from . import cudnn
from .source import Source

__all__ = ["FAMILIES", "Override", "Source", "calls", "overrides", "sources", "taken", "wanted"]

# The modules beside this one that have overrides.
FAMILIES = (
    "attention",
    "batch_norm",
    "boxes",
    "colour",
    "convolution",
    "ctc",
    "elementwise",
    "grid",
    "iir",
    "norm",
    "optimizer",
    "picking",
    "pooling",
    "quantized",
    "recurrent",
    "resize",
    "softmax",
)

_calls: Counter[str] = Counter()


class Override:
    """A kernel in two forms: `fast`, and `plain` for what `fast` answers with NotImplemented."""

    __slots__ = ("fast", "name", "plain")

    def __init__(self, name: str, fast: Callable[..., Any], plain: Callable[..., Any]) -> None:
        self.name, self.fast, self.plain = name, fast, plain

    def __call__(self, *args: Any, **params: Any) -> Any:
        found = self.fast(*args, **params)
        if found is NotImplemented:
            return self.plain(*args, **params)
        taken(self.name)
        return found


def wanted() -> bool:
    """Whether own kernels are to be taken: TRIPTYCH_CUDA_KERNELS is not 0."""
    return os.environ.get("TRIPTYCH_CUDA_KERNELS") != "0"


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function to try before CuPy's operations; none when they are turned off."""
    found: dict[str, Callable[..., Any]] = {}
    if not wanted():
        return found
    for family in FAMILIES:
        for name, fast in importlib.import_module(f".{family}", __name__).overrides(cupy).items():
            if name in found:
                raise ValueError(f"{name}: two families of CUDA kernels override it")
            found[name] = fast
    if cudnn.wanted():
        for name, fast in cudnn.overrides(cupy).items():
            found[name] = Override(f"cudnn.{name}", fast, found[name])
    return found


def sources() -> list[Source]:
    """The CUDA C of every family: what the checks without a GPU walk over."""
    modules = [importlib.import_module(f".{family}", __name__) for family in FAMILIES]
    return [source for module in modules for source in module.sources()]


def taken(name: str) -> None:
    """Count a kernel that was launched in place of CuPy's operations."""
    _calls[name] += 1


def calls() -> dict[str, int]:
    """How often each override was taken in this process, by primitive."""
    return dict(_calls)

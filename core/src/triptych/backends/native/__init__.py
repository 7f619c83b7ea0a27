"""Kernels of the extension `triptych._native`, taken in place of NumPy's where they fit.

The extension is optional: without it, or with TRIPTYCH_NATIVE=0 in the environment, every operation
runs over NumPy. Each module here offers `OVERRIDES`: for a primitive, a function with the signature
of its kernel that gives NotImplemented for arguments it is not made for.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from typing import Any

from ...state import prepare_kernels

__all__ = [
    "FAMILIES",
    "calls",
    "get_winograd",
    "instruction_set",
    "native",
    "overridden",
    "overridden_into",
    "set_winograd",
    "why_absent",
]

# The modules beside this one that have overrides.
FAMILIES = (
    "attention",
    "bands",
    "boxes",
    "colour",
    "conv",
    "conv_norm",
    "ctc",
    "elementwise",
    "fft",
    "gemm",
    "half",
    "iir",
    "image",
    "norm",
    "picking",
    "pool",
    "recurrent",
    "quantize",
    "reduce",
    "resample",
    "sample",
    "softmax",
)


def _load() -> tuple[Any, str]:
    """The extension, or None and the reason."""
    if os.environ.get("TRIPTYCH_NATIVE") == "0":
        return None, "turned off by TRIPTYCH_NATIVE=0"
    name = "triptych._native"
    if importlib.util.find_spec(name) is None:
        return None, "not built: there was no C++ compiler when triptych was installed"
    try:
        return importlib.import_module(name), ""
    except ImportError as error:
        return None, f"built, but it does not load: {error}"


native, why_absent = _load()
if native is not None:
    prepare_kernels(native.use_own_memory)


def overridden(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel of a primitive: `plain`, behind a native one if there is one."""
    found = _overrides().get(name)
    if native is None or found is None:
        return plain
    from .half import THROUGH_SINGLE

    fast, least = found
    return native.Override(fast, plain, least, name in THROUGH_SINGLE)


def overridden_into(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    """The same for ``f(memory, *others)``, which writes over its first input."""
    if native is None:
        return plain
    from .elementwise import overrides_into

    found = overrides_into(native).get(name)
    if found is None:
        return plain
    fast, least = found
    chosen: Callable[..., Any] = native.Override(fast, plain, least)
    return chosen


_found: dict[str, tuple[Callable[..., Any], int]] = {}


def _overrides() -> dict[str, tuple[Callable[..., Any], int]]:
    if native is not None and not _found:
        for family in FAMILIES:
            module = importlib.import_module(f".{family}", __name__)
            _found.update(module.overrides(native))
    return _found


def instruction_set() -> str | None:
    """What the kernels are compiled for: "baseline", "avx2" or "avx512"; None without them."""
    return None if native is None else native.instruction_set()


def calls() -> dict[str, int]:
    """How often each native kernel was taken in this process, by name."""
    return {} if native is None else dict(native.calls())

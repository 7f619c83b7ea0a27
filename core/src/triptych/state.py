"""What a thread knows while it computes: the active trace, and whether gradients are recorded."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .prims.trace import Trace


def _quiet_runner() -> Callable[..., Any]:
    """Calls functions with NumPy's floating-point warnings off, for this thread only.

    NumPy keeps its error state in a context variable. Running kernels in a context of their own
    costs a tenth of `np.errstate` around each call and leaves the caller's setting alone.
    """
    context = contextvars.copy_context()
    context.run(np.seterr, all="ignore")
    for prepare in _PREPARATIONS:
        context.run(prepare)
    return context.run


_PREPARATIONS: list[Callable[[], object]] = []


def prepare_kernels(prepare: Callable[[], object]) -> None:
    """Run a function in the context that kernels run in, of this thread and of all later ones."""
    _PREPARATIONS.append(prepare)
    state.quiet(prepare)


class State(threading.local):
    """Thread-local switches, read once or twice per operation."""

    trace: Trace | None = None
    grad: bool = True
    inference: bool = False
    home: Any = None  # the default device, if not the CPU
    gpu: int = 0  # the GPU that "cuda" without a number means
    devices: tuple[Any, ...] = ()  # those of the enclosing ``with device(...)`` blocks
    sweep: Any = None  # the pass over the tape that is running

    def __init__(self) -> None:
        self.quiet = _quiet_runner()
        self.run: Callable[..., Any] | None = self.quiet  # None while a trace is active


state = State()


def run_kernel(kernel: Callable[..., Any], *args: Any, **params: Any) -> Any:
    """Run a kernel quietly, whatever trace is active."""
    try:
        return state.quiet(kernel, *args, **params)
    except RuntimeError as error:
        if "cannot enter context" not in str(error):
            raise
        with np.errstate(all="ignore"):  # a finaliser ran an operation inside another kernel
            return kernel(*args, **params)

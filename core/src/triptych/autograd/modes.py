"""Switching recording on and off: context managers that also decorate functions and generators."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from ..state import state

__all__ = [
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_grad_enabled",
]

F = TypeVar("F", bound=Callable[..., Any])


class _Mode:
    """A thread-local setting for the length of a block, or of every call of a function."""

    def __init__(self) -> None:
        self._before: list[tuple[bool, bool]] = []

    def settings(self) -> tuple[bool, bool]:
        """The (grad, inference) flags inside the block."""
        raise NotImplementedError

    def __enter__(self) -> _Mode:
        self._before.append((state.grad, state.inference))
        state.grad, state.inference = self.settings()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        state.grad, state.inference = self._before.pop()

    def clone(self) -> _Mode:
        """A fresh copy, so that a decorated function can call itself."""
        return type(self)()

    def __call__(self, fn: F) -> F:
        if inspect.isgeneratorfunction(fn):
            return self._wrap_generator(fn)  # type: ignore[return-value]

        @functools.wraps(fn)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return fn(*args, **kwargs)

        return wrapped  # type: ignore[return-value]

    def _wrap_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """The mode holds only while the generator's own code runs."""

        @functools.wraps(fn)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            inner = fn(*args, **kwargs)
            resume: Any = inner.send
            given: Any = None
            try:
                while True:
                    with self.clone():
                        item = resume(given)
                    try:
                        resume, given = inner.send, (yield item)
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        resume, given = inner.throw, error
            except StopIteration as stop:
                return stop.value
            finally:
                with self.clone():
                    inner.close()

        return wrapped


class no_grad(_Mode):  # noqa: N801 -- torch's spelling
    """Operations inside are not recorded.

    Example:
        >>> x = triptych.ones(2, requires_grad=True)
        >>> with no_grad():
        ...     (x * 2).requires_grad
        False
    """

    def __new__(cls, fn: Any = None) -> Any:
        mode = super().__new__(cls)
        if callable(fn):  # @no_grad without parentheses
            mode.__init__()  # type: ignore[misc]
            return mode(fn)
        return mode

    def settings(self) -> tuple[bool, bool]:
        return False, state.inference


class enable_grad(_Mode):  # noqa: N801 -- torch's spelling
    """Operations inside are recorded, even within `no_grad`."""

    def settings(self) -> tuple[bool, bool]:
        return True, False


class inference_mode(_Mode):  # noqa: N801 -- torch's spelling
    """Like `no_grad`; states that the results will never be part of a recorded computation."""

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.mode = mode

    def settings(self) -> tuple[bool, bool]:
        return (False, True) if self.mode else (True, False)

    def clone(self) -> inference_mode:
        return inference_mode(self.mode)


class set_grad_enabled(_Mode):  # noqa: N801 -- torch's spelling
    """Switch recording on or off, at once; as a context manager, until the end of the block."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.mode = bool(mode)
        self._outside = (state.grad, state.inference)
        state.grad = self.mode

    def settings(self) -> tuple[bool, bool]:
        return self.mode, state.inference

    def __enter__(self) -> set_grad_enabled:
        self._before.append(self._outside)
        state.grad = self.mode
        return self

    def clone(self) -> set_grad_enabled:
        return set_grad_enabled(self.mode)

    def __call__(self, fn: F) -> F:
        state.grad, state.inference = self._outside  # used as a decorator: no effect outside calls
        return super().__call__(fn)


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread."""
    return state.grad


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`."""
    return state.inference

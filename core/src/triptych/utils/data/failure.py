"""An exception on its way from a worker process to the process that waits for the batch."""

from __future__ import annotations

import pickle
import traceback
from typing import NamedTuple

__all__ = ["Failure"]


class Failure(NamedTuple):
    """What is left of an exception when it leaves its process.

    Attributes:
        kind: its class, or the nearest base class that can be sent.
        trace: its traceback, as text.
        original: its pickle, if it has one.
    """

    kind: type[Exception]
    trace: str
    original: bytes | None

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """Describe an exception."""
        trace = "".join(traceback.format_exception(error))
        try:
            original = pickle.dumps(error)
            pickle.loads(original)
            pickle.dumps(type(error))
        except Exception:  # exceptions of any class may refuse to be pickled in any way
            return cls(_picklable_kind(type(error)), trace, None)
        return cls(type(error), trace, original)

    def rebuild(self, where: str) -> Exception:
        """An exception of the same type, as far as possible, whose text holds the traceback."""
        text = f"{self.kind.__name__} in {where}. The worker's traceback:\n{self.trace}"
        try:
            error = _LongKeyError(text) if self.kind is KeyError else self.kind(text)
        except Exception:  # a class that is not made from one text
            error = RuntimeError(text)
        if self.original is not None:
            error.__cause__ = pickle.loads(self.original)
        return error


class _LongKeyError(KeyError):
    """A KeyError that prints its text instead of the text's repr."""

    def __str__(self) -> str:
        return str(self.args[0])


def _picklable_kind(kind: type[Exception]) -> type[Exception]:
    for base in kind.__mro__:
        try:
            pickle.dumps(base)
        except Exception:  # local or otherwise unreachable classes
            continue
        return base
    return RuntimeError

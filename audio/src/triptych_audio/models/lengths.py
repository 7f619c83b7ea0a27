"""Valid lengths of the sequences of a batch."""

from __future__ import annotations

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych.graph import is_capturing

__all__ = ["check_lengths"]


def check_lengths(call: str, lengths: object, count: int, most: int) -> None:
    """Make sure that there is one length for each sequence, and none beyond the sequence's end.

    Args:
        call: stands first in the messages, with the argument's name.
        lengths: should be (count,) numbers from 0 to most; while a graph is captured, their values
            are not known and not looked at.
        count: sequences of the batch.
        most: places of the longest sequence.

    Raises:
        DTypeError: lengths are no tensor.
        ShapeError: there are more or fewer, or one is negative or too large.

    Example:
        >>> check_lengths("model: lengths", tp.tensor([5, 3]), 2, 5)
    """
    if not isinstance(lengths, tp.Tensor):
        raise DTypeError(
            f"{call}: wanted a tensor of {count} numbers, got {type(lengths).__name__}; make one "
            "with triptych.tensor(...)"
        )
    if tuple(lengths.shape) != (count,):
        raise ShapeError(
            f"{call}: wanted shape ({count},), one length for each sequence of the batch, got "
            f"{tuple(lengths.shape)}"
        )
    if is_capturing() or not count:
        return
    values = lengths.tolist()
    if min(values) < 0 or max(values) > most:
        raise ShapeError(f"{call}: wanted {count} numbers from 0 to {most}, got {values}")

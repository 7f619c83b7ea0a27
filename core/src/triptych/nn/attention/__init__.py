"""Attention beyond a function call: which kernel runs, biases by name, and scores by formula."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterable, Iterator

from ...errors import UnknownNameError
from ..functional.attention import in_blocks
from . import bias as bias
from . import flex_attention as flex_attention

__all__ = ["SDPBackend", "bias", "flex_attention", "sdpa_kernel"]


class SDPBackend(enum.IntEnum):
    """Ways to compute `scaled_dot_product_attention`, under torch's names.

    MATH holds all scores at once; FLASH_ATTENTION and EFFICIENT_ATTENTION both stand for the one
    kernel here that goes block by block. The others have no kernel here.
    """

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


_BLOCKWISE = {SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION}


@contextlib.contextmanager
def sdpa_kernel(
    backends: SDPBackend | Iterable[SDPBackend], set_priority: bool = False
) -> Iterator[None]:
    """Inside this context attention takes one of the given ways.

    Args:
        backends: one or several; where blocks are among them, they are taken.
        set_priority: the first of `backends` that has a kernel is taken instead.

    Raises:
        UnknownNameError: none of them has a kernel here.

    Example:
        >>> q = triptych.ones(1, 2, 4)
        >>> with sdpa_kernel(SDPBackend.MATH):
        ...     out = triptych.nn.functional.scaled_dot_product_attention(q, q, q)
    """
    given = [backends] if isinstance(backends, SDPBackend) else list(backends)
    known = [b for b in given if b in _BLOCKWISE or b is SDPBackend.MATH]
    if not known:
        raise UnknownNameError(
            f"sdpa_kernel: no kernel for {[getattr(b, 'name', b) for b in given]}; here are MATH, "
            "FLASH_ATTENTION and EFFICIENT_ATTENTION"
        )
    chosen = known[:1] if set_priority else known
    with in_blocks(any(b in _BLOCKWISE for b in chosen)):
        yield

"""What operations on a kind of tensor give: a plain tensor, or the kind again."""

from __future__ import annotations

from types import TracebackType

from triptych.errors import UnknownNameError

__all__ = ["returns_kind", "set_return_type"]

_CHOICES = {"tensor": False, "tvtensor": True}


class _Choice:
    kind = False


class _Restore:
    """Sets the choice back at the end of a `with` block."""

    def __init__(self, before: bool) -> None:
        self._before = before

    def __enter__(self) -> _Restore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _Choice.kind = self._before


def set_return_type(return_type: str) -> _Restore:
    """Choose what methods and operators of a `TVTensor` give.

    Transforms and the functions behind them give the kind that they got in any case.

    Args:
        return_type: "Tensor", the choice at first, or "TVTensor"; upper or lower case.

    Returns:
        A context manager that sets the earlier choice back; without `with`, the choice stays.

    Raises:
        UnknownNameError: another word.

    Example:
        >>> import triptych
        >>> from triptych_vision.tv_tensors import Image
        >>> image = Image(triptych.zeros(3, 2, 2))
        >>> with set_return_type("TVTensor"):
        ...     type(image + 1).__name__
        'Image'
        >>> type(image + 1).__name__
        'Tensor'
    """
    if return_type.lower() not in _CHOICES:
        raise UnknownNameError(
            f"set_return_type: wanted 'Tensor' or 'TVTensor', got {return_type!r}"
        )
    before, _Choice.kind = _Choice.kind, _CHOICES[return_type.lower()]
    return _Restore(before)


def returns_kind() -> bool:
    """Whether operations give the kind again; see `set_return_type`."""
    return _Choice.kind

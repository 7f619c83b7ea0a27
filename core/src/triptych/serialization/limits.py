"""What a structure read from a file may be at most, whatever its format."""

from __future__ import annotations

__all__ = ["MAX_DEPTH", "MAX_NDIM", "are_counts", "check_key"]

MAX_DEPTH = 100  # levels of nested containers; real checkpoints have about ten
MAX_NDIM = 64  # NumPy's own limit
_MAX_KEY_PARTS = 16
_SCALARS = (str, int, float, bool, bytes, complex, type(None))


def are_counts(values: object) -> bool:
    """Whether values is a list or tuple of integers that can be a shape or strides.

    Errors must not print what fails this: a file can describe values whose text is endless.
    """
    if not isinstance(values, list | tuple) or len(values) > MAX_NDIM:
        return False
    return all(type(value) is int and 0 <= value < 2**63 for value in values)


def check_key(key: object) -> None:
    """Refuse dict keys and set members that are costly to hash or compare.

    Nested tuples hash in exponential time or overflow the stack, and integers wider than 64 bits
    can be chosen to collide.

    Raises:
        ValueError: not a number of at most 64 bits, a string, bytes, None, or a short flat tuple.
    """
    if type(key) is str:  # nearly all
        return
    parts = key if type(key) is tuple else (key,)
    if len(parts) > _MAX_KEY_PARTS or any(type(part) not in _SCALARS for part in parts):
        raise ValueError(f"a dict key or set member of type {type(key).__name__}")
    if any(type(part) is int and part.bit_length() > 64 for part in parts):
        raise ValueError("a dict key or set member wider than 64 bits")

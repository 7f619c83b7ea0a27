"""Errors that say what was called, what was wanted, what came, and what to try.

Each class is also the built-in error a caller would expect, so `except ValueError` keeps working.
"""

from __future__ import annotations

__all__ = [
    "BoundsError",
    "CaptureError",
    "DTypeError",
    "DeviceError",
    "DomainError",
    "FileFormatError",
    "GradError",
    "LinAlgError",
    "MissingDependencyError",
    "NamesError",
    "OutOfMemoryError",
    "ReadOnlyError",
    "ShapeError",
    "TransformError",
    "TriptychError",
    "UnknownNameError",
    "UnsafeFileError",
]


class TriptychError(Exception):
    """Base of every error that Triptych raises on purpose."""


class ShapeError(TriptychError, ValueError):
    """Shapes, axes or indices that do not fit the call."""


class NamesError(ShapeError, RuntimeError):
    """Names of dims that are not there, contradict each other, or would come twice."""


class BoundsError(TriptychError, IndexError):
    """An index outside the axis it points into."""


class DomainError(TriptychError, ValueError):
    """A number outside the range that the call takes."""


class DTypeError(TriptychError, TypeError):
    """A data type the call does not take."""


class DeviceError(TriptychError, RuntimeError):
    """Tensors on different devices, or a device that is not there."""


class OutOfMemoryError(DeviceError, MemoryError):
    """A GPU has less memory left than an operation asked for; the message says who holds it."""


class GradError(TriptychError, RuntimeError):
    """A gradient that cannot be computed as asked."""


class LinAlgError(TriptychError, RuntimeError):
    """A matrix that has no such inverse or factorisation."""


class ReadOnlyError(TriptychError, ValueError):
    """A write into memory that does not allow it."""


class CaptureError(TriptychError, RuntimeError):
    """A traced function needs a value that exists only when the graph runs."""


class TransformError(TriptychError, RuntimeError):
    """A function under vmap, jvp or another transform does what the transform cannot follow."""


class FileFormatError(TriptychError, ValueError):
    """A file that is damaged or not of the format it claims."""


class UnsafeFileError(FileFormatError):
    """A file that asks for code to be run; nothing was executed."""


class MissingDependencyError(TriptychError, ImportError):
    """An optional library that the call needs is not installed."""


class UnknownNameError(TriptychError, KeyError):
    """A name that is not in a registry; the message lists the closest ones."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""

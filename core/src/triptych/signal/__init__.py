"""Signal processing in torch's spelling; for now, window functions."""

from . import windows as windows

__all__ = ["windows"]

"""torchtext's first interface, which it removed in 0.12 and people still ask for."""

from . import data

__all__ = ["data"]

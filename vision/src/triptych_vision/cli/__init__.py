"""The command `triptych-vision`: predict, list models, look at what transforms do."""

from .command import main

__all__ = ["main"]

"""The command `triptych-audio`: look at sound files, convert them, find speech in them."""

from .command import main

__all__ = ["main"]

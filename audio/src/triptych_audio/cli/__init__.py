"""The command `triptych-audio`: look at sound files, convert them, find speech in them."""

from .command import PROGRAM

__all__ = ["main"]

main = PROGRAM.main
"""Runs the command, `main(argv)`, and gives its exit code."""

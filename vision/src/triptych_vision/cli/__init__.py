"""The command `triptych-vision`: predict, list models, look at what transforms do."""

from .command import PROGRAM

__all__ = ["main"]

main = PROGRAM.main
"""Runs the command, `main(argv)`, and gives its exit code."""

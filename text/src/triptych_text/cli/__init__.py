"""The command `triptych-text`: tokenize, compare, classify and write text."""

from .command import PROGRAM

__all__ = ["main"]

main = PROGRAM.main
"""Runs the command, `main(argv)`, and gives its exit code."""

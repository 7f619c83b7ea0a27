"""Whether memory that nobody wrote is filled, which here it always is.

Attributes:
    fill_uninitialized_memory: True. It is here for PyTorch's spelling, and setting it changes
        nothing: `triptych.empty` and its kin give zeros, in every mode.
"""

from __future__ import annotations

__all__ = ["fill_uninitialized_memory"]

fill_uninitialized_memory = True

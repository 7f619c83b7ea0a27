"""Timing small pieces of code: `Timer` measures, `Compare` prints `Measurement`s side by side.

Example:
    >>> timer = Timer("x + y", globals={"x": triptych.ones(8), "y": triptych.ones(8)})
    >>> measured = timer.timeit(100)
    >>> measured.number_per_run, 0 < measured.median < 1
    (100, True)
"""

from .compare import Compare
from .measurement import Measurement
from .timer import Timer

__all__ = ["Compare", "Measurement", "Timer"]

"""Checks for tests: closeness of tensors, and the battery that every primitive passes."""

from .battery import CHECKS, missing_cells, support_matrix
from .close import assert_close
from .samples import Sample, samples_for

__all__ = ["CHECKS", "Sample", "assert_close", "missing_cells", "samples_for", "support_matrix"]

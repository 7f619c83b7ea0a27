"""Checks for tests: closeness of tensors, and the battery that every primitive passes."""

from . import composite_samples, matrix_samples, quantized_samples  # noqa: F401 -- registers
from .battery import CHECKS, missing_cells, own_primitives, support_matrix
from .close import assert_close
from .random_tensor import make_tensor
from .samples import Sample, samples_for

__all__ = [
    "CHECKS",
    "Sample",
    "assert_close",
    "make_tensor",
    "missing_cells",
    "own_primitives",
    "samples_for",
    "support_matrix",
]

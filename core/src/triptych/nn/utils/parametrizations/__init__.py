"""Ready parametrizations: weights of a given norm, and orthogonal ones."""

from __future__ import annotations

from .norms import spectral_norm, weight_norm
from .rotations import orthogonal

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

"""Layers and operators that vision models are made of."""

from .blocks import Conv2dNormActivation

__all__ = ["Conv2dNormActivation"]

"""Neural networks, under torch.nn's names: layers, losses, initialisation, and `functional`."""

from __future__ import annotations

from . import functional, init, modules, utils
from .modules import *  # noqa: F403 -- the list is the union of the modules' __all__
from .module import Module
from .parameter import Buffer, Parameter

__all__ = sorted(n for n in globals() if not n.startswith("_") and n != "annotations")

"""Neural networks, under torch.nn's names: layers, losses, initialisation, and `functional`."""

from __future__ import annotations

from . import functional, init, modules, utils
from .module import Module
from .modules import *  # noqa: F403 -- the list is the module's __all__
from .parameter import Buffer, Parameter

__all__ = ["Buffer", "Module", "Parameter", "functional", "init", "modules", "utils"]
__all__ += modules.__all__
__all__.sort()

"""Models of optical flow, under torchvision.models.optical_flow's names."""

from types import ModuleType as _ModuleType

from .raft import *

__all__ = sorted(
    name
    for name, value in globals().items()
    if not name.startswith("_") and not isinstance(value, _ModuleType)
)

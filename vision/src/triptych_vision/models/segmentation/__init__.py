"""Models that give each pixel a class, under torchvision.models.segmentation's names."""

from types import ModuleType as _ModuleType

from .deeplabv3 import *
from .fcn import *
from .lraspp import *
from .unet import *

__all__ = sorted(
    name
    for name, value in globals().items()
    if not name.startswith("_") and not isinstance(value, _ModuleType)
)

"""Classifiers of videos, under torchvision.models.video's names."""

from types import ModuleType as _ModuleType

from .mvit import *
from .resnet import *
from .s3d import *
from .swin_transformer import *

__all__ = sorted(
    name
    for name, value in globals().items()
    if not name.startswith("_") and not isinstance(value, _ModuleType)
)

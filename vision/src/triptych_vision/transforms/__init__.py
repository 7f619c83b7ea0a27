"""Transforms of images: classes here, the functions behind them in `functional`.

Names and defaults are those of torchvision.transforms.v2; `transforms.v2` is the same module again.
A transform takes a PIL image, a NumPy array (h, w, c), a tensor (..., c, h, w) or any other DLPack
array (..., c, h, w), and gives back the same kind; in a sample, nested tuples, lists and dicts, it
changes PIL images and arrays of three or more axes, and leaves the rest alone. Those that draw
numbers take `generator=` and draw once per sample.
"""

from . import functional
from .containers import Compose, Identity, Lambda, RandomApply, RandomChoice, RandomOrder
from .conversion import (
    RGB,
    ConvertImageDtype,
    Grayscale,
    Normalize,
    PILToTensor,
    RandomGrayscale,
    ToDtype,
    ToImage,
    ToPILImage,
    ToTensor,
)
from .geometry import (
    CenterCrop,
    FiveCrop,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomVerticalFlip,
    Resize,
    TenCrop,
)
from .interpolation import InterpolationMode
from .transform import RandomTransform, Transform

__all__ = [
    "CenterCrop",
    "Compose",
    "ConvertImageDtype",
    "FiveCrop",
    "Grayscale",
    "Identity",
    "InterpolationMode",
    "Lambda",
    "Normalize",
    "PILToTensor",
    "Pad",
    "RGB",
    "RandomApply",
    "RandomChoice",
    "RandomCrop",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomOrder",
    "RandomResizedCrop",
    "RandomTransform",
    "RandomVerticalFlip",
    "Resize",
    "TenCrop",
    "ToDtype",
    "ToImage",
    "ToPILImage",
    "ToTensor",
    "Transform",
    "functional",
]

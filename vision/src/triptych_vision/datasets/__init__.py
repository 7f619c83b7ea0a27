"""Data sets of images: map-style, samples (image, target), as torchvision's."""

from .digits import Digits
from .fakedata import FakeData
from .folder import DatasetFolder, ImageFolder
from .vision import MissingDataError, StandardTransform, VisionDataset

__all__ = [
    "DatasetFolder",
    "Digits",
    "FakeData",
    "ImageFolder",
    "MissingDataError",
    "StandardTransform",
    "VisionDataset",
]

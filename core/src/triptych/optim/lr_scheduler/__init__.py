"""Learning-rate schedules: each step of a schedule sets ``lr`` in the optimizer's groups."""

from .annealed import CosineAnnealingLR, CosineAnnealingWarmRestarts, OneCycleLR
from .base import LRScheduler
from .composed import ChainedScheduler, SequentialLR
from .cyclic import CyclicLR
from .plateau import ReduceLROnPlateau
from .scaled import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]

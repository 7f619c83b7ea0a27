"""Which clips and images come when."""

from .clip_sampler import DistributedSampler, RandomClipSampler, UniformClipSampler
from .group_sampler import (
    AspectRatioGroupBatchSampler,
    RASampler,
    WeightedClassSampler,
    class_weights,
)

__all__ = [
    "AspectRatioGroupBatchSampler",
    "DistributedSampler",
    "RASampler",
    "RandomClipSampler",
    "UniformClipSampler",
    "WeightedClassSampler",
    "class_weights",
]

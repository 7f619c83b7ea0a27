"""Torchvision's name of the module that holds coders, matchers and the sampler."""

from .backbone_utils import overwrite_eps, retrieve_out_channels
from .box_coding import BoxCoder, BoxLinearCoder
from .matching import BalancedPositiveNegativeSampler, Matcher, SSDMatcher

__all__ = [
    "BalancedPositiveNegativeSampler",
    "BoxCoder",
    "BoxLinearCoder",
    "Matcher",
    "SSDMatcher",
    "overwrite_eps",
    "retrieve_out_channels",
]

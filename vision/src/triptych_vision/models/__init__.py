"""Models, and pretrained weights for them."""

from ..weights import Weights, WeightsEnum
from ._registry import (
    get_model,
    get_model_builder,
    get_model_weights,
    get_weight,
    list_models,
    register_model,
)
from .mobilenet import MobileNet_V2_Weights, MobileNetV2, mobilenet_v2

__all__ = [
    "MobileNetV2",
    "MobileNet_V2_Weights",
    "Weights",
    "WeightsEnum",
    "get_model",
    "get_model_builder",
    "get_model_weights",
    "get_weight",
    "list_models",
    "mobilenet_v2",
    "register_model",
]

"""Weights and activations as bytes: int8 and uint8 with a scale, and layers that compute with them.

A byte q stands for ``(q - zero_point) * scale``. See docs/quantization.md.
"""

from .bytes import choose_scale as choose_scale
from .bytes import dequantize as dequantize
from .bytes import quantize as quantize
from .bytes import quantized_conv as quantized_conv
from .bytes import quantized_linear as quantized_linear
from .dynamic import DynamicLinear as DynamicLinear
from .dynamic import quantize_dynamic as quantize_dynamic

__all__ = [
    "DynamicLinear",
    "choose_scale",
    "dequantize",
    "quantize",
    "quantize_dynamic",
    "quantized_conv",
    "quantized_linear",
]

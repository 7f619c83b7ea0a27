"""Dynamic quantisation: weights are int8, activations become uint8 as they come."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, TypeVar

from .. import nn
from ..prims.quantized import DEPTH, dynamic_linear
from ..tensor import Tensor
from .bytes import choose_scale, quantize

__all__ = ["DynamicLinear", "quantize_dynamic"]

M = TypeVar("M", bound=nn.Module)

# These read the weights of layers inside them, rather than call the layers.
_OPAQUE = (nn.MultiheadAttention,)


class DynamicLinear(nn.Module):
    """``y = x Wᵀ + b`` with int8 weights, for inference: a quarter of the memory of float32.

    Each row of the weight has a scale of its own. The input becomes uint8 by a scale that is chosen
    from its smallest and largest number at each call, so that nothing has to be calibrated; the
    result has the dtype of the input. There are no gradients. An input with a number that is not
    finite gives NaN everywhere.

    Args:
        in_features: length of the last dim of the input, at most 32,768.
        out_features: length of the last dim of the output.
        bias: add b.

    Attributes:
        weight: (out_features, in_features) int8, a buffer.
        scale: (out_features,) float32, a buffer.
        bias: (out_features,) float32, a buffer, or None.

    Example:
        >>> layer = DynamicLinear.from_linear(triptych.nn.Linear(20, 30))
        >>> layer(triptych.ones(8, 20)).shape
        Size([8, 30])
    """

    weight: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        from ..ops.creation import ones, zeros

        self.in_features, self.out_features = in_features, out_features
        self.register_buffer("weight", zeros(out_features, in_features).char())
        self.register_buffer("scale", ones(out_features))
        self.register_buffer("bias", zeros(out_features) if bias else None)

    @classmethod
    def from_linear(cls, linear: nn.Linear) -> DynamicLinear:
        """The layer for the weights of another, whose rows are rounded to 255 steps each."""
        layer = cls(linear.in_features, linear.out_features, linear.bias is not None)
        scale, zero = choose_scale(linear.weight, axis=0)
        layer.weight, layer.scale = quantize(linear.weight, scale, zero, axis=0), scale
        if linear.bias is not None:
            layer.bias = linear.bias.detach().float().clone()
        return layer.train(linear.training)

    def forward(self, input: Tensor) -> Tensor:
        rest = () if self.bias is None else (self.bias,)
        made: Tensor = dynamic_linear(input.detach().float(), self.weight, self.scale, *rest)
        return made.to(input.dtype)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


def quantize_dynamic(model: M, *, skip: Iterable[str] = (), inplace: bool = False) -> M:
    """A model whose `nn.Linear` layers are `DynamicLinear`, for inference.

    Layers of subclasses stay as they are, and so do those of more than 32,768 features and those
    inside `nn.MultiheadAttention`, which reads their weights itself.

    Args:
        model: a module; `nn.Linear` itself gives a `DynamicLinear`.
        skip: names of layers, or of modules with all they hold, that stay as they are. Layers whose
            weights something else reads, such as an embedding that shares them, belong here.
        inplace: change the model instead of a copy of it.

    Returns:
        The model. Its state dict has `weight` as int8 and `scale` for each such layer; load it into
        a model made the same way.

    Example:
        >>> model = triptych.nn.Sequential(triptych.nn.Linear(8, 16), triptych.nn.ReLU())
        >>> quantize_dynamic(model)[0]
        DynamicLinear(in_features=8, out_features=16, bias=True)
    """
    if not inplace:
        model = copy.deepcopy(model)
    made: M = _converted(model, "", frozenset(skip), {})
    return made


def _converted(module: Any, name: str, skip: frozenset[str], made: dict[nn.Linear, Any]) -> Any:
    """The module, or what takes its place; `made` holds the latter, as layers may be shared."""
    if name in skip or isinstance(module, _OPAQUE):
        return module
    if type(module) is nn.Linear:
        if module not in made and module.in_features <= DEPTH:
            made[module] = DynamicLinear.from_linear(module)
        return made.get(module, module)
    for label, child in list(module._modules.items()):
        new = _converted(child, f"{name}.{label}" if name else label, skip, made)
        if new is not child:
            setattr(module, label, new)
    return module

"""Modules one after the other, some of which can be computed together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import TriptychError
from ...state import state
from ...tensor import Tensor
from ..functional.conv import conv2d_bias, conv2d_norm
from ..hooks import EVERYWHERE
from ..module import Module
from . import activation as act
from .conv import Conv2d
from .normalization import BatchNorm2d

__all__ = ["chain"]

_STATISTICS, _AFFINE = ("running_mean", "running_var"), ("weight", "bias")
_THEN: dict[type[Module], str] = {
    act.Hardsigmoid: "hardsigmoid",
    act.Hardswish: "hardswish",
    act.ReLU: "relu",
    act.ReLU6: "relu6",
    act.Sigmoid: "sigmoid",
    act.SiLU: "silu",
}


def chain(input: Any, *modules: Module) -> Any:
    """What the last of some modules gives, each called on what the one before it gave.

    In evaluation under `no_grad`, a `Conv2d`, its bias or the `BatchNorm2d` behind it, and an
    activation behind that are computed in one pass, unless hooks look at what is in between.

    Args:
        input: of the first module.
        modules: in order; with none, the input comes back.

    Example:
        >>> chain(triptych.ones(1, 2), Flatten(0), ReLU()).shape
        Size([2])
    """
    place = 0
    together = not (state.grad or EVERYWHERE or state.trace is not None)
    while place < len(modules):
        module = modules[place]
        if together and type(module) is Conv2d:
            found, count = _joined(input, modules[place : place + 3])
            if count:
                input, place = found, place + count
                continue
        input, place = module(input), place + 1
    return input


def _joined(x: Any, modules: Sequence[Module]) -> tuple[Any, int]:
    """What the first one to three modules give, and how many; (None, 0) if they do not join."""
    conv = modules[0]
    if not isinstance(x, Tensor) or x._names is not None or not _plain(conv):
        return None, 0
    own = conv.__dict__["_parameters"]
    weight, bias = own.get("weight"), own.get("bias")
    norm: Any = None
    vectors: tuple[Any, ...] = (bias,)
    count = 1
    if bias is None:
        norm = modules[1] if len(modules) > 1 else None
        if type(norm) is not BatchNorm2d or norm.training or not _plain(norm):
            return None, 0
        own, kept = norm.__dict__["_parameters"], norm.__dict__["_buffers"]
        vectors = tuple(map(kept.get, _STATISTICS)) + tuple(map(own.get, _AFFINE))
        count = 2
    if conv.padding_mode != "zeros" or not _alike(x, weight, *vectors):
        return None, 0
    then = "identity"
    if len(modules) > count and _plain(modules[count]):
        then = _THEN.get(type(modules[count]), then)
    settings = conv.stride, conv.padding, conv.dilation, conv.groups
    try:
        if norm is None:
            y = conv2d_bias(x, weight, bias, then, *settings)
        else:
            y = conv2d_norm(x, weight, vectors, norm.eps, then, *settings)
    except TriptychError:
        return None, 0  # the same failure again, where the modules are called by themselves
    return y, count + (then != "identity")


def _plain(module: Module) -> bool:
    """Whether nobody looks at the module's calls or has replaced its forward."""
    members = module.__dict__
    return not (
        members["_forward_hooks"]
        or members["_forward_pre_hooks"]
        or members["_backward_hooks"]
        or members["_backward_pre_hooks"]
        or "forward" in members
    )


def _alike(x: Tensor, *others: Any) -> bool:
    """Whether there are only plain tensors of one dtype, x one image or more."""
    shape, dtype = x._data.shape, x._data.dtype
    if len(shape) != 4 or 0 in shape:
        return False
    for v in others:
        if v is None or v._data.dtype is not dtype or v._names is not None:
            return False
    return True

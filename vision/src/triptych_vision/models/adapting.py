"""Classifiers made to fit other tasks: other classes, other channels, features at several scales.

The weights of what is not replaced stay, so that pretrained models can be fine-tuned. Names and
meanings of the arguments are timm's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import DomainError, ShapeError

from ._registry import get_model
from .feature_extraction import create_feature_extractor

__all__ = ["FeatureMaps", "adapt_input", "create_model", "get_classifier", "reset_classifier"]

# where the families keep what follows the features; auxiliary classifiers come first
AUXILIARY = ("aux1", "aux2", "AuxLogits")
HEADS = ("fc", "classifier", "heads", "head")
IMAGE_SIDE = 224  # of the example that shows the sizes of the maps; MaxViT takes no other
MAX_LEVEL = 5  # maps are up to 2 ** 5 times smaller than the image


def _last_layer(model: nn.Module, child: str) -> tuple[nn.Module, str, nn.Module] | None:
    """Parent, name and layer of the last layer with weights below a child of the model."""
    root = getattr(model, child, None)
    if not isinstance(root, nn.Module):
        return None
    paths = [
        f"{child}.{path}" if path else child
        for path, module in root.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d)
    ]
    if not paths:
        return None
    parent, _, name = paths[-1].rpartition(".")
    owner = model.get_submodule(parent) if parent else model
    return owner, name, getattr(owner, name)


def _final(model: nn.Module) -> tuple[nn.Module, str, nn.Module]:
    found = [last for child in HEADS if (last := _last_layer(model, child)) is not None]
    if not found:
        raise DomainError(
            f"{type(model).__name__} has no last layer that gives classes in one of "
            f"{', '.join(HEADS)}; put a new layer on the model by hand"
        )
    return found[0]


def get_classifier(model: nn.Module) -> nn.Module:
    """The layer that gives the classes.

    Args:
        model: a classifier of this package.

    Returns:
        An `nn.Linear`, or for SqueezeNet an `nn.Conv2d`.

    Raises:
        DomainError: the model has none, or lost it by `reset_classifier(model, 0)`.

    Example:
        >>> from triptych_vision.models import mobilenet_v2
        >>> get_classifier(mobilenet_v2()).out_features
        1000
    """
    return _final(model)[2]


def reset_classifier(model: nn.Module, num_classes: int) -> nn.Module:
    """Put a new last layer on a classifier; what comes before keeps its weights.

    Auxiliary classifiers, as GoogLeNet and Inception have, are treated likewise.

    Args:
        model: changed in place.
        num_classes: outputs of the new layer, freshly drawn; with 0 there is none, the model gives
            the features that it read, (n, d), and auxiliary classifiers are taken off.

    Returns:
        The model.

    Raises:
        ValueError: num_classes is negative.
        DomainError: the model has no layer that gives classes.

    Example:
        >>> from triptych_vision.models import resnet18
        >>> reset_classifier(resnet18(), 0).eval()(tp.zeros(1, 3, 32, 32)).shape
        Size([1, 512])
    """
    if num_classes < 0:
        raise ValueError(f"reset_classifier: num_classes is 0 or more, got {num_classes}")
    spots = [_final(model)]
    auxiliary = [name for name in AUXILIARY if getattr(model, name, None) is not None]
    if num_classes == 0 and auxiliary:
        for name in auxiliary:
            setattr(model, name, None)
        model.aux_logits = False
    else:
        spots += [last for name in auxiliary if (last := _last_layer(model, name)) is not None]
    for owner, name, old in spots:
        setattr(owner, name, _like(old, num_classes) if num_classes else nn.Identity())
    if hasattr(model, "num_classes"):
        model.num_classes = num_classes
    return model


def _like(old: nn.Module, num_classes: int) -> nn.Module:
    """A layer of the same kind and inputs with other outputs."""
    bias = old.bias is not None
    place = {"dtype": old.weight.dtype, "device": old.weight.device}
    if isinstance(old, nn.Linear):
        return nn.Linear(old.in_features, num_classes, bias=bias, **place)
    return nn.Conv2d(old.in_channels, num_classes, old.kernel_size, bias=bias, **place)


def adapt_input(model: nn.Module, in_chans: int) -> nn.Module:
    """Let a model take images of another number of channels, and keep what its weights know.

    One channel gets the sum of the filters of red, green and blue, so that a grey image gives what
    the same image in three equal channels gave. Otherwise the filters are repeated in turn, and
    scaled so that equal channels give the same sums as before.

    Args:
        model: its first convolution is replaced in place; a transform of the input that the model
            itself does to three channels, as Inception's, is switched off.
        in_chans: channels of the images.

    Returns:
        The model.

    Raises:
        ValueError: in_chans is below 1.
        DomainError: the model has no convolution, or its first one has groups.

    Source: timm, adapt_input_conv.
    """
    if in_chans < 1:
        raise ValueError(f"adapt_input: in_chans is 1 or more, got {in_chans}")
    found = [path for path, m in model.named_modules() if isinstance(m, nn.Conv2d)]
    old: Any = model.get_submodule(found[0]) if found else None
    if old is None or old.groups != 1:
        raise DomainError(
            f"adapt_input: {type(model).__name__} does not begin with a convolution over all "
            "channels"
        )
    had = old.in_channels
    if in_chans == had:
        return model
    with nn.init.skipped():
        new = nn.Conv2d(
            in_chans,
            old.out_channels,
            old.kernel_size,
            stride=old.stride,
            padding=old.padding,
            dilation=old.dilation,
            bias=old.bias is not None,
            padding_mode=old.padding_mode,
            dtype=old.weight.dtype,
            device=old.weight.device,
        )
    with tp.no_grad():
        repeated = old.weight.repeat(1, math.ceil(in_chans / had), 1, 1)[:, :in_chans]
        summed = old.weight.sum(dim=1, keepdim=True)
        new.weight.copy_(summed if in_chans == 1 else repeated * (had / in_chans))
        if new.bias is not None:
            new.bias.copy_(old.bias)
    parent, _, name = found[0].rpartition(".")
    setattr(model.get_submodule(parent) if parent else model, name, new)
    if hasattr(model, "transform_input"):
        model.transform_input = False
    return model


class FeatureMaps(nn.Module):
    """A classifier that gives the last feature map of each size instead of classes.

    A map is 1, 2, 4, ... times smaller than the image; which of these sizes a model has depends on
    the model. The layers are the model's own under their names.

    Args:
        model: whose features are wanted.
        out_indices: which of its maps, from 0 for the largest; negative ones count from the end;
            default all.

    Attributes:
        channels: of each map.
        reductions: how many times smaller than the image each map is.
        paths: layer that gives each map.

    Raises:
        IndexError: there is no such map.
        DomainError: the model gives no maps, as vision transformers, or takes no images of
            224 x 224 pixels, on which it is tried once.

    Example:
        >>> from triptych_vision.models import resnet18
        >>> maps = FeatureMaps(resnet18(), out_indices=(1, -1)).eval()
        >>> maps.channels, maps.reductions
        ([64, 512], [4, 32])
        >>> [tuple(x.shape) for x in maps(tp.zeros(1, 3, 64, 64))]
        [(1, 64, 16, 16), (1, 512, 2, 2)]
    """

    def __init__(self, model: nn.Module, out_indices: Sequence[int] | None = None) -> None:
        super().__init__()
        levels = _levels(model)
        wanted = range(len(levels)) if out_indices is None else out_indices
        if any(not -len(levels) <= index < len(levels) for index in wanted):
            raise IndexError(
                f"FeatureMaps: {type(model).__name__} has {len(levels)} maps, out_indices are "
                f"{list(wanted)}"
            )
        chosen = [levels[index] for index in wanted]
        self.paths = [path for path, _, _, _ in chosen]
        self.channels = [channels for _, channels, _, _ in chosen]
        self.reductions = [reduction for _, _, reduction, _ in chosen]
        self._channels_last = [last for _, _, _, last in chosen]
        self.body = create_feature_extractor(model, self.paths)

    def forward(self, x: tp.Tensor) -> list[tp.Tensor]:
        """(n, c, h, w) normalised images to maps (n, channels[i], h_i, w_i)."""
        found = self.body(x)
        pairs = zip(self.paths, self._channels_last, strict=True)
        return [found[path].permute(0, 3, 1, 2) if last else found[path] for path, last in pairs]


def _main_line(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The steps of a model with their paths: children, and those of plain containers in turn.

    What lies inside a block is no step: its wider maps are read by nobody else.
    """
    for name, child in module.named_children():
        path = f"{prefix}{name}"
        if path in HEADS + AUXILIARY or isinstance(child, nn.AdaptiveAvgPool2d):
            continue
        yield path, child
        if type(child) in (nn.Sequential, nn.ModuleList):
            yield from _main_line(child, f"{path}.")


def _levels(model: nn.Module) -> list[tuple[str, int, int, bool]]:
    """(path, channels, reduction, channels come last) of the last map of each size."""
    calls: dict[str, int] = {}
    found: dict[int, tuple[str, int, int, bool]] = {}

    def see(path: str, out: Any) -> None:
        calls[path] = calls.get(path, 0) + 1
        if not isinstance(out, tp.Tensor) or out.ndim != 4 or calls[path] > 1:
            return
        _, a, b, c = out.shape
        channels_last = b != c
        side, channels = (a, c) if channels_last else (b, a)
        level = round(math.log2(IMAGE_SIDE / side))
        if 0 <= level <= MAX_LEVEL and (not channels_last or a == b):
            found.pop(level, None)
            found[level] = path, channels, 2**level, channels_last

    hooks = [
        module.register_forward_hook(lambda _module, _args, out, path=path: see(path, out))
        for path, module in _main_line(model)
    ]
    training, first = model.training, next(m for m in model.modules() if isinstance(m, nn.Conv2d))
    try:
        with tp.no_grad():
            model.eval()(tp.zeros(1, first.in_channels, IMAGE_SIDE, IMAGE_SIDE))
    except ShapeError as error:
        raise DomainError(
            f"FeatureMaps: {type(model).__name__} takes no images of {IMAGE_SIDE} x {IMAGE_SIDE} "
            f"pixels: {error}"
        ) from error
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    levels = [found[level] for level in sorted(found)]
    if len(levels) < 2:
        raise DomainError(
            f"FeatureMaps: {type(model).__name__} has no maps of several sizes; "
            "create_feature_extractor gives what any of its layers computes"
        )
    return levels


def create_model(
    name: str,
    weights: Any = None,
    *,
    num_classes: int | None = None,
    in_chans: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
    **config: Any,
) -> nn.Module:
    """Build a model for a task of one's own, from pretrained weights or none.

    Unlike `get_model`, num_classes may differ from the weights': the last layer is then new.

    Args:
        name: as in `list_models`.
        weights: a member of the model's enumeration, its name, "DEFAULT", or None.
        num_classes: as in `reset_classifier`; default the model's own.
        in_chans: as in `adapt_input`.
        features_only: give a list of feature maps in place of classes, see `FeatureMaps`.
        out_indices: which maps; only with features_only.
        **config: further arguments of the builder.

    Returns:
        The model, in training mode as every new module.

    Raises:
        UnknownNameError: no model is called so.
        ValueError: out_indices without features_only, or features_only with num_classes.

    Example:
        >>> model = create_model("resnet18", num_classes=7, in_chans=1).eval()
        >>> model(tp.zeros(2, 1, 64, 64)).shape
        Size([2, 7])
    """
    if out_indices is not None and not features_only:
        raise ValueError("create_model: out_indices chooses maps; give features_only=True too")
    if features_only and num_classes is not None:
        raise ValueError("create_model: features_only=True gives no classes; leave num_classes out")
    model = get_model(name, weights=weights, **config)
    if in_chans != 3:
        adapt_input(model, in_chans)
    if num_classes is not None:
        reset_classifier(model, num_classes)
    return FeatureMaps(model, out_indices) if features_only else model

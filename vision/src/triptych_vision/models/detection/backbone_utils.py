"""Classifiers turned into what detectors build on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import DomainError

from ...ops.blocks import FrozenBatchNorm2d, Layer
from ...ops.feature_pyramid_network import ExtraFPNBlock, FeaturePyramidNetwork, LastLevelMaxPool
from ...weights import WeightsEnum
from .. import mobilenet, resnet
from .._registry import get_model_builder
from .._utils import IntermediateLayerGetter

__all__ = [
    "BackboneWithFPN",
    "freeze",
    "mobilenet_backbone",
    "mobilenet_extractor",
    "overwrite_eps",
    "resnet_fpn_backbone",
    "resnet_fpn_extractor",
    "retrieve_out_channels",
    "stage_starts",
    "trainable_layers_of",
]

PYRAMID_CHANNELS = 256
RESNET_STAGES = ("layer4", "layer3", "layer2", "layer1", "conv1")  # deepest first


class BackboneWithFPN(nn.Module):
    """A model's intermediate features, and a pyramid on top of them.

    Args:
        backbone: a model, used up to the last layer that is asked for.
        return_layers: name of the map by name of the layer.
        in_channels_list: channels of each of these layers.
        out_channels: of the pyramid.
        extra_blocks: adds coarser levels; default `LastLevelMaxPool`.
        norm_layer: of the pyramid; None for no normalisation.

    Attributes:
        out_channels: of every map.
    """

    def __init__(
        self,
        backbone: nn.Module,
        return_layers: Mapping[str, str],
        in_channels_list: Sequence[int],
        out_channels: int,
        extra_blocks: ExtraFPNBlock | None = None,
        norm_layer: Layer | None = None,
    ) -> None:
        super().__init__()
        self.body = IntermediateLayerGetter(backbone, return_layers)
        self.fpn = FeaturePyramidNetwork(
            in_channels_list, out_channels, extra_blocks or LastLevelMaxPool(), norm_layer
        )
        self.out_channels = out_channels

    def forward(self, x: tp.Tensor) -> dict[str, tp.Tensor]:
        """(n, 3, h, w) to maps (n, out_channels, ...) by name, finest first."""
        return self.fpn(self.body(x))


def resnet_fpn_backbone(
    *,
    backbone_name: str,
    weights: WeightsEnum | str | None,
    norm_layer: Layer = FrozenBatchNorm2d,
    trainable_layers: int = 3,
    returned_layers: Sequence[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
) -> BackboneWithFPN:
    """A residual network with a feature pyramid.

    Args:
        backbone_name: such as "resnet50".
        weights: of the residual network, or None.
        norm_layer: of the residual network.
        trainable_layers: how many stages learn, from the deepest on; 0 to 5.
        returned_layers: stages that the pyramid is made from, 1 to 4; default all.
        extra_blocks: adds coarser levels; default `LastLevelMaxPool`.

    Returns:
        The backbone; its maps are called "0", "1", ... and what extra_blocks calls them.

    Raises:
        DomainError: trainable_layers or returned_layers is out of range.

    Example:
        >>> backbone = resnet_fpn_backbone(backbone_name="resnet18", weights=None)
        >>> [tuple(m.shape) for m in backbone(tp.zeros(1, 3, 64, 64)).values()][:2]
        [(1, 256, 16, 16), (1, 256, 8, 8)]
    """
    build: Callable[..., Any] = get_model_builder(backbone_name)
    backbone = build(weights=weights, norm_layer=norm_layer)
    return resnet_fpn_extractor(backbone, trainable_layers, returned_layers, extra_blocks)


def resnet_fpn_extractor(
    backbone: resnet.ResNet,
    trainable_layers: int,
    returned_layers: Sequence[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
    norm_layer: Layer | None = None,
) -> BackboneWithFPN:
    """`resnet_fpn_backbone` for a residual network that is there already.

    Args:
        backbone: it; layers that do not learn are frozen.
        trainable_layers: how many stages learn, from the deepest on; 0 to 5.
        returned_layers: stages that the pyramid is made from, 1 to 4; default all.
        extra_blocks: adds coarser levels; default `LastLevelMaxPool`.
        norm_layer: of the pyramid; None for no normalisation.

    Returns:
        The backbone.

    Raises:
        DomainError: trainable_layers or returned_layers is out of range.
    """
    _check_range("resnet_fpn_backbone", "trainable_layers", [trainable_layers], 0, 5)
    learning = [*RESNET_STAGES[:trainable_layers], *(["bn1"] if trainable_layers == 5 else [])]
    for name, parameter in backbone.named_parameters():
        if not name.startswith(tuple(learning)):
            parameter.requires_grad_(False)
    stages = list(returned_layers or (1, 2, 3, 4))
    _check_range("resnet_fpn_backbone", "returned_layers", stages, 1, 4)
    first = backbone.inplanes // 8  # channels after stage 1
    return BackboneWithFPN(
        backbone,
        {f"layer{stage}": str(i) for i, stage in enumerate(stages)},
        [first * 2 ** (stage - 1) for stage in stages],
        PYRAMID_CHANNELS,
        extra_blocks,
        norm_layer,
    )


def mobilenet_backbone(
    *,
    backbone_name: str,
    weights: WeightsEnum | str | None,
    fpn: bool,
    norm_layer: Layer = FrozenBatchNorm2d,
    trainable_layers: int = 2,
    returned_layers: Sequence[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
) -> nn.Module:
    """A MobileNet, with or without a feature pyramid.

    Args:
        backbone_name: such as "mobilenet_v3_large".
        weights: of the MobileNet, or None.
        fpn: with a pyramid; else one map of 256 channels.
        norm_layer: of the MobileNet.
        trainable_layers: how many stages learn, from the deepest on.
        returned_layers: stages that the pyramid is made from; default the last two.
        extra_blocks: adds coarser levels; default `LastLevelMaxPool`.

    Returns:
        The backbone, with an attribute out_channels.

    Raises:
        DomainError: trainable_layers or returned_layers is out of range.
    """
    build: Callable[..., Any] = get_model_builder(backbone_name)
    backbone = build(weights=weights, norm_layer=norm_layer)
    return mobilenet_extractor(backbone, fpn, trainable_layers, returned_layers, extra_blocks)


def mobilenet_extractor(
    backbone: mobilenet.MobileNetV2 | mobilenet.MobileNetV3,
    fpn: bool,
    trainable_layers: int,
    returned_layers: Sequence[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
    norm_layer: Layer | None = None,
) -> nn.Module:
    """`mobilenet_backbone` for a MobileNet that is there already; arguments as there.

    Args:
        backbone: it; layers that do not learn are frozen.
        fpn: with a pyramid.
        trainable_layers: how many stages learn, from the deepest on.
        returned_layers: stages that the pyramid is made from; default the last two.
        extra_blocks: adds coarser levels.
        norm_layer: of the pyramid; None for no normalisation.

    Returns:
        The backbone.

    Raises:
        DomainError: trainable_layers or returned_layers is out of range.
    """
    features = backbone.features
    starts = stage_starts(features)
    _check_range("mobilenet_backbone", "trainable_layers", [trainable_layers], 0, len(starts))
    freeze(features, starts, trainable_layers)
    if not fpn:
        last = nn.Conv2d(features[-1].out_channels, PYRAMID_CHANNELS, 1)
        plain = nn.Sequential(features, last)
        plain.out_channels = PYRAMID_CHANNELS
        return plain
    stages = list(returned_layers or (len(starts) - 2, len(starts) - 1))
    _check_range("mobilenet_backbone", "returned_layers", stages, 0, len(starts) - 1)
    return BackboneWithFPN(
        features,
        {str(starts[stage]): str(i) for i, stage in enumerate(stages)},
        [features[starts[stage]].out_channels for stage in stages],
        PYRAMID_CHANNELS,
        extra_blocks,
        norm_layer,
    )


def stage_starts(features: nn.Sequential) -> list[int]:
    """Places of the layers of a MobileNet where the size halves, and of the last layer."""
    halving = [i for i, block in enumerate(features) if getattr(block, "_is_cn", False)]
    return [0, *halving, len(features) - 1]


def freeze(features: nn.Sequential, starts: Sequence[int], trainable_layers: int) -> None:
    """Let only the last stages learn.

    Args:
        features: the layers.
        starts: place of the first layer of each stage.
        trainable_layers: how many stages learn, 0 to len(starts).
    """
    stop = len(features) if trainable_layers == 0 else starts[len(starts) - trainable_layers]
    for block in features[:stop]:
        for parameter in block.parameters():
            parameter.requires_grad_(False)


def trainable_layers_of(is_trained: bool, wanted: int | None, most: int, default: int) -> int:
    """How many stages learn.

    Args:
        is_trained: there are weights; without them, all stages learn.
        wanted: by the user; None for the default.
        most: as many as there are.
        default: with weights.

    Returns:
        0 to most.

    Raises:
        DomainError: wanted is out of range.
    """
    if not is_trained:
        if wanted is not None:
            warnings.warn(
                f"trainable_backbone_layers={wanted} has no effect without weights or "
                f"weights_backbone: all {most} stages learn",
                stacklevel=4,
            )
        return most
    chosen = default if wanted is None else wanted
    _check_range("trainable_backbone_layers", "it", [chosen], 0, most)
    return chosen


def overwrite_eps(model: nn.Module, eps: float) -> None:
    """Set eps of all `FrozenBatchNorm2d`; the first COCO weights were trained with 0.

    Args:
        model: changed.
        eps: added to the variance.
    """
    for module in model.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.eps = eps


def retrieve_out_channels(model: nn.Module, size: tuple[int, int]) -> list[int]:
    """Channels of each map that a backbone gives, found by running it once.

    Args:
        model: from (n, 3, h, w) to a map or a dict of maps.
        size: (w, h) of the picture.

    Returns:
        Channels.
    """
    was_training = model.training
    like = next(iter(model.parameters()))
    model.eval()
    with tp.no_grad():
        maps = model(tp.zeros(1, 3, size[1], size[0], dtype=like.dtype, device=like.device))
    model.train(was_training)
    values = [maps] if isinstance(maps, tp.Tensor) else list(maps.values())
    return [int(value.shape[1]) for value in values]


def _check_range(name: str, what: str, values: Sequence[int], low: int, high: int) -> None:
    if min(values) < low or max(values) > high:
        raise DomainError(f"{name}: {what} is from {low} to {high}, got {list(values)}")

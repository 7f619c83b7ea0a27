"""Feature pyramids: what deep, coarse maps know is added to the fine ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import DTypeError, ShapeError
from triptych.nn import functional as F

from .blocks import Conv2dNormActivation, Layer

__all__ = ["ExtraFPNBlock", "FeaturePyramidNetwork", "LastLevelMaxPool", "LastLevelP6P7"]

Levels = tuple[list[tp.Tensor], list[str]]


class ExtraFPNBlock(nn.Module):
    """Base of the layers that add coarser levels to a pyramid."""

    def forward(self, results: list[tp.Tensor], x: list[tp.Tensor], names: list[str]) -> Levels:
        """Add levels.

        Args:
            results: maps of the pyramid, finest first.
            x: the maps it was made from.
            names: of the results.

        Returns:
            More results, and their names.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define forward")


class FeaturePyramidNetwork(nn.Module):
    """A pyramid of maps, all with as many channels, from maps of growing depth.

    Files of torchvision's older layout, with inner_blocks.0.weight for inner_blocks.0.0.weight,
    load as well.

    Args:
        in_channels_list: channels of each map, finest first.
        out_channels: of every result.
        extra_blocks: adds coarser levels.
        norm_layer: called with the number of channels; None for no normalisation.

    Raises:
        ShapeError: a number of channels is 0.
        DTypeError: extra_blocks is no `ExtraFPNBlock`.

    Example:
        >>> fpn = FeaturePyramidNetwork([10, 20], 5)
        >>> maps = fpn({"fine": tp.zeros(1, 10, 64, 64), "coarse": tp.zeros(1, 20, 16, 16)})
        >>> [tuple(m.shape) for m in maps.values()]
        [(1, 5, 64, 64), (1, 5, 16, 16)]

    Source: Lin et al. 2017, section 3.
    """

    _version = 2

    def __init__(
        self,
        in_channels_list: Sequence[int],
        out_channels: int,
        extra_blocks: ExtraFPNBlock | None = None,
        norm_layer: Layer | None = None,
    ) -> None:
        super().__init__()
        if 0 in in_channels_list:
            raise ShapeError(
                f"FeaturePyramidNetwork: every map has channels, got {list(in_channels_list)}"
            )
        if not isinstance(extra_blocks, ExtraFPNBlock | None):
            raise DTypeError(
                "FeaturePyramidNetwork: extra_blocks is an ExtraFPNBlock or None, got "
                f"{type(extra_blocks).__name__}"
            )
        how: dict[str, Any] = {"norm_layer": norm_layer, "activation_layer": None}
        self.inner_blocks = nn.ModuleList(
            Conv2dNormActivation(n, out_channels, kernel_size=1, padding=0, **how)
            for n in in_channels_list
        )
        self.layer_blocks = nn.ModuleList(
            Conv2dNormActivation(out_channels, out_channels, kernel_size=3, **how)
            for _ in in_channels_list
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                _initialise(module)
        self.extra_blocks = extra_blocks

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *others: Any
    ) -> None:
        if (local_metadata.get("version") or 1) < 2:
            levels = range(len(self.inner_blocks))
            blocks = [f"{prefix}{b}_blocks.{i}" for b in ("inner", "layer") for i in levels]
            rename_keys(state_dict, {f"{block}.": f"{block}.0." for block in blocks})
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *others)

    def forward(self, x: Mapping[str, tp.Tensor]) -> dict[str, tp.Tensor]:
        """Maps by name, finest first, to maps (n, out_channels, h, w) by name, finest first."""
        names, maps = list(x), list(x.values())
        inner = [block(m) for block, m in zip(self.inner_blocks, maps, strict=True)]
        for level in range(len(inner) - 2, -1, -1):
            size = tuple(inner[level].shape[-2:])
            inner[level] = inner[level] + F.interpolate(inner[level + 1], size=size, mode="nearest")
        results = [block(m) for block, m in zip(self.layer_blocks, inner, strict=True)]
        if self.extra_blocks is not None:
            results, names = self.extra_blocks(results, maps, names)
        return dict(zip(names, results, strict=True))


def rename_keys(state_dict: dict[str, Any], prefixes: Mapping[str, str]) -> None:
    """Rename PREFIXweight and PREFIXbias of an older layout, where they are.

    Args:
        state_dict: changed in place.
        prefixes: new prefix by old one.
    """
    for old, new in prefixes.items():
        for name in ("weight", "bias"):
            if f"{old}{name}" in state_dict:
                state_dict[f"{new}{name}"] = state_dict.pop(f"{old}{name}")


def _initialise(conv: nn.Conv2d) -> None:
    nn.init.kaiming_uniform_(conv.weight, a=1)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)


class LastLevelMaxPool(ExtraFPNBlock):
    """Adds a level "pool": every second pixel of the coarsest one."""

    def forward(self, results: list[tp.Tensor], x: list[tp.Tensor], names: list[str]) -> Levels:
        """(n, c, h, w) levels and names, with one more of half the size; see `ExtraFPNBlock`."""
        coarse = F.max_pool2d(results[-1], kernel_size=1, stride=2, padding=0)
        return [*results, coarse], [*names, "pool"]


class LastLevelP6P7(ExtraFPNBlock):
    """Adds levels "p6" and "p7", by convolutions of stride 2.

    Args:
        in_channels: of what they start from: the deepest map, or the coarsest result when that
            has as many channels.
        out_channels: of both.

    Source: Lin, Goyal, Girshick, He and Dollar 2017, section 4.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.p6 = nn.Conv2d(in_channels, out_channels, 3, 2, 1)
        self.p7 = nn.Conv2d(out_channels, out_channels, 3, 2, 1)
        for conv in (self.p6, self.p7):
            _initialise(conv)
        self.use_P5 = in_channels == out_channels

    def forward(self, results: list[tp.Tensor], x: list[tp.Tensor], names: list[str]) -> Levels:
        """(n, c, h, w) levels and names, with two more, each of half the size."""
        p6 = self.p6(results[-1] if self.use_P5 else x[-1])
        p7 = self.p7(F.relu(p6))
        return [*results, p6, p7], [*names, "p6", "p7"]

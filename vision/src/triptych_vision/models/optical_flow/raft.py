"""RAFT: optical flow by repeated corrections.

Source: Teed and Deng 2020; layers, names and initial values are torchvision's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError

from ...weights import WeightsEnum
from .._building import builder
from ..published import published
from .correlation import FACTOR, CorrBlock, make_coords_grid, upsample_flow
from .encoders import BottleneckBlock, FeatureEncoder, ResidualBlock
from .update import FlowHead, Kernel, MaskPredictor, MotionEncoder, RecurrentBlock, UpdateBlock

__all__ = ["RAFT", "Raft_Large_Weights", "Raft_Small_Weights", "raft_large", "raft_small"]

Layer = Callable[..., nn.Module]


class RAFT(nn.Module):
    """RAFT.

    Args:
        feature_encoder: from both images to features at an eighth of the size.
        context_encoder: from the first image to the first state and the context.
        corr_block: with build_pyramid, index_pyramid and out_channels, as `CorrBlock`.
        update_block: called with state, context, products and flow; has hidden_state_size.
        mask_predictor: from the state to weights for enlarging the flow; None for bilinear.

    Raises:
        ShapeError: update_block has no hidden_state_size.

    Example:
        >>> flows = raft_small().eval()(tp.zeros(1, 3, 128, 128), tp.zeros(1, 3, 128, 128), 1)
        >>> len(flows), flows[-1].shape
        (1, Size([1, 2, 128, 128]))
    """

    def __init__(
        self,
        *,
        feature_encoder: nn.Module,
        context_encoder: nn.Module,
        corr_block: nn.Module,
        update_block: nn.Module,
        mask_predictor: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if not hasattr(update_block, "hidden_state_size"):
            raise ShapeError("RAFT: update_block says the channels of its state, hidden_state_size")
        self.feature_encoder = feature_encoder
        self.context_encoder = context_encoder
        self.corr_block = corr_block
        self.update_block = update_block
        self.mask_predictor = mask_predictor

    def forward(
        self, image1: tp.Tensor, image2: tp.Tensor, num_flow_updates: int = 12
    ) -> list[tp.Tensor]:
        """Flow from the first images to the second ones, after each correction.

        Args:
            image1: (n, 3, h, w) of values from -1 to 1; h and w are multiples of 8, 128 or more.
            image2: same shape.
            num_flow_updates: number of corrections.

        Returns:
            A (n, 2, h, w) for each: columns and rows by which pixels move. The last is the best.

        Raises:
            ShapeError: the images' shapes differ, or their sizes are no multiples of 8.
        """
        _check_images(image1, image2)
        n, _, h, w = image1.shape
        fmap1, fmap2 = self.feature_encoder(tp.cat([image1, image2])).chunk(2)
        self.corr_block.build_pyramid(fmap1, fmap2)
        hidden_state, context = self._context(image1)
        start = make_coords_grid(n, h // FACTOR, w // FACTOR, image1.device)
        places, flows = start, []
        for _ in range(num_flow_updates):
            places = places.detach()  # no gradient through earlier corrections, as in the paper
            corr_features = self.corr_block.index_pyramid(places)
            hidden_state, correction = self.update_block(
                hidden_state, context, corr_features, places - start
            )
            places = places + correction
            mask = None if self.mask_predictor is None else self.mask_predictor(hidden_state)
            flows.append(upsample_flow(places - start, mask))
        return flows

    def _context(self, image: tp.Tensor) -> tuple[tp.Tensor, tp.Tensor]:
        both = self.context_encoder(image)
        size = self.update_block.hidden_state_size
        if both.shape[1] <= size:
            raise ShapeError(
                f"RAFT: context_encoder gives {both.shape[1]} channels, wanted more than the "
                f"{size} of the state"
            )
        return both[:, :size].tanh(), both[:, size:].relu()


def _check_images(image1: tp.Tensor, image2: tp.Tensor) -> None:
    size = tuple(image1.shape[-2:])
    if size != tuple(image2.shape[-2:]):
        raise ShapeError(
            f"RAFT: both images have one size, got {size} and {tuple(image2.shape[-2:])}"
        )
    if any(n % FACTOR for n in size):
        raise ShapeError(f"RAFT: height and width are multiples of {FACTOR}, got {size}; pad them")


@dataclass(frozen=True)
class Sizes:
    """The numbers of a RAFT."""

    block: Layer
    feature_layers: tuple[int, ...]
    context_layers: tuple[int, ...]
    context_norm: Layer | None
    radius: int
    corr_layers: tuple[int, ...]
    flow_layers: tuple[int, ...]
    motion_channels: int
    hidden_size: int
    kernels: tuple[Kernel, ...]
    paddings: tuple[Kernel, ...]
    head_channels: int
    mask_channels: int | None  # None for no mask


LARGE = Sizes(
    block=ResidualBlock,
    feature_layers=(64, 64, 96, 128, 256),
    context_layers=(64, 64, 96, 128, 256),
    context_norm=nn.BatchNorm2d,
    radius=4,
    corr_layers=(256, 192),
    flow_layers=(128, 64),
    motion_channels=128,
    hidden_size=128,
    kernels=((1, 5), (5, 1)),
    paddings=((0, 2), (2, 0)),
    head_channels=256,
    mask_channels=256,
)
SMALL = Sizes(
    block=BottleneckBlock,
    feature_layers=(32, 32, 64, 96, 128),
    context_layers=(32, 32, 64, 96, 160),
    context_norm=None,
    radius=3,
    corr_layers=(96,),
    flow_layers=(64, 32),
    motion_channels=82,
    hidden_size=96,
    kernels=(3,),
    paddings=(1,),
    head_channels=128,
    mask_channels=None,
)


def _make(sizes: Sizes, **parts: Any) -> RAFT:
    """A RAFT whose parts are those of the sizes, or those that are given."""
    encoder = partial(FeatureEncoder, block=sizes.block)
    corr_block = parts.pop("corr_block", None) or CorrBlock(radius=sizes.radius)
    makers: dict[str, Callable[[], nn.Module | None]] = {
        "feature_encoder": lambda: encoder(
            layers=sizes.feature_layers, norm_layer=nn.InstanceNorm2d
        ),
        "context_encoder": lambda: encoder(
            layers=sizes.context_layers, norm_layer=sizes.context_norm
        ),
        "update_block": lambda: _update_block(sizes, corr_block.out_channels),
        "mask_predictor": lambda: _mask_predictor(sizes),
    }
    chosen: dict[str, Any] = {
        name: parts.pop(name, None) or make() for name, make in makers.items()
    }
    return RAFT(corr_block=corr_block, **chosen, **parts)


def _update_block(sizes: Sizes, corr_channels: int) -> UpdateBlock:
    motion = MotionEncoder(
        in_channels_corr=corr_channels,
        corr_layers=sizes.corr_layers,
        flow_layers=sizes.flow_layers,
        out_channels=sizes.motion_channels,
    )
    recurrent = RecurrentBlock(
        input_size=sizes.motion_channels + sizes.context_layers[-1] - sizes.hidden_size,
        hidden_size=sizes.hidden_size,
        kernel_size=sizes.kernels,
        padding=sizes.paddings,
    )
    head = FlowHead(in_channels=sizes.hidden_size, hidden_size=sizes.head_channels)
    return UpdateBlock(motion_encoder=motion, recurrent_block=recurrent, flow_head=head)


def _mask_predictor(sizes: Sizes) -> MaskPredictor | None:
    if sizes.mask_channels is None:
        return None
    return MaskPredictor(in_channels=sizes.hidden_size, hidden_size=sizes.mask_channels)


class Raft_Large_Weights(WeightsEnum):
    """Weights for `raft_large`."""

    C_T_V1 = published("Raft_Large_Weights.C_T_V1")
    C_T_V2 = published("Raft_Large_Weights.C_T_V2")
    C_T_SKHT_V1 = published("Raft_Large_Weights.C_T_SKHT_V1")
    C_T_SKHT_V2 = published("Raft_Large_Weights.C_T_SKHT_V2")
    C_T_SKHT_K_V1 = published("Raft_Large_Weights.C_T_SKHT_K_V1")
    C_T_SKHT_K_V2 = published("Raft_Large_Weights.C_T_SKHT_K_V2")
    DEFAULT = C_T_SKHT_V2


class Raft_Small_Weights(WeightsEnum):
    """Weights for `raft_small`."""

    C_T_V1 = published("Raft_Small_Weights.C_T_V1")
    C_T_V2 = published("Raft_Small_Weights.C_T_V2")
    DEFAULT = C_T_V2


raft_large = builder("raft_large", RAFT, Raft_Large_Weights, "RAFT, large.", partial(_make, LARGE))
raft_small = builder("raft_small", RAFT, Raft_Small_Weights, "RAFT, small.", partial(_make, SMALL))

"""One step of RAFT: from what is known of the flow to a correction of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError

from ...ops.misc import Conv2dNormActivation
from .correlation import FACTOR

__all__ = ["ConvGRU", "FlowHead", "MaskPredictor", "MotionEncoder", "RecurrentBlock", "UpdateBlock"]

Kernel = int | tuple[int, int]


class MotionEncoder(nn.Module):
    """Features of the flow and of the products around it.

    Args:
        in_channels_corr: of the products.
        corr_layers: channels of one or two convolutions of the products.
        flow_layers: channels of two convolutions of the flow.
        out_channels: after all; the last two are the flow.

    Raises:
        ShapeError: corr_layers or flow_layers has another length.
    """

    def __init__(
        self,
        *,
        in_channels_corr: int,
        corr_layers: Sequence[int] = (256, 192),
        flow_layers: Sequence[int] = (128, 64),
        out_channels: int = 128,
    ) -> None:
        super().__init__()
        if len(flow_layers) != 2 or len(corr_layers) not in (1, 2):
            raise ShapeError(
                "MotionEncoder: wanted two flow_layers and one or two corr_layers, got "
                f"{flow_layers} and {corr_layers}"
            )
        conv = partial(Conv2dNormActivation, norm_layer=None)
        self.convcorr1 = conv(in_channels_corr, corr_layers[0], kernel_size=1)
        self.convcorr2: nn.Module = nn.Identity()
        if len(corr_layers) == 2:
            self.convcorr2 = conv(corr_layers[0], corr_layers[1], kernel_size=3)
        self.convflow1 = conv(2, flow_layers[0], kernel_size=7)
        self.convflow2 = conv(flow_layers[0], flow_layers[1], kernel_size=3)
        self.conv = conv(corr_layers[-1] + flow_layers[-1], out_channels - 2, kernel_size=3)
        self.out_channels = out_channels

    def forward(self, flow: tp.Tensor, corr_features: tp.Tensor) -> tp.Tensor:
        """(n, 2, h, w) and (n, in_channels_corr, h, w) to (n, out_channels, h, w)."""
        corr = self.convcorr2(self.convcorr1(corr_features))
        both = self.conv(tp.cat([corr, self.convflow2(self.convflow1(flow))], dim=1))
        return tp.cat([both, flow], dim=1)


class ConvGRU(nn.Module):
    """A gated recurrent unit of convolutions.

    Args:
        input_size: channels of the input.
        hidden_size: channels of the state.
        kernel_size: of its three convolutions.
        padding: of its three convolutions.
    """

    def __init__(
        self, *, input_size: int, hidden_size: int, kernel_size: Kernel, padding: Kernel
    ) -> None:
        super().__init__()
        both = hidden_size + input_size
        self.convz = nn.Conv2d(both, hidden_size, kernel_size, padding=padding)
        self.convr = nn.Conv2d(both, hidden_size, kernel_size, padding=padding)
        self.convq = nn.Conv2d(both, hidden_size, kernel_size, padding=padding)

    def forward(self, h: tp.Tensor, x: tp.Tensor) -> tp.Tensor:
        """State (n, hidden_size, h, w) and input (n, input_size, h, w) to the new state."""
        hx = tp.cat([h, x], dim=1)
        z, r = self.convz(hx).sigmoid(), self.convr(hx).sigmoid()
        q = self.convq(tp.cat([r * h, x], dim=1)).tanh()
        return (1 - z) * h + z * q


class RecurrentBlock(nn.Module):
    """One or two gated recurrent units in a row.

    Args:
        input_size: channels of the input.
        hidden_size: channels of the state.
        kernel_size: of each unit.
        padding: of each unit.

    Raises:
        ShapeError: kernel_size and padding have not one or two entries each.
    """

    def __init__(
        self,
        *,
        input_size: int,
        hidden_size: int,
        kernel_size: Sequence[Kernel] = ((1, 5), (5, 1)),
        padding: Sequence[Kernel] = ((0, 2), (2, 0)),
    ) -> None:
        super().__init__()
        if len(kernel_size) != len(padding) or len(kernel_size) not in (1, 2):
            raise ShapeError(
                "RecurrentBlock: wanted kernel_size and padding for one or two units, got "
                f"{kernel_size} and {padding}"
            )
        unit = partial(ConvGRU, input_size=input_size, hidden_size=hidden_size)
        self.convgru1 = unit(kernel_size=kernel_size[0], padding=padding[0])
        self.convgru2 = None
        if len(kernel_size) == 2:
            self.convgru2 = unit(kernel_size=kernel_size[1], padding=padding[1])
        self.hidden_size = hidden_size

    def forward(self, h: tp.Tensor, x: tp.Tensor) -> tp.Tensor:
        """State (n, hidden_size, h, w) and input (n, input_size, h, w) to the new state."""
        h = self.convgru1(h, x)
        return h if self.convgru2 is None else self.convgru2(h, x)


class FlowHead(nn.Module):
    """From the state to a correction of the flow.

    Args:
        in_channels: of the state.
        hidden_size: channels in the middle.
    """

    def __init__(self, *, in_channels: int, hidden_size: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, hidden_size, 3, padding=1)
        self.conv2 = nn.Conv2d(hidden_size, 2, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, 2, h, w)."""
        return self.conv2(self.relu(self.conv1(x)))


class UpdateBlock(nn.Module):
    """Motion encoder, recurrent block and flow head.

    Args:
        motion_encoder: called with the flow and the products.
        recurrent_block: called with the state and the input.
        flow_head: called with the state.
    """

    def __init__(
        self,
        *,
        motion_encoder: nn.Module,
        recurrent_block: RecurrentBlock,
        flow_head: nn.Module,
    ) -> None:
        super().__init__()
        self.motion_encoder = motion_encoder
        self.recurrent_block = recurrent_block
        self.flow_head = flow_head
        self.hidden_state_size = recurrent_block.hidden_size

    def forward(
        self,
        hidden_state: tp.Tensor,
        context: tp.Tensor,
        corr_features: tp.Tensor,
        flow: tp.Tensor,
    ) -> tuple[tp.Tensor, tp.Tensor]:
        """The new state, and the correction (n, 2, h, w) of the flow."""
        x = tp.cat([context, self.motion_encoder(flow, corr_features)], dim=1)
        hidden_state = self.recurrent_block(hidden_state, x)
        return hidden_state, self.flow_head(hidden_state)


class MaskPredictor(nn.Module):
    """From the state to weights for enlarging the flow.

    Args:
        in_channels: of the state.
        hidden_size: channels in the middle.
        multiplier: of the output; it weakens the gradient.
    """

    def __init__(self, *, in_channels: int, hidden_size: int, multiplier: float = 0.25) -> None:
        super().__init__()
        self.convrelu = Conv2dNormActivation(in_channels, hidden_size, norm_layer=None)
        self.conv = nn.Conv2d(hidden_size, 9 * FACTOR**2, 1)
        self.multiplier = multiplier

    def forward(self, x: tp.Tensor) -> tp.Tensor:
        """(n, in_channels, h, w) to (n, 9 * 64, h, w)."""
        return self.multiplier * self.conv(self.convrelu(x))

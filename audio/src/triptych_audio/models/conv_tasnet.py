"""Conv-TasNet: separation of speakers in the time domain.

Source: Luo and Mesgarani 2019, "Conv-TasNet: Surpassing Ideal Time-Frequency Magnitude Masking for
Speech Separation", the non-causal form; parameter names and defaults are torchaudio 2.8's.
"""

from __future__ import annotations

from typing import Any

from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as nnF
from triptych_audio.interop import same_kind

__all__ = ["ConvBlock", "ConvTasNet", "MaskGenerator", "conv_tasnet_base"]

EPS = 1e-8  # of every norm
ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}


class ConvBlock(nn.Module):
    """One dilated depthwise-separable convolution, with outputs for the next block and the mask.

    Args:
        io_channels: channels in and out.
        hidden_channels: channels inside.
        kernel_size: of the depthwise convolution.
        padding: of the depthwise convolution.
        dilation: of the depthwise convolution.
        no_residual: leave out the output for the next block.
    """

    def __init__(
        self,
        io_channels: int,
        hidden_channels: int,
        kernel_size: int,
        padding: int,
        dilation: int = 1,
        no_residual: bool = False,
    ) -> None:
        super().__init__()
        self.conv_layers = nn.Sequential(
            nn.Conv1d(io_channels, hidden_channels, 1),
            nn.PReLU(),
            nn.GroupNorm(1, hidden_channels, eps=EPS),
            nn.Conv1d(
                hidden_channels,
                hidden_channels,
                kernel_size,
                padding=padding,
                dilation=dilation,
                groups=hidden_channels,
            ),
            nn.PReLU(),
            nn.GroupNorm(1, hidden_channels, eps=EPS),
        )
        self.res_out = None if no_residual else nn.Conv1d(hidden_channels, io_channels, 1)
        self.skip_out = nn.Conv1d(hidden_channels, io_channels, 1)

    def forward(self, input: Tensor) -> tuple[Tensor | None, Tensor]:
        """(n, c, t) features to what the next block adds, and what the mask is made of."""
        feature = self.conv_layers(input)
        residual = None if self.res_out is None else self.res_out(feature)
        return residual, self.skip_out(feature)


class MaskGenerator(nn.Module):
    """Stacks of dilated convolutions that say how much of each feature belongs to each source.

    Args:
        input_dim: features per frame.
        num_sources: masks.
        kernel_size: of the blocks.
        num_feats: channels between the blocks.
        num_hidden: channels inside the blocks.
        num_layers: blocks in a stack; block l has dilation 2 ** l.
        num_stacks: stacks.
        msk_activate: "sigmoid" or "relu", last operation on the masks.

    Raises:
        DomainError: msk_activate is neither.
    """

    def __init__(
        self,
        input_dim: int,
        num_sources: int,
        kernel_size: int,
        num_feats: int,
        num_hidden: int,
        num_layers: int,
        num_stacks: int,
        msk_activate: str,
    ) -> None:
        super().__init__()
        if msk_activate not in ACTIVATIONS:
            raise DomainError(
                f"MaskGenerator: msk_activate is one of {sorted(ACTIVATIONS)}, got {msk_activate!r}"
            )
        self.input_dim = input_dim
        self.num_sources = num_sources
        self.input_norm = nn.GroupNorm(1, input_dim, eps=EPS)
        self.input_conv = nn.Conv1d(input_dim, num_feats, 1)
        dilations = [2**layer for _ in range(num_stacks) for layer in range(num_layers)]
        self.receptive_field = 1 + (kernel_size - 1) * sum(dilations)
        last = len(dilations) - 1
        self.conv_layers = nn.ModuleList(
            ConvBlock(num_feats, num_hidden, kernel_size, d, d, no_residual=i == last)
            for i, d in enumerate(dilations)
        )
        self.output_prelu = nn.PReLU()
        self.output_conv = nn.Conv1d(num_feats, input_dim * num_sources, 1)
        self.mask_activate = ACTIVATIONS[msk_activate]()

    def forward(self, input: Tensor) -> Tensor:
        """Masks for features.

        Args:
            input: (n, input_dim, frames).

        Returns:
            (n, num_sources, input_dim, frames).
        """
        features = self.input_conv(self.input_norm(input))
        total: Tensor | float = 0.0
        for layer in self.conv_layers:
            residual, skip = layer(features)
            features = features if residual is None else features + residual
            total = total + skip
        masks = self.mask_activate(self.output_conv(self.output_prelu(total)))
        return masks.reshape(input.shape[0], self.num_sources, self.input_dim, -1)


class ConvTasNet(nn.Module):
    """Conv-TasNet, which splits a mixture of voices into its sources.

    A learned transform to features, a mask over them for each source, and a learned way back.

    Args:
        num_sources: voices to separate.
        enc_kernel_size: samples that one feature looks at; the step is half of it.
        enc_num_feats: features per frame.
        msk_kernel_size: of the mask's convolutions.
        msk_num_feats: channels between the mask's blocks.
        msk_num_hidden_feats: channels inside them.
        msk_num_layers: blocks in one stack.
        msk_num_stacks: stacks.
        msk_activate: "sigmoid" or "relu".

    Example:
        >>> import triptych as tp
        >>> model = ConvTasNet(2, 16, 8, msk_num_feats=4, msk_num_hidden_feats=8, msk_num_layers=2)
        >>> model(tp.zeros(1, 1, 1000)).shape
        Size([1, 2, 1000])
    """

    def __init__(
        self,
        num_sources: int = 2,
        enc_kernel_size: int = 16,
        enc_num_feats: int = 512,
        msk_kernel_size: int = 3,
        msk_num_feats: int = 128,
        msk_num_hidden_feats: int = 512,
        msk_num_layers: int = 8,
        msk_num_stacks: int = 3,
        msk_activate: str = "sigmoid",
    ) -> None:
        super().__init__()
        self.num_sources = num_sources
        self.enc_num_feats = enc_num_feats
        self.enc_kernel_size = enc_kernel_size
        self.enc_stride = enc_kernel_size // 2
        window: dict[str, Any] = {
            "stride": self.enc_stride,
            "padding": self.enc_stride,
            "bias": False,
        }
        self.encoder = nn.Conv1d(1, enc_num_feats, enc_kernel_size, **window)
        self.mask_generator = MaskGenerator(
            input_dim=enc_num_feats,
            num_sources=num_sources,
            kernel_size=msk_kernel_size,
            num_feats=msk_num_feats,
            num_hidden=msk_num_hidden_feats,
            num_layers=msk_num_layers,
            num_stacks=msk_num_stacks,
            msk_activate=msk_activate,
        )
        self.decoder = nn.ConvTranspose1d(enc_num_feats, 1, enc_kernel_size, **window)

    @same_kind
    def forward(self, input: Tensor) -> Tensor:
        """Separate a mixture.

        Args:
            input: (n, 1, t) samples of the mixture.

        Returns:
            (n, num_sources, t) samples of each source.

        Raises:
            ShapeError: input is not (n, 1, t).
        """
        if input.ndim != 3 or input.shape[1] != 1:
            raise ShapeError(
                f"ConvTasNet: wanted (n, 1, t) samples, got {tuple(input.shape)}; "
                "waveform.reshape(n, 1, -1) makes a batch of one-channel recordings"
            )
        t = input.shape[-1]
        odd = self.enc_kernel_size % 2
        padded = nnF.pad(input, (0, (odd - t) % self.enc_stride))  # the last window ends with it
        features = self.encoder(padded)  # (n, features, frames)
        masked = self.mask_generator(features) * features.unsqueeze(1)
        decoded = self.decoder(masked.flatten(0, 1))  # (n * sources, 1, t)
        return decoded.reshape(input.shape[0], self.num_sources, -1)[..., :t]


def conv_tasnet_base(num_sources: int = 2) -> ConvTasNet:
    """The configuration with the best separation in the paper, masks through ReLU.

    Args:
        num_sources: voices to separate.

    Returns:
        A model of 5.0 million parameters.
    """
    return ConvTasNet(num_sources, msk_activate="relu")

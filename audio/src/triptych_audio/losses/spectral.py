"""How far two waveforms are apart, by their spectra."""

from __future__ import annotations

from collections.abc import Sequence

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych.nn import Module

__all__ = ["MultiResolutionSTFTLoss", "multi_resolution_stft_loss", "stft_loss"]

# Yamamoto, Song and Kim 2020, table 1
FFT_SIZES, HOP_SIZES, WIN_LENGTHS = (1024, 2048, 512), (120, 240, 50), (600, 1200, 240)
SMALLEST = 1e-7  # of squared magnitude, so that the logarithm has a slope


def _magnitude(x: Tensor, n_fft: int, hop_length: int, win_length: int) -> Tensor:
    window = tp.hann_window(win_length, dtype=x.dtype, device=x.device)
    spectra = tp.stft(x, n_fft, hop_length, win_length, window, return_complex=True)
    power = spectra.real.square() + spectra.imag.square()
    magnitude: Tensor = power.clamp(min=SMALLEST).sqrt()
    return magnitude


def stft_loss(
    input: Tensor, target: Tensor, n_fft: int, hop_length: int, win_length: int
) -> tuple[Tensor, Tensor]:
    """Two distances of spectrograms: of what is loud, and of what is soft.

    Args:
        input: (..., t) samples, generated.
        target: (..., t) samples, real.
        n_fft: frame length in samples.
        hop_length: step between frames in samples.
        win_length: length of the window in samples.

    Returns:
        Spectral convergence, the relative error of magnitudes, and the mean distance of their
        logarithms; both 0-d.

    Raises:
        ShapeError: shapes differ.

    Source: Arik, Jun and Diamos 2019.
    """
    if input.shape != target.shape:
        raise ShapeError(
            f"stft_loss: wanted two waveforms of the same shape, got {tuple(input.shape)} and "
            f"{tuple(target.shape)}"
        )
    got, wanted = (_magnitude(x, n_fft, hop_length, win_length) for x in (input, target))
    convergence = (wanted - got).square().sum().sqrt() / wanted.square().sum().sqrt()
    return convergence, (wanted.log() - got.log()).abs().mean()


def multi_resolution_stft_loss(
    input: Tensor,
    target: Tensor,
    fft_sizes: Sequence[int] = FFT_SIZES,
    hop_sizes: Sequence[int] = HOP_SIZES,
    win_lengths: Sequence[int] = WIN_LENGTHS,
) -> Tensor:
    """`stft_loss` with several frame lengths: long ones for pitch, short ones for clicks.

    Args:
        input: (..., t) samples, generated.
        target: (..., t) samples, real.
        fft_sizes: frame lengths in samples.
        hop_sizes: steps between frames, as many.
        win_lengths: lengths of the windows, as many.

    Returns:
        0-d: the mean over resolutions of spectral convergence plus distance of logarithms.

    Raises:
        ShapeError: shapes differ, or there are not as many steps and windows as frame lengths.

    Source: Yamamoto, Song and Kim 2020, Parallel WaveGAN, eq. 6.
    """
    if not len(fft_sizes) == len(hop_sizes) == len(win_lengths) > 0:
        raise ShapeError(
            "multi_resolution_stft_loss: wanted as many hop_sizes and win_lengths as fft_sizes, "
            f"got {len(hop_sizes)}, {len(win_lengths)} and {len(fft_sizes)}"
        )
    frames = list(zip(fft_sizes, hop_sizes, win_lengths, strict=True))
    terms = [term for frame in frames for term in stft_loss(input, target, *frame)]
    return tp.stack(terms).sum() / len(frames)


class MultiResolutionSTFTLoss(Module):
    """`multi_resolution_stft_loss` as a module.

    Args:
        fft_sizes: frame lengths in samples.
        hop_sizes: steps between frames, as many.
        win_lengths: lengths of the windows, as many.
    """

    def __init__(
        self,
        fft_sizes: Sequence[int] = FFT_SIZES,
        hop_sizes: Sequence[int] = HOP_SIZES,
        win_lengths: Sequence[int] = WIN_LENGTHS,
    ) -> None:
        super().__init__()
        self.fft_sizes, self.hop_sizes, self.win_lengths = fft_sizes, hop_sizes, win_lengths

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss, 0-d.

        Args:
            input: (..., t) samples, generated.
            target: (..., t) samples, real.
        """
        sizes = (self.fft_sizes, self.hop_sizes, self.win_lengths)
        return multi_resolution_stft_loss(input, target, *sizes)

"""The HiFi-GAN vocoder with the spectrogram that it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych.nn import functional as nnF
from triptych_audio.interop import same_kind
from triptych_audio.models.hifi_gan import HiFiGANVocoder, hifigan_vocoder
from triptych_audio.pipelines.checkpoints import loaded
from triptych_audio.transforms import MelScale, Spectrogram
from triptych_audio.weights import published
from triptych_datasets import Artifact

__all__ = ["HIFIGAN_VOCODER_V3_LJSPEECH", "HiFiGANMelSpectrogram", "HiFiGANVocoderBundle"]

POWER_FLOOR = 1e-9  # added to the power before the root
BAND_FLOOR = 1e-5  # least value whose logarithm is taken


class HiFiGANMelSpectrogram(nn.Module):
    """The logarithmic mel spectrogram of the original HiFi-GAN.

    Args:
        hop_size: samples from one frame to the next.
        n_fft: samples in a frame.
        win_length: length of the window.
        f_min: lower edge of the first band in Hz.
        f_max: upper edge of the last band in Hz.
        sample_rate: in Hz.
        n_mels: number of bands.

    Source: jik876/hifi-gan, meldataset.py.
    """

    def __init__(
        self,
        hop_size: int,
        n_fft: int,
        win_length: int,
        f_min: float,
        f_max: float | None,
        sample_rate: int,
        n_mels: int,
    ) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.pad_size = (n_fft - hop_size) // 2
        self.spectrogram = Spectrogram(n_fft, win_length, hop_size, center=False)
        self.mel_scale = MelScale(
            n_mels, sample_rate, f_min, f_max, n_fft // 2 + 1, "slaney", "slaney"
        )

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """The spectrogram.

        Args:
            waveform: (n, t) samples at `sample_rate`.

        Returns:
            (n, n_mels, t // hop_size) natural logarithms of magnitudes.

        Raises:
            ShapeError: waveform is not (n, t).
        """
        if waveform.ndim != 2:
            raise ShapeError(
                f"HiFiGANMelSpectrogram: wanted (n, t) samples, got {tuple(waveform.shape)}"
            )
        extended = nnF.pad(waveform, (self.pad_size, self.pad_size), "reflect")
        magnitude = (self.spectrogram(extended) + POWER_FLOOR).sqrt()
        return self.mel_scale(magnitude).clamp(min=BAND_FLOOR).log()


@dataclass(frozen=True)
class HiFiGANVocoderBundle:
    """A vocoder, its weights and its spectrogram.

    Args:
        weights: the checkpoint, fetched on first use.
        vocoder_params: arguments of `hifigan_vocoder`.
        mel_params: arguments of `HiFiGANMelSpectrogram`.
        sample_rate: of the waveforms, in Hz.
    """

    weights: Artifact
    vocoder_params: Mapping[str, Any]
    mel_params: Mapping[str, Any]
    sample_rate: int

    def get_vocoder(self, *, dl_kwargs: Mapping[str, Any] | None = None) -> HiFiGANVocoder:
        """The pretrained vocoder, in evaluation mode; a new one at every call.

        Args:
            dl_kwargs: `progress`, `check_hash`, `map_location`.
        """
        with nn.init.skipped():
            model = hifigan_vocoder(**self.vocoder_params)
        return loaded(model, self.weights, dl_kwargs)

    def get_mel_transform(self) -> HiFiGANMelSpectrogram:
        """What turns waveforms into the vocoder's input."""
        return HiFiGANMelSpectrogram(
            n_mels=self.vocoder_params["in_channels"],
            sample_rate=self.sample_rate,
            **self.mel_params,
        )


HIFIGAN_VOCODER_V3_LJSPEECH = HiFiGANVocoderBundle(
    published("hifigan_vocoder_v3_ljspeech.pth"),
    {
        "in_channels": 80,
        "upsample_rates": (8, 8, 4),
        "upsample_initial_channel": 256,
        "upsample_kernel_sizes": (16, 16, 8),
        "resblock_kernel_sizes": (3, 5, 7),
        "resblock_dilation_sizes": ((1, 2), (2, 6), (3, 12)),
        "resblock_type": 2,
        "lrelu_slope": 0.1,
    },
    {"hop_size": 256, "n_fft": 1024, "win_length": 1024, "f_min": 0.0, "f_max": 8000.0},
    22050,
)
"""HiFi-GAN V3 at 22.05 kHz, trained on LJSpeech. Weights under the MIT licence."""

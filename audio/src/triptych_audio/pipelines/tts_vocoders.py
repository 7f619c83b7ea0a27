"""From Tacotron 2's spectrograms to sound."""

from __future__ import annotations

import triptych as tp
from triptych import Tensor, nn
from triptych_audio.functional import mu_law_decoding
from triptych_audio.models import WaveRNN
from triptych_audio.pipelines.tts_interface import TTSVocoder
from triptych_audio.transforms import GriffinLim, InverseMelScale

__all__ = ["GriffinLimVocoder", "WaveRNNVocoder"]

SAMPLE_RATE = 22050  # of LJSpeech
N_FFT, HOP, BANDS, HIGHEST = 1024, 256, 80, 8000.0  # of the bundles with Griffin-Lim
FLOOR = 1e-5  # least magnitude whose level is taken


class WaveRNNVocoder(nn.Module, TTSVocoder):
    """WaveRNN over levels from min_level_db to 0 dB.

    Args:
        model: draws mu-law levels.
        min_level_db: what counts as silence; None leaves the levels in dB.
    """

    def __init__(self, model: WaveRNN, min_level_db: float | None = -100.0) -> None:
        super().__init__()
        self._model = model
        self._min_level_db = min_level_db

    @property
    def sample_rate(self) -> int:
        """Of the waveforms, in Hz."""
        return SAMPLE_RATE

    def forward(
        self, mel_spec: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Draw waveforms.

        Args:
            mel_spec: (n, n_freq, frames) natural logarithms.
            lengths: (n,) valid frames; default all.

        Returns:
            (n, t) samples, and (n,) valid samples if lengths were given.
        """
        levels = 20 * mel_spec.exp().clamp(min=FLOOR).log10()
        if self._min_level_db is not None:
            levels = ((self._min_level_db - levels) / self._min_level_db).clamp(0.0, 1.0)
        waveform, lengths = self._model.infer(levels, lengths)
        top = 2**self._model.n_bits - 1
        codes = ((waveform.clamp(-1.0, 1.0) + 1) * top / 2).round().to(tp.int32)
        return mu_law_decoding(codes, self._model.n_classes).squeeze(1), lengths


class GriffinLimVocoder(nn.Module, TTSVocoder):
    """Least squares from mel bands to a spectrum, then Griffin-Lim."""

    def __init__(self) -> None:
        super().__init__()
        self._inv_mel = InverseMelScale(
            N_FFT // 2 + 1, BANDS, SAMPLE_RATE, 0.0, HIGHEST, "slaney", "slaney"
        )
        self._griffin_lim = GriffinLim(N_FFT, power=1.0, hop_length=HOP, win_length=N_FFT)

    @property
    def sample_rate(self) -> int:
        """Of the waveforms, in Hz."""
        return SAMPLE_RATE

    def forward(
        self, mel_spec: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Make waveforms.

        Args:
            mel_spec: (n, 80, frames) natural logarithms.
            lengths: (n,) valid frames; default all.

        Returns:
            (n, t) samples, and (n,) valid samples if lengths were given.
        """
        waveforms = self._griffin_lim(self._inv_mel(mel_spec.detach().exp()))
        return waveforms, None if lengths is None else (lengths - 1).clamp(min=0) * HOP

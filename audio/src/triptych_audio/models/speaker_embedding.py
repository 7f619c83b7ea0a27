"""Who speaks: a vector for a voice, near to other vectors of the same voice.

Source: Wan et al. 2017, "Generalized End-to-End Loss for Speaker Verification"; features, parameter
names and the way recordings are cut up are those of Resemblyzer 0.1.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as nnF
from triptych_audio import functional as F
from triptych_audio.interop import as_tensor, same_kind
from triptych_audio.transforms import MelSpectrogram

__all__ = ["GE2E", "normalize_volume"]

SAMPLE_RATE = 16000
N_FFT, HOP, BANDS = 400, 160, 40  # 25 ms windows, a hundred a second
FRAMES = 160  # that the network sees at once, 1.6 s
LOUDNESS = -30.0  # dBFS that softer recordings are raised to
OF_TRAINING = ("similarity_weight", "similarity_bias")  # in the file, used by the loss only


class GE2E(nn.Module):
    """Speaker encoder: three recurrent layers over a mel spectrogram.

    `triptych_audio.pipelines.GE2E_RESEMBLYZER` loads the published weights.

    Args:
        mel_n_channels: bands of the spectrogram.
        model_hidden_size: width of the recurrent layers.
        model_num_layers: their number.
        model_embedding_size: of the vector.

    Example:
        >>> GE2E(model_hidden_size=8, model_embedding_size=4)(tp.ones(2, 160, 40)).shape
        Size([2, 4])
    """

    sample_rate = SAMPLE_RATE

    def __init__(
        self,
        mel_n_channels: int = BANDS,
        model_hidden_size: int = 256,
        model_num_layers: int = 3,
        model_embedding_size: int = 256,
    ) -> None:
        super().__init__()
        self.lstm = nn.LSTM(mel_n_channels, model_hidden_size, model_num_layers, batch_first=True)
        self.linear = nn.Linear(model_hidden_size, model_embedding_size)
        self.relu = nn.ReLU()

    @same_kind
    def forward(self, mels: Tensor) -> Tensor:
        """Vectors of spectrograms of one length.

        Args:
            mels: (n, frames, mel_n_channels) power, not its logarithm.

        Returns:
            (n, model_embedding_size), no value negative, of unit length.
        """
        _, (hidden, _) = self.lstm(mels)
        return nnF.normalize(self.relu(self.linear(hidden[-1])), dim=1)

    @same_kind
    def embed_utterance(
        self,
        waveform: Tensor,
        sample_rate: int = SAMPLE_RATE,
        rate: float = 1.3,
        min_coverage: float = 0.75,
    ) -> Tensor:
        """One vector for a recording of one voice. No gradients are recorded.

        The recording is raised to -30 dBFS if it is softer, and seen in overlapping stretches of
        1.6 seconds, whose vectors are averaged. Long pauses are better cut out before.

        Args:
            waveform: (t,) samples in [-1, 1].
            sample_rate: of the waveform in Hz, which is resampled to 16 kHz if it must be.
            rate: stretches per second, from 0.625.
            min_coverage: the last stretch is left out if less of it than this is in the recording.

        Returns:
            (model_embedding_size,) of unit length. The dot product of two of them is their
            similarity, from 0 to 1.
        """
        partials, _ = self.partials(waveform, sample_rate, rate, min_coverage)
        return nnF.normalize(partials.mean(0), dim=0)

    def partials(
        self,
        waveform: Tensor,
        sample_rate: int = SAMPLE_RATE,
        rate: float = 1.3,
        min_coverage: float = 0.75,
    ) -> tuple[Tensor, list[tuple[int, int]]]:
        """Vectors of the stretches of a recording: who speaks when.

        Args:
            waveform: (t,) samples in [-1, 1].
            sample_rate: of the waveform in Hz.
            rate: stretches per second, from 0.625.
            min_coverage: part of the last stretch that must be in the recording.

        Returns:
            (k, model_embedding_size) vectors, and where each stretch starts and ends, in samples
            at 16 kHz.

        Raises:
            ShapeError: the waveform is not (t,) with t > 0.
            DomainError: rate or min_coverage is out of its range.
        """
        samples: Tensor = as_tensor(waveform)
        if samples.ndim != 1 or not samples.numel():
            raise ShapeError(
                f"GE2E: wanted (t,) samples of one voice, got {tuple(samples.shape)}; mix channels "
                "down with waveform.mean(0)"
            )
        with tp.no_grad():
            samples = F.resample(samples.to(self.linear.weight.dtype), sample_rate, SAMPLE_RATE)
            samples = normalize_volume(samples)
            starts = partial_starts(samples.shape[0], rate, min_coverage)
            end = (starts[-1] + FRAMES) * HOP
            padded = nnF.pad(samples, (0, max(0, end - samples.shape[0])))
            mel = _mel_spectrogram(self.lstm.input_size)(padded).T  # (frames, bands)
            vectors = self(tp.stack([mel[s : s + FRAMES] for s in starts]))
        return vectors, [(s * HOP, (s + FRAMES) * HOP) for s in starts]

    def embed_speaker(
        self, waveforms: Sequence[Any], sample_rate: int = SAMPLE_RATE, **options: Any
    ) -> Tensor:
        """One vector for several recordings of one voice.

        Args:
            waveforms: (t,) samples each.
            sample_rate: of all of them in Hz.
            **options: those of `embed_utterance`.

        Returns:
            (model_embedding_size,) of unit length.
        """
        vectors = [self.embed_utterance(as_tensor(w), sample_rate, **options) for w in waveforms]
        return nnF.normalize(tp.stack(vectors).mean(0), dim=0)

    def load_checkpoint(self, checkpoint: Mapping[str, Any]) -> None:
        """Load Resemblyzer's file.

        Args:
            checkpoint: its content, with the weights under "model_state"; the scale and offset
                of the training loss, which lie beside them, are left out.
        """
        state = checkpoint.get("model_state", checkpoint)
        self.load_state_dict({k: v for k, v in state.items() if k not in OF_TRAINING})


@functools.cache
def _mel_spectrogram(bands: int) -> MelSpectrogram:
    """The features, which are no part of the network's state."""
    return MelSpectrogram(
        SAMPLE_RATE,
        n_fft=N_FFT,
        hop_length=HOP,
        n_mels=bands,
        norm="slaney",
        mel_scale="slaney",
        pad_mode="constant",
    )


def normalize_volume(waveform: Tensor, target_dbfs: float = LOUDNESS) -> Tensor:
    """Raise a recording that is softer than a level; a louder one stays as it is.

    Args:
        waveform: (t,) samples in [-1, 1].
        target_dbfs: level of its root mean square in dB, where 0 is that of a full square wave.

    Returns:
        (t,) samples; silence stays silence.

    Example:
        >>> normalize_volume(tp.full((4,), 0.001), -40.0)
        tensor([0.01, 0.01, 0.01, 0.01])
    """
    level = float(waveform.square().mean().sqrt())
    wanted = 10 ** (target_dbfs / 20)
    return waveform * (wanted / level) if 0 < level < wanted else waveform


def partial_starts(num_samples: int, rate: float, min_coverage: float) -> list[int]:
    """First frames of the stretches that a recording is seen in.

    Args:
        num_samples: of the recording at 16 kHz.
        rate: stretches per second.
        min_coverage: part of the last stretch that must be in the recording.

    Returns:
        At least one frame number.

    Raises:
        DomainError: rate or min_coverage is out of its range.
    """
    step = round(SAMPLE_RATE / rate / HOP) if rate > 0 else 0
    if not 0 < step <= FRAMES or not 0 < min_coverage <= 1:
        raise DomainError(
            f"GE2E: wanted rate from {SAMPLE_RATE / (HOP * FRAMES)} to {SAMPLE_RATE / HOP:g} per "
            f"second and min_coverage in (0, 1], got {rate} and {min_coverage}"
        )
    frames = math.ceil((num_samples + 1) / HOP)
    starts = list(range(0, max(1, frames - FRAMES + step + 1), step))
    covered = (num_samples - starts[-1] * HOP) / (FRAMES * HOP)
    return starts[:-1] if covered < min_coverage and len(starts) > 1 else starts

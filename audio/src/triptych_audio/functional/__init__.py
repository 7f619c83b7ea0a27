"""Functions over waveforms and spectrograms, under torchaudio's names.

Each takes a Tensor, a NumPy array or any DLPack array and gives back the same kind. The class
twins in `triptych_audio.transforms` compute windows and filters once.
"""

from __future__ import annotations

from triptych_audio.functional.amplitude import (
    DB_to_amplitude,
    amplitude_to_DB,
    gain,
    mu_law_decoding,
    mu_law_encoding,
)
from triptych_audio.functional.filterbanks import (
    create_dct,
    hz_to_mel,
    linear_fbanks,
    mel_to_hz,
    melscale_fbanks,
)
from triptych_audio.functional.filters import deemphasis, preemphasis
from triptych_audio.functional.resampling import resample
from triptych_audio.functional.spectra import griffinlim, inverse_spectrogram, spectrogram

__all__ = [
    "DB_to_amplitude",
    "amplitude_to_DB",
    "create_dct",
    "deemphasis",
    "gain",
    "griffinlim",
    "hz_to_mel",
    "inverse_spectrogram",
    "linear_fbanks",
    "mel_to_hz",
    "melscale_fbanks",
    "mu_law_decoding",
    "mu_law_encoding",
    "preemphasis",
    "resample",
    "spectrogram",
]

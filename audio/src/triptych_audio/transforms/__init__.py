"""Transforms of waveforms and spectrograms, under torchaudio's names.

Each is a module: windows and filters are computed once and are buffers under torchaudio's keys. A
transform takes a Tensor, a NumPy array or any DLPack array and gives back the same kind.
"""

from __future__ import annotations

from triptych_audio.transforms.amplitude import (
    AmplitudeToDB,
    Fade,
    MuLawDecoding,
    MuLawEncoding,
    Vol,
)
from triptych_audio.transforms.cepstra import LFCC, MFCC
from triptych_audio.transforms.spectra import (
    GriffinLim,
    InverseSpectrogram,
    MelScale,
    MelSpectrogram,
    Spectrogram,
)
from triptych_audio.transforms.waveforms import Deemphasis, Preemphasis, Resample

__all__ = [
    "AmplitudeToDB",
    "Deemphasis",
    "Fade",
    "GriffinLim",
    "InverseSpectrogram",
    "LFCC",
    "MFCC",
    "MelScale",
    "MelSpectrogram",
    "MuLawDecoding",
    "MuLawEncoding",
    "Preemphasis",
    "Resample",
    "Spectrogram",
    "Vol",
]

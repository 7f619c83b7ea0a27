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
from triptych_audio.transforms.effects import (
    AddNoise,
    Convolve,
    FFTConvolve,
    Loudness,
    Speed,
    SpeedPerturbation,
    Vad,
)
from triptych_audio.transforms.filterbanks import (
    BarkScale,
    BarkSpectrogram,
    ChromaScale,
    ChromaSpectrogram,
    InverseBarkScale,
    InverseMelScale,
)
from triptych_audio.transforms.frames import RMS, LogMelWhisper, ToMono, Trim, ZeroCrossingRate
from triptych_audio.transforms.losses import RNNTLoss
from triptych_audio.transforms.masking import FrequencyMasking, SpecAugment, TimeMasking
from triptych_audio.transforms.multichannel import MVDR, PSD, RTFMVDR, SoudenMVDR
from triptych_audio.transforms.music import CQT, HPSS, ICQT, VQT, Chroma, Tempogram, Tonnetz
from triptych_audio.transforms.normalization import PCEN, ComputeDeltas, SlidingWindowCmn
from triptych_audio.transforms.spectra import (
    GriffinLim,
    InverseSpectrogram,
    MelScale,
    MelSpectrogram,
    Spectrogram,
)
from triptych_audio.transforms.spectral_shape import (
    SpectralBandwidth,
    SpectralCentroid,
    SpectralContrast,
    SpectralFlatness,
    SpectralRolloff,
)
from triptych_audio.transforms.vocoder import PitchShift, TimeStretch
from triptych_audio.transforms.waveforms import Deemphasis, Preemphasis, Resample

__all__ = [
    "AddNoise",
    "AmplitudeToDB",
    "BarkScale",
    "BarkSpectrogram",
    "CQT",
    "Chroma",
    "ChromaScale",
    "ChromaSpectrogram",
    "ComputeDeltas",
    "Convolve",
    "Deemphasis",
    "FFTConvolve",
    "Fade",
    "FrequencyMasking",
    "GriffinLim",
    "HPSS",
    "ICQT",
    "InverseBarkScale",
    "InverseMelScale",
    "InverseSpectrogram",
    "LFCC",
    "LogMelWhisper",
    "Loudness",
    "MFCC",
    "MVDR",
    "MelScale",
    "MelSpectrogram",
    "MuLawDecoding",
    "MuLawEncoding",
    "PCEN",
    "PSD",
    "PitchShift",
    "Preemphasis",
    "RMS",
    "RNNTLoss",
    "RTFMVDR",
    "Resample",
    "SlidingWindowCmn",
    "SoudenMVDR",
    "SpecAugment",
    "SpectralBandwidth",
    "SpectralCentroid",
    "SpectralContrast",
    "SpectralFlatness",
    "SpectralRolloff",
    "Spectrogram",
    "Speed",
    "SpeedPerturbation",
    "Tempogram",
    "TimeMasking",
    "TimeStretch",
    "ToMono",
    "Tonnetz",
    "Trim",
    "VQT",
    "Vad",
    "Vol",
    "ZeroCrossingRate",
]

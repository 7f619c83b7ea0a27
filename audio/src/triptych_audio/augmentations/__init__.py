"""Waveforms changed at random, in the manner of audiomentations.

An augmentation is called with a waveform, (..., t) of any kind of array, and its sample rate; the
same kind comes back. What it drew is in `drawn`, and `freeze_parameters` makes the next calls use
it again, such as for a noisy recording and its clean twin. All axes of an array get the same
parameters; `PerExampleBatchAugment` draws anew for each example of a batch.

Example:
    >>> import triptych as tp
    >>> augment = Compose([Gain(p=1.0), AddGaussianSNR(p=0.5)], generator=tp.Generator())
    >>> augment(tp.ones(2, 16000), 16000).shape
    Size([2, 16000])
"""

from __future__ import annotations

from triptych_audio.augmentations.base import Augmentation
from triptych_audio.augmentations.containers import Compose, OneOf, PerExampleBatchAugment, SomeOf
from triptych_audio.augmentations.distortion import (
    Aliasing,
    BitCrush,
    ClippingDistortion,
    Mp3Compression,
    TanhDistortion,
)
from triptych_audio.augmentations.equalizers import (
    AirAbsorption,
    HighShelfFilter,
    LowShelfFilter,
    PeakingFilter,
    SevenBandParametricEQ,
)
from triptych_audio.augmentations.filters import (
    BandPassFilter,
    BandStopFilter,
    HighPassFilter,
    LowPassFilter,
)
from triptych_audio.augmentations.levels import (
    Clip,
    Gain,
    GainTransition,
    Limiter,
    LoudnessNormalization,
    Normalize,
    PeakNormalize,
    PolarityInversion,
)
from triptych_audio.augmentations.mixup import Mixup
from triptych_audio.augmentations.noise import (
    AddBackgroundNoise,
    AddColorNoise,
    AddGaussianNoise,
    AddGaussianSNR,
    AddShortNoises,
)
from triptych_audio.augmentations.rooms import ApplyImpulseResponse, RoomSimulator
from triptych_audio.augmentations.timing import (
    AdjustDuration,
    Padding,
    PitchShift,
    RepeatPart,
    Reverse,
    Shift,
    Trim,
    WaveTimeMask,
    WaveTimeStretch,
)

__all__ = [
    "AddBackgroundNoise",
    "AddColorNoise",
    "AddGaussianNoise",
    "AddGaussianSNR",
    "AddShortNoises",
    "AdjustDuration",
    "AirAbsorption",
    "Aliasing",
    "ApplyImpulseResponse",
    "Augmentation",
    "BandPassFilter",
    "BandStopFilter",
    "BitCrush",
    "Clip",
    "ClippingDistortion",
    "Compose",
    "Gain",
    "GainTransition",
    "HighPassFilter",
    "HighShelfFilter",
    "Limiter",
    "LoudnessNormalization",
    "LowPassFilter",
    "LowShelfFilter",
    "Mixup",
    "Mp3Compression",
    "Normalize",
    "OneOf",
    "Padding",
    "PeakNormalize",
    "PeakingFilter",
    "PerExampleBatchAugment",
    "PitchShift",
    "PolarityInversion",
    "RepeatPart",
    "Reverse",
    "RoomSimulator",
    "SevenBandParametricEQ",
    "Shift",
    "SomeOf",
    "TanhDistortion",
    "Trim",
    "WaveTimeMask",
    "WaveTimeStretch",
]

"""Numbers that say how good speech, separation, pitch, words and generated sound are.

Each takes tensors, NumPy arrays or any DLPack arrays, or strings.
"""

from __future__ import annotations

from triptych_audio.metrics.frechet import frechet_audio_distance
from triptych_audio.metrics.intelligibility import stoi
from triptych_audio.metrics.melody import (
    raw_chroma_accuracy,
    raw_pitch_accuracy,
    voicing_false_alarm,
    voicing_recall,
)
from triptych_audio.metrics.quality import pesq
from triptych_audio.metrics.separation import sdr, si_sdr, snr
from triptych_audio.metrics.verification import equal_error_rate, min_dcf
from triptych_audio.metrics.words import (
    Alignment,
    align,
    character_error_rate,
    match_error_rate,
    word_error_rate,
)

__all__ = [
    "Alignment",
    "align",
    "character_error_rate",
    "equal_error_rate",
    "frechet_audio_distance",
    "match_error_rate",
    "min_dcf",
    "pesq",
    "raw_chroma_accuracy",
    "raw_pitch_accuracy",
    "sdr",
    "si_sdr",
    "snr",
    "stoi",
    "voicing_false_alarm",
    "voicing_recall",
    "word_error_rate",
]

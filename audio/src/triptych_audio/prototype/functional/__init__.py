"""What torchaudio kept under this name; stable in `triptych_audio.functional`."""

from __future__ import annotations

from triptych_audio.functional import (
    adsr_envelope,
    barkscale_fbanks,
    chroma_filterbank,
    exp_sigmoid,
    extend_pitch,
    filter_waveform,
    frequency_impulse_response,
    oscillator_bank,
    simulate_rir_ism,
    sinc_impulse_response,
)

__all__ = [
    "adsr_envelope",
    "barkscale_fbanks",
    "chroma_filterbank",
    "exp_sigmoid",
    "extend_pitch",
    "filter_waveform",
    "frequency_impulse_response",
    "oscillator_bank",
    "simulate_rir_ism",
    "sinc_impulse_response",
]

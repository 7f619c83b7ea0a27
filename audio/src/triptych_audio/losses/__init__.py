"""Losses for speech, vocoders, separation and speaker embeddings."""

from __future__ import annotations

from triptych_audio.losses.margin import AAMSoftmax, aam_softmax
from triptych_audio.losses.separation import PITLoss, SISDRLoss, pit_loss, si_sdr_loss
from triptych_audio.losses.spectral import (
    MultiResolutionSTFTLoss,
    multi_resolution_stft_loss,
    stft_loss,
)

__all__ = [
    "AAMSoftmax",
    "MultiResolutionSTFTLoss",
    "PITLoss",
    "SISDRLoss",
    "aam_softmax",
    "multi_resolution_stft_loss",
    "pit_loss",
    "si_sdr_loss",
    "stft_loss",
]

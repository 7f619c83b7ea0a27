"""Pretrained models together with what belongs to them: sample rate, weights, what to do next."""

from __future__ import annotations

from triptych_audio.pipelines.speech_segments import get_speech_timestamps, speech_segments
from triptych_audio.pipelines.vad import SILERO_VAD, VADBundle

__all__ = ["SILERO_VAD", "VADBundle", "get_speech_timestamps", "speech_segments"]

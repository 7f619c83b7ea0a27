"""Decoders: from the label probabilities of frames to text."""

from __future__ import annotations

from triptych_audio.models.decoder.ctc import CTCDecoder, ctc_decoder
from triptych_audio.models.decoder.greedy import greedy_ctc_decode
from triptych_audio.models.decoder.hypotheses import CTCHypothesis
from triptych_audio.models.decoder.language_models import CTCDecoderLM, CTCDecoderLMState
from triptych_audio.models.decoder.pretrained import download_pretrained_files

__all__ = [
    "CTCDecoder",
    "CTCDecoderLM",
    "CTCDecoderLMState",
    "CTCHypothesis",
    "ctc_decoder",
    "download_pretrained_files",
    "greedy_ctc_decode",
]

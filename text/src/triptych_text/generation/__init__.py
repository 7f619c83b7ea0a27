"""Generation of texts: greedy search, sampling, beam search, streaming.

`model.generate(ids)` is the short way; the names here are for what lies behind it.
"""

from __future__ import annotations

from .beams import beam_search
from .config import GenerationConfig
from .generate import GenerateOutput, generate, stream_tokens
from .processors import (
    ForcedBOSTokenLogitsProcessor,
    ForcedEOSTokenLogitsProcessor,
    LogitsProcessor,
    MinLengthLogitsProcessor,
    MinPLogitsWarper,
    NoBadWordsLogitsProcessor,
    NoRepeatNGramLogitsProcessor,
    PrefixConstrainedLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    SuppressTokensAtBeginLogitsProcessor,
    SuppressTokensLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    logits_processors,
)
from .stopping import StoppingCriterion
from .streaming import TextPieces, stream_text

__all__ = [
    "ForcedBOSTokenLogitsProcessor",
    "ForcedEOSTokenLogitsProcessor",
    "GenerateOutput",
    "GenerationConfig",
    "LogitsProcessor",
    "MinLengthLogitsProcessor",
    "MinPLogitsWarper",
    "NoBadWordsLogitsProcessor",
    "NoRepeatNGramLogitsProcessor",
    "PrefixConstrainedLogitsProcessor",
    "RepetitionPenaltyLogitsProcessor",
    "StoppingCriterion",
    "SuppressTokensAtBeginLogitsProcessor",
    "SuppressTokensLogitsProcessor",
    "TemperatureLogitsWarper",
    "TextPieces",
    "TopKLogitsWarper",
    "TopPLogitsWarper",
    "beam_search",
    "generate",
    "logits_processors",
    "stream_text",
    "stream_tokens",
]

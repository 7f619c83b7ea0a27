"""A window's ids to segments, by the times among them.

Source: openai/whisper, whisper/transcribe.py.
"""

from __future__ import annotations

from typing import Any

from triptych_audio.models.whisper.decoding import DecodingResult
from triptych_audio.models.whisper.features import HOP_LENGTH, SAMPLE_RATE
from triptych_audio.models.whisper.tokenizer import Tokenizer

__all__ = ["cut_segments"]

FRAMES_PER_PLACE = 2
FRAME_S = HOP_LENGTH / SAMPLE_RATE
STEP_S = FRAMES_PER_PLACE * FRAME_S  # of times


def cut_segments(
    result: DecodingResult, tokenizer: Tokenizer, first: int, size: int, full: int
) -> tuple[list[dict[str, Any]], int, bool]:
    """Segments of a window, and how far to go on.

    Two times in a row end one segment and begin the next. What follows the last pair is written
    anew in the next window, unless the text ends with a single time: nothing is said after it.

    Args:
        result: of the window.
        tokenizer: knows which ids are times.
        first: frame of 10 ms where the window begins.
        size: its frames that are of the recording.
        full: all its frames.

    Returns:
        Segments, how many frames later the next window begins, and whether the text ends with a
        single time.
    """
    ids, zero = result.tokens, tokenizer.timestamp_begin
    is_time = [i >= zero for i in ids]
    closed = is_time[-2:] == [False, True]
    cuts = [i for i in range(1, len(ids)) if is_time[i - 1] and is_time[i]]
    start = first * FRAME_S
    if not cuts:
        last = next((i - zero for i in reversed(ids) if i >= zero), 0)
        duration = last * STEP_S if last else size * FRAME_S
        whole = _segment(result, tokenizer, first, start, start + duration, ids)
        return [whole], size, closed
    ends = [*cuts, len(ids)] if closed else cuts
    segments = []
    for a, b in zip([0, *ends], ends, strict=False):
        begins, ends_at = (start + (ids[i] - zero) * STEP_S for i in (a, b - 1))
        segments.append(_segment(result, tokenizer, first, begins, ends_at, ids[a:b]))
    moved = size if closed else (ids[ends[-1] - 1] - zero) * FRAMES_PER_PLACE
    return segments, moved, closed


def _segment(
    result: DecodingResult,
    tokenizer: Tokenizer,
    first: int,
    start: float,
    end: float,
    ids: list[int],
) -> dict[str, Any]:
    return {
        "seek": first,
        "start": start,
        "end": end,
        "text": tokenizer.decode([i for i in ids if i < tokenizer.eot]),
        "tokens": list(ids),
        "temperature": result.temperature,
        "avg_logprob": result.avg_logprob,
        "compression_ratio": result.compression_ratio,
        "no_speech_prob": result.no_speech_prob,
    }

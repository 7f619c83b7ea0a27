"""Text that was never said, next to silence: told by words that are too short, long or unlikely.

Source: openai/whisper, whisper/transcribe.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from triptych_audio.models.whisper.timing import APPENDED, PREPENDED

__all__ = ["is_anomalous", "last_word_end", "silent_hallucination"]

UNLIKELY = 0.15
SHORT_S, LONG_S = 0.133, 2.0
SHORT_PENALTY = 15.0  # per second
JUDGED = 8  # words
NEAR_EDGE_S = 2.0

Segment = dict[str, Any]


def last_word_end(segments: Sequence[Segment]) -> float | None:
    """End of the last word in seconds; of the last segment when none has words."""
    for segment in reversed(segments):
        for word in reversed(segment["words"]):
            return float(word["end"])
    return float(segments[-1]["end"]) if segments else None


def _oddness(word: dict[str, Any]) -> float:
    length = word["end"] - word["start"]
    odd = 1.0 if word.get("probability", 0.0) < UNLIKELY else 0.0
    return odd + max(0.0, SHORT_S - length) * SHORT_PENALTY + max(0.0, length - LONG_S)


def is_anomalous(segment: Segment | None) -> bool:
    """Whether a segment's words are such as nobody says.

    Args:
        segment: with "words"; None is not.
    """
    if segment is None or not segment["words"]:
        return False
    words = [w for w in segment["words"] if w["word"] not in PREPENDED + APPENDED][:JUDGED]
    score = sum(map(_oddness, words))
    return score >= 3 or score + 0.01 >= len(words)


def silent_hallucination(
    segments: Sequence[Segment],
    start: float,
    duration: float,
    window_end: float,
    last_speech: float,
    threshold: float,
) -> int | None:
    """The first segment that is anomalous with silence, or more of the kind, on both sides.

    Args:
        segments: of one window, with "words".
        start: of the window, in seconds.
        duration: of what is in it of the recording, in seconds.
        window_end: 30 s after start.
        last_speech: end of what was said before.
        threshold: seconds that make silence.

    Returns:
        Its place in segments, or None.
    """
    for i, segment in enumerate(segments):
        if not segment["words"]:
            continue
        if is_anomalous(segment):
            following = next((s for s in segments[i + 1 :] if s["words"]), None)
            until = start + duration if following is None else following["words"][0]["start"]
            before = (
                segment["start"] - last_speech > threshold
                or segment["start"] < threshold
                or segment["start"] - start < NEAR_EDGE_S
            )
            after = (
                until - segment["end"] > threshold
                or is_anomalous(following)
                or window_end - segment["end"] < NEAR_EDGE_S
            )
            if before and after:
                return i
        last_speech = segment["end"]
    return None

"""When each word is said: where the decoder looks while it writes it.

Source: openai/whisper, whisper/timing.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych_audio.functional import dtw
from triptych_audio.models.whisper.features import HOP_LENGTH, SAMPLE_RATE
from triptych_audio.models.whisper.model import WhisperForConditionalGeneration
from triptych_audio.models.whisper.rules import log_softmax
from triptych_audio.models.whisper.tokenizer import Tokenizer

__all__ = [
    "APPENDED",
    "PREPENDED",
    "WordTiming",
    "add_word_timestamps",
    "find_alignment",
    "merge_punctuations",
]

PREPENDED, APPENDED = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"
SENTENCE_ENDS = ".。!！?？"
SECONDS_PER_PLACE = 0.02
MOST_USUAL_S = 0.7  # no word's usual length is longer
STEPS = ((0, 1), (1, 0), (1, 1))


@dataclass
class WordTiming:
    """A word and when it is said.

    Args:
        word: with the space before it.
        tokens: its ids.
        start, end: in seconds from the start of the window.
        probability: mean of its ids.
    """

    word: str
    tokens: list[int]
    start: float
    end: float
    probability: float


def find_alignment(
    model: WhisperForConditionalGeneration,
    tokenizer: Tokenizer,
    text_tokens: Sequence[int],
    audio_features: Tensor,
    num_frames: int,
    *,
    medfilt_width: int = 7,
    qk_scale: float = 1.0,
) -> list[WordTiming]:
    """When the words of a text are said.

    Args:
        model: a Whisper.
        tokenizer: its own.
        text_tokens: ids without times.
        audio_features: (s, d) of the encoder.
        num_frames: frames of 10 ms that are of the recording.
        medfilt_width: odd, places over which attention is smoothed by its median.
        qk_scale: factor of the scores before their softmax.

    Returns:
        The words; none for no ids.
    """
    if not text_tokens:
        return []
    words, groups = tokenizer.split_to_word_tokens([*text_tokens, tokenizer.eot])
    begin = len(tokenizer.sot_sequence)
    ids = [*tokenizer.sot_sequence, tokenizer.no_timestamps, *text_tokens, tokenizer.eot]
    weights, likely = _looked_at(model, ids, audio_features, num_frames // 2, qk_scale)
    if not weights.shape[-1]:
        return []
    chosen = likely[begin:, : tokenizer.eot][np.arange(len(text_tokens)), list(text_tokens)]
    matrix = _prominent(weights, medfilt_width).mean(0)[begin:-1]
    path = dtw(cost=tp.from_numpy(-matrix), steps=STEPS)[1].numpy()[::-1]
    jumps = np.diff(path[:, 0], prepend=-1) > 0
    times = path[jumps, 1] * SECONDS_PER_PLACE
    edges = np.cumsum([0, *(len(group) for group in groups[:-1])])
    return [
        WordTiming(word, group, float(times[a]), float(times[b]), float(chosen[a:b].mean()))
        for word, group, a, b in zip(words, groups, edges[:-1], edges[1:], strict=False)
    ]


def _looked_at(
    model: WhisperForConditionalGeneration,
    ids: Sequence[int],
    audio_features: Tensor,
    places: int,
    qk_scale: float,
) -> tuple[np.ndarray, np.ndarray]:
    """(heads, l, places) attention of the heads that align, and (l, v) probabilities."""
    scores: list[Tensor] = []
    with tp.inference_mode():
        tokens = tp.tensor([list(ids)]).to(audio_features.device)
        hidden = model.model.decoder(tokens, audio_features[None], scores=scores)
        logits = model.proj_out(hidden)[0].to(tp.float32).cpu().numpy()
    raw = np.stack(
        [scores[i][0, j].to(tp.float32).cpu().numpy() for i, j in model.alignment_heads()]
    )
    weights = np.exp(log_softmax(raw[..., :places] * qk_scale)) if places else raw[..., :0]
    return weights, _softmax_of_text(logits, ids)


def _softmax_of_text(logits: np.ndarray, ids: Sequence[int]) -> np.ndarray:
    """(l, v) probabilities among the pieces of words: ids below the end of text, which is last."""
    return np.exp(log_softmax(logits[:, : ids[-1]]))


def _prominent(weights: np.ndarray, width: int) -> np.ndarray:
    """(heads, l, places): how far above what other ids give to a place, smoothed over places."""
    from scipy.ndimage import median_filter

    spread = np.maximum(weights.std(-2, keepdims=True), np.finfo(np.float32).tiny)
    standard = (weights - weights.mean(-2, keepdims=True)) / spread
    if standard.shape[-1] <= width // 2:
        return standard
    smooth: np.ndarray = median_filter(standard, size=(1, 1, width), mode="mirror")
    return smooth


def merge_punctuations(alignment: list[WordTiming], prepended: str, appended: str) -> None:
    """Give signs to the words beside them; what they were becomes empty.

    Args:
        alignment: words; changed.
        prepended: signs that belong to the word after them.
        appended: signs that belong to the word before them.
    """
    following = len(alignment) - 1
    for i in range(len(alignment) - 2, -1, -1):
        word = alignment[i]
        if word.word.startswith(" ") and word.word.strip() in prepended:
            _take(alignment[following], word, before=True)
        else:
            following = i
    previous = 0
    for j in range(1, len(alignment)):
        word = alignment[j]
        if not alignment[previous].word.endswith(" ") and word.word in appended:
            _take(alignment[previous], word, before=False)
        else:
            previous = j


def _take(word: WordTiming, sign: WordTiming, before: bool) -> None:
    if before:
        word.word, word.tokens = sign.word + word.word, sign.tokens + word.tokens
    else:
        word.word, word.tokens = word.word + sign.word, word.tokens + sign.tokens
    sign.word, sign.tokens = "", []


def add_word_timestamps(
    segments: list[dict[str, Any]],
    model: WhisperForConditionalGeneration,
    tokenizer: Tokenizer,
    audio_features: Tensor,
    num_frames: int,
    *,
    prepend_punctuations: str = PREPENDED,
    append_punctuations: str = APPENDED,
    last_speech_timestamp: float = 0.0,
) -> None:
    """Put "words" into segments of one window, and correct when the segments begin and end.

    Args:
        segments: of one window; changed.
        model: a Whisper.
        tokenizer: its own.
        audio_features: (s, d) of the encoder.
        num_frames: frames of 10 ms that are of the recording.
        prepend_punctuations: signs that belong to the word after them.
        append_punctuations: signs that belong to the word before them.
        last_speech_timestamp: in seconds, end of what was said before.
    """
    if not segments:
        return
    texts = [[i for i in segment["tokens"] if i < tokenizer.eot] for segment in segments]
    ids = [i for text in texts for i in text]
    alignment = find_alignment(model, tokenizer, ids, audio_features, num_frames)
    lengths = [word.end - word.start for word in alignment if word.end != word.start]
    usual = min(MOST_USUAL_S, float(np.median(lengths))) if lengths else 0.0
    if lengths:
        _shorten_at_sentence_ends(alignment, 2 * usual)
    merge_punctuations(alignment, prepend_punctuations, append_punctuations)
    offset = segments[0]["seek"] * HOP_LENGTH / SAMPLE_RATE
    waiting = iter(alignment)
    for segment, text in zip(segments, texts, strict=True):
        words, taken = [], 0
        while taken < len(text) and (word := next(waiting, None)) is not None:
            taken += len(word.tokens)
            if word.word:
                words.append(_told(word, offset))
        if words:
            _shorten_after_pause(words, last_speech_timestamp, usual)
            _agree(segment, words, usual)
            last_speech_timestamp = segment["end"]
        segment["words"] = words


def _told(word: WordTiming, offset: float) -> dict[str, Any]:
    return {
        "word": word.word,
        "start": round(offset + word.start, 2),
        "end": round(offset + word.end, 2),
        "probability": word.probability,
    }


def _shorten_at_sentence_ends(alignment: list[WordTiming], longest: float) -> None:
    """Pauses between sentences are given to the sign, or to the word after it; take them away."""
    for before, word in pairwise(alignment):
        if word.end - word.start > longest:
            if word.word in SENTENCE_ENDS:
                word.end = word.start + longest
            elif before.word in SENTENCE_ENDS:
                word.start = word.end - longest


def _shorten_after_pause(words: list[dict[str, Any]], last: float, usual: float) -> None:
    """The first two words after a pause are no longer than twice the usual."""
    longest, first = 2 * usual, words[0]
    long_first = first["end"] - first["start"] > longest
    long_pair = len(words) > 1 and words[1]["end"] - first["start"] > 2 * longest
    if first["end"] - last <= 4 * usual or not (long_first or long_pair):
        return
    if len(words) > 1 and words[1]["end"] - words[1]["start"] > longest:
        edge = max(words[1]["end"] / 2, words[1]["end"] - longest)
        first["end"] = words[1]["start"] = edge
    first["start"] = max(0, first["end"] - longest)


def _agree(segment: dict[str, Any], words: list[dict[str, Any]], usual: float) -> None:
    """Segment and words begin and end together; the segment is right where a word is too long."""
    first, last = words[0], words[-1]
    if first["start"] + 0.5 < segment["start"] < first["end"]:
        first["start"] = max(0, min(first["end"] - usual, segment["start"]))
    else:
        segment["start"] = first["start"]
    if last["start"] < segment["end"] < last["end"] - 0.5:
        last["end"] = max(last["start"] + usual, segment["end"])
    else:
        segment["end"] = last["end"]

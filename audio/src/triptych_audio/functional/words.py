"""Words in time: labels of frames put together, and known text found in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, ShapeError
from triptych_audio.functional.alignment import TokenSpan, forced_align, merge_tokens
from triptych_audio.interop import same_kind

__all__ = ["WordSpan", "align_words", "merge_words"]


@dataclass
class WordSpan:
    """A word and when it was heard.

    Args:
        word: as spelled in the text.
        start: first frame; or seconds, where it was asked for.
        end: the frame after the last; or seconds.
        score: mean score of its frames.

    Example:
        >>> WordSpan("hello", 12, 31, -0.2).end
        31
    """

    word: str
    start: float
    end: float
    score: float


def merge_words(
    spans: Iterable[TokenSpan], labels: Sequence[str], separator: str = "|"
) -> list[WordSpan]:
    """Labels in time to words in time.

    Args:
        spans: from `merge_tokens` or `models.decoder.greedy_ctc_decode`.
        labels: what each label stands for.
        separator: the one between words.

    Returns:
        One span per word, from its first to its last label.

    Example:
        >>> spans = [TokenSpan(1, 0, 2, -1.0), TokenSpan(0, 2, 4, 0.0), TokenSpan(2, 5, 6, -2.0)]
        >>> [(w.word, w.start, w.end) for w in merge_words(spans, ["|", "a", "b"])]
        [('a', 0, 2), ('b', 5, 6)]
    """
    groups: list[list[TokenSpan]] = [[]]
    for span in spans:
        if labels[span.token] == separator:
            groups.append([])
        else:
            groups[-1].append(span)
    return [_word("".join(labels[s.token] for s in group), group) for group in groups if group]


@same_kind
def align_words(
    log_probs: Tensor,
    text: str | Sequence[str],
    labels: Sequence[str] | Mapping[str, int],
    *,
    blank: int = 0,
    separator: str | None = "|",
    star: str | None = "*",
    seconds_per_frame: float = 1,
) -> list[WordSpan]:
    """When each word of a known text is spoken.

    Args:
        log_probs: (t, v) or (1, t, v) log probabilities of a CTC model, from `log_softmax`.
        text: words with blanks in between, or a list of words.
        labels: what each label stands for, as `Wav2Vec2ASRBundle.get_labels` gives it; or the
            number of each label. Where only the other case of a letter is a label, that is taken.
        blank: the label that stands for none.
        separator: the label between words; left out if it is no label, or None.
        star: the label for anything, which stands for characters that are no labels; without it
            such characters are left out.
        seconds_per_frame: what times are multiplied with; 0.02 for Wav2Vec2, 1 for frames.

    Returns:
        One span per word.

    Raises:
        DomainError: nothing of a word, or of the text, is a label.
        ShapeError: log_probs have another shape, or there are too few frames for the text.

    Example:
        >>> frames = tp.tensor([[0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]]).log()
        >>> [(w.word, w.start, w.end) for w in align_words(frames, "A b", ["-", "a", "b"])]
        [('A', 0, 1), ('b', 2, 3)]
    """
    batch = log_probs.unsqueeze(0) if log_probs.ndim == 2 else log_probs
    if batch.ndim != 3 or batch.shape[0] != 1:
        raise ShapeError(
            f"align_words: wanted (t, v) or (1, t, v), got {tuple(log_probs.shape)}; align the "
            "sequences of a batch one by one"
        )
    words = text.split() if isinstance(text, str) else list(text)
    numbers = labels if isinstance(labels, Mapping) else {v: i for i, v in enumerate(labels)}
    spelled = [_spelling(word, numbers, blank, star) for word in words]
    if not words:
        raise DomainError("align_words: the text has no words")
    between = [numbers[separator]] if separator is not None and separator in numbers else []
    flat = [label for s in spelled for label in (*s, *between)][: -len(between) or None]
    path, scores = forced_align(batch, tp.tensor([flat]), blank=blank)
    spans = merge_tokens(path[0], scores[0], blank)
    found, at = [], 0
    for word, spelling in zip(words, spelled, strict=True):
        found.append(_word(word, spans[at : at + len(spelling)], seconds_per_frame))
        at += len(spelling) + len(between)
    return found


def _spelling(word: str, numbers: Mapping[str, int], blank: int, star: str | None) -> list[int]:
    """Labels of a word's characters."""
    spelling = []
    for letter in word:
        forms = (letter, letter.upper(), letter.lower(), *([star] if star else []))
        known = [numbers[f] for f in forms if f in numbers and numbers[f] != blank]
        spelling += known[:1]
    if not spelling:
        raise DomainError(
            f"align_words: no character of {word!r} is among the labels {sorted(numbers)[:40]}; "
            "spell it with them, or give the model a star label"
        )
    return spelling


def _word(word: str, spans: list[TokenSpan], scale: float = 1) -> WordSpan:
    frames = sum(len(span) for span in spans)
    score = sum(span.score * len(span) for span in spans) / frames
    return WordSpan(word, spans[0].start * scale, spans[-1].end * scale, score)

"""BLEU: torchtext's over tokens, and sacrebleu's over texts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.errors import ShapeError, UnknownNameError

from .bleu_tokens import TOKENIZERS
from .ngrams import at_least_one, count_ngrams, paired_references, texts_of

__all__ = ["BLEUScore", "bleu_score", "corpus_bleu", "sentence_bleu"]

FLOOR = 0.1  # default of "floor" smoothing in sacrebleu
ADDED = 1.0  # default of "add-k" smoothing in sacrebleu


def bleu_score(
    candidate_corpus: Sequence[Sequence[str]],
    references_corpus: Sequence[Sequence[Sequence[str]]],
    max_n: int = 4,
    weights: Sequence[float] = (0.25, 0.25, 0.25, 0.25),
) -> float:
    """BLEU of tokenised translations, without smoothing.

    Args:
        candidate_corpus: n translations, each a list of tokens.
        references_corpus: for each, a list of reference translations.
        max_n: longest n-gram.
        weights: of the n-gram lengths, as many as max_n.

    Returns:
        From 0 to 1; 0 when no n-gram of some length is right.

    Raises:
        ShapeError: numbers of translations or weights differ, or one has no reference.
        DomainError: max_n is less than 1.

    Example:
        >>> candidates = [["My", "full", "pytorch", "test"], ["Another", "Sentence"]]
        >>> references = [[["My", "full", "pytorch", "test"], ["Completely", "Different"]],
        ...               [["No", "Match"]]]
        >>> round(bleu_score(candidates, references), 5)
        0.8409

    Source: Papineni et al. 2002; ties and empty matches as in torchtext 0.18.
    """
    at_least_one("bleu_score", max_n=max_n)
    if max_n != len(weights):
        raise ShapeError(f"bleu_score: {len(weights)} weights for max_n={max_n}")
    if len(candidate_corpus) != len(references_corpus):
        raise ShapeError(
            f"bleu_score: {len(candidate_corpus)} candidates, {len(references_corpus)} references"
        )
    if not all(map(len, references_corpus)):
        raise ShapeError(
            f"bleu_score: candidate {[*map(len, references_corpus)].index(0)} has no reference"
        )
    stats = _Stats(max_n)
    for candidate, references in zip(candidate_corpus, references_corpus, strict=True):
        stats.add(candidate, references, shorter_of_ties=False)
    if min(stats.correct) == 0:
        return 0.0
    logs = (
        w * math.log(c / t) for w, c, t in zip(weights, stats.correct, stats.total, strict=True)
    )
    penalty = math.exp(min(1 - stats.ref_len / stats.sys_len, 0))
    return penalty * math.exp(sum(logs))


@dataclass(frozen=True, slots=True)
class BLEUScore:
    """A BLEU score and its parts.

    Attributes:
        score: from 0 to 100.
        precisions: in per cent, of n-grams of length 1, 2, ...
        bp: brevity penalty, from 0 to 1.
        sys_len: tokens of the hypotheses.
        ref_len: tokens of the references of the nearest lengths.
    """

    score: float
    precisions: list[float]
    bp: float
    sys_len: int
    ref_len: int


class _Stats:
    def __init__(self, order: int) -> None:
        self.correct = [0.0] * order
        self.total = [0.0] * order
        self.sys_len = self.ref_len = 0

    def add(
        self, tokens: Sequence[str], references: Sequence[Sequence[str]], shorter_of_ties: bool
    ) -> None:
        length = len(tokens)
        self.sys_len += length
        lengths = [len(reference) for reference in references]
        self.ref_len += min(lengths, key=lambda n: (abs(length - n), n if shorter_of_ties else 0))
        for order in range(len(self.correct)):
            most: Counter[Any] = Counter()
            for reference in references:
                most |= count_ngrams(reference, order + 1)
            self.correct[order] += (count_ngrams(tokens, order + 1) & most).total()
            self.total[order] += max(length - order, 0)


def corpus_bleu(
    hypotheses: Sequence[str],
    references: Sequence[Any],
    *,
    tokenize: str = "13a",
    lowercase: bool = False,
    smooth_method: str = "exp",
    smooth_value: float | None = None,
    max_ngram_order: int = 4,
    use_effective_order: bool = False,
) -> BLEUScore:
    """BLEU of texts, with sacrebleu's tokens and numbers.

    Args:
        hypotheses: n texts.
        references: n texts, or several lists of n texts.
        tokenize: "13a" (mteval-v13a), "intl", "char" or "none".
        lowercase: compare in lower case.
        smooth_method: for n-gram lengths without a match: "exp", "floor", "add-k" or "none".
        smooth_value: of "floor" (default 0.1) and "add-k" (default 1).
        max_ngram_order: longest n-gram.
        use_effective_order: stop at the longest n-gram that the hypotheses have.

    Returns:
        The score, from 0 to 100, and its parts.

    Raises:
        ShapeError: numbers of texts differ.
        DTypeError: one text in place of a list.
        DomainError: max_ngram_order is less than 1.
        UnknownNameError: there is no such tokenizer or smoothing.

    Example:
        >>> corpus_bleu(["the cat sat on the mat"], ["the cat sat on a mat"]).score
        53.7284965911771

    Source: Post 2018; sacrebleu 2.6 is the reference in the tests.
    """
    if smooth_method not in ("exp", "floor", "add-k", "none"):
        raise UnknownNameError(
            f"corpus_bleu: no smoothing {smooth_method!r}; there are exp, floor, add-k, none"
        )
    at_least_one("corpus_bleu", max_ngram_order=max_ngram_order)
    cut = TOKENIZERS[tokenize]
    stats = _Stats(max_ngram_order)
    rows = paired_references("corpus_bleu", hypotheses, references)

    def tokens(text: str) -> list[str]:
        return cut((text.lower() if lowercase else text).rstrip()).split()

    for text, row in zip(hypotheses, rows, strict=True):
        stats.add(tokens(text), [tokens(r) for r in row], shorter_of_ties=True)
    return _scored(stats, smooth_method, smooth_value, use_effective_order)


def sentence_bleu(hypothesis: str, references: Iterable[str], **kwargs: Any) -> BLEUScore:
    """BLEU of one text, smoothed, up to the longest n-gram that it has.

    Args:
        hypothesis: the text.
        references: one or more.
        **kwargs: tokenize, lowercase, smooth_method, smooth_value, max_ngram_order and
            use_effective_order (here true by default) of `corpus_bleu`.

    Returns:
        The score, from 0 to 100, and its parts.

    Raises:
        DTypeError: the references are one text.

    Example:
        >>> round(sentence_bleu("the cat sat", ["the cat sat down"]).score, 2)
        71.65
    """
    kwargs.setdefault("use_effective_order", True)
    texts_of("sentence_bleu", references)
    return corpus_bleu([hypothesis], [[reference] for reference in references], **kwargs)


def _scored(stats: _Stats, method: str, value: float | None, effective: bool) -> BLEUScore:
    bp = 1.0
    if stats.sys_len < stats.ref_len:
        bp = math.exp(1 - stats.ref_len / stats.sys_len) if stats.sys_len else 0.0
    order = len(stats.correct)
    precisions = [0.0] * order
    if not any(stats.correct):
        return BLEUScore(0.0, precisions, bp, stats.sys_len, stats.ref_len)
    if method == "floor":
        value = FLOOR if value is None else value
    used, divisor = order, 1.0
    for i, (correct, total) in enumerate(zip(stats.correct, stats.total, strict=True)):
        if method == "add-k" and i:
            correct, total = (x + (ADDED if value is None else value) for x in (correct, total))
        if total == 0:
            break
        if effective:
            used = i + 1
        if correct == 0 and method == "exp":
            divisor *= 2
            precisions[i] = 100 / (divisor * total)
        elif correct == 0 and method == "floor":
            precisions[i] = 100 * float(value or 0) / total
        else:
            precisions[i] = 100 * correct / total
    if min(precisions[:used]) == 0:
        score = 0.0
    else:
        score = bp * math.exp(sum(map(math.log, precisions[:used])) / used)
    return BLEUScore(score, precisions, bp, stats.sys_len, stats.ref_len)

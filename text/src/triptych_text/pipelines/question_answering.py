"""Answers to questions, as spans of a text that may be longer than the model reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from triptych.errors import ShapeError

from ..tokenizers import Encoding
from .encoder_pipeline import EncoderPipeline, check_positive, check_stride, softmax

__all__ = ["QuestionAnswering"]

Span = tuple[int, int]  # first character, and the one behind the last

OUTSIDE = -10000.0  # logit of tokens that are not of the text


class QuestionAnswering(EncoderPipeline):
    """Finds the answer to a question in a text.

    Args:
        model: one ForQuestionAnswering, in evaluation mode.
        tokenizer: that of the model.

    Raises:
        DTypeError: the model marks no answers.
    """

    head: ClassVar[str] = "ForQuestionAnswering"

    def __call__(
        self,
        question: str | Sequence[str],
        context: str | Sequence[str],
        *,
        top_k: int = 1,
        max_answer_len: int = 15,
        max_seq_len: int = 384,
        doc_stride: int | None = None,
        handle_impossible_answer: bool = False,
        align_to_words: bool = True,
        batch_size: int = 32,
    ) -> Any:
        """The likeliest answers.

        Args:
            question: a question, or n.
            context: the text that it is about, or n; a single one serves n questions.
            top_k: how many answers to give.
            max_answer_len: longest answer in tokens.
            max_seq_len: most tokens that go through the model together, question included; a longer
                text is cut into pieces.
            doc_stride: tokens that pieces of a text share; default half of max_seq_len, 128 at
                most, and less where a long question leaves no room.
            handle_impossible_answer: "" is an answer, too: that there is none.
            align_to_words: answers begin and end with whole words; how likely the spans of tokens
                are that become the same answer adds up, in each piece.
            batch_size: how many pieces go through the model together, at most.

        Returns:
            A dict with "score" in [0, 1], "start" and "end" in characters of the text, and
            "answer"; a list of up to top_k dicts, the likeliest first, where top_k is not 1. One
            question gives one answer, several a list. Where no token of a text may be an answer,
            it is "" with the score 0.

        Raises:
            ShapeError: counts of questions and texts differ.
            ValueError: a number is below 1, or the question leaves no room for the text, or
                doc_stride is below 0 or as long as a piece of the text.
        """
        check_positive(
            "QuestionAnswering", top_k=top_k, max_answer_len=max_answer_len, batch_size=batch_size
        )
        questions = [question] if isinstance(question, str) else list(question)
        texts = [context] * len(questions) if isinstance(context, str) else list(context)
        if len(questions) != len(texts):
            raise ShapeError(
                f"QuestionAnswering: {len(questions)} questions and {len(texts)} texts; wanted as "
                "many of both, or one text"
            )
        limit = min(max_seq_len, self.max_length or max_seq_len)
        wholes = [
            self._encoded(*pair, limit, doc_stride) for pair in zip(questions, texts, strict=True)
        ]
        cuts = [[whole, *whole.overflowing] for whole in wholes]
        flat = [cut for every in cuts for cut in every]
        logits = iter(self.fields(flat, ("start_logits", "end_logits"), batch_size))
        found = []
        for text, every in zip(texts, cuts, strict=True):
            words = self._words(text) if align_to_words else {}
            best: dict[Span, float] = {}
            nothing = 1.0
            for cut in every:
                first, last, none = _probabilities(cut, *next(logits))
                nothing = min(nothing, none)
                for span, score in _likeliest(cut, first, last, words, top_k, max_answer_len):
                    best[span] = max(score, best.get(span, 0.0))
            if handle_impossible_answer:
                best[0, 0] = nothing
            found.append(_answers(text, best, top_k))
        return found[0] if isinstance(question, str) else found

    def _words(self, text: str) -> dict[Span, Span]:
        """Where a token lies -> where its word does, in the text as a whole, not in a piece."""
        whole = self.tokenizer.encode(text, add_special_tokens=False)
        spans: dict[int, Span] = {}
        for word, (start, end) in zip(whole.word_ids, whole.offsets, strict=True):
            if word is not None:
                begin, finish = spans.get(word, (start, end))
                spans[word] = min(begin, start), max(finish, end)
        tokens = zip(whole.offsets, whole.word_ids, strict=True)
        return {offsets: spans[word] for offsets, word in tokens if word is not None}

    def _encoded(self, question: str, text: str, limit: int, stride: int | None) -> Encoding:
        asked = len(self.tokenizer.encode(question, add_special_tokens=False))
        room = limit - asked - self.tokenizer.num_special_tokens(pair=True)
        if room < 1:
            raise ValueError(
                f"QuestionAnswering: the question has {asked} tokens, which leaves no room for the "
                f"text within {limit}; shorten it or raise max_seq_len"
            )
        if stride is None:
            stride = min(limit // 2, 128, room // 2)
        check_stride("QuestionAnswering", "doc_stride", stride, room)
        return self.tokenizer.encode(
            question,
            text,
            truncation="only_second",
            max_length=limit,
            stride=stride,
        )


def _probabilities(encoding: Encoding, *logits: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """(l,) how likely an answer begins and ends at each token; and that there is none."""
    inside = np.array([sequence == 1 for sequence in encoding.sequence_ids])
    seen = inside.copy()
    seen[0] |= bool(encoding.special_tokens_mask[0])  # it stands for: no answer
    first, last = (softmax(np.where(seen, each, OUTSIDE)) for each in logits)
    return first * inside, last * inside, float(first[0] * last[0])


def _likeliest(
    encoding: Encoding,
    first: np.ndarray,
    last: np.ndarray,
    words: dict[Span, Span],
    count: int,
    longest: int,
) -> list[tuple[Span, float]]:
    """Spans of characters and how likely each is: spans of tokens in the same words add up."""
    begins, ends = np.array([words.get(span, span) for span in encoding.offsets]).T
    # Spans that end where they begin, or up to `longest` tokens later: (l, width).
    width = min(longest, len(first))
    later, until = (sliding_window_view(np.pad(x, (0, width - 1)), width) for x in (last, ends))
    scores = first[:, None] * later
    real = scores > 0
    size = int(ends.max()) + 1
    keys, which = np.unique((begins[:, None] * size + until)[real], return_inverse=True)
    sums = np.bincount(which, scores[real], len(keys))
    order = np.argsort(-sums, kind="stable")[:count]
    return [(divmod(int(keys[i]), size), float(sums[i])) for i in order]


def _answers(text: str, best: dict[Span, float], count: int) -> Any:
    ranked = sorted(best.items(), key=lambda entry: -entry[1])[:count]
    named = [
        {"score": score, "start": a, "end": b, "answer": text[a:b]} for (a, b), score in ranked
    ]
    if count > 1:
        return named
    return named[0] if named else {"score": 0.0, "start": 0, "end": 0, "answer": ""}

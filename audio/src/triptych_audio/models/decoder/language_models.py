"""What words are likely after others: the interface that the beam search asks."""

from __future__ import annotations

import itertools
import os
from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from triptych_audio.models.decoder.arpa import ArpaModel
from triptych_audio.models.decoder.dictionary import Dictionary

__all__ = ["CTCDecoderLM", "CTCDecoderLMState", "NGramLM", "ZeroLM"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_serial = itertools.count()


class CTCDecoderLMState:
    """A history of words, as a language model remembers it.

    Two beams that are alike otherwise are merged when their states are the same object. A subclass
    may define `__eq__` and `__hash__` to call more states the same.

    Example:
        >>> state = CTCDecoderLMState()
        >>> state.child(3) is state.child(3), state.compare(state.child(3))
        (True, -1)
    """

    def __init__(self) -> None:
        self._children: dict[int, Self] = {}
        self._order = next(_serial)

    @property
    def children(self) -> dict[int, Self]:
        """States that follow, by the number of the word in between."""
        return self._children

    def child(self, usr_index: int) -> Self:
        """The state after one word more; made when first asked for.

        Args:
            usr_index: number of the word.
        """
        if usr_index not in self._children:
            self._children[usr_index] = type(self)()
        return self._children[usr_index]

    def compare(self, state: CTCDecoderLMState) -> int:
        """0 for the same state, else -1 or 1 by which was made first.

        Args:
            state: another one.
        """
        return (self._order > state._order) - (self._order < state._order)


class CTCDecoderLM(ABC):
    """A language model of yours: subclass it and hand it to `ctc_decoder`.

    The numbers are those of the decoder's dictionary: words with a lexicon, else tokens. Scores are
    added to the acoustic model's log probabilities, after multiplication by lm_weight. `score` is
    asked once for each state and word.

    Example:
        >>> class Repetitive(CTCDecoderLM):
        ...     def start(self, start_with_nothing):
        ...         return CTCDecoderLMState()
        ...     def score(self, state, usr_token_idx):
        ...         return state.child(usr_token_idx), 0.0 if usr_token_idx == 1 else -1.0
        ...     def finish(self, state):
        ...         return state, 0.0
        >>> lm = Repetitive()
    """

    @abstractmethod
    def start(self, start_with_nothing: bool) -> CTCDecoderLMState:
        """The state before the first word.

        Args:
            start_with_nothing: without the mark for the beginning of a sentence.
        """

    @abstractmethod
    def score(self, state: CTCDecoderLMState, usr_token_idx: int) -> tuple[Any, float]:
        """How well a word follows.

        Args:
            state: what came before.
            usr_token_idx: number of the word.

        Returns:
            The state after it, and its score.
        """

    @abstractmethod
    def finish(self, state: CTCDecoderLMState) -> tuple[Any, float]:
        """How well the sentence ends.

        Args:
            state: what came before.

        Returns:
            The state after the end, and its score.
        """


class ZeroLM(CTCDecoderLM):
    """The language model that finds all words equally good."""

    def start(self, start_with_nothing: bool) -> CTCDecoderLMState:
        """The state before the first word."""
        return CTCDecoderLMState()

    def score(self, state: CTCDecoderLMState, usr_token_idx: int) -> tuple[Any, float]:
        """The state after the word, and zero."""
        return state.child(usr_token_idx), 0.0

    def finish(self, state: CTCDecoderLMState) -> tuple[Any, float]:
        """The same state, and zero."""
        return state, 0.0


class _Context(CTCDecoderLMState):
    """A history of words with the n-grams it ends in."""

    ngrams: Ints


class NGramLM(CTCDecoderLM):
    """An n-gram model from a file in the ARPA format.

    Scores are logarithms to base 10, as KenLM gives them, so lm_weight means the same.

    Args:
        path: of the file, plain or compressed with gzip.
        words: numbers of words for the decoder. Words that the model lacks count as <unk>.

    Raises:
        FileFormatError: the file is no ARPA model.
    """

    def __init__(self, path: str | os.PathLike[str], words: Dictionary) -> None:
        self.model = ArpaModel(path)
        names = (words.get_entry(i) for i in range(len(words)))
        self.ids = np.array([self.model.index(name) for name in names], np.int64)

    def start(self, start_with_nothing: bool) -> CTCDecoderLMState:
        """The state before the first word.

        Args:
            start_with_nothing: without the mark <s>.
        """
        state = _Context()
        state.ngrams = self.model.context([] if start_with_nothing else ["<s>"])
        return state

    def score(self, state: CTCDecoderLMState, usr_token_idx: int) -> tuple[Any, float]:
        """The state after a word, and the logarithm of its probability.

        Args:
            state: what came before.
            usr_token_idx: number of the word.
        """
        return self._after(state, usr_token_idx, self.ids[usr_token_idx])

    def finish(self, state: CTCDecoderLMState) -> tuple[Any, float]:
        """The state after the end, and the logarithm of its probability.

        Args:
            state: what came before.
        """
        return self._after(state, -1, self.model.index("</s>"))

    def _after(self, state: Any, usr_index: int, word: Any) -> tuple[Any, float]:
        score, ngrams = self.model.follow(state.ngrams[None], np.array([word]))
        child = state.child(usr_index)
        child.ngrams = ngrams[0]
        return child, float(score[0])

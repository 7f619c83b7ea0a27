"""Language model states by number, so that a beam search can keep them in arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from triptych_audio.models.decoder.language_models import CTCDecoderLM, NGramLM, ZeroLM

__all__ = ["Histories", "histories_of"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Histories:
    """The states a language model was asked for, each with a number.

    A search extends many states by many words in one call and gets a key for each result; those
    that survive are then given numbers by `intern`. Equal keys are equal states.

    Args:
        lm: any language model; it is asked once for each state and word.
    """

    def __init__(self, lm: CTCDecoderLM) -> None:
        self._lm = lm
        self._states: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self._known: list[dict[int, tuple[int, float]]] = []
        self._number(lm.start(False))

    def _number(self, state: Any) -> int:
        number = self._numbers.setdefault(state, len(self._states))
        if number == len(self._states):
            self._states.append(state)
            self._known.append({})
        return number

    def keys(self, ids: Ints) -> Ints:
        """Keys of states that have numbers.

        Args:
            ids: (n,) numbers; the first state has 0.
        """
        return ids

    def extend(self, ids: Ints, words: Ints) -> tuple[Ints, Floats]:
        """What comes after states.

        Args:
            ids: (n,) numbers of states.
            words: (n,) numbers of words.

        Returns:
            (n,) keys of the states after the words, and the words' scores.
        """
        pairs = zip(ids.tolist(), words.tolist(), strict=True)
        found = [self._known[i].get(word) or self._ask(i, word) for i, word in pairs]
        keys, scores = zip(*found, strict=True) if found else ((), ())
        return np.array(keys, np.int64), np.array(scores, np.float64)

    def _ask(self, i: int, word: int) -> tuple[int, float]:
        state, score = self._lm.score(self._states[i], word)
        answer = self._known[i][word] = (self._number(state), float(score))
        return answer

    def intern(self, keys: Ints) -> Ints:
        """Numbers of states.

        Args:
            keys: (n,) from `keys` or `extend`.
        """
        return keys

    def finish(self, ids: Ints) -> tuple[Ints, Floats]:
        """What comes after the end of the sentence.

        Args:
            ids: (n,) numbers of states.

        Returns:
            (n,) numbers of the final states, and the scores of ending.
        """
        ends = [self._lm.finish(self._states[i]) for i in ids.tolist()]
        numbers = [self._number(state) for state, _ in ends]
        return np.array(numbers, np.int64), np.array([s for _, s in ends], np.float64)


class _Tree(Histories):
    """States that are histories: a state is its last state and word, and no object is needed."""

    def __init__(self, num_words: int) -> None:
        self._num_words = num_words
        self._parents = np.full(64, -1)  # state before, and the word in between, as one key
        self._interned: dict[int, int] = {-1: 0}

    def keys(self, ids: Ints) -> Ints:
        """Keys of states that have numbers."""
        return self._parents[ids]

    def extend(self, ids: Ints, words: Ints) -> tuple[Ints, Floats]:
        """Keys after the words, and zeros."""
        return ids * self._num_words + words, np.zeros(ids.shape)

    def intern(self, keys: Ints) -> Ints:
        """Numbers of states."""
        before = len(self._interned)
        numbers = self._interned
        ids = np.array([numbers.setdefault(key, len(numbers)) for key in keys.tolist()], np.int64)
        if len(numbers) > before:
            self._grow(keys, ids, before)
        return ids

    def _grow(self, keys: Ints, ids: Ints, before: int) -> None:
        """Note the keys of new states, those with numbers from `before` on."""
        while len(self._parents) < len(self._interned):
            self._parents = np.concatenate([self._parents, np.full_like(self._parents, -1)])
        self._parents[ids] = keys

    def finish(self, ids: Ints) -> tuple[Ints, Floats]:
        """The same states, and zeros."""
        return ids, np.zeros(ids.shape)


class _NGrams(_Tree):
    """The histories of an n-gram model, which answers for whole arrays."""

    def __init__(self, lm: NGramLM) -> None:
        super().__init__(len(lm.ids))
        self._ngrams = lm
        self._contexts = lm.model.context(["<s>"])[None]

    def extend(self, ids: Ints, words: Ints) -> tuple[Ints, Floats]:
        """Keys after the words, and logarithms of probabilities."""
        scores, _ = self._ngrams.model.follow(self._contexts[ids], self._ngrams.ids[words])
        return super().extend(ids, words)[0], scores

    def _grow(self, keys: Ints, ids: Ints, before: int) -> None:
        super()._grow(keys, ids, before)
        fresh = np.unique(keys[ids >= before])
        numbers = np.array([self._interned[key] for key in fresh.tolist()])
        ahead, words = fresh // self._num_words, self._ngrams.ids[fresh % self._num_words]
        while len(self._contexts) < len(self._interned):
            self._contexts = np.concatenate([self._contexts, np.zeros_like(self._contexts)])
        self._contexts[numbers] = self._ngrams.model.follow(self._contexts[ahead], words)[1]

    def finish(self, ids: Ints) -> tuple[Ints, Floats]:
        """The same states, and logarithms of the probability of the end."""
        ends = np.full(ids.shape, self._ngrams.model.index("</s>"))
        return ids, self._ngrams.model.follow(self._contexts[ids], ends)[0]


def histories_of(lm: CTCDecoderLM, num_words: int) -> Histories:
    """The states of a language model, before the first word.

    Args:
        lm: the model.
        num_words: how many words the decoder knows.
    """
    if type(lm) is NGramLM:
        return _NGrams(lm)
    return _Tree(num_words) if type(lm) is ZeroLM else Histories(lm)

"""Where in time the words of a known transcript are."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError, UnknownNameError
from triptych_audio.functional import TokenSpan
from triptych_audio.interop import as_tensor

__all__ = ["Aligner", "Tokenizer"]


class Tokenizer:
    """Turns words into numbers of labels.

    Args:
        dictionary: number of each label.

    Example:
        >>> Tokenizer({"-": 0, "a": 1, "b": 2})(["ab", "a"])
        [[1, 2], [1]]
    """

    def __init__(self, dictionary: Mapping[str, int]) -> None:
        self.dictionary = dict(dictionary)

    def __call__(self, transcript: Iterable[str]) -> list[list[int]]:
        """Numbers of words.

        Args:
            transcript: words, spelt with the labels only.

        Returns:
            A list of numbers for each word.

        Raises:
            UnknownNameError: a letter is no label.
        """
        words = [transcript] if isinstance(transcript, str) else list(transcript)
        unknown = sorted({letter for word in words for letter in word} - set(self.dictionary))
        if unknown:
            raise UnknownNameError(
                f"Tokenizer: no label for {unknown}; there are {''.join(self.dictionary)!r}. Spell "
                "the words with these, in lower or upper case as they are, or put * for a word"
            )
        return [[self.dictionary[letter] for letter in word] for word in words]


class Aligner:
    """Finds the frames of each label of a known sequence.

    Args:
        blank: number of the label that stands for none.

    Example:
        >>> scores = tp.tensor([[0.1, 0.9, 0.0], [0.9, 0.1, 0.0], [0.1, 0.0, 0.9]]).log()
        >>> [[(s.token, s.start, s.end) for s in word] for word in Aligner(0)(scores, [[1], [2]])]
        [[(1, 0, 1)], [(2, 2, 3)]]
    """

    def __init__(self, blank: int) -> None:
        self.blank = blank

    def __call__(self, emission: Any, tokens: Sequence[Sequence[int]]) -> list[list[TokenSpan]]:
        """Align.

        Args:
            emission: (frames, labels) log probabilities: a Tensor, NumPy or DLPack array.
            tokens: numbers of each word, as `Tokenizer` gives them.

        Returns:
            For each word a span for each of its labels, with the mean probability of its frames.

        Raises:
            ShapeError: emission is not (frames, labels).
        """
        from triptych_audio import functional as F

        scores: Tensor = as_tensor(emission)
        if scores.ndim != 2:
            raise ShapeError(
                f"Aligner: wanted emission (frames, labels), got {tuple(scores.shape)}; take one "
                "recording of the batch, emission[0]"
            )
        flat = tp.tensor([[*itertools.chain.from_iterable(tokens)]], dtype=tp.int32)
        labels, logs = F.forced_align(scores.unsqueeze(0), flat.to(scores.device), blank=self.blank)
        spans = iter(F.merge_tokens(labels[0], logs[0].exp(), self.blank))
        return [list(itertools.islice(spans, len(word))) for word in tokens]

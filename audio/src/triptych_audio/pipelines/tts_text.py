"""Letters and phonemes as numbers, in the order of the published weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, MissingDependencyError, UnknownNameError
from triptych.nn.utils.rnn import pad_sequence
from triptych_audio.pipelines.tts_interface import TTSTextProcessor

__all__ = ["EnglishCharProcessor", "EnglishPhoneProcessor", "Pronunciation"]

Pronunciation = Mapping[str, Sequence[str]] | Callable[[str], Sequence[str]]
"""From a word in lower case to its phonemes in CMUDict's alphabet."""

PUNCTUATION = tuple("_-!'(),.:;? ")
CHARACTERS = (*PUNCTUATION, *"abcdefghijklmnopqrstuvwxyz")
VOWELS = re.findall(r"\w+", "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW")
CONSONANTS = re.findall(r"\w+", "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH")
STRESSED = [vowel + stress for vowel in VOWELS for stress in ("", "0", "1", "2")]
PHONEMES = (*PUNCTUATION, *sorted([*STRESSED, *CONSONANTS]))
STRESS = "012"
PIECES = re.compile(r"[a-z]+(?:'[a-z]+)*|[-_!'(),.:;? ]")


class EnglishCharProcessor(TTSTextProcessor):
    """Letters and punctuation as numbers; other characters are left out.

    Example:
        >>> tokens, lengths = EnglishCharProcessor()(["Hi!", "T-T"])
        >>> tokens.tolist(), lengths.tolist()
        ([[19, 20, 2], [31, 1, 31]], [3, 3])
    """

    def __init__(self) -> None:
        self._numbers = {token: i for i, token in enumerate(CHARACTERS)}

    @property
    def tokens(self) -> tuple[str, ...]:
        """What each number stands for."""
        return CHARACTERS

    def __call__(self, texts: str | Sequence[str]) -> tuple[Tensor, Tensor]:
        """Encode texts.

        Args:
            texts: one or several.

        Returns:
            (n, l) int64 numbers, zeros behind each text's end, and (n,) int32 lengths.
        """
        return _padded(
            [
                [self._numbers[c] for c in text.lower() if c in self._numbers]
                for text in _several(texts)
            ]
        )


class EnglishPhoneProcessor(TTSTextProcessor):
    """Phonemes and punctuation as numbers.

    torchaudio asks DeepPhonemizer for the phonemes, a network on torch. Here you say where they
    come from; CMUDict, or a program that also knows new words, will do.

    Args:
        pronunciation: from a word in lower case to its phonemes, without or with stress, which is
            taken off as the published weights know none.

    Raises:
        MissingDependencyError: pronunciation was not given.

    Example:
        >>> words = {"hello": ["HH", "AH0", "L", "OW1"]}
        >>> processor = EnglishPhoneProcessor(words)
        >>> tokens, lengths = processor("Hello!")
        >>> [processor.tokens[i] for i in tokens[0].tolist()]
        ['HH', 'AH', 'L', 'OW', '!']
    """

    def __init__(self, pronunciation: Pronunciation | None = None) -> None:
        if pronunciation is None:
            raise MissingDependencyError(
                "get_text_processor: torchaudio's phonemes come from DeepPhonemizer, which needs "
                "torch; call get_text_processor(pronunciation=...) with a dict from words to "
                "phonemes, such as CMUDict's, or a function of a word, or use a CHAR bundle"
            )
        self._numbers = {token: i for i, token in enumerate(PHONEMES)}
        self._pronunciation = pronunciation

    @property
    def tokens(self) -> tuple[str, ...]:
        """What each number stands for."""
        return PHONEMES

    def __call__(self, texts: str | Sequence[str]) -> tuple[Tensor, Tensor]:
        """Encode texts.

        Args:
            texts: one or several.

        Returns:
            (n, l) int64 numbers, zeros behind each text's end, and (n,) int32 lengths.

        Raises:
            UnknownNameError: words without a pronunciation; the text lists them.
        """
        return _padded(
            [[self._numbers[p] for p in self._phonemes(text)] for text in _several(texts)]
        )

    def _phonemes(self, text: str) -> list[str]:
        found: list[str] = []
        unknown: list[str] = []
        for piece in PIECES.findall(text.lower()):
            if piece in PUNCTUATION:
                found.append(piece)
                continue
            phonemes = [p.rstrip(STRESS) for p in self._look_up(piece)]
            if not phonemes or not self._numbers.keys() >= set(phonemes):
                unknown.append(piece)
            found += phonemes
        if unknown:
            raise UnknownNameError(
                f"EnglishPhoneProcessor: no pronunciation in CMUDict's alphabet for "
                f"{', '.join(unknown)}; add the words to the dict, or give a function that knows "
                "new words"
            )
        return found

    def _look_up(self, word: str) -> Sequence[str]:
        if isinstance(self._pronunciation, Mapping):
            return self._pronunciation.get(word, ())
        return self._pronunciation(word)


def _several(texts: str | Sequence[str]) -> Sequence[str]:
    return [texts] if isinstance(texts, str) else texts


def _padded(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    if not rows:
        raise DomainError("text processor: wanted at least one text, got none")
    lengths = tp.tensor([len(row) for row in rows], dtype=tp.int32)
    values = [tp.tensor(row, dtype=tp.int64) for row in rows]
    return pad_sequence(values, batch_first=True), lengths

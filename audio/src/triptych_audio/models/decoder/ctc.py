"""The beam search decoder for CTC models, as torchaudio's users know it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, DTypeError, ShapeError
from triptych_audio.interop import as_tensor
from triptych_audio.models.decoder.beams import SearchOptions
from triptych_audio.models.decoder.dictionary import UNKNOWN, Dictionary, Lexicon, load_words
from triptych_audio.models.decoder.histories import histories_of
from triptych_audio.models.decoder.hypotheses import CTCHypothesis, hypothesis_of
from triptych_audio.models.decoder.language_models import CTCDecoderLM, NGramLM, ZeroLM
from triptych_audio.models.decoder.searches import FreeSearch, LexiconSearch
from triptych_audio.models.decoder.spelling_tree import SpellingTree

__all__ = ["CTCDecoder", "ctc_decoder"]

PathLike = str | os.PathLike[str]


class CTCDecoder:
    """Beam search through the label probabilities of a CTC model; `ctc_decoder` makes one.

    Args:
        nbest: number of answers per sequence.
        lexicon: spellings of each word; None for any sequence of labels.
        word_dict: numbers of the words; None without lexicon and language model.
        tokens_dict: numbers of the labels.
        lm: language model of words; without a lexicon, of labels.
        decoder_options: of the search.
        blank_token: the label that stands for none.
        sil_token: the label between words.
        unk_word: the word that stands for unknown ones.

    Source: Graves and Jaitly 2014 for prefix search; the search, its scores and what it gives back
        follow flashlight-text 0.0.7, on which torchaudio's decoder stands. Unlike there, a label
        at the end of a word may last several frames, and is never taken for two without a blank.
    """

    def __init__(
        self,
        nbest: int,
        lexicon: Lexicon | None,
        word_dict: Dictionary | None,
        tokens_dict: Dictionary,
        lm: CTCDecoderLM,
        decoder_options: SearchOptions,
        blank_token: str,
        sil_token: str,
        unk_word: str,
    ) -> None:
        self.nbest, self.lm = nbest, lm
        self.tokens_dict = tokens_dict
        self.word_dict = word_dict if lexicon else None
        self.blank = _index(tokens_dict, "blank_token", blank_token)
        self.silence = _index(tokens_dict, "sil_token", sil_token)
        labels = (self.silence, self.blank, len(tokens_dict))
        self._search: FreeSearch
        if lexicon and word_dict is not None:
            tree = _tree(lexicon, word_dict, tokens_dict, lm, self.blank)
            unknown = word_dict.get_index(unk_word)
            known = len(word_dict)
            self._search = LexiconSearch(decoder_options, lm, known, *labels, tree, unknown)
        else:
            self._search = FreeSearch(decoder_options, lm, len(tokens_dict), *labels)

    def __call__(self, emissions: Any, lengths: Any = None) -> list[list[CTCHypothesis]]:
        """Decode whole sequences.

        Args:
            emissions: (n, t, v) log probabilities: a Tensor, NumPy or DLPack array.
            lengths: (n,) how many of the t frames count; default all.

        Returns:
            For each sequence the answers, best first.

        Raises:
            ShapeError: shapes or lengths that do not fit, or a number of labels other than that of
                tokens.
            DTypeError: emissions are not floating.
            DomainError: they are NaN.
        """
        frames = _array(emissions, 3)
        n, t, _ = frames.shape
        counts = [t] * n if lengths is None else as_tensor(lengths).tolist()
        if len(counts) != n or not all(0 <= count <= t for count in counts):
            raise ShapeError(f"CTCDecoder: wanted {n} lengths from 0 to {t}, got {counts}")
        answers = []
        for sequence, count in zip(frames, counts, strict=True):
            self.decode_begin()
            self._search.step(sequence[:count])
            self.decode_end()
            answers.append(self.get_final_hypothesis())
        return answers

    def decode_begin(self) -> None:
        """Begin a sequence that comes in pieces; then `decode_step` for each."""
        self._search.begin()

    def decode_step(self, emissions: Any) -> None:
        """Go on with the next piece.

        Args:
            emissions: (t, v) log probabilities: a Tensor, NumPy or DLPack array.

        Raises:
            DomainError: `decode_begin` was not called.
            ShapeError: another shape, or a number of labels other than that of tokens.
            DTypeError: emissions are not floating.
        """
        self._search.step(_array(emissions, 2))

    def decode_end(self) -> None:
        """End the sequence, after its last piece.

        Raises:
            DomainError: `decode_begin` was not called.
        """
        self._search.end()

    def get_final_hypothesis(self) -> list[CTCHypothesis]:
        """The answers for a sequence that came in pieces, best first.

        Raises:
            DomainError: `decode_end` was not called.
        """
        paths = self._search.results()[: self.nbest]
        return [hypothesis_of(path, self.word_dict, self.silence, self.blank) for path in paths]

    def idxs_to_tokens(self, idxs: Tensor | Iterable[int]) -> list[str]:
        """Names of labels.

        Args:
            idxs: (l,) their numbers.
        """
        return [self.tokens_dict.get_entry(int(i)) for i in idxs]


def _index(tokens: Dictionary, name: str, token: str) -> int:
    if token not in tokens:
        raise DomainError(
            f"ctc_decoder: {name} {token!r} is not among the {len(tokens)} tokens; give {name}="
        )
    return tokens.get_index(token)


def _array(emissions: Any, ndim: int) -> npt.NDArray[Any]:
    made = as_tensor(emissions)
    if not isinstance(made, Tensor) or not made.is_floating_point():
        kind = made.dtype if isinstance(made, Tensor) else type(made).__name__
        raise DTypeError(f"CTCDecoder: wanted floating emissions, got {kind}")
    if made.ndim != ndim:
        wanted = "(n, t, v)" if ndim == 3 else "(t, v)"
        raise ShapeError(f"CTCDecoder: wanted emissions {wanted}, got {tuple(made.shape)}")
    return made.to(tp.float64).numpy(force=True)


def _tree(
    lexicon: Lexicon, words: Dictionary, tokens: Dictionary, lm: CTCDecoderLM, blank: int
) -> SpellingTree:
    """All spellings, with the language model's scores of words at the start of a sentence."""
    pairs = [
        (words.get_index(word), [tokens.get_index(token) for token in spelling])
        for word, spellings in lexicon.items()
        for spelling in spellings
    ]
    wrong = [words.get_entry(word) for word, spelling in pairs if blank in spelling]
    if wrong:
        raise DomainError(f"ctc_decoder: the blank is in the spelling of {wrong[0]!r}")
    numbers = np.array([word for word, _ in pairs], np.int64)
    scores = histories_of(lm, len(words)).extend(numbers * 0, numbers)[1]
    return SpellingTree(pairs, scores.tolist())


def ctc_decoder(
    lexicon: PathLike | Lexicon | None,
    tokens: PathLike | Sequence[str],
    lm: PathLike | CTCDecoderLM | None = None,
    lm_dict: PathLike | None = None,
    nbest: int = 1,
    beam_size: int = 50,
    beam_size_token: int | None = None,
    beam_threshold: float = 50,
    lm_weight: float = 2,
    word_score: float = 0,
    unk_score: float = float("-inf"),
    sil_score: float = 0,
    log_add: bool = False,
    blank_token: str = "-",
    sil_token: str = "|",
    unk_word: str = UNKNOWN,
) -> CTCDecoder:
    """A beam search decoder for CTC models.

    Args:
        lexicon: path of a file with a word and its tokens on each line, or a dict of words and
            lists of spellings; None for any sequence of tokens.
        tokens: the labels in order, or the path of a file with one per line.
        lm: path of an n-gram model in the ARPA format (.arpa or .arpa.gz), a language model of
            yours, or None. With a lexicon its words are those of the lexicon, else the tokens.
        lm_dict: path of a file with the words in the order of your language model's numbers, one
            per line; default the lexicon's words in the order of the file.
        nbest: number of answers per sequence.
        beam_size: how many beams are kept after each frame.
        beam_size_token: how many labels may follow in a frame, the likeliest; default all.
        beam_threshold: beams that are worse than the best by more are dropped.
        lm_weight: factor of the language model's scores. Those of ARPA files are logarithms to
            base 10, as KenLM gives them.
        word_score: added for each word.
        unk_score: added for each unknown word: any beginning of a word that is none itself. Minus
            infinity allows none.
        sil_score: added for each frame of silence.
        log_add: add up the probabilities of alignments of the same words, instead of taking the
            best.
        blank_token: the label that stands for none.
        sil_token: the label between words.
        unk_word: the word that stands for unknown ones.

    Returns:
        The decoder.

    Raises:
        DomainError: blank_token or sil_token is no token, the blank is part of a spelling, or
            beam_size is below 1.
        UnknownNameError: a spelling with something that is no token, or a word that lm_dict lacks.
        FileFormatError: a file that is not what it should be, such as a binary file of KenLM.

    Example:
        >>> decoder = ctc_decoder(None, ["-", "|", "a", "b"])
        >>> frames = tp.tensor([[[0.1, 0.1, 0.7, 0.1], [0.1, 0.1, 0.1, 0.7]]]).log()
        >>> best = decoder(frames)[0][0]
        >>> "".join(decoder.idxs_to_tokens(best.tokens))
        '|ab|'
    """
    labels = Dictionary(tokens)
    if isinstance(lexicon, (str, os.PathLike)):
        lexicon = load_words(lexicon)
    words = None
    if lm_dict is not None:
        words = Dictionary(lm_dict)
    elif lexicon:
        words = Dictionary(dict.fromkeys([*lexicon, unk_word]), default=unk_word)
    if isinstance(lm, (str, os.PathLike)):
        lm = NGramLM(lm, labels if words is None else words)
    options = SearchOptions(
        beam_size,
        beam_size_token or len(labels),
        beam_threshold,
        lm_weight,
        word_score,
        unk_score,
        sil_score,
        log_add,
    )
    model = ZeroLM() if lm is None else lm
    marks = (blank_token, sil_token, unk_word)
    return CTCDecoder(nbest, lexicon or None, words, labels, model, options, *marks)

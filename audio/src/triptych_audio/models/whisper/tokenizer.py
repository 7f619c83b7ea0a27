"""Text to ids of Whisper and back: pieces of words, languages, times."""

from __future__ import annotations

import base64
import functools
import json
import os
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError, MissingDependencyError, UnknownNameError
from triptych_audio.models.whisper.languages import LANGUAGES, language_code
from triptych_audio.models.whisper.splitting import split_on_spaces, split_on_unicode
from triptych_audio.whisper_weights import WHISPER_VOCABULARIES
from triptych_datasets import fetch

__all__ = ["Tokenizer", "Vocabulary", "get_tokenizer", "read_folder_vocabulary", "read_ranks"]

# GPT-2's: contractions, words, numbers, other signs, spaces.
PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
TIME_STEP, NUM_TIMES = 0.02, 1501  # seconds; 0.00 to 30.00
NO_SPACES = ("zh", "ja", "th", "lo", "my", "yue")
# Signs that mark what is no speech, and notes, of which all share their first piece.
NOT_SPOKEN = """
" # ( ) * + / : ; < = > @ [ \\ ] ^ _ ` { | } ~ 「 」 『 』
<< >> <<< >>> -- --- -( -[ (' (" (( )) ((( ))) [[ ]] {{ }} ♪♪ ♪♪♪
"""
SIGNS = tuple(NOT_SPOKEN.split())
NOTES = tuple("♩♪♫♬♭♮♯")
# Older folders call it otherwise.
OTHER_SPELLINGS = {"<|nocaptions|>": "<|nospeech|>"}


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Pieces of words and special tokens.

    Args:
        ranks: bytes of a piece -> its id, in the order in which pieces were merged.
        specials: text of a special token -> its id.

    Raises:
        MissingDependencyError: tiktoken is not installed.
    """

    ranks: dict[bytes, int]
    specials: dict[str, int]

    @functools.cached_property
    def encoding(self) -> Any:
        """tiktoken's encoder."""
        try:
            import tiktoken
        except ImportError as error:
            raise MissingDependencyError(
                'Whisper\'s tokenizer needs tiktoken; pip install "triptych-audio[whisper]"'
            ) from error
        return tiktoken.Encoding(
            "whisper",
            pat_str=PATTERN,
            mergeable_ranks=self.ranks,
            special_tokens=self.specials,
        )


def special_tokens(first: int, num_languages: int) -> dict[str, int]:
    """Special tokens behind the pieces of words.

    Args:
        first: id of the end of text.
        num_languages: 99, or 100 from large-v3 on.

    Returns:
        Ids by text.

    Source: openai/whisper, whisper/tokenizer.py.
    """
    names = [
        "endoftext",
        "startoftranscript",
        *list(LANGUAGES)[:num_languages],
        "translate",
        "transcribe",
        "startoflm",
        "startofprev",
        "nospeech",
        "notimestamps",
        *(f"{i * TIME_STEP:.2f}" for i in range(NUM_TIMES)),
    ]
    return {f"<|{name}|>": first + i for i, name in enumerate(names)}


def read_ranks(path: str | os.PathLike[str], num_languages: int = 99) -> Vocabulary:
    """Vocabulary of one of OpenAI's rank files.

    Args:
        path: lines of a piece in base 64 and its id.
        num_languages: 99, or 100 from large-v3 on.

    Raises:
        FileFormatError: the file holds something else.
    """
    lines = Path(path).read_bytes().splitlines()
    try:
        pairs = (line.split() for line in lines if line.strip())
        # the last piece of the multilingual file is "=", which holds no bytes
        ranks = {base64.b64decode(piece): int(rank) for piece, rank in pairs}
    except ValueError as error:
        raise FileFormatError(
            f"{path} holds no pieces in base 64 with their ids: {error}"
        ) from None
    return Vocabulary(ranks, special_tokens(len(ranks), num_languages))


def read_folder_vocabulary(folder: str | os.PathLike[str]) -> Vocabulary:
    """Vocabulary of a folder as Hugging Face keeps it.

    Args:
        folder: with the tokenizer.json of a Whisper.

    Raises:
        FileFormatError: its pieces are not byte pairs whose ids follow the order of their merges.
        FileNotFoundError: there is no such file.
    """
    path = Path(folder) / "tokenizer.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    model = values.get("model", {})
    if model.get("type") != "BPE":
        raise FileFormatError(f"{path}: wanted byte pairs (BPE), got {model.get('type')!r}")
    added = {row["content"]: row["id"] for row in values.get("added_tokens", [])}
    letters = _byte_letters()
    pieces = {text: i for text, i in model["vocab"].items() if text not in added}
    try:
        ranks = {bytes(letters[c] for c in text): i for text, i in pieces.items()}
    except KeyError as error:
        raise FileFormatError(f"{path}: {error} is no letter that stands for a byte") from None
    merges = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in model["merges"]]
    order = [pieces["".join(merge)] for merge in merges]
    if order != sorted(order):
        raise FileFormatError(f"{path}: ids of the pieces do not follow the order of the merges")
    specials = {OTHER_SPELLINGS.get(text, text): i for text, i in added.items()}
    return Vocabulary(ranks, specials)


def _byte_letters() -> dict[str, int]:
    """Letters that stand for bytes in GPT-2's files; those that cannot be seen come from 256 on."""
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    unseen = [i for i in range(256) if i not in seen]
    return {chr(i): i for i in seen} | {chr(256 + k): i for k, i in enumerate(unseen)}


class Tokenizer:
    """Ids of texts, languages and times.

    Args:
        vocabulary: pieces of words.
        num_languages: how many of `LANGUAGES` it has.
        language: code of the language that is spoken; None for a model of English alone.
        task: "transcribe", "translate" into English, or None for a model of English alone.

    Attributes:
        sot_sequence: ids that begin a text.

    Raises:
        UnknownNameError: the vocabulary has no such language, or task.

    Source: openai/whisper, whisper/tokenizer.py.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        num_languages: int = 99,
        language: str | None = None,
        task: str | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self.num_languages = num_languages
        self.language = language
        self.task = task
        self.sot = self._special("startoftranscript")
        start = [self.sot]
        if language is not None:
            start.append(self.to_language_token(language))
        if task is not None:
            if task not in ("transcribe", "translate"):
                raise UnknownNameError(
                    f'Whisper: task={task!r}, wanted "transcribe" or "translate"'
                )
            start.append(self._special(task))
        self.sot_sequence = tuple(start)
        self.eot = self._special("endoftext")
        self.transcribe, self.translate = self._special("transcribe"), self._special("translate")
        self.sot_lm, self.sot_prev = self._special("startoflm"), self._special("startofprev")
        self.no_speech = self._special("nospeech")
        self.no_timestamps = self._special("notimestamps")
        self.timestamp_begin = self._special("0.00", self.no_timestamps + 1)
        self.sot_sequence_including_notimestamps = (*start, self.no_timestamps)

    def _special(self, name: str, otherwise: int | None = None) -> int:
        found = self.vocabulary.specials.get(f"<|{name}|>", otherwise)
        if found is None:
            raise UnknownNameError(f"Whisper: the vocabulary has no <|{name}|>")
        return found

    def encode(self, text: str) -> list[int]:
        """Ids of a text; special tokens in it are taken as they are spelt."""
        ids: list[int] = self.vocabulary.encoding.encode_ordinary(text)
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids, without times."""
        return self.decode_with_timestamps([i for i in ids if i < self.timestamp_begin])

    def decode_with_timestamps(self, ids: Sequence[int]) -> str:
        """Text of ids, with times such as <|1.08|>."""
        begin, known = self.timestamp_begin, "<|0.00|>" in self.vocabulary.specials
        if known:
            return str(self.vocabulary.encoding.decode(list(ids)))
        text, run = "", list[int]()
        for i in ids:  # folders may leave times out of the file
            if i >= begin:
                text += f"{self.vocabulary.encoding.decode(run)}<|{(i - begin) * TIME_STEP:.2f}|>"
                run = []
            else:
                run.append(i)
        return text + str(self.vocabulary.encoding.decode(run))

    @property
    def language_token(self) -> int:
        """Id of the language."""
        if self.language is None:
            raise UnknownNameError(
                "Whisper: this tokenizer is of one language and has no id for it"
            )
        return self.to_language_token(self.language)

    def to_language_token(self, language: str) -> int:
        """Id of a language, given its code."""
        return self._special(language)

    @property
    def all_language_tokens(self) -> tuple[int, ...]:
        """Ids of all languages."""
        return tuple(self.to_language_token(code) for code in self.all_language_codes)

    @property
    def all_language_codes(self) -> tuple[str, ...]:
        """Codes of all languages, in the order of their ids."""
        some = tuple(LANGUAGES)[: self.num_languages]
        return tuple(code for code in some if f"<|{code}|>" in self.vocabulary.specials)

    @functools.cached_property
    def non_speech_tokens(self) -> tuple[int, ...]:
        """Ids of names of speakers, sounds in brackets and the like, which are not said.

        Hyphens and apostrophes are kept, except where a word would begin with one.
        """
        found = {self.encode(" -")[0], self.encode(" '")[0]}
        for sign in (*SIGNS, *NOTES):
            for ids in (self.encode(sign), self.encode(f" {sign}")):
                if len(ids) == 1 or sign in NOTES:
                    found.add(ids[0])
        return tuple(sorted(found))

    def split_to_word_tokens(self, ids: Sequence[int]) -> tuple[list[str], list[list[int]]]:
        """Words, and the ids of each.

        Args:
            ids: of a text; the end of text is a word of its own.

        Returns:
            Words with the space before them; for languages without spaces, single letters.
        """
        words, groups = split_on_unicode(list(ids), self.decode_with_timestamps)
        if self.language in NO_SPACES:
            return words, groups
        return split_on_spaces(words, groups, self.eot, string.punctuation)


@functools.lru_cache(maxsize=4)
def _published(name: str, num_languages: int) -> Vocabulary:
    return read_ranks(fetch(WHISPER_VOCABULARIES[name]), num_languages)


@functools.lru_cache(maxsize=4)
def _of_folder(folder: Path) -> Vocabulary:
    return read_folder_vocabulary(folder)


def get_tokenizer(
    multilingual: bool,
    *,
    num_languages: int = 99,
    language: str | None = None,
    task: str | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> Tokenizer:
    """The tokenizer of a model.

    Args:
        multilingual: whether it knows more than English.
        num_languages: 99, or 100 from large-v3 on; of a folder, those that its vocabulary has
            count.
        language: that is spoken, by code or name; default English.
        task: "transcribe" or "translate"; default "transcribe".
        folder: where to read the vocabulary; default OpenAI's, fetched on first use.

    Raises:
        UnknownNameError: there is no such language, or task.
        triptych_datasets.FetchError: no source gave the vocabulary.
    """
    code = "en" if language is None else language_code(language)
    name = "multilingual" if multilingual else "gpt2"
    if folder is None:
        found = _published(name, num_languages)
    else:
        found, num_languages = _of_folder(Path(folder)), len(LANGUAGES)
    if not multilingual:
        return Tokenizer(found, num_languages)
    return Tokenizer(found, num_languages, code, task or "transcribe")

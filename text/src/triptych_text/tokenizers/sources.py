"""The ways to make a tokenizer: one for each kind of file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self

from ..pretrained import ModelFiles, model_files
from .byte_level import byte_level_backend, read_clip_merges, read_merges, read_vocab_json
from .byte_pair_encoding import BytePairEncoding
from .loading import folder_backend, json_backend, library, rank_backend, sentence_piece_backend
from .plain import plain_backend
from .segmented import Segmented
from .segmenters import ByteSegmenter
from .word_piece import read_vocab_file, word_piece_backend

__all__ = ["TokenizerSources"]


class TokenizerSources:
    """Class methods of `Tokenizer` that read files.

    Args:
        backend: what the tokenizer works with.
        **options: further arguments of `Tokenizer`.
    """

    def __init__(self, backend: Any, **options: Any) -> None:
        raise NotImplementedError("TokenizerSources is a part of Tokenizer; use that")

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], **options: Any) -> Self:
        """Read a `tokenizer.json`, the format of the `tokenizers` library.

        Args:
            path: the file.
            **options: keyword arguments of the class.

        Raises:
            FileFormatError: the file is not a tokenizer's description.
            FileNotFoundError: there is no such file.
            MissingDependencyError: the `tokenizers` library is not installed.
        """
        return cls(json_backend(path), **options)

    @classmethod
    def from_vocab_file(
        cls,
        path: str | os.PathLike[str],
        *,
        lowercase: bool = True,
        strip_accents: bool | None = None,
        **options: Any,
    ) -> Self:
        """WordPiece tokenizer of a BERT `vocab.txt`.

        Args:
            path: the file: one token a line.
            lowercase: true for models called "uncased".
            strip_accents: default as `lowercase`.
            **options: keyword arguments of the class.

        Raises:
            FileFormatError: not a WordPiece vocabulary.
            FileNotFoundError: there is no such file.
        """
        library()
        vocab = read_vocab_file(path)
        backend = word_piece_backend(vocab, lowercase=lowercase, strip_accents=strip_accents)
        return cls(backend, **options)

    @classmethod
    def from_merges(
        cls,
        vocab: str | os.PathLike[str],
        merges: str | os.PathLike[str],
        *,
        family: str = "gpt2",
        **options: Any,
    ) -> Self:
        """Byte-level BPE of a `vocab.json` and a `merges.txt`.

        Args:
            vocab: the vocabulary, token -> id.
            merges: two parts a line.
            family: "gpt2", "roberta" or "clip": how texts are cut and framed.
            **options: keyword arguments of the class.

        Raises:
            FileFormatError: a file is damaged, or they do not belong together.
            FileNotFoundError: one of them is not there.
            UnknownNameError: there is no such family.
        """
        library()
        backend = byte_level_backend(read_vocab_json(vocab), read_merges(merges), family)
        return cls(backend, **options)

    @classmethod
    def from_clip_merges(cls, path: str | os.PathLike[str], **options: Any) -> Self:
        """CLIP's tokenizer, of its `bpe_simple_vocab_16e6.txt.gz`.

        Args:
            path: the file.
            **options: keyword arguments of the class.

        Raises:
            FileFormatError: the file is something else.
            FileNotFoundError: there is no such file.
        """
        library()
        vocab, merges = read_clip_merges(path)
        return cls(byte_level_backend(vocab, merges, "clip"), **({"max_length": 77} | options))

    @classmethod
    def from_encoding(cls, encoding: str | BytePairEncoding, **options: Any) -> Self:
        """Tokenizer over a byte pair encoding.

        Args:
            encoding: the encoding, or the name of a published one, as for `get_encoding`.
            **options: keyword arguments of the class.

        Raises:
            UnknownNameError: no encoding has this name.
        """
        if isinstance(encoding, str):
            from .published import get_encoding

            encoding = get_encoding(encoding)
        return cls(Segmented(ByteSegmenter(encoding)), **options)

    @classmethod
    def from_ranks(
        cls,
        path: str | os.PathLike[str],
        pattern: str = "gpt2",
        special_tokens: Mapping[str, int] | None = None,
        **options: Any,
    ) -> Self:
        """Tokenizer of a `.tiktoken` file.

        Args:
            path: the file.
            pattern: how texts are cut: a name in `PATTERNS` or a regular expression.
            special_tokens: text -> id.
            **options: keyword arguments of the class.

        Raises:
            FileFormatError: the file is something else.
            FileNotFoundError: there is no such file.
        """
        return cls(rank_backend(path, pattern, special_tokens), **options)

    @classmethod
    def from_sentencepiece(
        cls,
        path: str | os.PathLike[str],
        *,
        add_bos: bool = False,
        add_eos: bool = False,
        special_tokens: Mapping[str, int] | None = None,
        **options: Any,
    ) -> Self:
        """Tokenizer of a sentencepiece `.model`.

        Args:
            path: the file.
            add_bos: put the model's first token before each text.
            add_eos: put its last token after each text.
            special_tokens: tokens beyond the model's pieces, text -> id.
            **options: keyword arguments of the class.

        Raises:
            FileFormatError: the file is something else.
            FileNotFoundError: there is no such file.
            MissingDependencyError: sentencepiece is not installed.
        """
        backend = sentence_piece_backend(path, add_bos, add_eos, special_tokens)
        return cls(backend, **options)

    @classmethod
    def from_words(
        cls,
        vocab: Mapping[str, int],
        split: str = "words",
        *,
        unk_token: str = "[UNK]",
        lowercase: bool = False,
        **options: Any,
    ) -> Self:
        """Tokenizer whose tokens are words, characters or the matches of a pattern.

        Args:
            vocab: token -> id.
            split: "words", "whitespace", "characters" or a regular expression.
            unk_token: for what the vocabulary lacks.
            lowercase: look tokens up in lower case.
            **options: keyword arguments of the class.

        Example:
            >>> from triptych_text import Tokenizer
            >>> letters = Tokenizer.from_words({"[UNK]": 0, "a": 1, "b": 2}, "characters")
            >>> letters.encode("abc").ids
            [1, 2, 0]
        """
        library()
        return cls(plain_backend(vocab, split, unk_token=unk_token, lowercase=lowercase), **options)

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str] | ModelFiles) -> Self:
        """Tokenizer of a pretrained model.

        Args:
            source: a folder with tokenizer.json, vocab.json and merges.txt, vocab.txt or a
                sentencepiece model, or the name of a registered model, whose files are fetched
                first. tokenizer_config.json, special_tokens_map.json and chat_template.jinja
                are read when they are there.

        Raises:
            FileNotFoundError: the folder lacks all of these, or one of two.
            UnknownNameError: neither a folder nor a registered name.
        """
        backend, options = folder_backend(model_files(source))
        return cls(backend, **options)

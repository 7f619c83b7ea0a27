"""Text to ids and back: pretrained tokenizers of every kind, and how to train one.

`AddedToken` and the modules `models`, `trainers`, `normalizers`, `pre_tokenizers`, `processors`
and `decoders` are those of the `tokenizers` library, for pipelines of one's own.
"""

from __future__ import annotations

from typing import Any as _Any

from .basic_english import basic_english_normalize, get_tokenizer
from .batch_encoding import BatchEncoding
from .byte_level import byte_level_backend, read_clip_merges, read_merges, read_vocab_json
from .byte_pair_encoding import BytePairEncoding
from .chat import ChatTemplate, ChatTemplateError
from .decode_stream import DecodeStream
from .encoding import Encoding
from .patterns import PATTERNS
from .plain import plain_backend
from .published import (
    encoding_for_model,
    encoding_name_for_model,
    get_encoding,
    list_encoding_names,
)
from .rank_files import read_gpt2_ranks, read_ranks, write_ranks
from .segmented import Segmented
from .sentence_piece import SentencePieceModel
from .tokenizer import Tokenizer
from .training import train_tokenizer
from .well_formed import well_formed
from .word_piece import read_vocab_file, word_piece_backend

__all__ = [
    "BatchEncoding",
    "BytePairEncoding",
    "ChatTemplate",
    "ChatTemplateError",
    "DecodeStream",
    "Encoding",
    "PATTERNS",
    "Segmented",
    "SentencePieceModel",
    "Tokenizer",
    "basic_english_normalize",
    "byte_level_backend",
    "encoding_for_model",
    "encoding_name_for_model",
    "get_encoding",
    "get_tokenizer",
    "list_encoding_names",
    "plain_backend",
    "read_clip_merges",
    "read_gpt2_ranks",
    "read_merges",
    "read_ranks",
    "read_vocab_file",
    "read_vocab_json",
    "train_tokenizer",
    "well_formed",
    "word_piece_backend",
    "write_ranks",
]

_OF_LIBRARY = (
    "AddedToken",
    "decoders",
    "models",
    "normalizers",
    "pre_tokenizers",
    "processors",
    "trainers",
)


def __getattr__(name: str) -> _Any:
    if name in _OF_LIBRARY:
        from .loading import library

        return getattr(library(), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

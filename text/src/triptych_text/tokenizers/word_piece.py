"""WordPiece, the way BERT cuts text: from a vocabulary file to a `tokenizers` pipeline."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError

__all__ = ["SPECIAL_TOKENS", "read_vocab_file", "word_piece_backend"]

SPECIAL_TOKENS = {
    "pad": "[PAD]",
    "unk": "[UNK]",
    "cls": "[CLS]",
    "sep": "[SEP]",
    "mask": "[MASK]",
}
NEEDED = ("unk", "cls", "sep")  # without these no sentence can be encoded
MAX_WORD_LENGTH = 100  # characters; longer words become [UNK]. Source: BERT's tokenization.py


def read_vocab_file(path: str | os.PathLike[str]) -> dict[str, int]:
    """Vocabulary of a `vocab.txt`: one token a line, its id is the number of the line.

    Args:
        path: the file, UTF-8.

    Returns:
        token -> id.

    Raises:
        FileFormatError: it is not UTF-8, or a token stands on two lines.
        FileNotFoundError: there is no such file.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"read_vocab_file: {path} is not UTF-8 text: {error}") from error
    tokens = [line.removesuffix("\r") for line in lines]
    if tokens and tokens[-1] == "":
        tokens.pop()
    vocab: dict[str, int] = {}
    for index, token in enumerate(tokens):
        if vocab.setdefault(token, index) != index:
            raise FileFormatError(
                f"read_vocab_file: {path}: token {token!r} stands on line {vocab[token] + 1} and "
                f"again on line {index + 1}; every token has one id"
            )
    return vocab


def word_piece_backend(
    vocab: Mapping[str, int], *, lowercase: bool = True, strip_accents: bool | None = None
) -> Any:
    """Pipeline that normalises, splits and encodes as BERT does.

    Args:
        vocab: token -> id; needs [UNK], [CLS] and [SEP].
        lowercase: as the model was trained: true for "uncased" ones.
        strip_accents: default as `lowercase`.

    Returns:
        A `tokenizers.Tokenizer`.

    Raises:
        FileFormatError: the vocabulary lacks one of the tokens named above.
    """
    import tokenizers as backend

    lacking = [SPECIAL_TOKENS[role] for role in NEEDED if SPECIAL_TOKENS[role] not in vocab]
    if lacking:
        raise FileFormatError(
            f"word_piece: the vocabulary of {len(vocab)} tokens lacks {', '.join(lacking)}; "
            "is it a WordPiece vocabulary?"
        )
    unk, cls, sep = (SPECIAL_TOKENS[role] for role in NEEDED)
    model = backend.models.WordPiece(
        dict(vocab), unk_token=unk, max_input_chars_per_word=MAX_WORD_LENGTH
    )
    pipeline = backend.Tokenizer(model)
    pipeline.add_special_tokens([token for token in SPECIAL_TOKENS.values() if token in vocab])
    pipeline.normalizer = backend.normalizers.BertNormalizer(
        lowercase=lowercase, strip_accents=strip_accents
    )
    pipeline.pre_tokenizer = backend.pre_tokenizers.BertPreTokenizer()
    pipeline.post_processor = backend.processors.TemplateProcessing(
        single=f"{cls} $A {sep}",
        pair=f"{cls} $A {sep} $B:1 {sep}:1",
        special_tokens=[(cls, vocab[cls]), (sep, vocab[sep])],
    )
    pipeline.decoder = backend.decoders.WordPiece()
    return pipeline

"""WordPiece tokens, as torchtext's BERT tokenizer gives them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from triptych.errors import FileFormatError

from ..tokenizers.word_piece import MAX_WORD_LENGTH, read_vocab_file
from ..utils import get_asset_local_path
from .per_text import PerText

__all__ = ["BERTTokenizer"]

UNKNOWN = "[UNK]"


class BERTTokenizer(PerText):
    """Tokens of texts as BERT cuts them, without special tokens around them.

    Args:
        vocab_path: path or address of a `vocab.txt`; it must have "[UNK]".
        do_lower_case: as the model was trained: true for "uncased" ones.
        strip_accents: default as do_lower_case.
        return_tokens: give tokens; else their ids as strings, for `StrToIntTransform`.
        never_split: words kept whole, such as "[MASK]".

    Raises:
        FileFormatError: the vocabulary has no "[UNK]".
    """

    def __init__(
        self,
        vocab_path: str,
        do_lower_case: bool = True,
        strip_accents: bool | None = None,
        return_tokens: bool = False,
        never_split: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self._return_tokens = return_tokens
        vocab = read_vocab_file(get_asset_local_path(vocab_path))
        if UNKNOWN not in vocab:
            raise FileFormatError(f"BERTTokenizer: {vocab_path} has no token {UNKNOWN}")
        self._pipeline = _word_pieces(vocab, do_lower_case, strip_accents)
        whole = sorted(never_split or (), key=len, reverse=True)
        self._whole = frozenset(whole)
        self._splitter = re.compile(f"({'|'.join(map(re.escape, whole))})") if whole else None

    def encode_one(self, text: str) -> list[str]:
        """Tokens, or ids as strings, of one text.

        Args:
            text: one text.
        """
        text = text.strip()
        parts = [text] if self._splitter is None else self._splitter.split(text)
        return [token for part in parts for token in self._cut(part)]

    def _cut(self, part: str) -> list[str]:
        if part in self._whole:
            tokens = self._pipeline.model.tokenize(part)
            return [t.value if self._return_tokens else str(t.id) for t in tokens]
        encoding = self._pipeline.encode(part, add_special_tokens=False)
        return list(encoding.tokens) if self._return_tokens else [str(i) for i in encoding.ids]


def _word_pieces(vocab: dict[str, int], lowercase: bool, strip_accents: bool | None) -> Any:
    import tokenizers as backend

    model = backend.models.WordPiece(
        vocab, unk_token=UNKNOWN, max_input_chars_per_word=MAX_WORD_LENGTH
    )
    pipeline = backend.Tokenizer(model)
    pipeline.normalizer = backend.normalizers.BertNormalizer(
        lowercase=lowercase, strip_accents=strip_accents
    )
    pipeline.pre_tokenizer = backend.pre_tokenizers.BertPreTokenizer()
    return pipeline

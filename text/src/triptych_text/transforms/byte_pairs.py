"""Byte-level byte-pair encoding: GPT-2's and CLIP's, with torchtext's names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError, UnknownNameError

from ..tokenizers.byte_pairs import byte_alphabet
from ..utils import get_asset_local_path
from .per_text import PerText

__all__ = ["CLIPTokenizer", "GPT2BPETokenizer"]

BYTES = 256
CLIP_SPECIALS = ("<|startoftext|>", "<|endoftext|>")
# Source: the tokenizer published with CLIP; case does not matter.
CLIP_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"

Merges = list[tuple[str, str]]


def _read_json(path: str) -> dict[str, int]:
    try:
        found = json.loads(Path(get_asset_local_path(path)).read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise FileFormatError(f"byte pairs: {path} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise FileFormatError(f"byte pairs: {path} holds no table of tokens and ids")
    return found


def _merge_lines(path: str) -> list[str]:
    """The lines of a merges file behind its first, which names the version."""
    return Path(get_asset_local_path(path)).read_text(encoding="utf-8").split("\n")[1:]


def _pairs(lines: Sequence[str], path: str) -> Merges:
    rows = [line.split() for line in lines if line.strip()]
    if any(len(row) != 2 for row in rows):
        row = next(row for row in rows if len(row) != 2)
        raise FileFormatError(f"byte pairs: {path}: wanted two parts on each line, got {row}")
    return [(first, second) for first, second in rows]


def _backend(vocab: Mapping[str, int], merges: Merges, what: str, **kwargs: Any) -> Any:
    import tokenizers as backend

    try:
        return backend.Tokenizer(backend.models.BPE(dict(vocab), merges, **kwargs))
    except Exception as error:  # the library raises plain Exception
        raise FileFormatError(f"{what}: vocabulary and merges do not fit: {error}") from error


class _BytePairs(PerText):
    _pipeline: Any
    _return_tokens: bool

    def encode_one(self, text: str) -> list[str]:
        """Tokens, or ids as strings, of one text.

        Args:
            text: one text.
        """
        ids = self._pipeline.encode(text, add_special_tokens=False).ids
        show = self._pipeline.id_to_token if self._return_tokens else str
        return [show(i) for i in ids]

    def decode(self, tokens: Sequence[str | int]) -> str:
        """Text of ids.

        Args:
            tokens: ids, as numbers or as strings.
        """
        return self._pipeline.decode([int(t) for t in tokens], skip_special_tokens=False)


class GPT2BPETokenizer(_BytePairs):
    """GPT-2's byte-level byte-pair encoding.

    Args:
        encoder_json_path: path or address of the table of tokens and ids.
        vocab_bpe_path: path or address of the merges.
        return_tokens: give tokens; else their ids as strings, for `StrToIntTransform`.

    Raises:
        FileFormatError: the files are of another kind or do not fit together.
    """

    SPECIAL_TOKENS_ATTRIBUTES = (
        "bos_token",
        "eos_token",
        "unk_token",
        "sep_token",
        "pad_token",
        "cls_token",
        "mask_token",
        "additional_special_tokens",
    )

    def __init__(
        self, encoder_json_path: str, vocab_bpe_path: str, return_tokens: bool = False
    ) -> None:
        super().__init__()
        import tokenizers as backend

        merges = _pairs(_merge_lines(vocab_bpe_path), vocab_bpe_path)
        vocab = _read_json(encoder_json_path)
        self._pipeline = _backend(vocab, merges, "GPT2BPETokenizer")
        self._pipeline.pre_tokenizer = backend.pre_tokenizers.ByteLevel(add_prefix_space=False)
        self._pipeline.decoder = backend.decoders.ByteLevel()
        self._return_tokens = return_tokens

    def add_special_tokens(self, special_tokens_dict: Mapping[str, str | Sequence[str]]) -> int:
        """Tokens that are never split; spaces beside them in a text go away.

        Args:
            special_tokens_dict: role, such as "unk_token", -> token;
                "additional_special_tokens" -> list of tokens. Those the vocabulary lacks get the
                next ids.

        Returns:
            How many the vocabulary lacked.

        Raises:
            UnknownNameError: there is no such role.
        """
        from tokenizers import AddedToken

        unknown = sorted(set(special_tokens_dict) - set(self.SPECIAL_TOKENS_ATTRIBUTES))
        if unknown:
            raise UnknownNameError(
                f"GPT2BPETokenizer.add_special_tokens: no role {unknown[0]!r}; there are "
                f"{', '.join(self.SPECIAL_TOKENS_ATTRIBUTES)}"
            )
        wanted: list[str] = []
        for value in special_tokens_dict.values():
            wanted += [value] if isinstance(value, str) else list(value)
        before = self._pipeline.get_vocab_size()
        self._pipeline.add_special_tokens(
            [AddedToken(t, lstrip=True, rstrip=True, normalized=False) for t in wanted]
        )
        return int(self._pipeline.get_vocab_size() - before)


class CLIPTokenizer(_BytePairs):
    """CLIP's byte-level byte-pair encoding, in lower case, with "</w>" at the ends of words.

    Args:
        merges_path: path or address of the merges.
        encoder_json_path: path or address of the table of tokens and ids; without it the table
            follows from the merges.
        num_merges: how many merges to read; default all, or as many as the table has room for.
        return_tokens: give tokens; else their ids as strings, for `StrToIntTransform`.

    Raises:
        FileFormatError: the files are of another kind or do not fit together.
    """

    def __init__(
        self,
        merges_path: str,
        encoder_json_path: str | None = None,
        num_merges: int | None = None,
        return_tokens: bool = False,
    ) -> None:
        super().__init__()
        import tokenizers as backend

        lines = _merge_lines(merges_path)
        if encoder_json_path:
            vocab = _read_json(encoder_json_path)
            num_merges = len(vocab) - 2 * BYTES - len(CLIP_SPECIALS)
        lines = lines[: num_merges or len(lines)]
        if not encoder_json_path:
            vocab = _clip_vocab(lines)
        self._pipeline = _backend(
            vocab, _pairs(lines, merges_path), "CLIPTokenizer", end_of_word_suffix="</w>"
        )
        self._pipeline.add_special_tokens([t for t in CLIP_SPECIALS if t in vocab])
        cut = backend.pre_tokenizers.Split(
            backend.Regex(f"(?i){CLIP_PATTERN}"), behavior="removed", invert=True
        )
        as_bytes = backend.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        self._pipeline.pre_tokenizer = backend.pre_tokenizers.Sequence([cut, as_bytes])
        self._pipeline.decoder = backend.decoders.Sequence(
            [backend.decoders.Replace("</w>", " "), backend.decoders.ByteLevel()]
        )
        self._return_tokens = return_tokens

    def encode_one(self, text: str) -> list[str]:
        """Tokens, or ids as strings, of one text.

        Args:
            text: one text.
        """
        return super().encode_one(text.lower().strip())


def _clip_vocab(lines: Sequence[str]) -> dict[str, int]:
    chars = list(byte_alphabet().values())
    tokens = [*chars, *(c + "</w>" for c in chars), *("".join(line.split()) for line in lines)]
    # An empty line keeps its id, as in torchtext, but is no token.
    return {t: i for i, t in enumerate([*tokens, *CLIP_SPECIALS]) if t}

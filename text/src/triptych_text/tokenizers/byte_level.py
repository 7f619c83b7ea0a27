"""Byte-level BPE of published families: vocabulary and merges to a `tokenizers` pipeline."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from triptych import Registry
from triptych.errors import FileFormatError

from .byte_pairs import byte_alphabet

__all__ = ["FAMILIES", "byte_level_backend", "read_clip_merges", "read_merges", "read_vocab_json"]

Merges = Sequence[tuple[str, str]]
CLIP_START, CLIP_END = "<|startoftext|>", "<|endoftext|>"
# Source of the pattern and the number of merges: CLIP's simple_tokenizer.py
CLIP_PATTERN = (
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d"
    r"|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
)
CLIP_MERGES = 49152 - 256 - 2  # as many as CLIP uses of its file


def read_vocab_json(path: str | os.PathLike[str]) -> dict[str, int]:
    """Vocabulary of a `vocab.json`.

    Args:
        path: a JSON object, token -> id.

    Raises:
        FileFormatError: it is something else.
        FileNotFoundError: there is no such file.
    """
    try:
        vocab = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise FileFormatError(f"read_vocab_json: {path} is not JSON: {error}") from error
    if not isinstance(vocab, dict) or not all(type(i) is int for i in vocab.values()):
        raise FileFormatError(f"read_vocab_json: {path} is no object of token -> id")
    return vocab


def read_merges(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """Merges of a `merges.txt`: two parts a line, first what joins first.

    Args:
        path: the file; a first line "#version" is passed over.

    Raises:
        FileFormatError: a line has not two parts.
        FileNotFoundError: there is no such file.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"read_merges: {path} is not UTF-8 text: {error}") from error
    return _pairs(text.split("\n"), str(path))


def _pairs(lines: list[str], source: str) -> list[tuple[str, str]]:
    pairs = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or (number == 1 and line.startswith(("#version", '"bpe_simple'))):
            continue
        parts = line.split(" ")
        if len(parts) != 2:
            raise FileFormatError(
                f"read_merges: {source}, line {number}: wanted two parts and a space between "
                f"them, got {line[:60]!r}"
            )
        pairs.append((parts[0], parts[1]))
    return pairs


def read_clip_merges(
    path: str | os.PathLike[str],
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary and merges of CLIP's `bpe_simple_vocab_16e6.txt.gz`.

    Args:
        path: the file, packed by gzip or not.

    Returns:
        token -> id, and the merges.

    Raises:
        FileFormatError: it is something else.
        FileNotFoundError: there is no such file.

    Source: CLIP's simple_tokenizer.py: bytes, bytes at a word's end, merges, two special tokens.
    """
    content = Path(path).read_bytes()
    try:
        content = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
        lines = content.decode().split("\n")
    except (OSError, EOFError, ValueError) as error:
        raise FileFormatError(f"read_clip_merges: {path} is damaged: {error}") from error
    merges = _pairs(lines[: CLIP_MERGES + 1], str(path))
    if not merges:
        raise FileFormatError(f"read_clip_merges: {path} holds no merges")
    letters = list(byte_alphabet().values())
    tokens = [*letters, *(letter + "</w>" for letter in letters)]
    tokens += ["".join(pair) for pair in merges]
    return {token: i for i, token in enumerate([*tokens, CLIP_START, CLIP_END])}, merges


FAMILIES: Registry[Any] = Registry("family of byte-level tokenizers")


def byte_level_backend(
    vocab: Mapping[str, int], merges: Merges, family: str = "gpt2", **options: Any
) -> Any:
    """Pipeline of a published family of byte-level BPE.

    Args:
        vocab: token -> id.
        merges: pairs of parts, first what joins first.
        family: "gpt2", "roberta" (also BART) or "clip".
        **options: `add_prefix_space` for gpt2 and roberta.

    Returns:
        A `tokenizers.Tokenizer`.

    Raises:
        FileFormatError: a merge makes a token the vocabulary lacks, or a special token of the
            family is missing.
        UnknownNameError: there is no such family.
    """
    build = FAMILIES[family]
    for left, right in merges:
        made = left + right
        if made not in vocab or left not in vocab or right not in vocab:
            lacking = next(t for t in (left, right, made) if t not in vocab)
            raise FileFormatError(
                f"byte_level: the merge {left!r} + {right!r} needs the token {lacking!r}, which "
                f"the vocabulary of {len(vocab)} lacks; are the two files of one model?"
            )
    return build(dict(vocab), list(merges), **options)


def _gpt2(vocab: dict[str, int], merges: Merges, add_prefix_space: bool = False) -> Any:
    import tokenizers as backend

    pipeline = backend.Tokenizer(backend.models.BPE(vocab, list(merges)))
    pipeline.pre_tokenizer = backend.pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    pipeline.decoder = backend.decoders.ByteLevel()
    pipeline.post_processor = backend.processors.ByteLevel(trim_offsets=False)
    pipeline.add_special_tokens([t for t in ("<|endoftext|>",) if t in vocab])
    return pipeline


def _roberta(vocab: dict[str, int], merges: Merges, add_prefix_space: bool = False) -> Any:
    import tokenizers as backend

    names = ("<s>", "</s>", "<unk>", "<pad>", "<mask>")
    _need(vocab, names[:2], "RoBERTa")
    pipeline = _gpt2(vocab, merges, add_prefix_space)
    pipeline.post_processor = backend.processors.RobertaProcessing(
        ("</s>", vocab["</s>"]),
        ("<s>", vocab["<s>"]),
        trim_offsets=True,
        add_prefix_space=add_prefix_space,
    )
    added = [backend.AddedToken(t, lstrip=t == "<mask>", special=True) for t in names if t in vocab]
    pipeline.add_special_tokens(added)
    return pipeline


def _clip(vocab: dict[str, int], merges: Merges) -> Any:
    import tokenizers as backend

    _need(vocab, (CLIP_START, CLIP_END), "CLIP")
    model = backend.models.BPE(vocab, list(merges), end_of_word_suffix="</w>", unk_token=CLIP_END)
    pipeline = backend.Tokenizer(model)
    pipeline.normalizer = backend.normalizers.Sequence(
        [
            backend.normalizers.NFC(),
            backend.normalizers.Replace(backend.Regex(r"\s+"), " "),
            backend.normalizers.Lowercase(),
        ]
    )
    pipeline.pre_tokenizer = backend.pre_tokenizers.Sequence(
        [
            backend.pre_tokenizers.Split(
                backend.Regex(CLIP_PATTERN), behavior="removed", invert=True
            ),
            backend.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    pipeline.decoder = backend.decoders.Sequence(
        [
            backend.decoders.ByteLevel(),
            backend.decoders.Replace("</w>", " "),
            backend.decoders.Replace(backend.Regex(r" \z"), ""),
        ]
    )
    pipeline.post_processor = backend.processors.RobertaProcessing(
        (CLIP_END, vocab[CLIP_END]),
        (CLIP_START, vocab[CLIP_START]),
        trim_offsets=False,
        add_prefix_space=False,
    )
    pipeline.add_special_tokens([CLIP_START, CLIP_END])
    return pipeline


def _need(vocab: Mapping[str, int], names: Sequence[str], family: str) -> None:
    lacking = [name for name in names if name not in vocab]
    if lacking:
        raise FileFormatError(
            f"byte_level: {family} needs {', '.join(lacking)}, which the vocabulary lacks"
        )


for _name, _builder in (("gpt2", _gpt2), ("roberta", _roberta), ("clip", _clip)):
    FAMILIES.register(_name, _builder)

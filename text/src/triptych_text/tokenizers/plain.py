"""Tokenizers of whole words, single characters, or what a regular expression matches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triptych import Registry
from triptych.errors import DomainError, UnknownNameError

__all__ = ["SPLITTERS", "plain_backend"]

SPLITTERS: Registry[Any] = Registry("way to split")
SPLITTERS.register("words", r"\w+|[^\w\s]+")
SPLITTERS.register("whitespace", r"\S+")
SPLITTERS.register("characters", r"[\s\S]")


def plain_backend(
    vocab: Mapping[str, int],
    split: str = "words",
    *,
    unk_token: str = "[UNK]",
    lowercase: bool = False,
) -> Any:
    """Pipeline whose tokens are the matches of a pattern.

    Args:
        vocab: token -> id.
        split: "words" (words, and runs of other marks), "whitespace", "characters", or a regular
            expression whose matches are the tokens.
        unk_token: for what the vocabulary lacks.
        lowercase: look tokens up in lower case.

    Returns:
        A `tokenizers.Tokenizer`; it decodes words with a space between them, and characters
        without.

    Raises:
        DomainError: `split` is no regular expression.
        UnknownNameError: `unk_token` is not in the vocabulary.
    """
    import tokenizers as backend

    if unk_token not in vocab:
        raise UnknownNameError(
            f"plain_backend: unk_token {unk_token!r} is not in the vocabulary of {len(vocab)}; "
            "add it, or name another"
        )
    known = split in SPLITTERS
    pattern = SPLITTERS[split] if known else split
    try:
        cut = backend.pre_tokenizers.Split(backend.Regex(pattern), behavior="removed", invert=True)
    except Exception as error:  # the library raises plain Exception for a bad pattern
        raise DomainError(
            f"plain_backend: split is one of {', '.join(SPLITTERS.names())} or a regular "
            f"expression, got {split!r}: {error}"
        ) from error
    pipeline = backend.Tokenizer(backend.models.WordLevel(dict(vocab), unk_token=unk_token))
    if lowercase:
        pipeline.normalizer = backend.normalizers.Lowercase()
    pipeline.pre_tokenizer = cut
    if split == "characters":
        pipeline.decoder = backend.decoders.Fuse()
    pipeline.add_special_tokens([unk_token])
    return pipeline

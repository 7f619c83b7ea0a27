"""Lexica, tokens and language models that torchaudio offers for its decoder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from triptych.errors import UnknownNameError
from triptych_datasets import Artifact, fetch

__all__ = ["PretrainedFiles", "download_pretrained_files"]

HOST = "https://download.pytorch.org/torchaudio"


def _asset(model: str, name: str) -> Artifact:
    path = f"decoder-assets/{model}/{name}"
    return Artifact(
        path, sources=(f"{HOST}/{path}",), description="for ctc_decoder", unverified=True
    )


# Names of models and files: torchaudio 2.8, models/decoder/_ctc_decoder.py; it states no hashes.
FILES = {
    model: tuple(_asset(model, name) for name in ("lexicon.txt", "tokens.txt", *language_model))
    for model, language_model in {
        "librispeech": (),
        "librispeech-3-gram": ("lm.bin",),
        "librispeech-4-gram": ("lm.bin",),
    }.items()
}


class PretrainedFiles(NamedTuple):
    """Where the files are.

    Args:
        lexicon: words and their spellings.
        tokens: labels.
        lm: language model, in KenLM's binary format; None for "librispeech".
    """

    lexicon: str
    tokens: str
    lm: str | None


def download_pretrained_files(model: str) -> PretrainedFiles:
    """Files for `ctc_decoder`, fetched when they are not in the cache.

    Lexicon and tokens can be used as they are. The language models are binary files of KenLM, which
    `ctc_decoder` cannot read: convert their ARPA originals, or use them with KenLM.

    Args:
        model: "librispeech", "librispeech-3-gram" or "librispeech-4-gram".

    Returns:
        Their paths.

    Raises:
        UnknownNameError: another name.
        triptych_datasets.FetchError: a file could not be had.
    """
    if model not in FILES:
        raise UnknownNameError(
            f"download_pretrained_files: model is one of {sorted(FILES)}, got {model!r}"
        )
    paths: list[Path] = [fetch(artifact) for artifact in FILES[model]]
    lexicon, tokens, *lm = map(str, paths)
    return PretrainedFiles(lexicon, tokens, lm[0] if lm else None)

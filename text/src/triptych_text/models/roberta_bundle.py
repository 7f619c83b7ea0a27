"""torchtext's pretrained RoBERTa and XLM-R encoders.

Source: torchtext 0.18, models.roberta.bundler, for names, defaults and addresses.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from triptych import nn
from triptych.errors import FileFormatError
from triptych_datasets import Artifact

from ..transforms.presets import roberta_transform, xlmr_transform
from .roberta_torchtext import RobertaEncoderConf, TorchtextRobertaModel
from .torchtext_files import Checkpoint, state_dict_of, torchtext_artifact

__all__ = ["BUNDLES", "RobertaBundle"]


@dataclass
class RobertaBundle:
    """A pretrained encoder of torchtext's: settings, weights, transform.

    Args:
        _encoder_conf: settings.
        _path: record of the weights' file.
        _head: head of `get_model` when it is given none.
        transform: makes the transform, texts to ids; `functional.to_tensor(ids, padding_value=1)`
            makes a batch of them.

    Example:
        >>> from triptych_text.models import RobertaClassificationHead, ROBERTA_BASE_ENCODER
        >>> ROBERTA_BASE_ENCODER.encoderConf.num_encoder_layers
        12
        >>> head = RobertaClassificationHead(num_classes=2, input_dim=768)
        >>> model = ROBERTA_BASE_ENCODER.get_model(head=head)  # doctest: +SKIP
    """

    _encoder_conf: RobertaEncoderConf
    _path: Artifact | None = None
    _head: nn.Module | None = None
    transform: Callable[[], nn.Module] | None = None

    @property
    def encoderConf(self) -> RobertaEncoderConf:
        """The settings."""
        return self._encoder_conf

    def get_model(
        self,
        *,
        head: nn.Module | None = None,
        load_weights: bool = True,
        freeze_encoder: bool = False,
        dl_kwargs: Mapping[str, Any] | None = None,
    ) -> TorchtextRobertaModel:
        """The model.

        Args:
            head: takes features (n, l, d); with its own weights, whatever the checkpoint has.
            load_weights: with the pretrained weights, which are fetched first.
            freeze_encoder: the encoder's parameters take no gradients.
            dl_kwargs: `progress`, of the download.

        Raises:
            FileFormatError: there are no weights for this bundle.
            triptych_datasets.DatasetsError: the file cannot be fetched.

        Warns:
            UserWarning: fresh weights are frozen.
        """
        if load_weights and self._path is None:
            raise FileFormatError("RobertaBundle: there are no weights; pass load_weights=False")
        if freeze_encoder and not load_weights:
            text = "RobertaBundle: fresh weights are frozen, and cannot learn"
            warnings.warn(text, UserWarning, stacklevel=2)
        return self.build_model(
            self._encoder_conf,
            head=self._head if head is None else head,
            freeze_encoder=freeze_encoder,
            checkpoint=self._path if load_weights else None,
            override_checkpoint_head=True,
            strict=False,
            dl_kwargs=dl_kwargs,
        )

    @classmethod
    def build_model(
        cls,
        encoder_conf: RobertaEncoderConf,
        *,
        head: nn.Module | None = None,
        freeze_encoder: bool = False,
        checkpoint: Checkpoint | None = None,
        override_checkpoint_head: bool = False,
        strict: bool = False,
        dl_kwargs: Mapping[str, Any] | None = None,
    ) -> TorchtextRobertaModel:
        """A model with weights of one's own.

        Args:
            encoder_conf: settings.
            head: takes features (n, l, d).
            freeze_encoder: the encoder's parameters take no gradients.
            checkpoint: a state dict with torchtext's names; the path, or https address, of a file
                of one; or its `Artifact`.
            override_checkpoint_head: the head keeps its weights, even if the checkpoint has some.
            strict: refuse missing and unexpected names.
            dl_kwargs: `progress`, of the download.

        Raises:
            DTypeError: the checkpoint is something else.
            RuntimeError: shapes differ; or strict, and the names do not fit.
        """
        model = TorchtextRobertaModel(encoder_conf, head, freeze_encoder)
        if checkpoint is None:
            return model
        tensors = state_dict_of("RobertaBundle", checkpoint, dl_kwargs)
        own = {name: t for name, t in model.state_dict().items() if name.startswith("head.")}
        if override_checkpoint_head or not all(name in tensors for name in own):
            tensors.update(own)
        model.load_state_dict(tensors, strict=strict)
        return model


_LARGE: dict[str, Any] = {
    "embedding_dim": 1024,
    "ffn_dimension": 4096,
    "num_attention_heads": 16,
    "num_encoder_layers": 24,
}
# Name -> file, licence, transform, longest text in tokens, settings
_BUNDLES: dict[str, tuple[str, str, Callable[[int], nn.Module], int, dict[str, Any]]] = {
    "ROBERTA_BASE_ENCODER": ("roberta.base", "MIT", roberta_transform, 254, {}),
    "ROBERTA_DISTILLED_ENCODER": (
        "roberta.distilled",
        "Apache-2.0",
        roberta_transform,
        510,
        {"num_encoder_layers": 6},
    ),
    "ROBERTA_LARGE_ENCODER": ("roberta.large", "MIT", roberta_transform, 510, _LARGE),
    "XLMR_BASE_ENCODER": ("xlmr.base", "MIT", xlmr_transform, 254, {"vocab_size": 250002}),
    "XLMR_LARGE_ENCODER": (
        "xlmr.large",
        "MIT",
        xlmr_transform,
        510,
        {"vocab_size": 250002, **_LARGE},
    ),
}

BUNDLES: dict[str, RobertaBundle] = {
    name: RobertaBundle(
        RobertaEncoderConf(**settings),
        torchtext_artifact(f"{file}.encoder.pt", licence, "encoder of torchtext's"),
        transform=partial(transform, length),
    )
    for name, (file, licence, transform, length, settings) in _BUNDLES.items()
}
"""Bundles by name, such as "ROBERTA_BASE_ENCODER"."""

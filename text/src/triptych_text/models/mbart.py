"""mBART: BART with norms before the parts, for many languages.

Source: Liu et al. 2020, "Multilingual Denoising Pre-training for Neural Machine Translation".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import triptych as tp
from triptych import Tensor

from .bart import BartForConditionalGeneration, BartForSequenceClassification, BartModel
from .bart_layers import BartConfig
from .config import ModelConfig
from .seq2seq import IGNORED

__all__ = [
    "MBartConfig",
    "MBartForConditionalGeneration",
    "MBartForSequenceClassification",
    "MBartModel",
]


@dataclass(kw_only=True)
class MBartConfig(BartConfig):
    """Settings of mBART. See `BartConfig`."""

    model_type: ClassVar[str] = "mbart"
    default_num_labels: ClassVar[int] = 2
    pre_norm: ClassVar[bool] = True

    decoder_start_token_id: int | None = None


def wrap_language(labels: Tensor, padding: int) -> Tensor:
    """Inputs of mBART's decoder: the labels' last token, a language's id, comes first.

    Args:
        labels: (n, t) int64, -100 or padding at the end.
        padding: id of the padding token.

    Returns:
        (n, t) int64.

    Example:
        >>> wrap_language(tp.tensor([[5, 2, 9], [2, 9, -100]]), 1).tolist()
        [[9, 5, 2], [9, 2, 9]]
    """
    known = tp.where(labels == IGNORED, padding, labels)
    last = (known != padding).sum(1) - 1
    first = known[tp.arange(len(last)), last]
    return tp.cat([first[:, None], known[:, :-1]], 1)


class MBartModel(BartModel):
    """mBART without a head.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = MBartConfig

    def start_ids(self, input_ids: Tensor | None) -> Tensor:
        """(n, l) int64: the text itself, its language first.

        Raises:
            ShapeError: there is no text.
        """
        padding = self.config.pad_token_id
        if input_ids is None or padding is None:
            return super().start_ids(input_ids)
        return wrap_language(input_ids, padding)


class MBartForConditionalGeneration(BartForConditionalGeneration):
    """mBART with scores of the next token.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = MBartConfig
    model_class: ClassVar[type[BartModel]] = MBartModel

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        """(n, t) inputs of the decoder for which it is to write the labels."""
        padding = self.config.pad_token_id
        return wrap_language(labels, 1 if padding is None else padding)


class MBartForSequenceClassification(BartForSequenceClassification):
    """mBART with classes of texts.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = MBartConfig
    model_class: ClassVar[type[BartModel]] = MBartModel

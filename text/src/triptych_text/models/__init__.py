"""Language models: built from settings, or pretrained from a folder or by name.

Classes such as `BertModel` load when first used; `architectures.ARCHITECTURES` lists them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .architectures import ARCHITECTURES, find_architecture, from_config
from .base import PretrainedModel
from .loading import from_pretrained

if TYPE_CHECKING:
    from .bert import BertConfig, BertModel
    from .bert_heads import (
        BertForMaskedLM,
        BertForQuestionAnswering,
        BertForSequenceClassification,
        BertForTokenClassification,
    )
    from .distilbert import (
        DistilBertConfig,
        DistilBertForMaskedLM,
        DistilBertForQuestionAnswering,
        DistilBertForSequenceClassification,
        DistilBertForTokenClassification,
        DistilBertModel,
    )
    from .roberta import (
        RobertaConfig,
        RobertaForMaskedLM,
        RobertaForQuestionAnswering,
        RobertaForSequenceClassification,
        RobertaForTokenClassification,
        RobertaModel,
        XLMRobertaConfig,
        XLMRobertaForMaskedLM,
        XLMRobertaForQuestionAnswering,
        XLMRobertaForSequenceClassification,
        XLMRobertaForTokenClassification,
        XLMRobertaModel,
    )

__all__ = [
    "ARCHITECTURES",
    "BertConfig",
    "BertForMaskedLM",
    "BertForQuestionAnswering",
    "BertForSequenceClassification",
    "BertForTokenClassification",
    "BertModel",
    "DistilBertConfig",
    "DistilBertForMaskedLM",
    "DistilBertForQuestionAnswering",
    "DistilBertForSequenceClassification",
    "DistilBertForTokenClassification",
    "DistilBertModel",
    "PretrainedModel",
    "RobertaConfig",
    "RobertaForMaskedLM",
    "RobertaForQuestionAnswering",
    "RobertaForSequenceClassification",
    "RobertaForTokenClassification",
    "RobertaModel",
    "XLMRobertaConfig",
    "XLMRobertaForMaskedLM",
    "XLMRobertaForQuestionAnswering",
    "XLMRobertaForSequenceClassification",
    "XLMRobertaForTokenClassification",
    "XLMRobertaModel",
    "from_config",
    "from_pretrained",
]


def __getattr__(name: str) -> Any:
    if name in ARCHITECTURES:
        return find_architecture(name)
    stem = name.removesuffix("Config")
    if stem != name and f"{stem}Model" in ARCHITECTURES:
        return find_architecture(f"{stem}Model").config_class
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

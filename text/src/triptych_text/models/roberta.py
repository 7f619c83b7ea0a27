"""RoBERTa and XLM-RoBERTa: BERT with other places, vocabularies and heads.

Source: Liu et al. 2019, "RoBERTa: A Robustly Optimized BERT Pretraining Approach"; Conneau et al.
2019, "Unsupervised Cross-lingual Representation Learning at Scale".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import triptych as tp
from triptych import Tensor, nn
from triptych.nn import functional as F

from .base import PretrainedModel, Ties, draw_weights
from .bert import BertConfig, BertEmbeddings, BertModel
from .bert_heads import BertForMultipleChoice
from .config import ModelConfig
from .heads import MaskedLM, QuestionAnswering, SequenceClassification, TokenClassification
from .outputs import EncoderOutput

__all__ = [
    "RobertaConfig",
    "RobertaForMaskedLM",
    "RobertaForMultipleChoice",
    "RobertaForQuestionAnswering",
    "RobertaForSequenceClassification",
    "RobertaForTokenClassification",
    "RobertaModel",
    "XLMRobertaConfig",
    "XLMRobertaForMaskedLM",
    "XLMRobertaForMultipleChoice",
    "XLMRobertaForQuestionAnswering",
    "XLMRobertaForSequenceClassification",
    "XLMRobertaForTokenClassification",
    "XLMRobertaModel",
]


@dataclass(kw_only=True)
class RobertaConfig(BertConfig):
    """Settings of RoBERTa; arguments as in `BertConfig`."""

    model_type: ClassVar[str] = "roberta"

    vocab_size: int = 50265
    pad_token_id: int | None = 1
    max_position_embeddings: int = 514
    type_vocab_size: int = 1
    layer_norm_eps: float = 1e-5


@dataclass(kw_only=True)
class XLMRobertaConfig(RobertaConfig):
    """Settings of XLM-RoBERTa; arguments as in `BertConfig`."""

    model_type: ClassVar[str] = "xlm-roberta"

    vocab_size: int = 250002


class RobertaEmbeddings(BertEmbeddings):
    """Places count over tokens that are no padding, and start behind the padding's id."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config)
        self.position_embeddings.padding_idx = config.pad_token_id  # padding learns no place

    def default_places(self, input_ids: Tensor) -> Tensor:
        """(n, l, d) of places."""
        padding = self.word_embeddings.padding_idx
        real = (input_ids != padding).to(tp.int64)
        return self.position_embeddings(real.cumsum(1) * real + padding)


class RobertaModel(BertModel):
    """The encoder of RoBERTa.

    Args:
        config: its settings.
        add_pooling_layer: with a pooler over the first token.
    """

    config_class: ClassVar[type[ModelConfig]] = RobertaConfig
    base_prefix: ClassVar[str] = "roberta"
    embeddings_class: ClassVar[type[BertEmbeddings]] = RobertaEmbeddings

    def __new__(cls, config: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Settings of torchtext's, `RobertaEncoderConf`, make torchtext's model of this name."""
        from .roberta_torchtext import RobertaEncoderConf, TorchtextRobertaModel

        conf = kwargs.pop("encoder_conf", config)
        if isinstance(conf, RobertaEncoderConf):
            return TorchtextRobertaModel(conf, *args, **kwargs)
        return super().__new__(cls)

    def __init__(self, config: RobertaConfig, add_pooling_layer: bool = True) -> None:
        if config.pad_token_id is None:
            raise ValueError("RobertaConfig: pad_token_id must be set, places are counted from it")
        super().__init__(config, add_pooling_layer)
        # Places 0 to pad_token_id are never used by tokens.
        self.max_length = config.max_position_embeddings - config.pad_token_id - 1


class RobertaClassifier(nn.Module):
    """Classes of a text from its first token."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.head_dropout)
        self.out_proj = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, l, d) to (n, c)."""
        x = tp.tanh(self.dense(self.dropout(hidden[:, 0])))
        return self.out_proj(self.dropout(x))


class RobertaForSequenceClassification(SequenceClassification):
    """Classes, or a number, for each text.

    Args:
        config: settings; the number of classes is that of id2label.
    """

    config_class: ClassVar[type[ModelConfig]] = RobertaConfig
    base_prefix: ClassVar[str] = "roberta"
    encoder_class: ClassVar[type[PretrainedModel]] = RobertaModel

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config, add_pooling_layer=False)
        self.classifier = RobertaClassifier(config)
        draw_weights([self.classifier], config.initializer_range)

    def score(self, encoded: EncoderOutput) -> Tensor:
        """(n, c) logits from the first token."""
        return self.classifier(encoded.last_hidden_state)


class RobertaForMultipleChoice(BertForMultipleChoice):
    """The choice among several texts, from the pooled first token.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = RobertaConfig
    base_prefix: ClassVar[str] = "roberta"
    encoder_class: ClassVar[type[PretrainedModel]] = RobertaModel


class RobertaForTokenClassification(TokenClassification):
    """Classes for each token.

    Args:
        config: settings; the number of classes is that of id2label.
    """

    config_class: ClassVar[type[ModelConfig]] = RobertaConfig
    base_prefix: ClassVar[str] = "roberta"
    encoder_class: ClassVar[type[PretrainedModel]] = RobertaModel

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config, add_pooling_layer=False)


class RobertaForQuestionAnswering(QuestionAnswering):
    """The first and the last token of the answer to a question about a text.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = RobertaConfig
    base_prefix: ClassVar[str] = "roberta"
    encoder_class: ClassVar[type[PretrainedModel]] = RobertaModel

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config, add_pooling_layer=False)


class RobertaLMHead(nn.Module):
    """Scores of all words at each place."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        self.bias = nn.Parameter(tp.zeros(config.vocab_size))

    def forward(self, x: Tensor) -> Tensor:
        """(n, l, d) to (n, l, v)."""
        return self.decoder(self.layer_norm(F.gelu(self.dense(x))))


class RobertaForMaskedLM(MaskedLM):
    """Words for the gaps in a text.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = RobertaConfig
    base_prefix: ClassVar[str] = "roberta"
    encoder_class: ClassVar[type[PretrainedModel]] = RobertaModel
    stand_ins: ClassVar[Ties] = {"lm_head.decoder.bias": "lm_head.bias"}
    tied_embeddings: ClassVar[Ties] = {
        "lm_head.decoder.weight": "roberta.embeddings.word_embeddings.weight",
        **stand_ins,
    }

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config, add_pooling_layer=False)
        self.lm_head = RobertaLMHead(config)
        draw_weights([self.lm_head], config.initializer_range)
        self.tie_weights()

    def score(self, hidden: Tensor) -> Tensor:
        """(n, l, d) to (n, l, v)."""
        return self.lm_head(hidden)


class XLMRobertaModel(RobertaModel):
    """The encoder of XLM-RoBERTa: RoBERTa for a hundred languages."""

    config_class: ClassVar[type[ModelConfig]] = XLMRobertaConfig


class XLMRobertaForSequenceClassification(RobertaForSequenceClassification):
    """Classes, or a number, for each text."""

    config_class: ClassVar[type[ModelConfig]] = XLMRobertaConfig


class XLMRobertaForMultipleChoice(RobertaForMultipleChoice):
    """The choice among several texts."""

    config_class: ClassVar[type[ModelConfig]] = XLMRobertaConfig


class XLMRobertaForTokenClassification(RobertaForTokenClassification):
    """Classes for each token."""

    config_class: ClassVar[type[ModelConfig]] = XLMRobertaConfig


class XLMRobertaForQuestionAnswering(RobertaForQuestionAnswering):
    """The first and the last token of the answer to a question about a text."""

    config_class: ClassVar[type[ModelConfig]] = XLMRobertaConfig


class XLMRobertaForMaskedLM(RobertaForMaskedLM):
    """Words for the gaps in a text."""

    config_class: ClassVar[type[ModelConfig]] = XLMRobertaConfig

"""ELECTRA: BERT's layers, trained to tell replaced words from real ones.

Names of parameters are those of the Hugging Face checkpoints.

Source: Clark et al. 2020, "ELECTRA: Pre-training Text Encoders as Discriminators Rather Than
Generators".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from triptych import Tensor, nn

from .base import draw_weights
from .bert import BertConfig, BertEmbeddings, BertModel
from .config import ModelConfig

__all__ = ["ElectraConfig", "ElectraModel"]


@dataclass(kw_only=True)
class ElectraConfig(BertConfig):
    """Settings of ELECTRA; the defaults are those of the small discriminator.

    Args:
        embedding_size: width of the embeddings, mapped to d where it differs.
        summary_type: what stands for a text in multiple choice: "first", "last", "mean", or
            "cls_index", which is the last.
        summary_use_proj: with a map behind it.
        summary_activation: name of the activation behind the map; None for none.
        summary_first_dropout, summary_last_dropout: shares of activations set to zero before the
            map and at the end.

    The others are as in `BertConfig`.
    """

    model_type: ClassVar[str] = "electra"

    embedding_size: int = 128
    hidden_size: int = 256
    num_attention_heads: int = 4
    intermediate_size: int = 1024
    summary_type: str = "first"
    summary_use_proj: bool = True
    summary_activation: str | None = "gelu"
    summary_first_dropout: float = 0.0
    summary_last_dropout: float = 0.1


class ElectraEmbeddings(BertEmbeddings):
    """BERT's embeddings in a width of their own."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config, config.embedding_size)


class ElectraModel(BertModel):
    """The encoder of ELECTRA, of the discriminator or of the generator.

    Args:
        config: its settings.

    Example:
        >>> import triptych as tp
        >>> config = ElectraConfig(vocab_size=9, embedding_size=4, hidden_size=8,
        ...                        num_hidden_layers=1, intermediate_size=16)
        >>> ElectraModel(config).eval()(tp.tensor([[1, 2, 3]])).last_hidden_state.shape
        Size([1, 3, 8])
    """

    config_class: ClassVar[type[ModelConfig]] = ElectraConfig
    base_prefix: ClassVar[str] = "electra"
    embeddings_class: ClassVar[type[BertEmbeddings]] = ElectraEmbeddings

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config, add_pooling_layer=False)
        self.embeddings_project = None
        if config.embedding_size != config.hidden_size:
            self.embeddings_project = nn.Linear(config.embedding_size, config.hidden_size)
            draw_weights([self.embeddings_project], config.initializer_range)

    def embed(
        self, input_ids: Tensor, token_type_ids: Tensor | None, position_ids: Tensor | None
    ) -> Tensor:
        """(n, l) ids to (n, l, d), what the first layer reads."""
        x = super().embed(input_ids, token_type_ids, position_ids)
        return x if self.embeddings_project is None else self.embeddings_project(x)

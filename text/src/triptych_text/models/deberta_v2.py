"""DeBERTa-v2 and v3: attention that keeps words and distances apart.

Source: He et al. 2020, "DeBERTa: Decoding-enhanced BERT with Disentangled Attention"; He et al.
2021, "DeBERTaV3".
"""

from __future__ import annotations

from typing import ClassVar

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError

from .base import PretrainedModel, check_ids, draw_weights
from .config import ModelConfig
from .deberta_v2_config import DebertaV2Config
from .deberta_v2_layers import DebertaV2Embeddings, DebertaV2Encoder
from .outputs import EncoderOutput

__all__ = ["DebertaV2Config", "DebertaV2Model"]


class DebertaV2Model(PretrainedModel):
    """The encoder of DeBERTa-v2 and v3.

    Args:
        config: its settings.

    Example:
        >>> config = DebertaV2Config(vocab_size=9, hidden_size=8, num_hidden_layers=1,
        ...     num_attention_heads=2, intermediate_size=16, relative_attention=True,
        ...     pos_att_type=["c2p", "p2c"], position_buckets=4)
        >>> DebertaV2Model(config).eval()(tp.tensor([[1, 2, 3]])).last_hidden_state.shape
        Size([1, 3, 8])
    """

    config_class: ClassVar[type[ModelConfig]] = DebertaV2Config
    base_prefix: ClassVar[str] = "deberta"
    ignored: ClassVar[tuple[str, ...]] = (r"^mask_predictions\.",)

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__(config)
        self.embeddings = DebertaV2Embeddings(config)
        self.encoder = DebertaV2Encoder(config)
        # Distances reach as far as they like; only places end.
        self.max_length = config.max_position_embeddings
        draw_weights([self], config.initializer_range)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
    ) -> EncoderOutput:
        """Encode ids.

        Args:
            input_ids: (n, l) int64, 0 <= id < vocab_size, l <= max_position_embeddings.
            attention_mask: (n, l), 1 for tokens and 0 for padding; None when there is no padding,
                which is faster than all ones. (n, l, l) says for each token what it looks at.
            token_type_ids: (n, l) segments; default all 0; not used with type_vocab_size 0.
            position_ids: (n, l) or (1, l) places; default counted from 0.
            output_hidden_states: also return the output of every layer.
            output_attentions: also return what every layer looks at.

        Returns:
            last_hidden_state (n, l, d), hidden_states, attentions.

        Raises:
            ShapeError: the input is longer than the model's longest, or the mask has other axes.
        """
        check_ids(type(self).__name__, input_ids, self.max_length)
        mask, real = _masks(attention_mask, self.embeddings.word_embeddings.weight.dtype)
        x = self.embeddings(input_ids, token_type_ids, position_ids, real)
        weights: list[Tensor] | None = [] if output_attentions else None
        last, states = self.encoder(x, mask, real, output_hidden_states, weights)
        return EncoderOutput(last, None, states, None if weights is None else tuple(weights))


def _masks(mask: Tensor | None, dtype: tp.dtype) -> tuple[Tensor | None, Tensor | None]:
    """(n, 1, l, l), true where nothing is looked at; and (n, l, 1), 1 for tokens."""
    if mask is None:
        return None, None
    if mask.ndim not in (2, 3):
        raise ShapeError(f"attention_mask: wanted (n, l) or (n, l, l), got {tuple(mask.shape)}")
    seen = mask != 0
    if mask.ndim == 3:
        return ~seen[:, None], seen.any(1)[:, :, None].to(dtype)
    return ~(seen[:, None, None, :] & seen[:, None, :, None]), seen[:, :, None].to(dtype)

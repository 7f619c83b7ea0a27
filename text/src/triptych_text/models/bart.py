"""BART: encoder and decoder, scores of words, classes of texts.

Source: Lewis et al. 2019, "BART: Denoising Sequence-to-Sequence Pre-training for Natural Language
Generation, Translation, and Comprehension".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError

from .bart_layers import BartConfig, BartStack
from .base import Ties, draw_weights
from .cache import KeyValueCache
from .config import ModelConfig
from .decoder import check_token_ids
from .losses import classification_loss
from .outputs import ClassifierOutput, DecoderOutput, EncoderOutput
from .seq2seq import EncoderDecoder, Seq2SeqLM, Seq2SeqModel, shift_right

__all__ = [
    "BartConfig",
    "BartForConditionalGeneration",
    "BartForSequenceClassification",
    "BartModel",
]


class BartModel(Seq2SeqModel):
    """Encoder and decoder without a head.

    Args:
        config: settings.
    """

    config: BartConfig
    config_class: ClassVar[type[ModelConfig]] = BartConfig
    base_prefix: ClassVar[str] = "model"
    ignored: ClassVar[tuple[str, ...]] = (r"(^|\.)(en|de)coder\.version$",)
    stand_ins: ClassVar[Ties] = {
        "encoder.embed_tokens.weight": "shared.weight",
        "decoder.embed_tokens.weight": "shared.weight",
    }
    tied_embeddings: ClassVar[Ties] = stand_ins

    def __init__(self, config: BartConfig) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(
            config.vocab_size, config.d_model, padding_idx=config.pad_token_id
        )
        self.encoder = BartStack(config, is_decoder=False)
        self.decoder = BartStack(config, is_decoder=True)
        positions = [self.encoder.embed_positions, self.decoder.embed_positions]
        fixed: Sequence[nn.Module] = [] if config.learned_positions else positions
        draw_weights([m for m in self.modules() if _is_leaf(m, fixed)], config.init_std)
        self.tie_weights()

    def cache_windows(self) -> Sequence[int | None]:
        """For each layer of the decoder, how many tokens a query sees; None for all."""
        return [None] * len(self.decoder.layers)

    def start_ids(self, input_ids: Tensor | None) -> Tensor:
        """(n, l) int64: the text itself, one place later, as in the denoising of BART's training.

        Raises:
            ShapeError: there is no text.
        """
        start, padding = self.config.decoder_start_token_id, self.config.pad_token_id
        if input_ids is None or start is None or padding is None:
            return super().start_ids(input_ids)
        return shift_right(input_ids, start, padding)

    def encode(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        output_hidden_states: bool = False,
    ) -> EncoderOutput:
        """Read a text; see `EncoderDecoder.encode`."""
        check_token_ids(type(self).__name__, input_ids)
        last, states = self.encoder(
            input_ids, attention_mask, output_hidden_states=output_hidden_states
        )
        return EncoderOutput(last, None, states)

    def decode(
        self,
        decoder_input_ids: Tensor,
        encoder_states: Tensor,
        attention_mask: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        use_cache: bool = False,
        output_hidden_states: bool = False,
    ) -> DecoderOutput:
        """Go on writing; see `EncoderDecoder.decode`."""
        check_token_ids(type(self).__name__, decoder_input_ids)
        cache = past_key_values
        if cache is None and use_cache:
            cache = self.new_cache()
        last, states = self.decoder(
            decoder_input_ids,
            decoder_attention_mask,
            cache,
            encoder_states,
            attention_mask,
            output_hidden_states,
        )
        return DecoderOutput(last, cache, states)


def _is_leaf(module: nn.Module, but: Sequence[nn.Module]) -> bool:
    wanted = isinstance(module, nn.Linear | nn.Embedding)
    return wanted and not any(module is other for other in but)


class BartHeaded(EncoderDecoder):
    """BART under a head."""

    config: BartConfig
    config_class: ClassVar[type[ModelConfig]] = BartConfig
    base_prefix: ClassVar[str] = "model"
    ignored: ClassVar[tuple[str, ...]] = BartModel.ignored
    stand_ins: ClassVar[Ties] = {
        "model.encoder.embed_tokens.weight": "model.shared.weight",
        "model.decoder.embed_tokens.weight": "model.shared.weight",
    }
    tied_embeddings: ClassVar[Ties] = stand_ins
    model_class: ClassVar[type[BartModel]] = BartModel

    def __init__(self, config: BartConfig) -> None:
        super().__init__(config)
        self.model = self.model_class(config)

    def cache_windows(self) -> Sequence[int | None]:
        """For each layer of the decoder, how many tokens a query sees; None for all."""
        return self.model.cache_windows()

    def start_ids(self, input_ids: Tensor | None) -> Tensor:
        """As `BartModel.start_ids`."""
        return self.model.start_ids(input_ids)

    def encode(self, *args: Any, **kwargs: Any) -> EncoderOutput:
        """Read a text; see `EncoderDecoder.encode`."""
        return self.model.encode(*args, **kwargs)

    def decode(self, *args: Any, **kwargs: Any) -> DecoderOutput:
        """Go on writing; see `EncoderDecoder.decode`."""
        return self.model.decode(*args, **kwargs)


class BartForConditionalGeneration(Seq2SeqLM, BartHeaded):
    """Encoder and decoder with scores of the next token.

    Args:
        config: settings.

    Example:
        >>> config = BartConfig(
        ...     vocab_size=9, d_model=8, encoder_layers=1, decoder_layers=1,
        ...     encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
        ...     decoder_ffn_dim=16, max_position_embeddings=10,
        ... )
        >>> model = BartForConditionalGeneration(config).eval()
        >>> model(tp.tensor([[0, 4, 2]]), labels=tp.tensor([[5, 2]])).logits.shape
        Size([1, 2, 9])
    """

    tied_embeddings: ClassVar[Ties] = {
        **BartHeaded.stand_ins,
        "lm_head.weight": "model.shared.weight",
    }
    optional: ClassVar[tuple[str, ...]] = (r"^final_logits_bias$",)

    def __init__(self, config: BartConfig) -> None:
        super().__init__(config)
        self.register_buffer("final_logits_bias", tp.zeros(1, config.vocab_size))
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        draw_weights([self.lm_head], config.init_std)
        self.tie_weights()

    def project(self, hidden: Tensor) -> Tensor:
        """(n, t, d) to (n, t, v)."""
        return self.lm_head(hidden) + self.final_logits_bias


class BartClassificationHead(nn.Module):
    """Two maps with tanh between them."""

    def __init__(self, config: BartConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.d_model, config.d_model)
        self.out_proj = nn.Linear(config.d_model, config.num_labels)
        self.dropout = nn.Dropout(config.classifier_dropout)
        draw_weights([self], config.init_std)

    def forward(self, x: Tensor) -> Tensor:
        """(n, d) to (n, c)."""
        return self.out_proj(self.dropout(tp.tanh(self.dense(self.dropout(x)))))


class BartForSequenceClassification(BartHeaded):
    """Classes, or a number, for each text, told by the decoder at the text's last end token.

    Args:
        config: settings; the number of classes is that of id2label, 3 without.
    """

    def __init__(self, config: BartConfig) -> None:
        super().__init__(config)
        self.classification_head = BartClassificationHead(config)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        labels: Tensor | None = None,
        output_hidden_states: bool = False,
    ) -> ClassifierOutput:
        """Classify texts.

        Args:
            input_ids: (n, l) int64, each with the id of the end token.
            attention_mask: (n, l), 1 for tokens and 0 for padding; None when there is no padding.
            decoder_input_ids: (n, l) int64; default the text, one place later.
            labels: (n,) int64 classes, (n, c) floating for several at once, or (n,) numbers when
                c = 1; with them the loss is computed.
            output_hidden_states: also return the output of every layer of the decoder.

        Returns:
            logits (n, c), loss, and hidden_states, each (n, l, d).

        Raises:
            ShapeError: a text has no end token.
        """
        out = self.model(
            input_ids,
            attention_mask,
            decoder_input_ids,
            output_hidden_states=output_hidden_states,
        )
        ends = (input_ids == self.config.eos_token_id).long()
        if not bool((ends.sum(1) > 0).all()):
            raise ShapeError(
                f"{type(self).__name__}: each text must hold the end token, id "
                f"{self.config.eos_token_id}; its last place tells the class"
            )
        length = input_ids.shape[1]
        last = (ends * tp.arange(1, length + 1)).argmax(1)
        chosen = out.last_hidden_state[tp.arange(len(last)), last]
        logits = self.classification_head(chosen)
        loss = None if labels is None else classification_loss(logits, labels, self.config)
        return ClassifierOutput(loss=loss, logits=logits, hidden_states=out.decoder_hidden_states)

"""T5, T5 1.1 and FLAN-T5: encoder and decoder, the encoder alone, and scores of words.

Source: Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
Transformer"; Chung et al. 2022, "Scaling Instruction-Finetuned Language Models".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from triptych import Tensor, nn
from triptych.nn import init

from .base import PretrainedModel, Ties
from .cache import KeyValueCache
from .config import ModelConfig
from .decoder import check_token_ids
from .outputs import DecoderOutput, EncoderOutput
from .seq2seq import EncoderDecoder, Seq2SeqLM, Seq2SeqModel
from .t5_layers import T5Config, T5Stack

__all__ = ["T5Config", "T5EncoderModel", "T5ForConditionalGeneration", "T5Model"]

# A table that the first checkpoints carry along and no T5 uses.
UNUSED = (r"^decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight$",)


class T5Base(EncoderDecoder):
    """The shared embeddings, the encoder and the decoder."""

    config: T5Config
    config_class: ClassVar[type[ModelConfig]] = T5Config
    base_prefix: ClassVar[str] = "transformer"
    ignored: ClassVar[tuple[str, ...]] = UNUSED
    tied: ClassVar[Ties] = {
        "encoder.embed_tokens.weight": "shared.weight",
        "decoder.embed_tokens.weight": "shared.weight",
    }

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        init.normal_(self.shared.weight, 0.0, config.initializer_factor)
        self.encoder = T5Stack(config, is_decoder=False)
        self.decoder = T5Stack(config, is_decoder=True)

    def cache_windows(self) -> Sequence[int | None]:
        """For each layer of the decoder, how many tokens a query sees; None for all."""
        return [None] * len(self.decoder.block)

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


class T5Model(Seq2SeqModel, T5Base):
    """Encoder and decoder without a head.

    Args:
        config: settings; a `T5Conf` gives a `TorchtextT5Model`, torchtext's model of this name.
    """

    ignored: ClassVar[tuple[str, ...]] = (*UNUSED, r"^lm_head\.")

    def __new__(cls, config: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Settings of torchtext's, `T5Conf`, make torchtext's model of the same name."""
        from .t5_torchtext import T5Conf, TorchtextT5Model

        if isinstance(config, T5Conf):
            return TorchtextT5Model(config, *args, **kwargs)
        return super().__new__(cls)

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.tie_weights()


class T5ForConditionalGeneration(Seq2SeqLM, T5Base):
    """Encoder and decoder with scores of the next token.

    Args:
        config: settings.

    Example:
        >>> import triptych as tp
        >>> config = T5Config(vocab_size=9, d_model=8, d_kv=4, d_ff=16, num_layers=1, num_heads=2)
        >>> model = T5ForConditionalGeneration(config).eval()
        >>> model(tp.tensor([[3, 4, 1]]), labels=tp.tensor([[5, 1]])).logits.shape
        Size([1, 2, 9])
    """

    tied_embeddings: ClassVar[Ties] = {"lm_head.weight": "shared.weight"}

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        init.normal_(self.lm_head.weight, 0.0, config.initializer_factor)
        self.tie_weights()

    def project(self, hidden: Tensor) -> Tensor:
        """(n, t, d) to (n, t, v)."""
        if self.config.scale_decoder_outputs:
            hidden = hidden * self.config.d_model**-0.5
        return self.lm_head(hidden)


class T5EncoderModel(PretrainedModel):
    """The encoder alone.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = T5Config
    base_prefix: ClassVar[str] = "transformer"
    ignored: ClassVar[tuple[str, ...]] = (r"^decoder\.", r"^lm_head\.")
    tied: ClassVar[Ties] = {"encoder.embed_tokens.weight": "shared.weight"}

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        init.normal_(self.shared.weight, 0.0, config.initializer_factor)
        self.encoder = T5Stack(config, is_decoder=False)
        self.tie_weights()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        output_hidden_states: bool = False,
    ) -> EncoderOutput:
        """Read texts.

        Args:
            input_ids: (n, l) int64.
            attention_mask: (n, l), 1 for tokens and 0 for padding; None when there is no padding.
            output_hidden_states: also return the output of every layer.

        Returns:
            last_hidden_state (n, l, d), hidden_states.

        Raises:
            ShapeError: input_ids is not (n, l).
        """
        check_token_ids(type(self).__name__, input_ids)
        options: dict[str, Any] = {"output_hidden_states": output_hidden_states}
        last, states = self.encoder(input_ids, attention_mask, **options)
        return EncoderOutput(last, None, states)

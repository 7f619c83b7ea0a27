"""torchtext's T5Model: its settings and its names of parameters, on the layers of `t5_layers`.

Source: torchtext 0.18, models.t5, for names, defaults and results.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DTypeError, ShapeError

from .t5 import T5Base, T5EncoderModel, T5ForConditionalGeneration, T5Model
from .t5_layers import T5Config

__all__ = ["T5Conf", "TorchtextT5Model", "torchtext_name"]

# Hugging Face's names and torchtext's.
_SAME = r"(encoder|decoder)"
_TO_TORCHTEXT = (
    (r"^shared\.", "token_embeddings."),
    (r"^encoder\.embed_tokens\.", "encoder.token_embeddings."),
    (_SAME + r"\.final_layer_norm\.", r"\1.norm."),
    (_SAME + r"\.block\.(\d+)\.layer\.0\.layer_norm\.", r"\1.layers.\2.norm1."),
    (r"encoder\.block\.(\d+)\.layer\.1\.layer_norm\.", r"encoder.layers.\1.norm2."),
    (r"decoder\.block\.(\d+)\.layer\.1\.layer_norm\.", r"decoder.layers.\1.norm3."),
    (r"decoder\.block\.(\d+)\.layer\.2\.layer_norm\.", r"decoder.layers.\1.norm2."),
    (_SAME + r"\.block\.(\d+)\.layer\.\d\.SelfAttention\.", r"\1.layers.\2.self_attn."),
    (_SAME + r"\.block\.(\d+)\.layer\.\d\.EncDecAttention\.", r"\1.layers.\2.cross_attn."),
    (_SAME + r"\.block\.(\d+)\.layer\.\d\.DenseReluDense\.", r"\1.layers.\2."),
    (r"_attn\.([qkv])\.weight$", r"_attn.\1_proj_weight"),
    (r"_attn\.o\.weight$", "_attn.out_proj.weight"),
    (r"\.wi\.weight$", ".linear1.weight"),
    (r"\.wi_([01])\.weight$", r".linear1_\1.weight"),
    (r"\.wo\.weight$", ".linear2.weight"),
)


def torchtext_name(name: str) -> str:
    """torchtext's name of a T5 parameter.

    Args:
        name: Hugging Face's.

    Example:
        >>> torchtext_name("decoder.block.3.layer.1.EncDecAttention.q.weight")
        'decoder.layers.3.cross_attn.q_proj_weight'
    """
    for pattern, new in _TO_TORCHTEXT:
        name = re.sub(pattern, new, name)
    return name


@dataclass
class T5Conf:
    """Settings of torchtext's T5; the defaults are those of T5 base.

    Args:
        encoder_only: no decoder.
        linear_head: scores of words behind the decoder.
        embedding_dim: d.
        qkv_dim: width of a head.
        num_attention_heads: heads of each layer.
        num_encoder_layers, num_decoder_layers: layers.
        ffn_dimension: width of the feed-forward parts.
        dropout: share of activations set to zero, where `training` says so.
        activation: name of the activation of the feed-forward parts.
        layer_norm_eps: added to mean squares.
        relative_attention_num_buckets, relative_attention_max_distance: kinds of distances, and
            the longest that is told from others.
        padding_idx: id of the padding token, which also begins what is written.
        max_seq_len: of the transform, in tokens.
        vocab_size: v.
        training: with dropout.
        feed_forward_proj: activation, with "gated-" before it where the part is gated; goes before
            `activation` and `is_gated_act`.
        is_gated_act: the feed-forward parts are gated.

    Raises:
        ShapeError: feed_forward_proj has another form.

    Example:
        >>> T5Conf(feed_forward_proj="gated-gelu").activation
        'gelu_new'
    """

    encoder_only: bool = False
    linear_head: bool = False
    embedding_dim: int = 768
    qkv_dim: int = 64
    num_attention_heads: int = 12
    num_encoder_layers: int = 12
    num_decoder_layers: int = 12
    ffn_dimension: int = 3072
    dropout: float = 0.1
    activation: str = "relu"
    layer_norm_eps: float = 1e-6
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    padding_idx: int = 0
    max_seq_len: int = 512
    vocab_size: int = 32128
    training: bool = False
    feed_forward_proj: str | None = None
    is_gated_act: bool = False

    def __post_init__(self) -> None:
        if not self.feed_forward_proj:
            return
        first, *rest = self.feed_forward_proj.split("-")
        if len(rest) > 1 or (rest and first != "gated"):
            raise ShapeError(
                f"T5Conf: feed_forward_proj={self.feed_forward_proj!r}; wanted the name of an "
                'activation, with "gated-" before it or not, such as "relu" or "gated-gelu"'
            )
        self.activation, self.is_gated_act = (rest or [first])[0], bool(rest)
        if self.feed_forward_proj == "gated-gelu":
            self.activation = "gelu_new"

    def to_config(self) -> T5Config:
        """The same under Hugging Face's names."""
        gate = "gated-" if self.is_gated_act else ""
        return T5Config(
            vocab_size=self.vocab_size,
            d_model=self.embedding_dim,
            d_kv=self.qkv_dim,
            d_ff=self.ffn_dimension,
            num_layers=self.num_encoder_layers,
            num_decoder_layers=self.num_decoder_layers,
            num_heads=self.num_attention_heads,
            relative_attention_num_buckets=self.relative_attention_num_buckets,
            relative_attention_max_distance=self.relative_attention_max_distance,
            dropout_rate=self.dropout if self.training else 0.0,
            layer_norm_epsilon=self.layer_norm_eps,
            feed_forward_proj=gate + self.activation,
            pad_token_id=self.padding_idx,
            decoder_start_token_id=self.padding_idx,
            tie_word_embeddings=False,
            scale_decoder_outputs=True,
        )


class TorchtextT5Model(nn.Module):
    """torchtext's T5Model: takes tokens with padding, returns a dict.

    Its state_dict has torchtext's names. `T5Model(T5Conf(...))` makes it, too.

    Args:
        config: settings.
        freeze: parameters take no gradients.
        device, dtype: of the parameters.

    Raises:
        DTypeError: config is no `T5Conf`.

    Example:
        >>> conf = T5Conf(
        ...     linear_head=True, embedding_dim=8, qkv_dim=4, num_attention_heads=2,
        ...     num_encoder_layers=1, num_decoder_layers=1, ffn_dimension=16, vocab_size=9,
        ... )
        >>> TorchtextT5Model(conf)(tp.tensor([[3, 4, 1, 0]]))["decoder_output"].shape
        Size([1, 1, 9])
    """

    def __init__(
        self, config: T5Conf, freeze: bool = False, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        if not isinstance(config, T5Conf):
            raise DTypeError(f"T5Model: wanted a T5Conf, got a {type(config).__name__}")
        self.config = config
        self.padding_idx, self.encoder_only = config.padding_idx, config.encoder_only
        self.linear_head, self.embedding_dim = config.linear_head, config.embedding_dim
        inner: T5Base | T5EncoderModel
        if config.encoder_only:
            inner = T5EncoderModel(config.to_config())
        elif config.linear_head:
            inner = T5ForConditionalGeneration(config.to_config())
        else:
            inner = T5Model(config.to_config())
        self.t5 = inner.to(device=device, dtype=dtype)
        if not config.training:
            self.eval()
        if freeze:
            self.requires_grad_(False)
        self.register_state_dict_post_hook(_rename_saved)
        self.register_load_state_dict_pre_hook(_rename_loaded)
        self.register_load_state_dict_post_hook(_rename_missing)

    def get_encoder(self) -> Callable[..., dict[str, Any]]:
        """What reads texts: takes tokens, and `src_key_padding_mask`, True at padding."""
        return self.encode

    def encode(
        self, src: Tensor, mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None
    ) -> dict[str, Any]:
        """Read texts.

        Args:
            src: (n, l) int64.
            mask: (l, l) boolean, True where a token does not look at another.
            src_key_padding_mask: (n, l) boolean, True at padding; default told by padding_idx.

        Returns:
            "encoder_output" (n, l, d) and "encoder_hidden_states", a list.
        """
        padding = src == self.padding_idx if src_key_padding_mask is None else src_key_padding_mask
        last, states = self.t5.encoder(src, _seen(padding, mask), output_hidden_states=True)
        return {"encoder_output": last, "encoder_hidden_states": list(states or ())}

    def forward(
        self,
        encoder_tokens: Tensor | None = None,
        decoder_tokens: Tensor | None = None,
        encoder_mask: Tensor | None = None,
        decoder_mask: Tensor | None = None,
        encoder_padding_mask: Tensor | None = None,
        decoder_padding_mask: Tensor | None = None,
        encoder_outputs: Mapping[str, Any] | None = None,
        past_key_values: Any = None,
        return_past_key_values: bool = False,
    ) -> dict[str, Any]:
        """Read texts, and go on writing others.

        Args:
            encoder_tokens: (n, l) int64 the texts to read.
            decoder_tokens: (n, t) int64 what was written; default the padding token, which begins
                all.
            encoder_mask: (l, l) boolean, True where a token does not look at another.
            decoder_mask: (t, t) the same for what is written, beyond what comes later.
            encoder_padding_mask: (n, l) boolean, True at padding; default told by padding_idx.
            decoder_padding_mask: (n, t) the same for what is written; the first token counts.
            encoder_outputs: what an earlier call returned, in place of encoder_tokens.
            past_key_values: what an earlier call returned; decoder_tokens are those that follow.
            return_past_key_values: return keys and values, a `KeyValueCache`.

        Returns:
            "encoder_output" (n, l, d), "encoder_hidden_states"; with a decoder "decoder_output",
            (n, t, d) or with the linear head (n, t, v), "decoder_hidden_states" and
            "past_key_values".

        Raises:
            ShapeError: neither encoder_tokens nor encoder_outputs.
        """
        if encoder_outputs is None:
            if encoder_tokens is None:
                raise ShapeError("T5Model: wanted encoder_tokens or encoder_outputs")
            if encoder_padding_mask is None:
                encoder_padding_mask = encoder_tokens == self.padding_idx
            encoder_outputs = self.encode(encoder_tokens, encoder_mask, encoder_padding_mask)
        result = dict(encoder_outputs)
        if self.encoder_only:
            return result
        encoded = result["encoder_output"]
        if decoder_tokens is None:
            decoder_tokens = tp.full((len(encoded), 1), self.padding_idx, dtype=tp.int64)
        seen = None if encoder_padding_mask is None else _seen(encoder_padding_mask, None)
        own = self._written_mask(decoder_tokens, decoder_mask, decoder_padding_mask)
        out = self.t5.decode(
            decoder_tokens, encoded, seen, None if past_key_values is not None else own,
            past_key_values, return_past_key_values, output_hidden_states=True,
        )  # fmt: skip
        last = self.t5.project(out.last_hidden_state) if self.linear_head else out[0]
        return result | {
            "decoder_output": last,
            "decoder_hidden_states": list(out.hidden_states or ()),
            "past_key_values": out.past_key_values,
        }

    def _written_mask(
        self, tokens: Tensor, mask: Tensor | None, padding: Tensor | None
    ) -> Tensor | None:
        if padding is None:
            padding = tokens == self.padding_idx
            padding = tp.cat([tp.zeros_like(padding[:, :1]), padding[:, 1:]], 1)
        return _seen(padding, mask)

    def prepare_inputs_for_generation(
        self, input_ids: Tensor, model_kwargs: dict[str, Any] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Arguments of the next call: all tokens, or the last one where there are keys and values.

        Args:
            input_ids: (n, t) int64 what was written.
            model_kwargs, **kwargs: further arguments, such as encoder_outputs.
        """
        options = {**(model_kwargs or {}), **kwargs}
        past = options.pop("past", None)
        if past is not None:
            options["past_key_values"], input_ids = past, input_ids[:, -1:]
        return {**options, "decoder_tokens": input_ids}

    def generate(self, input_ids: Tensor, **options: Any) -> Any:
        """Answer texts; see `triptych_text.generation.generate`.

        Raises:
            ShapeError: there is no linear head.
        """
        if not isinstance(self.t5, T5ForConditionalGeneration):
            raise ShapeError("T5Model: generate wants linear_head=True and a decoder")
        return self.t5.generate(input_ids, **options)


def _seen(padding: Tensor, mask: Tensor | None) -> Tensor | None:
    """(n, l) or (n, l, l), 1 where tokens are looked at; None where all are."""
    if mask is not None:
        if mask.dtype != tp.bool:
            raise DTypeError(f"T5Model: wanted boolean masks, True where hidden, got {mask.dtype}")
        return ~(padding[:, None, :] | mask)
    return ~padding if bool(padding.any()) else None


def _rename_saved(module: nn.Module, state: dict[str, Any], prefix: str, metadata: Any) -> None:
    start = f"{prefix}t5."
    for name in [name for name in state if name.startswith(start)]:
        tensor, inner = state.pop(name), name.removeprefix(start)
        if inner != "decoder.embed_tokens.weight":  # torchtext has no second name for it
            state[prefix + torchtext_name(inner)] = tensor


def _rename_loaded(
    module: TorchtextT5Model, state: dict[str, Any], prefix: str, *rest: Any
) -> None:
    for name in list(module.t5.state_dict()):
        theirs = prefix + torchtext_name(name)
        if name == "decoder.embed_tokens.weight":
            theirs = f"{prefix}t5.shared.weight"  # renamed before
        if theirs in state:
            keep = name == "decoder.embed_tokens.weight"
            tensor = state[theirs] if keep else state.pop(theirs)
            state[f"{prefix}t5.{name}"] = tensor


def _rename_missing(module: nn.Module, keys: Any) -> None:
    """Messages name what is missing as the file would."""
    for i, name in enumerate(keys.missing_keys):
        prefix, found, inner = name.rpartition("t5.")
        keys.missing_keys[i] = prefix + torchtext_name(inner) if found else name

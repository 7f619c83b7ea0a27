"""torchtext's RobertaModel: its settings, its names of parameters, its heads.

Source: torchtext 0.18, models.roberta, for names, defaults and results.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DTypeError, ShapeError

from .attention import check_heads

__all__ = [
    "RobertaClassificationHead",
    "RobertaEncoderConf",
    "TorchtextRobertaModel",
    "torchtext_roberta_weights",
]

# Names in checkpoints of torchtext before 0.12, and those after. Source: torchtext 0.18,
# models.roberta.modules.
_OLD_NAMES = (
    (r"\.layers\.(\d+)\.attention\.input_projection\.", r".layers.layers.\1.self_attn.in_proj_"),
    (r"\.layers\.(\d+)\.attention\.output_projection\.", r".layers.layers.\1.self_attn.out_proj."),
    (r"\.layers\.(\d+)\.residual_mlp\.mlp\.0\.", r".layers.layers.\1.linear1."),
    (r"\.layers\.(\d+)\.residual_mlp\.mlp\.3\.", r".layers.layers.\1.linear2."),
    (r"\.layers\.(\d+)\.attention_layer_norm\.", r".layers.layers.\1.norm1."),
    (r"\.layers\.(\d+)\.final_layer_norm\.", r".layers.layers.\1.norm2."),
)
# Hugging Face's names in a layer, and torchtext's.
_IN_LAYER = {
    "attention.output.dense.": "self_attn.out_proj.",
    "attention.output.LayerNorm.": "norm1.",
    "intermediate.dense.": "linear1.",
    "output.dense.": "linear2.",
    "output.LayerNorm.": "norm2.",
}


@dataclass
class RobertaEncoderConf:
    """Settings of torchtext's RoBERTa; the defaults are those of RoBERTa base.

    Args:
        vocab_size: v.
        embedding_dim: d, divided by the number of heads.
        ffn_dimension: width of the feed-forward parts.
        padding_idx: id of the padding token.
        max_seq_len: places; texts have up to padding_idx + 1 fewer tokens.
        num_attention_heads: heads of each layer.
        num_encoder_layers: layers.
        dropout: share of activations set to zero in training.
        scaling: accepted and without effect, as in torchtext 0.18: queries are scaled by the root
            of a head's width.
        normalize_before: layer norms before attention and feed-forward parts, not behind them.
    """

    vocab_size: int = 50265
    embedding_dim: int = 768
    ffn_dimension: int = 3072
    padding_idx: int = 1
    max_seq_len: int = 514
    num_attention_heads: int = 12
    num_encoder_layers: int = 12
    dropout: float = 0.1
    scaling: float | None = None
    normalize_before: bool = False


class PositionalEmbedding(nn.Module):
    """Places count over tokens that are no padding, and start behind the padding's id."""

    def __init__(self, num_embeddings: int, embedding_dim: int, pad_index: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_embeddings, embedding_dim, pad_index)
        self.pad_index = pad_index

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, l) ids to (n, l, d)."""
        real = (tokens != self.pad_index).to(tp.int64)
        return self.embedding(real.cumsum(1) * real + self.pad_index)


class RobertaTransformer(nn.Module):
    """Embeddings and layers."""

    def __init__(self, conf: RobertaEncoderConf) -> None:
        super().__init__()
        width, padding = conf.embedding_dim, conf.padding_idx
        check_heads("RobertaEncoderConf", width, conf.num_attention_heads)
        self.padding_idx, self.normalize_before = padding, conf.normalize_before
        self.max_length = conf.max_seq_len - padding - 1
        self.token_embedding = nn.Embedding(conf.vocab_size, width, padding)
        layer = nn.TransformerEncoderLayer(
            width,
            conf.num_attention_heads,
            conf.ffn_dimension,
            conf.dropout,
            activation="gelu",
            batch_first=True,
            norm_first=conf.normalize_before,
        )
        self.layers = nn.TransformerEncoder(layer, conf.num_encoder_layers)
        self.positional_embedding = PositionalEmbedding(conf.max_seq_len, width, padding)
        self.embedding_layer_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(conf.dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, l) ids to (n, l, d)."""
        if tokens.ndim != 2 or tokens.shape[1] > self.max_length:
            raise ShapeError(
                f"RobertaModel: wanted tokens of shape (n, l) with l up to {self.max_length}, got "
                f"{tuple(tokens.shape)}; cut texts with bundle.transform()"
            )
        x = self.token_embedding(tokens) + self.positional_embedding(tokens)
        x = self.dropout(x if self.normalize_before else self.embedding_layer_norm(x))
        padding = tokens == self.padding_idx
        some = bool(padding.any())
        x = self.layers(x, src_key_padding_mask=padding if some else None)
        return self.embedding_layer_norm(x) if self.normalize_before else x


class RobertaEncoder(nn.Module):
    """Holds the transformer under the name that checkpoints use."""

    def __init__(self, conf: RobertaEncoderConf) -> None:
        super().__init__()
        self.transformer = RobertaTransformer(conf)

    def forward(self, tokens: Tensor, masked_tokens: Tensor | None = None) -> Tensor:
        """(n, l) ids to (n, l, d), or to (k, d) where masked_tokens has k ones."""
        features = self.transformer(tokens)
        return features if masked_tokens is None else features[masked_tokens.to(tp.bool)]


class RobertaClassificationHead(nn.Module):
    """Classes of a text from its first token.

    Args:
        num_classes: c.
        input_dim: d.
        inner_dim: width between; default d.
        dropout: share of activations set to zero in training.
        activation: makes the activation between.

    Example:
        >>> RobertaClassificationHead(2, 8)(tp.zeros(3, 5, 8)).shape
        Size([3, 2])
    """

    def __init__(
        self,
        num_classes: int,
        input_dim: int,
        inner_dim: int | None = None,
        dropout: float = 0.1,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        inner = inner_dim or input_dim
        self.dense = nn.Linear(input_dim, inner)
        self.dropout = nn.Dropout(dropout)
        self.out_proj = nn.Linear(inner, num_classes)
        self.activation_fn = activation()

    def forward(self, features: Tensor) -> Tensor:
        """(n, l, d) to (n, c)."""
        x = self.activation_fn(self.dense(self.dropout(features[:, 0])))
        return self.out_proj(self.dropout(x))


class TorchtextRobertaModel(nn.Module):
    """torchtext's RobertaModel: takes tokens with padding, returns features or what a head says.

    Its state_dict has torchtext's names; those of older checkpoints load, too.
    `RobertaModel(RobertaEncoderConf(...))` makes it, too.

    Args:
        encoder_conf: settings.
        head: takes features (n, l, d).
        freeze_encoder: the encoder's parameters take no gradients.

    Raises:
        DTypeError: encoder_conf is no `RobertaEncoderConf`.
        ShapeError: the width does not divide into heads.

    Example:
        >>> conf = RobertaEncoderConf(vocab_size=9, embedding_dim=8, ffn_dimension=16,
        ...                           num_attention_heads=2, num_encoder_layers=1)
        >>> TorchtextRobertaModel(conf)(tp.tensor([[0, 5, 2, 1]])).shape
        Size([1, 4, 8])
    """

    def __init__(
        self,
        encoder_conf: RobertaEncoderConf,
        head: nn.Module | None = None,
        freeze_encoder: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(encoder_conf, RobertaEncoderConf):
            raise DTypeError(
                f"RobertaModel: wanted a RobertaEncoderConf, got a {type(encoder_conf).__name__}"
            )
        self.encoder = RobertaEncoder(encoder_conf)
        self.head = head
        if freeze_encoder:
            self.encoder.requires_grad_(False)
        self.register_load_state_dict_pre_hook(_rename_old)

    def forward(self, tokens: Tensor, masked_tokens: Tensor | None = None) -> Tensor:
        """Encode tokens.

        Args:
            tokens: (n, l) int64, l <= max_seq_len - padding_idx - 1.
            masked_tokens: (n, l), true for the k tokens whose features are wanted.

        Returns:
            (n, l, d) features, (k, d) with masked_tokens, or what the head makes of them.

        Raises:
            ShapeError: the tokens have other axes, or are too many.
        """
        features = self.encoder(tokens, masked_tokens)
        return features if self.head is None else self.head(features)


def _rename_old(module: nn.Module, state: dict[str, Any], prefix: str, *rest: Any) -> None:
    for name in list(state):
        new = name
        for old, spelling in _OLD_NAMES:
            new = re.sub(old, spelling, new)
        if new != name:
            state[new] = state.pop(name)


def torchtext_roberta_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of Hugging Face's RoBERTa under torchtext's names.

    torchtext has no kinds of segments; their embedding, the same for all tokens, goes into those
    of places.

    Args:
        weights: of a `RobertaModel` or `XLMRobertaModel`; the pooler is left out.

    Example:
        >>> from triptych_text.models import RobertaConfig, RobertaModel
        >>> config = RobertaConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1,
        ...                        num_attention_heads=2, intermediate_size=16)
        >>> len(torchtext_roberta_weights(RobertaModel(config).state_dict()))
        16
    """
    root = "encoder.transformer."
    segments = weights["embeddings.token_type_embeddings.weight"][0]
    out = {
        f"{root}token_embedding.weight": weights["embeddings.word_embeddings.weight"],
        f"{root}positional_embedding.embedding.weight": (
            weights["embeddings.position_embeddings.weight"] + segments
        ),
    }
    for kind in ("weight", "bias"):
        out[f"{root}embedding_layer_norm.{kind}"] = weights[f"embeddings.LayerNorm.{kind}"]
        places = {name.split(".")[2] for name in weights if name.startswith("encoder.layer.")}
        for place in places:
            theirs, own = f"encoder.layer.{place}.", f"{root}layers.layers.{place}."
            maps = [
                weights[f"{theirs}attention.self.{part}.{kind}"]
                for part in ("query", "key", "value")
            ]
            out[f"{own}self_attn.in_proj_{kind}"] = tp.cat(maps)
            for name, spelling in _IN_LAYER.items():
                out[f"{own}{spelling}{kind}"] = weights[f"{theirs}{name}{kind}"]
    return out

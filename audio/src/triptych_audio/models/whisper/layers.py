"""One layer of Whisper's encoder or decoder."""

from __future__ import annotations

from collections.abc import Callable

from triptych import Tensor, nn
from triptych.errors import UnknownNameError
from triptych.nn import functional as F
from triptych_audio.models.whisper.attention import LayerCache, WhisperAttention
from triptych_audio.models.whisper.config import WhisperConfig

__all__ = ["ACTIVATIONS", "WhisperLayer"]

# By the names that config.json files use.
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
}


class WhisperLayer(nn.Module):
    """Attention and a feed-forward part, each normalised before.

    Args:
        config: settings.
        is_decoder: it also looks at the encoder's output.

    Raises:
        UnknownNameError: config.activation_function.
    """

    def __init__(self, config: WhisperConfig, is_decoder: bool) -> None:
        super().__init__()
        width = config.d_model
        heads = config.decoder_attention_heads if is_decoder else config.encoder_attention_heads
        wide = config.decoder_ffn_dim if is_decoder else config.encoder_ffn_dim
        if config.activation_function not in ACTIVATIONS:
            raise UnknownNameError(
                f"Whisper: activation_function={config.activation_function!r}, wanted one of "
                f"{', '.join(ACTIVATIONS)}"
            )
        self.self_attn = WhisperAttention(width, heads, config.attention_dropout)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        if is_decoder:
            self.encoder_attn = WhisperAttention(width, heads, config.attention_dropout)
            self.encoder_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, wide)
        self.fc2 = nn.Linear(wide, width)
        self.final_layer_norm = nn.LayerNorm(width)
        self.activation = ACTIVATIONS[config.activation_function]
        self.dropout = nn.Dropout(config.dropout)
        self.activation_dropout = nn.Dropout(config.activation_dropout)

    def forward(
        self,
        x: Tensor,
        encoded: Tensor | None = None,
        cache: LayerCache | None = None,
        mask: Tensor | None = None,
        causal: bool = False,
        scores: list[Tensor] | None = None,
    ) -> Tensor:
        """(n, l, d) to (n, l, d); the arguments are those of `WhisperAttention`."""
        y = self.self_attn_layer_norm(x)
        x = x + self.dropout(self.self_attn(y, None, cache, mask, causal))
        if encoded is not None:
            y = self.encoder_attn_layer_norm(x)
            x = x + self.dropout(self.encoder_attn(y, encoded, cache, scores=scores))
        y = self.activation_dropout(self.activation(self.fc1(self.final_layer_norm(x))))
        return x + self.dropout(self.fc2(y))

"""Whisper: speech in, text out, in 99 languages.

Names of parameters are those of the Hugging Face checkpoints.

Source: Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision",
section 2.2; openai/whisper, whisper/model.py.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych.nn import functional as F
from triptych.nn import init
from triptych_audio.models.whisper.attention import WhisperCache
from triptych_audio.models.whisper.config import ModelDimensions, WhisperConfig
from triptych_audio.models.whisper.layers import WhisperLayer

__all__ = [
    "WhisperDecoder",
    "WhisperEncoder",
    "WhisperForConditionalGeneration",
    "WhisperModel",
    "WhisperOutput",
    "sinusoids",
]

IGNORED = -100  # label of ids that do not count


@dataclass
class WhisperOutput:
    """What a model gives.

    Args:
        last_hidden_state: (n, l, d) of the decoder.
        encoder_last_hidden_state: (n, s, d) of the encoder.
        logits: (n, l, v) scores of each next id; None for `WhisperModel`.
        loss: mean of the negative log probabilities of the labels, when there are some.
        past_key_values: for a call with the ids that follow, when asked for.
    """

    last_hidden_state: Tensor
    encoder_last_hidden_state: Tensor
    logits: Tensor | None = None
    loss: Tensor | None = None
    past_key_values: WhisperCache | None = field(default=None, repr=False)


def sinusoids(length: int, width: int) -> np.ndarray:
    """Sines, then cosines, of places: (length, width) float32.

    Args:
        length: places.
        width: even, at least 4.

    Source: openai/whisper, whisper/model.py: rates fall from 1 to 1 / 10000, both included.
    """
    half = width // 2
    rates = np.exp(-math.log(10000) / (half - 1) * np.arange(half))
    angles = np.arange(length)[:, None] * rates
    return np.concatenate([np.sin(angles), np.cos(angles)], 1).astype(np.float32)


class WhisperEncoder(nn.Module):
    """Two convolutions and layers that look at all of the sound.

    Args:
        config: settings.
    """

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        width = config.d_model
        self.config = config
        self.conv1 = nn.Conv1d(config.num_mel_bins, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(config.max_source_positions, width)
        self.embed_positions.requires_grad_(False)
        self.layers = nn.ModuleList(
            [WhisperLayer(config, is_decoder=False) for _ in range(config.encoder_layers)]
        )
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, input_features: Tensor) -> Tensor:
        """Listen.

        Args:
            input_features: (n, mels, frames) of `log_mel_spectrogram`; frames is twice the number
                of places: 3000, 30 s.

        Returns:
            (n, frames / 2, d).

        Raises:
            ShapeError: another shape.
        """
        wanted = (self.config.num_mel_bins, 2 * self.config.max_source_positions)
        if input_features.ndim != 3 or tuple(input_features.shape[1:]) != wanted:
            raise ShapeError(
                f"WhisperEncoder: wanted (n, {wanted[0]}, {wanted[1]}), got "
                f"{tuple(input_features.shape)}; use pad_or_trim and log_mel_spectrogram(..., "
                f"n_mels={wanted[0]})"
            )
        x = F.gelu(self.conv1(input_features))
        x = F.gelu(self.conv2(x)).transpose(1, 2) + self.embed_positions.weight
        x = F.dropout(x, self.config.dropout, self.training)
        for layer in self.layers:
            x = layer(x)
        return self.layer_norm(x)


class WhisperDecoder(nn.Module):
    """Layers that look at what is written so far, and at the sound.

    Args:
        config: settings.
    """

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        width = config.d_model
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, width, config.pad_token_id)
        self.embed_positions = nn.Embedding(config.max_target_positions, width)
        self.layers = nn.ModuleList(
            [WhisperLayer(config, is_decoder=True) for _ in range(config.decoder_layers)]
        )
        self.layer_norm = nn.LayerNorm(width)
        self.scale = math.sqrt(width) if config.scale_embedding else 1.0

    def forward(
        self,
        input_ids: Tensor,
        encoded: Tensor,
        cache: WhisperCache | None = None,
        attention_mask: Tensor | None = None,
        scores: list[Tensor] | None = None,
    ) -> Tensor:
        """Go on writing.

        Args:
            input_ids: (n, l) int64.
            encoded: (m, s, d) of the encoder, m divides n: n / m texts are of the same sound.
            cache: of the ids before.
            attention_mask: (n, s) of all ids, those before included, 0 for padding.
            scores: takes what each layer's attention on the sound scored, (n, heads, l, s).

        Returns:
            (n, l, d).

        Raises:
            ShapeError: more ids than places, or texts that do not divide among the sounds.
        """
        past, (n, length) = 0 if cache is None else cache.seen, input_ids.shape
        if past + length > self.config.max_target_positions:
            raise ShapeError(
                f"WhisperDecoder: {past + length} ids, there are places for "
                f"{self.config.max_target_positions}"
            )
        if n % encoded.shape[0]:
            raise ShapeError(
                f"WhisperDecoder: {n} texts do not divide among {encoded.shape[0]} sounds"
            )
        x = self.embed_tokens(input_ids) * self.scale
        x = x + self.embed_positions.weight[past : past + length]
        x = F.dropout(x, self.config.dropout, self.training)
        mask = _sight(length, past, attention_mask)
        causal = mask is None and length > 1
        for i, layer in enumerate(self.layers):
            kept = None if cache is None else cache.layers[i]
            x = layer(x, encoded, kept, mask, causal, scores)
        if cache is not None:
            cache.seen = past + length
        return self.layer_norm(x)


def _sight(length: int, past: int, attention_mask: Tensor | None) -> Tensor | None:
    """(..., l, s) what new ids may look at; None for what `causal` says."""
    if attention_mask is None and (past == 0 or length == 1):
        return None
    total = past + length
    allowed = tp.arange(total) <= tp.arange(past, total)[:, None]
    if attention_mask is None:
        return allowed
    return allowed & (attention_mask[:, None, None, :total] != 0)


class WhisperModel(nn.Module):
    """Encoder and decoder, without the scores of ids.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[WhisperConfig]] = WhisperConfig

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = WhisperEncoder(config)
        self.decoder = WhisperDecoder(config)
        _draw(self, config)

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str], **options: Any) -> Self:
        """Model of a checkpoint, in evaluation mode; see `load_model`."""
        from triptych_audio.models.whisper.loading import load_folder

        return load_folder(cls, source, **options)

    def new_cache(self) -> WhisperCache:
        """An empty cache for the decoder."""
        return WhisperCache(self.config.decoder_layers, self.config.max_target_positions)

    def forward(
        self,
        input_features: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: Tensor | tuple[Tensor, ...] | None = None,
        past_key_values: WhisperCache | None = None,
        use_cache: bool = False,
    ) -> WhisperOutput:
        """Listen, and go on writing.

        Args:
            input_features: (n, mels, frames).
            decoder_input_ids: (n, l) int64; default one start id.
            decoder_attention_mask: (n, s), 0 for padding.
            encoder_outputs: what the encoder gave before, in place of input_features.
            past_key_values: of an earlier call; it is extended.
            use_cache: return keys and values, for a call with the ids that follow.

        Returns:
            The states of both halves.

        Raises:
            ShapeError: neither input_features nor encoder_outputs, or shapes that do not fit.
        """
        if encoder_outputs is None:
            if input_features is None:
                raise ShapeError("WhisperModel: wanted input_features or encoder_outputs")
            encoder_outputs = self.encoder(input_features)
        encoded = encoder_outputs[0] if isinstance(encoder_outputs, tuple) else encoder_outputs
        if decoder_input_ids is None:
            start = self.config.decoder_start_token_id
            decoder_input_ids = tp.full((encoded.shape[0], 1), start, dtype=tp.int64)
        cache = past_key_values
        if cache is None and use_cache:
            cache = self.new_cache()
        hidden = self.decoder(decoder_input_ids, encoded, cache, decoder_attention_mask)
        return WhisperOutput(hidden, encoded, past_key_values=cache)


class WhisperForConditionalGeneration(nn.Module):
    """Whisper: scores each next id of a text for a spoken sound.

    `load_model` gives it the published weights; `transcribe`, `decode` and `detect_language` use
    it.

    Args:
        config: settings.

    Example:
        >>> config = WhisperConfig(d_model=8, encoder_layers=1, decoder_layers=1, vocab_size=20,
        ...     encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=8,
        ...     decoder_ffn_dim=8, max_source_positions=6, pad_token_id=0, decoder_start_token_id=1)
        >>> model = WhisperForConditionalGeneration(config)
        >>> model(tp.zeros(1, 80, 12), tp.tensor([[1, 5, 3]])).logits.shape
        Size([1, 3, 20])
    """

    config_class: ClassVar[type[WhisperConfig]] = WhisperConfig

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.config = config
        self.model = WhisperModel(config)
        self.proj_out = nn.Linear(config.d_model, config.vocab_size, bias=False)
        if config.tie_word_embeddings:
            self.tie_weights()
        else:
            init.normal_(self.proj_out.weight, 0.0, config.init_std)

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str], **options: Any) -> Self:
        """Model of a checkpoint, in evaluation mode; see `load_model`."""
        from triptych_audio.models.whisper.loading import load_folder

        return load_folder(cls, source, **options)

    def tie_weights(self) -> None:
        """Make the output weights and the embeddings of ids one parameter."""
        self.proj_out.weight = self.model.decoder.embed_tokens.weight

    @property
    def dims(self) -> ModelDimensions:
        """Sizes under the names of OpenAI's checkpoints."""
        return self.config.dims

    @property
    def is_multilingual(self) -> bool:
        """Whether the vocabulary has languages."""
        return self.config.is_multilingual

    @property
    def num_languages(self) -> int:
        """Languages of the vocabulary."""
        return self.config.num_languages

    def alignment_heads(self) -> list[tuple[int, int]]:
        """(layer, head) pairs of the decoder that look at what is being said."""
        found = self.config.alignment_heads
        if found is not None:
            return [(layer, head) for layer, head in found]
        layers, heads = self.config.decoder_layers, self.config.decoder_attention_heads
        return [(i, j) for i in range(layers // 2, layers) for j in range(heads)]

    def new_cache(self) -> WhisperCache:
        """An empty cache for the decoder."""
        return self.model.new_cache()

    def forward(
        self,
        input_features: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: Tensor | tuple[Tensor, ...] | None = None,
        past_key_values: WhisperCache | None = None,
        labels: Tensor | None = None,
        use_cache: bool = False,
    ) -> WhisperOutput:
        """Listen, and score each next id.

        Args:
            input_features: (n, mels, frames).
            decoder_input_ids: (n, l) int64 ids so far; default made from the labels.
            decoder_attention_mask, encoder_outputs, past_key_values, use_cache: as for
                `WhisperModel`.
            labels: (n, l) int64 the text, -100 for ids that do not count; with them the loss is
                computed.

        Returns:
            logits (n, l, v), and the other fields of `WhisperOutput`.

        Raises:
            ShapeError: as for `WhisperModel`.
        """
        if labels is not None and decoder_input_ids is None:
            known = tp.where(labels == IGNORED, self.config.pad_token_id or 0, labels)
            start = tp.full_like(labels[:, :1], self.config.decoder_start_token_id)
            decoder_input_ids = tp.cat([start, known[:, :-1]], 1)
        out = self.model(
            input_features, decoder_input_ids, decoder_attention_mask, encoder_outputs,
            past_key_values, use_cache,
        )  # fmt: skip
        out.logits = self.proj_out(out.last_hidden_state)
        if labels is not None:
            flat = out.logits.reshape(-1, out.logits.shape[-1])
            out.loss = F.cross_entropy(flat, labels.reshape(-1), ignore_index=IGNORED)
        result: WhisperOutput = out
        return result

    def embed_audio(self, mel: Tensor) -> Tensor:
        """(n, mels, frames) to what the encoder makes of it, (n, s, d)."""
        encoded: Tensor = self.model.encoder(mel.to(self.proj_out.weight))
        return encoded

    def transcribe(self, audio: Any, **options: Any) -> dict[str, Any]:
        """What is said in a recording of any length; see `transcribe`."""
        from triptych_audio.models.whisper.transcribing import transcribe

        return transcribe(self, audio, **options)

    def decode(self, mel: Tensor, *args: Any, **options: Any) -> Any:
        """What is said in up to 30 s; see `decode`."""
        from triptych_audio.models.whisper.decoding import decode

        return decode(self, mel, *args, **options)

    def detect_language(self, mel: Tensor, *args: Any) -> Any:
        """Which language is spoken; see `detect_language`."""
        from triptych_audio.models.whisper.decoding import detect_language

        return detect_language(self, mel, *args)


def _draw(model: nn.Module, config: WhisperConfig) -> None:
    """Fresh weights: normal in matrices, zero in biases, the encoder's places sines."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Embedding):
            init.normal_(module.weight, 0.0, config.init_std)
        if isinstance(module, nn.Linear | nn.Conv1d) and module.bias is not None:
            init.zeros_(module.bias)
    places = sinusoids(config.max_source_positions, config.d_model)
    encoder: Any = model.encoder
    with tp.no_grad():
        encoder.embed_positions.weight.copy_(tp.from_numpy(places))

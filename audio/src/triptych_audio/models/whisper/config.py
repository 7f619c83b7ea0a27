"""Settings of Whisper, as a Hugging Face config.json or as OpenAI's checkpoints hold them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

from triptych.errors import FileFormatError, ShapeError, UnknownNameError

__all__ = ["ModelDimensions", "SIZES", "WhisperConfig"]

MULTILINGUAL = 51865  # ids of the first multilingual vocabulary; the English one has one fewer
OTHER_IDS = 51765  # ids of the multilingual vocabulary that are no languages, without the first


class ModelDimensions(NamedTuple):
    """Sizes under the names of OpenAI's checkpoints.

    Args:
        n_mels: bands of the spectrogram.
        n_audio_ctx: places of the encoder, one for two frames of the spectrogram.
        n_audio_state: width of the encoder.
        n_audio_head: heads of its layers.
        n_audio_layer: its layers.
        n_vocab: ids.
        n_text_ctx: places of the decoder.
        n_text_state: width of the decoder.
        n_text_head: heads of its layers.
        n_text_layer: its layers.
    """

    n_mels: int
    n_audio_ctx: int
    n_audio_state: int
    n_audio_head: int
    n_audio_layer: int
    n_vocab: int
    n_text_ctx: int
    n_text_state: int
    n_text_head: int
    n_text_layer: int


@dataclass(kw_only=True)
class WhisperConfig:
    """Settings of Whisper; the defaults are those of the tiny multilingual model.

    Args:
        vocab_size: v, ids.
        num_mel_bins: bands of the spectrogram, 80 or 128.
        d_model: d, divided by the numbers of heads.
        encoder_layers, decoder_layers: layers.
        encoder_attention_heads, decoder_attention_heads: heads of each layer.
        encoder_ffn_dim, decoder_ffn_dim: widths of the feed-forward parts.
        activation_function: "gelu", "gelu_new", "relu" or "silu".
        max_source_positions: places of the encoder, one for two frames.
        max_target_positions: places of the decoder.
        dropout, attention_dropout, activation_dropout: shares set to zero in training.
        init_std: deviation of fresh weights.
        scale_embedding: embeddings of ids are multiplied by sqrt(d).
        pad_token_id, bos_token_id, eos_token_id, decoder_start_token_id: ids.
        tie_word_embeddings: the output weights are the embeddings of ids.
        alignment_heads: (layer, head) of the decoder that look at what is being said; None for all
            heads of the later half of the layers.
        multilingual: whether texts begin with a language and a task; None judges by vocab_size,
            as is right for the published vocabularies.

    Raises:
        ShapeError: d_model does not divide into the heads.

    Example:
        >>> WhisperConfig.from_dict({"d_model": 512, "encoder_attention_heads": 8,
        ...     "decoder_attention_heads": 8}).d_model
        512
    """

    model_type: ClassVar[str] = "whisper"

    vocab_size: int = MULTILINGUAL
    num_mel_bins: int = 80
    d_model: int = 384
    encoder_layers: int = 4
    decoder_layers: int = 4
    encoder_attention_heads: int = 6
    decoder_attention_heads: int = 6
    encoder_ffn_dim: int = 1536
    decoder_ffn_dim: int = 1536
    activation_function: str = "gelu"
    max_source_positions: int = 1500
    max_target_positions: int = 448
    dropout: float = 0.0
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    init_std: float = 0.02
    scale_embedding: bool = False
    pad_token_id: int | None = 50256
    bos_token_id: int | None = 50257
    eos_token_id: int | None = 50257
    decoder_start_token_id: int = 50258
    tie_word_embeddings: bool = True
    alignment_heads: list[list[int]] | None = None
    multilingual: bool | None = None

    def __post_init__(self) -> None:
        for heads in (self.encoder_attention_heads, self.decoder_attention_heads):
            if self.d_model % heads:
                raise ShapeError(
                    f"WhisperConfig: d_model={self.d_model} does not divide into {heads} heads"
                )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Settings of a config.json; keys that say nothing about the computation are left out.

        Args:
            values: the content of the file.

        Raises:
            ShapeError: d_model does not divide into the heads.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})

    @classmethod
    def from_dims(cls, dims: Mapping[str, int]) -> Self:
        """Settings of one of OpenAI's checkpoints.

        Args:
            dims: by the names of `ModelDimensions`.

        Raises:
            FileFormatError: a size is missing, or the widths of both halves differ.
        """
        try:
            sizes = ModelDimensions(**dims)
        except TypeError as error:
            raise FileFormatError(f"Whisper: dims of the checkpoint: {error}") from error
        if sizes.n_audio_state != sizes.n_text_state:
            raise FileFormatError(
                f"Whisper: wanted halves of one width, got {sizes.n_audio_state} and "
                f"{sizes.n_text_state}"
            )
        end = 50256 + (sizes.n_vocab >= MULTILINGUAL)
        return cls(
            vocab_size=sizes.n_vocab,
            num_mel_bins=sizes.n_mels,
            d_model=sizes.n_audio_state,
            encoder_layers=sizes.n_audio_layer,
            decoder_layers=sizes.n_text_layer,
            encoder_attention_heads=sizes.n_audio_head,
            decoder_attention_heads=sizes.n_text_head,
            encoder_ffn_dim=4 * sizes.n_audio_state,
            decoder_ffn_dim=4 * sizes.n_text_state,
            max_source_positions=sizes.n_audio_ctx,
            max_target_positions=sizes.n_text_ctx,
            pad_token_id=50256 if sizes.n_vocab > 50256 else None,
            bos_token_id=end,
            eos_token_id=end,
            decoder_start_token_id=end + 1,
        )

    @classmethod
    def of_size(cls, name: str) -> Self:
        """Settings of a published size.

        Args:
            name: a key of `SIZES`.

        Raises:
            UnknownNameError: there is no such size.

        Example:
            >>> WhisperConfig.of_size("large-v3-turbo").decoder_layers
            4
        """
        if name not in SIZES:
            raise UnknownNameError(f"Whisper: size {name!r}, wanted one of {', '.join(SIZES)}")
        n_mels, vocab, width, heads, encoder, decoder = SIZES[name]
        dims = (n_mels, 1500, width, heads, encoder, vocab, 448, width, heads, decoder)
        return cls.from_dims(ModelDimensions(*dims)._asdict())

    def to_dict(self) -> dict[str, Any]:
        """Settings as a config.json holds them."""
        return {"model_type": self.model_type, **dataclasses.asdict(self)}

    @property
    def hidden_size(self) -> int:
        """d, under the name that other families use."""
        return self.d_model

    @property
    def dims(self) -> ModelDimensions:
        """Sizes under the names of OpenAI's checkpoints."""
        return ModelDimensions(
            self.num_mel_bins,
            self.max_source_positions,
            self.d_model,
            self.encoder_attention_heads,
            self.encoder_layers,
            self.vocab_size,
            self.max_target_positions,
            self.d_model,
            self.decoder_attention_heads,
            self.decoder_layers,
        )

    @property
    def is_multilingual(self) -> bool:
        """Whether texts begin with a language and a task."""
        if self.multilingual is not None:
            return self.multilingual
        return self.vocab_size >= MULTILINGUAL

    @property
    def num_languages(self) -> int:
        """Languages of a published vocabulary: 99, or 100 from large-v3 on."""
        return self.vocab_size - OTHER_IDS - int(self.vocab_size >= MULTILINGUAL)


# Bands, ids, width, heads, layers of the encoder and of the decoder.
# Source: Radford et al. 2022, table 1; the notes of openai/whisper on large-v3 and turbo.
SIZES: dict[str, tuple[int, int, int, int, int, int]] = {
    "tiny.en": (80, 51864, 384, 6, 4, 4),
    "tiny": (80, 51865, 384, 6, 4, 4),
    "base.en": (80, 51864, 512, 8, 6, 6),
    "base": (80, 51865, 512, 8, 6, 6),
    "small.en": (80, 51864, 768, 12, 12, 12),
    "small": (80, 51865, 768, 12, 12, 12),
    "medium.en": (80, 51864, 1024, 16, 24, 24),
    "medium": (80, 51865, 1024, 16, 24, 24),
    "large-v1": (80, 51865, 1280, 20, 32, 32),
    "large-v2": (80, 51865, 1280, 20, 32, 32),
    "large-v3": (128, 51866, 1280, 20, 32, 32),
    "large": (128, 51866, 1280, 20, 32, 32),
    "large-v3-turbo": (128, 51866, 1280, 20, 32, 4),
    "turbo": (128, 51866, 1280, 20, 32, 4),
}

"""Tacotron 2: from letters or phonemes to a mel spectrogram.

Source: Shen et al. 2017, "Natural TTS Synthesis by Conditioning WaveNet on Mel Spectrogram
Predictions", as NVIDIA published it; parameter names and defaults are torchaudio's.
"""

from __future__ import annotations

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych_audio.interop import same_kind
from triptych_audio.models.lengths import check_lengths
from triptych_audio.models.tacotron2_decoder import Decoder
from triptych_audio.models.tacotron2_layers import Encoder, Postnet, padding_mask

__all__ = ["Tacotron2"]

ENDED = 1000.0  # logit of the end in frames that are padding


class Tacotron2(nn.Module):
    """Tacotron 2, which turns text into the spectrogram of its speech.

    Args:
        mask_padding: zero what `forward` gives behind each recording's end.
        n_mels: bands of the spectrogram.
        n_symbol: letters or phonemes.
        n_frames_per_step: frames that one step makes.
        symbol_embedding_dim: of a letter; the encoder's width.
        encoder_embedding_dim: of the encoder.
        encoder_n_convolution: of the encoder.
        encoder_kernel_size: of the encoder.
        decoder_rnn_dim: of the decoder's second cell.
        decoder_max_step: `infer` makes no more steps.
        decoder_dropout: behind the second cell, while training.
        decoder_early_stopping: `infer` ends when all texts are spoken.
        attention_rnn_dim: of the decoder's first cell.
        attention_hidden_dim: of the attention.
        attention_location_n_filter: of the attention.
        attention_location_kernel_size: of the attention.
        attention_dropout: behind the first cell, while training.
        prenet_dim: of the layers over the frame before.
        postnet_n_convolution: of the post-net.
        postnet_kernel_size: of the post-net.
        postnet_embedding_dim: of the post-net.
        gate_threshold: probability from which speech has ended.
    """

    def __init__(
        self,
        mask_padding: bool = False,
        n_mels: int = 80,
        n_symbol: int = 148,
        n_frames_per_step: int = 1,
        symbol_embedding_dim: int = 512,
        encoder_embedding_dim: int = 512,
        encoder_n_convolution: int = 3,
        encoder_kernel_size: int = 5,
        decoder_rnn_dim: int = 1024,
        decoder_max_step: int = 2000,
        decoder_dropout: float = 0.1,
        decoder_early_stopping: bool = True,
        attention_rnn_dim: int = 1024,
        attention_hidden_dim: int = 128,
        attention_location_n_filter: int = 32,
        attention_location_kernel_size: int = 31,
        attention_dropout: float = 0.1,
        prenet_dim: int = 256,
        postnet_n_convolution: int = 5,
        postnet_kernel_size: int = 5,
        postnet_embedding_dim: int = 512,
        gate_threshold: float = 0.5,
    ) -> None:
        super().__init__()
        self.mask_padding = mask_padding
        self.n_mels = n_mels
        self.n_frames_per_step = n_frames_per_step
        self.embedding = nn.Embedding(n_symbol, symbol_embedding_dim)
        nn.init.xavier_uniform_(self.embedding.weight)
        self.encoder = Encoder(encoder_embedding_dim, encoder_n_convolution, encoder_kernel_size)
        self.decoder = Decoder(
            n_mels,
            n_frames_per_step,
            encoder_embedding_dim,
            decoder_rnn_dim,
            decoder_max_step,
            decoder_dropout,
            decoder_early_stopping,
            attention_rnn_dim,
            attention_hidden_dim,
            attention_location_n_filter,
            attention_location_kernel_size,
            attention_dropout,
            prenet_dim,
            gate_threshold,
        )
        self.postnet = Postnet(
            n_mels, postnet_embedding_dim, postnet_kernel_size, postnet_n_convolution
        )

    @same_kind
    def forward(
        self,
        tokens: Tensor,
        token_lengths: Tensor,
        mel_specgram: Tensor,
        mel_specgram_lengths: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Predict each frame from the true ones before, as in training.

        Args:
            tokens: (n, l) integers from 0 up to but without n_symbol, padded.
            token_lengths: (n,) tokens of each text.
            mel_specgram: (n, n_mels, t) true frames, padded.
            mel_specgram_lengths: (n,) frames of each.

        Returns:
            (n, n_mels, t) frames before and after the post-net, (n, steps) logits of the end,
            (n, steps, l) where the decoder looked.

        Raises:
            ShapeError: tokens, frames and their lengths do not fit together.
        """
        n = tokens.shape[0]
        if mel_specgram.ndim != 3 or tuple(mel_specgram.shape[:2]) != (n, self.n_mels):
            raise ShapeError(
                f"Tacotron2: wanted mel_specgram ({n}, {self.n_mels}, t) for tokens "
                f"{tuple(tokens.shape)}, got {tuple(mel_specgram.shape)}"
            )
        frames = mel_specgram.shape[2]
        check_lengths("Tacotron2: mel_specgram_lengths", mel_specgram_lengths, n, frames)
        encoded = self.encoder(self.embedding(tokens).transpose(1, 2), token_lengths)
        mel, gates, alignments = self.decoder(encoded, mel_specgram, token_lengths)
        after = mel + self.postnet(mel)
        if self.mask_padding:
            mask = padding_mask(mel_specgram_lengths)  # (n, t)
            mel, after = (x.masked_fill(mask.unsqueeze(1), 0.0) for x in (mel, after))
            gates = gates.masked_fill(mask[:, :: self.n_frames_per_step], ENDED)
        return mel, after, gates, alignments

    @same_kind
    def infer(
        self,
        tokens: Tensor,
        lengths: Tensor | None = None,
        *,
        generator: tp.Generator | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Speak. The pre-net's dropout acts here too, so every call differs a little.

        Args:
            tokens: (n, l) integers from 0 up to but without n_symbol, padded.
            lengths: (n,) tokens of each text; default all.
            generator: of the dropout; default the global one.

        Returns:
            (n, n_mels, t) frames, (n,) steps of each, (n, steps, l) where the decoder looked.

        Raises:
            ShapeError: tokens are not (n, l) with l > 0.
        """
        if tokens.ndim != 2 or not tokens.shape[1]:
            raise ShapeError(f"Tacotron2.infer: wanted (n, l) tokens, got {tuple(tokens.shape)}")
        if lengths is None:
            lengths = tp.full((tokens.shape[0],), tokens.shape[1], dtype=tp.int64)
        encoded = self.encoder(self.embedding(tokens).transpose(1, 2), lengths)
        mel, steps, _, alignments = self.decoder.infer(encoded, lengths, generator)
        return mel + self.postnet(mel), steps, alignments

"""The decoder of Tacotron 2: one step of speech after the other, looking at the text."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych.nn import functional as nnF
from triptych_audio.models.tacotron2_layers import Attention, Prenet, linear, padding_mask

__all__ = ["Decoder", "DecoderState"]


class DecoderState(NamedTuple):
    """What the decoder remembers between two steps.

    Args:
        attention_hidden: (n, attention_rnn_dim).
        attention_cell: (n, attention_rnn_dim).
        decoder_hidden: (n, decoder_rnn_dim).
        decoder_cell: (n, decoder_rnn_dim).
        weights: (n, l) where it looked.
        weights_sum: (n, l) where it looked in all steps.
        context: (n, e) what it saw.
    """

    attention_hidden: Tensor
    attention_cell: Tensor
    decoder_hidden: Tensor
    decoder_cell: Tensor
    weights: Tensor
    weights_sum: Tensor
    context: Tensor


class Decoder(nn.Module):
    """Two recurrent cells with attention between them.

    Args:
        n_mels: bands of the spectrogram.
        n_frames_per_step: frames that one step makes.
        encoder_embedding_dim: of the encoded letters.
        decoder_rnn_dim: width of the second cell.
        decoder_max_step: `infer` makes no more steps.
        decoder_dropout: behind the second cell, while training.
        decoder_early_stopping: `infer` ends when all texts are spoken.
        attention_rnn_dim: width of the first cell.
        attention_hidden_dim: of the attention.
        attention_location_n_filter: of the attention.
        attention_location_kernel_size: of the attention.
        attention_dropout: behind the first cell, while training.
        prenet_dim: width of the layers over the frame before.
        gate_threshold: probability from which speech has ended.
    """

    def __init__(
        self,
        n_mels: int,
        n_frames_per_step: int,
        encoder_embedding_dim: int,
        decoder_rnn_dim: int,
        decoder_max_step: int,
        decoder_dropout: float,
        decoder_early_stopping: bool,
        attention_rnn_dim: int,
        attention_hidden_dim: int,
        attention_location_n_filter: int,
        attention_location_kernel_size: int,
        attention_dropout: float,
        prenet_dim: int,
        gate_threshold: float,
    ) -> None:
        super().__init__()
        self.n_mels, self.n_frames_per_step = n_mels, n_frames_per_step
        self.encoder_embedding_dim = encoder_embedding_dim
        self.attention_rnn_dim, self.decoder_rnn_dim = attention_rnn_dim, decoder_rnn_dim
        self.attention_dropout, self.decoder_dropout = attention_dropout, decoder_dropout
        self.decoder_max_step = decoder_max_step
        self.decoder_early_stopping = decoder_early_stopping
        self.gate_threshold = gate_threshold
        step = n_mels * n_frames_per_step
        self.prenet = Prenet(step, [prenet_dim, prenet_dim])
        self.attention_rnn = nn.LSTMCell(prenet_dim + encoder_embedding_dim, attention_rnn_dim)
        self.attention_layer = Attention(
            attention_rnn_dim,
            encoder_embedding_dim,
            attention_hidden_dim,
            attention_location_n_filter,
            attention_location_kernel_size,
        )
        self.decoder_rnn = nn.LSTMCell(attention_rnn_dim + encoder_embedding_dim, decoder_rnn_dim)
        seen = decoder_rnn_dim + encoder_embedding_dim
        self.linear_projection = linear(seen, step)
        self.gate_layer = linear(seen, 1, gain="sigmoid")

    def initial_state(self, memory: Tensor) -> DecoderState:
        """The state before the first step.

        Args:
            memory: (n, l, e) encoded letters.
        """
        n, letters, _ = memory.shape
        a, d, e = self.attention_rnn_dim, self.decoder_rnn_dim, self.encoder_embedding_dim
        return DecoderState(
            *(memory.new_zeros(n, width) for width in (a, a, d, d, letters, letters, e))
        )

    def decode(
        self,
        decoder_input: Tensor,
        state: DecoderState,
        memory: Tensor,
        processed_memory: Tensor,
        mask: Tensor,
    ) -> tuple[Tensor, Tensor, DecoderState]:
        """One step.

        Args:
            decoder_input: (n, prenet_dim) the step before, through the pre-net.
            state: after the step before.
            memory: (n, l, e) encoded letters.
            processed_memory: (n, l, d) the same through the attention's `memory_layer`.
            mask: (n, l) True where there is no letter.

        Returns:
            (n, n_mels * n_frames_per_step) frames, (n, 1) logit of the end, the state after them.
        """
        hidden, attention_cell = self.attention_rnn(
            tp.cat([decoder_input, state.context], -1),
            (state.attention_hidden, state.attention_cell),
        )
        attention_hidden = nnF.dropout(hidden, self.attention_dropout, self.training)
        looked = tp.stack([state.weights, state.weights_sum], 1)
        context, weights = self.attention_layer(
            attention_hidden, memory, processed_memory, looked, mask
        )
        hidden, decoder_cell = self.decoder_rnn(
            tp.cat([attention_hidden, context], -1), (state.decoder_hidden, state.decoder_cell)
        )
        decoder_hidden = nnF.dropout(hidden, self.decoder_dropout, self.training)
        seen = tp.cat([decoder_hidden, context], 1)
        after = DecoderState(
            attention_hidden,
            attention_cell,
            decoder_hidden,
            decoder_cell,
            weights,
            state.weights_sum + weights,
            context,
        )
        return self.linear_projection(seen), self.gate_layer(seen), after

    def forward(
        self, memory: Tensor, mel_specgram_truth: Tensor, memory_lengths: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Steps towards known frames, each from the true one before.

        Args:
            memory: (n, l, e) encoded letters.
            mel_specgram_truth: (n, n_mels, t).
            memory_lengths: (n,) letters.

        Returns:
            (n, n_mels, t) frames, (n, steps) logits of the end, (n, steps, l) weights.

        Raises:
            ShapeError: t is no multiple of n_frames_per_step.
        """
        frames = mel_specgram_truth.transpose(1, 2)  # (n, t, n_mels)
        if frames.shape[1] % self.n_frames_per_step:
            raise ShapeError(
                f"Tacotron2: {frames.shape[1]} frames are no multiple of n_frames_per_step="
                f"{self.n_frames_per_step}; pad mel_specgram"
            )
        steps = frames.reshape(frames.shape[0], -1, self.n_mels * self.n_frames_per_step)
        before = nnF.pad(steps.transpose(0, 1)[:-1], (0, 0, 0, 0, 1, 0))  # (steps, n, ...)
        inputs = self.prenet(before)
        mask, state = padding_mask(memory_lengths), self.initial_state(memory)
        processed = self.attention_layer.memory_layer(memory)
        made, gates, weights = [], [], []
        for decoder_input in inputs.unbind(0):
            frame, gate, state = self.decode(decoder_input, state, memory, processed, mask)
            made.append(frame)
            gates.append(gate)
            weights.append(state.weights)
        return self._frames(made), tp.cat(gates, 1), tp.stack(weights, 1)

    def _frames(self, steps: list[Tensor]) -> Tensor:
        """Steps of (n, n_mels * n_frames_per_step) to (n, n_mels, t)."""
        made = tp.stack(steps, 1)
        return made.reshape(made.shape[0], -1, self.n_mels).transpose(1, 2)

    def infer(
        self, memory: Tensor, memory_lengths: Tensor, generator: tp.Generator | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Steps until the end of all texts, each from the one before.

        Args:
            memory: (n, l, e) encoded letters.
            memory_lengths: (n,) letters.
            generator: of the pre-net's dropout.

        Returns:
            (n, n_mels, t) frames, (n,) int32 steps of each, (n, steps) logits of the end,
            (n, steps, l) weights.
        """
        n = memory.shape[0]
        mask, state = padding_mask(memory_lengths), self.initial_state(memory)
        processed = self.attention_layer.memory_layer(memory)
        frame = memory.new_zeros(n, self.n_mels * self.n_frames_per_step)
        lengths = tp.zeros(n, dtype=tp.int32, device=memory.device)
        finished = tp.zeros(n, dtype=tp.bool, device=memory.device)
        made, gates, weights = [], [], []
        for _ in range(self.decoder_max_step):
            frame, gate, state = self.decode(
                self.prenet(frame, generator), state, memory, processed, mask
            )
            made.append(frame)
            gates.append(gate)
            weights.append(state.weights)
            lengths = lengths + (~finished).to(tp.int32)
            finished = finished | (gate.squeeze(1).sigmoid() > self.gate_threshold)
            if self.decoder_early_stopping and bool(finished.all()):
                break
        if len(made) == self.decoder_max_step:
            warnings.warn(
                f"Tacotron2.infer stopped after decoder_max_step={self.decoder_max_step} steps; "
                "the end of the text may be missing",
                stacklevel=3,
            )
        return self._frames(made), lengths, tp.cat(gates, 1), tp.stack(weights, 1)

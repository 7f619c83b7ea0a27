"""What a pretrained model needs before and after it."""

from __future__ import annotations

import triptych as tp
from triptych import Tensor, nn
from triptych.nn import functional as nnF
from triptych_audio.interop import same_kind
from triptych_audio.models import Wav2Vec2Model

__all__ = ["ExtendedWav2Vec2Model"]


class ExtendedWav2Vec2Model(nn.Module):
    """A model whose waveforms are normalised, or whose scores become log probabilities.

    Args:
        model: what the waveforms go through.
        normalize_waveform: give the waveforms mean 0 and variance 1 before; over the whole batch
            together, padding included, as torchaudio does. Recordings of different loudness or
            length are better put through one by one.
        apply_log_softmax: log probabilities in place of logits.
        append_star: one more label at the end that always has probability 1, for stretches of
            speech whose words are not known.
    """

    def __init__(
        self,
        model: Wav2Vec2Model,
        normalize_waveform: bool,
        apply_log_softmax: bool = False,
        append_star: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.normalize_waveform = normalize_waveform
        self.apply_log_softmax = apply_log_softmax
        self.append_star = append_star

    def _prepared(self, waveforms: Tensor) -> Tensor:
        if not self.normalize_waveform:
            return waveforms
        return nnF.layer_norm(waveforms, waveforms.shape)

    @same_kind
    def forward(
        self, waveforms: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Scores.

        Args:
            waveforms: (n, t) samples in [-1, 1] at 16 kHz.
            lengths: (n,) valid samples; default all.

        Returns:
            (n, frames, labels); and (n,) valid frames, or None without lengths.
        """
        output, lengths = self.model(self._prepared(waveforms), lengths)
        if self.apply_log_softmax:
            output = output.log_softmax(-1)
        if self.append_star:
            output = tp.cat([output, output.new_zeros(*output.shape[:-1], 1)], -1)
        return output, lengths

    def extract_features(
        self, waveforms: Tensor, lengths: Tensor | None = None, num_layers: int | None = None
    ) -> tuple[list[Tensor], Tensor | None]:
        """What each layer of the transformer gives; see `Wav2Vec2Model.extract_features`."""
        prepared = same_kind(self._prepared)(waveforms)
        return self.model.extract_features(prepared, lengths, num_layers)

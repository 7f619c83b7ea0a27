"""Estimates of STOI, PESQ and SI-SDR from the noisy recording alone.

Source: Kumar et al. 2023, "TorchAudio-Squim: Reference-less Speech Quality and Intelligibility
measures in TorchAudio"; parameter names and defaults are torchaudio's.
"""

from __future__ import annotations

import math

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych_audio.interop import same_kind
from triptych_audio.models.squim.dual_path import DPRNN

__all__ = ["SquimObjective", "squim_objective_base", "squim_objective_model"]

# P.862.2's map of the raw score's greatest value, 4.5; its least value is not known, 1 comes near
PESQ_RANGE = (1.0, 0.999 + (4.999 - 0.999) / (1 + math.exp(-1.3669 * 4.5 + 3.8224)))
RANGES: dict[str, tuple[float, float] | None] = {
    "stoi": (0.0, 1.0),
    "pesq": PESQ_RANGE,
    "sisdr": None,
}
LOUDNESS = 20.0  # the root mean square of what the model sees is one over it


class RangeSigmoid(nn.Module):
    """A sigmoid between two values.

    Args:
        val_range: least and greatest value.
    """

    def __init__(self, val_range: tuple[float, float] = (0.0, 1.0)) -> None:
        super().__init__()
        self.val_range = val_range

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        low, high = self.val_range
        return x.sigmoid() * (high - low) + low


class Encoder(nn.Module):
    """Samples to features of overlapping windows.

    Args:
        feat_dim: features.
        win_len: samples in a window; the step is half of it.
    """

    def __init__(self, feat_dim: int = 512, win_len: int = 32) -> None:
        super().__init__()
        self.conv1d = nn.Conv1d(1, feat_dim, win_len, stride=win_len // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, t) samples to (n, feat_dim, frames)."""
        return self.conv1d(x.unsqueeze(1)).relu()


class AutoPool(nn.Module):
    """A mean over time that weighs great values more, as much as it learns to.

    Args:
        pool_dim: that is averaged away.
    """

    def __init__(self, pool_dim: int = 1) -> None:
        super().__init__()
        self.pool_dim = pool_dim
        self.alpha = nn.Parameter(tp.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        """(n, t, c) to (n, c)."""
        return (x * (x * self.alpha).softmax(self.pool_dim)).sum(self.pool_dim)


class SquimObjective(nn.Module):
    """Estimates scores of a recording that otherwise need the clean one beside it.

    Args:
        encoder: samples to features.
        dprnn: features over time.
        branches: one for each score.
    """

    def __init__(self, encoder: nn.Module, dprnn: nn.Module, branches: nn.ModuleList) -> None:
        super().__init__()
        self.encoder = encoder
        self.dprnn = dprnn
        self.branches = branches

    def forward(self, x: Tensor) -> list[Tensor]:
        """Score recordings.

        Args:
            x: (n, t) samples at the rate the model was trained at, 16 kHz for the pretrained one;
                loudness does not matter, silence gives no number.

        Returns:
            STOI, PESQ and SI-SDR, (n,) each.

        Raises:
            ShapeError: x is not (n, t).
        """
        return list(self._scores(x))

    @same_kind
    def _scores(self, x: Tensor) -> tuple[Tensor, ...]:
        if x.ndim != 2:
            raise ShapeError(
                f"SquimObjective: wanted (n, t) samples, got {tuple(x.shape)}; waveform[None] "
                "makes a batch of one recording"
            )
        x = x / (x.square().mean(1, keepdim=True).sqrt() * LOUDNESS)
        features = self.dprnn(self.encoder(x))
        return tuple(branch(features).squeeze(1) for branch in self.branches)


def _branch(d_model: int, nhead: int, metric: str) -> nn.Sequential:
    """Features over time to one score."""
    head: list[nn.Module] = [nn.Linear(d_model, d_model), nn.PReLU(), nn.Linear(d_model, 1)]
    limits = RANGES[metric]
    if limits is not None:
        head.append(RangeSigmoid(limits))
    layer = nn.TransformerEncoderLayer(d_model, nhead, d_model * 4, dropout=0.0, batch_first=True)
    return nn.Sequential(layer, AutoPool(), nn.Sequential(*head))


def squim_objective_model(
    feat_dim: int,
    win_len: int,
    d_model: int,
    nhead: int,
    hidden_dim: int,
    num_blocks: int,
    rnn_type: str,
    chunk_size: int,
    chunk_stride: int | None = None,
) -> SquimObjective:
    """A model of any size.

    Args:
        feat_dim: features of a window.
        win_len: samples in a window.
        d_model: width of the branches.
        nhead: heads of their attention.
        hidden_dim: of the recurrent layers.
        num_blocks: of the recurrent layers.
        rnn_type: "RNN", "LSTM" or "GRU".
        chunk_size: windows in a chunk.
        chunk_stride: windows between chunks; default half of chunk_size.

    Returns:
        The model.

    Raises:
        DomainError: rnn_type is none of the three.

    Example:
        >>> model = squim_objective_model(8, 16, 8, 2, 4, 1, "LSTM", 5).eval()
        >>> [tuple(score.shape) for score in model(tp.ones(3, 400))]
        [(3,), (3,), (3,)]
    """
    stride = chunk_size // 2 if chunk_stride is None else chunk_stride
    return SquimObjective(
        Encoder(feat_dim, win_len),
        DPRNN(feat_dim, hidden_dim, num_blocks, rnn_type, d_model, chunk_size, stride),
        nn.ModuleList(_branch(d_model, nhead, metric) for metric in RANGES),
    )


def squim_objective_base() -> SquimObjective:
    """The configuration of the published weights, 7.4 million parameters."""
    return squim_objective_model(
        feat_dim=256,
        win_len=64,
        d_model=256,
        nhead=4,
        hidden_dim=256,
        num_blocks=2,
        rnn_type="LSTM",
        chunk_size=71,
    )

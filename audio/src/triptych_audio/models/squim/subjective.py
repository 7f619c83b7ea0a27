"""Estimates of what listeners would say of a recording.

Source: Manocha and Kumar 2022, "Speech Quality Assessment through MOS using Non-Matching
References"; parameter names and defaults are torchaudio's.
"""

from __future__ import annotations

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError, UnknownNameError
from triptych_audio.interop import same_kind

__all__ = ["SquimSubjective", "squim_subjective_base", "squim_subjective_model"]

BEST = 5.0  # of the mean opinion score
WORST_DIFFERENCE = 4.0


class AttPool(nn.Module):
    """A learned mean over time.

    Args:
        input_dim: features in.
        att_dim: features out.
    """

    def __init__(self, input_dim: int, att_dim: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(input_dim, 1)
        self.linear2 = nn.Linear(input_dim, att_dim)

    def forward(self, x: Tensor) -> Tensor:
        """(n, t, input_dim) to (n, att_dim)."""
        weights = self.linear1(x).transpose(1, 2).softmax(2)  # (n, 1, t)
        return self.linear2(tp.matmul(weights, x).squeeze(1))


class Predictor(nn.Module):
    """How much worse a recording is than another one.

    Args:
        input_dim: features of both together.
        att_dim: differences that are told apart.
    """

    def __init__(self, input_dim: int, att_dim: int) -> None:
        super().__init__()
        self.att_pool_layer = AttPool(input_dim, att_dim)
        self.att_dim = att_dim

    def forward(self, x: Tensor) -> Tensor:
        """(n, t, input_dim) to (n,) from 0 to 4."""
        chances = self.att_pool_layer(x).softmax(1)
        steps = tp.linspace(0.0, WORST_DIFFERENCE, self.att_dim, dtype=x.dtype, device=x.device)
        return (chances * steps).sum(1)


class SquimSubjective(nn.Module):
    """Estimates the mean opinion score of a recording, beside any clean one.

    Args:
        ssl_model: features of speech, a `Wav2Vec2Model`.
        projector: makes them fewer.
        predictor: compares them.
    """

    def __init__(self, ssl_model: nn.Module, projector: nn.Module, predictor: nn.Module) -> None:
        super().__init__()
        self.ssl_model = ssl_model
        self.projector = projector
        self.predictor = predictor

    @same_kind
    def forward(self, waveform: Tensor, reference: Tensor) -> Tensor:
        """Score recordings.

        Args:
            waveform: (n, t) samples at the rate the model was trained at.
            reference: (n, s) clean speech, of anybody saying anything; repeated or cut to t.

        Returns:
            (n,) from 1 to 5.

        Raises:
            ShapeError: one of them is not (n, t), or has no samples, or n differs.
        """
        for name, x in (("waveform", waveform), ("reference", reference)):
            if x.ndim != 2 or not x.shape[1]:
                raise ShapeError(f"SquimSubjective: wanted {name} (n, t), got {tuple(x.shape)}")
        if waveform.shape[0] != reference.shape[0]:
            raise ShapeError(
                f"SquimSubjective: wanted one reference for each of the {waveform.shape[0]} "
                f"waveforms, got {reference.shape[0]}; reference.expand(n, -1) gives all the same"
            )
        times = -(-waveform.shape[-1] // reference.shape[-1])
        reference = reference.repeat(1, times)[:, : waveform.shape[-1]]
        both = tp.cat([self._features(reference), self._features(waveform)], 2)
        return BEST - self.predictor(both)

    def _features(self, x: Tensor) -> Tensor:
        """(n, t) to (n, frames, proj_dim)."""
        layers, _ = self.ssl_model.extract_features(x)
        return self.projector(layers[-1])


def squim_subjective_model(
    ssl_type: str, feat_dim: int, proj_dim: int, att_dim: int
) -> SquimSubjective:
    """A model over features of your choice.

    Args:
        ssl_type: a builder in `triptych_audio.models`, such as "wav2vec2_base".
        feat_dim: width of its features.
        proj_dim: what they are reduced to.
        att_dim: differences that are told apart.

    Returns:
        The model.

    Raises:
        UnknownNameError: there is no such builder.
    """
    from triptych_audio import models

    if ssl_type not in models.__all__:
        raise UnknownNameError(
            f"squim_subjective_model: ssl_type {ssl_type!r} is no builder in "
            "triptych_audio.models, such as 'wav2vec2_base'"
        )
    ssl_model = getattr(models, ssl_type)()
    return SquimSubjective(
        ssl_model, nn.Linear(feat_dim, proj_dim), Predictor(2 * proj_dim, att_dim)
    )


def squim_subjective_base() -> SquimSubjective:
    """The configuration of the published weights."""
    return squim_subjective_model("wav2vec2_base", feat_dim=768, proj_dim=32, att_dim=5)

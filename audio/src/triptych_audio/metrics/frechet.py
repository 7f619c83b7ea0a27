"""How far generated sound is from real sound, by embeddings of both."""

from __future__ import annotations

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio.functional.distances import frechet_distance
from triptych_audio.interop import same_kind

__all__ = ["frechet_audio_distance"]


def _gaussian(name: str, embeddings: Tensor) -> tuple[Tensor, Tensor]:
    if embeddings.ndim != 2 or embeddings.shape[0] < 2:
        raise ShapeError(
            f"frechet_audio_distance: wanted {name} as (n, d) embeddings, n > 1, got "
            f"{tuple(embeddings.shape)}"
        )
    rows = embeddings.detach().cpu().numpy().astype(np.float64)
    return tp.as_tensor(rows.mean(0)), tp.as_tensor(np.atleast_2d(np.cov(rows.T)))


@same_kind
def frechet_audio_distance(preds: Tensor, target: Tensor) -> Tensor:
    """The distance of the Gaussians that fit two sets of embeddings; small is good.

    Args:
        preds: (n, d) embeddings of generated sound, of VGGish, CLAP or any model.
        target: (m, d) embeddings of real sound.

    Returns:
        0-d float64, not negative up to rounding.

    Raises:
        ShapeError: not two tables of the same width with two rows or more.

    Source: Kilgour et al. 2019.
    """
    if preds.shape[-1:] != target.shape[-1:]:
        raise ShapeError(
            f"frechet_audio_distance: wanted embeddings of the same width, got "
            f"{tuple(preds.shape)} and {tuple(target.shape)}"
        )
    return frechet_distance(*_gaussian("preds", preds), *_gaussian("target", target))

"""How good speech sounds."""

from __future__ import annotations

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, MissingDependencyError, ShapeError
from triptych_audio.interop import same_kind

__all__ = ["pesq"]

# ITU-T P.862 and P.862.2: the rates that each mode is defined for, in Hz
RATES = {"nb": (8000, 16000), "wb": (16000,)}


@same_kind
def pesq(preds: Tensor, target: Tensor, sample_rate: int, mode: str = "wb") -> Tensor:
    """Perceptual evaluation of speech quality, a mean opinion score from about 1 to 4.6.

    It is computed by the `pesq` package, whose code comes from the ITU: read its licence before
    commercial use.

    Args:
        preds: (..., t) degraded or enhanced speech.
        target: (..., t) clean speech.
        sample_rate: 8000 or 16000 Hz.
        mode: "wb" for wide band (16 kHz only) or "nb" for telephone band.

    Returns:
        (...,) float64.

    Raises:
        MissingDependencyError: the package is not installed.
        DTypeError: mode or sample rate are unknown.
        ShapeError: shapes differ.

    Source: ITU-T P.862 (2001), P.862.2 (2007).
    """
    if mode not in RATES or sample_rate not in RATES[mode]:
        raise DTypeError(
            f"pesq: wanted mode 'wb' at 16000 Hz or 'nb' at 8000 or 16000 Hz, got {mode!r} at "
            f"{sample_rate} Hz; use resample first"
        )
    if preds.shape != target.shape or not preds.ndim:
        raise ShapeError(
            f"pesq: wanted two signals of the same shape (..., t), got {tuple(preds.shape)} and "
            f"{tuple(target.shape)}"
        )
    try:
        from pesq import pesq as score
    except ImportError as e:
        raise MissingDependencyError(
            "pesq: the package pesq is not installed; pip install 'triptych-audio[pesq]'"
        ) from e
    degraded, wanted = (
        v.detach().cpu().numpy().astype(np.float64).reshape(-1, v.shape[-1])
        for v in (preds, target)
    )
    scores = [score(sample_rate, w, d, mode) for w, d in zip(wanted, degraded, strict=True)]
    return tp.as_tensor(np.array(scores, np.float64).reshape(preds.shape[:-1]))

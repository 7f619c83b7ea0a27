"""Separation of long recordings, piece by piece."""

from __future__ import annotations

from collections.abc import Callable

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, ShapeError
from triptych_audio.interop import same_kind

__all__ = ["separate"]


@same_kind
def separate(
    model: Callable[[Tensor], Tensor],
    mix: Tensor,
    segment: float = 10.0,
    overlap: float = 0.25,
    *,
    sample_rate: float = 44100,
    batch_size: int = 1,
) -> Tensor:
    """Separate a recording of any length with memory for a few segments.

    Segments overlap; each counts most in its middle, so that no seam is heard. The last one is
    moved back so that all are equally long. No gradients are recorded.

    Args:
        model: (n, c, t) mixture to (n, ..., t) sources, for example `HDemucs` or `ConvTasNet`.
        mix: (n, c, t) or (c, t) samples.
        segment: length of a segment in seconds.
        overlap: part of a segment that the next one sees again, from 0 up to but without 1.
        sample_rate: of the mixture in Hz, the one the model was trained on.
        batch_size: segments that go through the model together.

    Returns:
        (n, ..., t), or (..., t) for a mixture without n: what the model gives, for all of it.

    Raises:
        ShapeError: the mixture is not (n, c, t) or (c, t) with t > 0.
        DomainError: a segment has no samples, or overlap is not in [0, 1).

    Example:
        >>> def halves(x):
        ...     return tp.stack([x / 2, x / 2], 1)
        >>> separate(halves, tp.ones(1, 2500), segment=1.0, sample_rate=1000).shape
        Size([2, 1, 2500])

    Source: the triangular weights are those of facebookresearch/demucs, `apply_model`.
    """
    if mix.ndim not in (2, 3) or not mix.shape[-1]:
        raise ShapeError(f"separate: wanted (n, c, t) or (c, t) samples, got {tuple(mix.shape)}")
    length = round(segment * sample_rate)
    if length < 1 or not 0 <= overlap < 1 or batch_size < 1:
        raise DomainError(
            "separate: wanted segment > 0 seconds, 0 <= overlap < 1 and batch_size >= 1, got "
            f"{segment}, {overlap} and {batch_size}"
        )
    with tp.no_grad():
        if mix.ndim == 2:
            return _overlap_add(model, mix.unsqueeze(0), length, overlap, batch_size)[0]
        return _overlap_add(model, mix, length, overlap, batch_size)


def _overlap_add(
    model: Callable[[Tensor], Tensor], mix: Tensor, length: int, overlap: float, batch_size: int
) -> Tensor:
    n, t = mix.shape[0], mix.shape[-1]
    if t <= length:
        return model(mix)
    step = max(1, int(length * (1 - overlap)))
    starts = [*range(0, t - length, step), t - length]
    ramp = tp.arange(length, dtype=mix.dtype, device=mix.device)
    weight = tp.minimum(ramp + 1, length - ramp)
    weight = weight / weight.max()
    totals: list[Tensor] = []  # one, as soon as the shape of what the model gives is known
    norm = mix.new_zeros(t)
    for first in range(0, len(starts), batch_size):
        group = starts[first : first + batch_size]
        pieces = model(tp.cat([mix[..., s : s + length] for s in group]))
        if not totals:
            totals.append(pieces.new_zeros(n, *pieces.shape[1:-1], t))
        for start, piece in zip(group, pieces.split(n), strict=True):
            totals[0][..., start : start + length] += weight * piece
            norm[start : start + length] += weight
    return totals[0] / norm

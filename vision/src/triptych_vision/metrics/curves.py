"""From matches, image by image, to curves of precision over recall."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["Matches", "at_recalls", "running_counts"]

RECALLS = np.linspace(0, 1, 101)  # where COCO reads precision off


class Matches(NamedTuple):
    """What one image adds to one class."""

    scores: np.ndarray  # (d,) falling
    took: np.ndarray  # (a, t, d)
    ignored: np.ndarray  # (a, t, d)
    counting: np.ndarray  # (a,) true things that count


def running_counts(images: list[Matches], most: int) -> tuple[np.ndarray, np.ndarray]:
    """Right and wrong detections so far, (a, t, d) both, over all images, the surest first."""
    order = np.argsort(-np.concatenate([i.scores[:most] for i in images]), kind="stable")
    took = np.concatenate([i.took[..., :most] for i in images], axis=2)[..., order]
    ignored = np.concatenate([i.ignored[..., :most] for i in images], axis=2)[..., order]
    right, wrong = took & ~ignored, ~took & ~ignored
    return right.cumsum(axis=2, dtype=np.float64), wrong.cumsum(axis=2, dtype=np.float64)


def at_recalls(reached: np.ndarray, right: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """(t, 101) the best precision at each recall or beyond, 0 where it is never reached."""
    precision = right / (right + wrong + np.spacing(1.0))
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    curves = np.zeros((len(reached), len(RECALLS)))
    for row, (recalls, values) in enumerate(zip(reached, best, strict=True)):
        places = np.searchsorted(recalls, RECALLS, side="left")
        there = places < len(values)
        curves[row, there] = values[places[there]]
    return curves

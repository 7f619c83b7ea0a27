"""Which anchor stands for which true box, and which anchors a loss looks at."""

from __future__ import annotations

from collections.abc import Sequence

import triptych as tp
from triptych.errors import DomainError

__all__ = ["BalancedPositiveNegativeSampler", "Matcher", "SSDMatcher"]


class Matcher:
    """For each anchor the true box it overlaps most, if it overlaps it enough.

    Args:
        high_threshold: overlaps from here on match.
        low_threshold: overlaps below are background; between the two nothing is said.
        allow_low_quality_matches: each true box also gets the anchors that overlap it most,
            however little that is.

    Raises:
        DomainError: low_threshold is above high_threshold.
    """

    BELOW_LOW_THRESHOLD = -1
    BETWEEN_THRESHOLDS = -2

    def __init__(
        self,
        high_threshold: float,
        low_threshold: float,
        allow_low_quality_matches: bool = False,
    ) -> None:
        if low_threshold > high_threshold:
            raise DomainError(
                f"Matcher: low_threshold {low_threshold} is above high_threshold {high_threshold}"
            )
        self.high_threshold = high_threshold
        self.low_threshold = low_threshold
        self.allow_low_quality_matches = allow_low_quality_matches

    def __call__(self, match_quality_matrix: tp.Tensor) -> tp.Tensor:
        """Match.

        Args:
            match_quality_matrix: (true boxes, anchors), such as IoU.

        Returns:
            (anchors,) int64: the true box's index, -1 for background, -2 for neither.

        Raises:
            DomainError: there are no true boxes, or no anchors.
        """
        _check_not_empty(match_quality_matrix)
        quality, best = match_quality_matrix.max(0)
        between = tp.where(quality < self.high_threshold, self.BETWEEN_THRESHOLDS, best)
        matches = tp.where(quality < self.low_threshold, self.BELOW_LOW_THRESHOLD, between)
        if self.allow_low_quality_matches:
            highest = match_quality_matrix.max(1, keepdim=True)[0]
            matches = tp.where((match_quality_matrix == highest).any(0), best, matches)
        return matches


class SSDMatcher(Matcher):
    """`Matcher` in which each true box also gets the one anchor that overlaps it most.

    Args:
        threshold: overlaps from here on match, below is background.
    """

    def __init__(self, threshold: float) -> None:
        super().__init__(threshold, threshold)

    def __call__(self, match_quality_matrix: tp.Tensor) -> tp.Tensor:
        """As `Matcher`; of true boxes that want the same anchor the last one gets it."""
        matches = super().__call__(match_quality_matrix).clone()
        anchors = match_quality_matrix.argmax(1)
        matches[anchors] = tp.arange(anchors.shape[0], device=anchors.device)
        return matches


def _check_not_empty(quality: tp.Tensor) -> None:
    if quality.numel() == 0:
        missing = "true" if quality.shape[0] == 0 else "proposed"
        raise DomainError(
            f"Matcher: there are no {missing} boxes for one of the images: the matrix of overlaps "
            f"is {tuple(quality.shape)}"
        )


class BalancedPositiveNegativeSampler:
    """Draws anchors for a loss, with a limit to how many of them are background.

    Args:
        batch_size_per_image: how many in all.
        positive_fraction: at most this part of them are true boxes; background fills up.
    """

    def __init__(self, batch_size_per_image: int, positive_fraction: float) -> None:
        self.batch_size_per_image = batch_size_per_image
        self.positive_fraction = positive_fraction

    def __call__(
        self, matched_idxs: Sequence[tp.Tensor]
    ) -> tuple[list[tp.Tensor], list[tp.Tensor]]:
        """Draw.

        Args:
            matched_idxs: for each image (anchors,): 1 or more for a true box, 0 for background,
                negative for anchors that are never drawn.

        Returns:
            For each image (anchors,) uint8, 1 for the drawn true ones; and likewise for the
            background.
        """
        positives, negatives = [], []
        for labels in matched_idxs:
            most = int(self.batch_size_per_image * self.positive_fraction)
            positive = _drawn(tp.where(labels >= 1)[0], most)
            rest = self.batch_size_per_image - positive.shape[0]
            negative = _drawn(tp.where(labels == 0)[0], rest)
            positives.append(_marked(positive, labels))
            negatives.append(_marked(negative, labels))
        return positives, negatives


def _drawn(places: tp.Tensor, most: int) -> tp.Tensor:
    return places[tp.randperm(places.shape[0], device=places.device)[:most]]


def _marked(places: tp.Tensor, like: tp.Tensor) -> tp.Tensor:
    marks = tp.zeros_like(like, dtype=tp.uint8)
    marks[places] = 1
    return marks

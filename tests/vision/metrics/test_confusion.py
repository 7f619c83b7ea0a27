"""Confusion matrices, compared with a naive twin and with numbers worked out by hand."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych.errors import BoundsError, DomainError, DTypeError, ShapeError
from triptych_vision.metrics import ConfusionMatrix, confusion_matrix, mean_iou

RNG = np.random.default_rng(0)
GUESSED, TRUE = RNG.integers(0, 4, (3, 6, 5)), RNG.integers(0, 4, (3, 6, 5))


def test_counts_equal_the_naive_ones() -> None:
    matrix = ConfusionMatrix(4)
    for guessed, true in zip(GUESSED, TRUE, strict=True):
        matrix.update(tp.from_numpy(guessed), tp.from_numpy(true))
    want = np.zeros((4, 4), int)
    for guessed, true in zip(GUESSED.ravel(), TRUE.ravel(), strict=True):
        want[true, guessed] += 1
    assert matrix.compute().tolist() == want.tolist()
    assert matrix.accuracy() == pytest.approx((GUESSED == TRUE).mean())
    ious = [
        ((k == GUESSED) & (k == TRUE)).sum() / ((k == GUESSED) | (k == TRUE)).sum()
        for k in range(4)
    ]
    assert matrix.iou().tolist() == pytest.approx(ious)
    assert matrix.mean_iou() == pytest.approx(np.mean(ious))
    assert mean_iou(tp.from_numpy(GUESSED), tp.from_numpy(TRUE), 4) == pytest.approx(np.mean(ious))


def test_scores_and_ignored_pixels() -> None:
    scores = tp.from_numpy(np.eye(4, dtype=np.float32)[GUESSED].transpose(0, 3, 1, 2).copy())
    true = np.where(TRUE == 3, 255, TRUE).astype(np.uint8)
    got = confusion_matrix(scores, tp.from_numpy(true), 4, ignore_index=255).numpy()
    assert got[3].tolist() == [0, 0, 0, 0]
    assert got.sum() == (TRUE != 3).sum()


def test_report_by_hand() -> None:
    matrix = ConfusionMatrix(3)
    matrix.update(tp.tensor([0, 0, 0, 1, 1]), tp.tensor([0, 0, 1, 1, 0]))
    report = matrix.report(["cat", "dog", "bird"])
    assert report.precision[:2] == pytest.approx((2 / 3, 1 / 2))
    assert report.recall[:2] == pytest.approx((2 / 3, 1 / 2))
    assert report.f1[:2] == pytest.approx((2 / 3, 1 / 2))
    assert report.iou[:2] == pytest.approx((1 / 2, 1 / 3))
    assert report.support == (3, 2, 0)
    assert math.isnan(report.recall[2])  # no bird, none guessed
    assert str(report).splitlines() == [
        "class            precision  recall      f1     iou  support",
        "cat                  0.667   0.667   0.667   0.500        3",
        "dog                  0.500   0.500   0.500   0.333        2",
        "bird                   nan     nan     nan     nan        0",
        "mean of classes      0.583   0.583   0.583   0.417        5",
    ]


def test_what_does_not_fit() -> None:
    matrix = ConfusionMatrix(2)
    with pytest.raises(DomainError, match="nothing was seen"):
        matrix.mean_iou()
    with pytest.raises(BoundsError, match="target has classes 0 to 2, wanted 0 to 1"):
        matrix.update(tp.tensor([0, 1]), tp.tensor([0, 2]))
    with pytest.raises(ShapeError, match="classes on axis 1"):
        matrix.update(tp.tensor([0, 1]), tp.tensor([0]))
    with pytest.raises(DTypeError, match="target of integers"):
        matrix.update(tp.tensor([0]), tp.tensor([0.0]))
    with pytest.raises(ShapeError, match="1 names for 2 classes"):
        matrix.report(["cat"])
    with pytest.raises(DomainError, match="1 or more"):
        ConfusionMatrix(0)
    assert matrix.compute().tolist() == [[0, 0], [0, 0]]
    matrix.update(tp.tensor([1]), tp.tensor([1]))
    matrix.reset()
    assert not matrix.compute().any()

"""Losses of a class for each pixel."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import gradcheck
from triptych.nn import functional as F
from triptych_vision.ops import dice_loss, focal_loss, lovasz_softmax_loss, tversky_loss

Loss = Callable[..., tp.Tensor]
LOSSES = [
    dice_loss,
    partial(dice_loss, average="macro"),
    partial(tversky_loss, alpha=0.3, beta=0.7),
    partial(focal_loss, reduction="mean"),
    lovasz_softmax_loss,
]
every = pytest.mark.parametrize("loss", LOSSES)


def draw() -> tuple[tp.Tensor, tp.Tensor]:
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((2, 3, 4, 5))
    return tp.tensor(logits), tp.tensor(rng.integers(0, 3, (2, 4, 5)))


def chances(logits: tp.Tensor) -> np.ndarray:
    return logits.softmax(1).numpy()


def one_hot(target: tp.Tensor) -> np.ndarray:
    return (target.numpy()[:, None] == np.arange(3)[:, None, None]).astype(float)


def test_dice() -> None:
    logits, target = draw()
    p, t = chances(logits), one_hot(target)
    micro = [1 - 2 * (p[i] * t[i]).sum() / (p[i] + t[i]).sum() for i in range(2)]
    assert dice_loss(logits, target).item() == pytest.approx(np.mean(micro))
    per_class = 1 - 2 * (p * t).sum((2, 3)) / (p + t).sum((2, 3))
    assert dice_loss(logits, target, "macro").item() == pytest.approx(per_class.mean())
    weight = np.array([1.0, 2.0, 0.0])
    wanted = (per_class * weight).sum(1).mean() / 3
    got = dice_loss(logits, target, "macro", weight=tp.tensor(weight))
    assert got.item() == pytest.approx(wanted)
    with pytest.raises(ValueError, match="average is one of"):
        dice_loss(logits, target, "all")


def test_tversky() -> None:
    logits, target = draw()
    p, t = chances(logits), one_hot(target)
    right, false_pos = (p * t).sum((1, 2, 3)), (p * (1 - t)).sum((1, 2, 3))
    false_neg = ((1 - p) * t).sum((1, 2, 3))
    wanted = 1 - right / (right + 0.3 * false_pos + 0.7 * false_neg)
    assert tversky_loss(logits, target, 0.3, 0.7).item() == pytest.approx(wanted.mean())
    half = tversky_loss(logits, target, 0.5, 0.5)
    assert half.item() == pytest.approx(dice_loss(logits, target).item())


def test_focal() -> None:
    logits, target = draw()
    p = (chances(logits) * one_hot(target)).sum(1)
    alpha = np.where(target.numpy() == 0, 0.75, 0.25)
    got = focal_loss(logits, target, alpha=0.25, gamma=3.0)
    np.testing.assert_allclose(got.numpy(), -alpha * (1 - p) ** 3 * np.log(p), rtol=1e-6)
    plain = focal_loss(logits, target, gamma=0.0, reduction="mean")
    assert plain.item() == pytest.approx(F.cross_entropy(logits, target).item())


def test_lovasz_is_the_jaccard_loss_of_answers_that_are_sure() -> None:
    _, target = draw()
    guess = target.clone()
    guess[0, 1:3] = (guess[0, 1:3] + 1) % 3
    sure = tp.tensor(one_hot(guess) * 200)
    t, g = target.numpy(), guess.numpy()
    wanted = [1 - ((t == c) & (g == c)).sum() / ((t == c) | (g == c)).sum() for c in range(3)]
    assert lovasz_softmax_loss(sure, target).item() == pytest.approx(np.mean(wanted))


def test_lovasz_goes_along_the_sorted_errors() -> None:
    logits, target = draw()
    p, t = chances(logits), one_hot(target)
    total = 0.0
    for c in range(3):
        errors, truth = abs(t[:, c] - p[:, c]).ravel(), t[:, c].ravel()
        order = np.argsort(-errors)
        jaccard = [0.0]
        for count in range(1, len(order) + 1):
            wrong = np.zeros(len(order), dtype=bool)
            wrong[order[:count]] = True
            guess = (truth == 1) ^ wrong
            jaccard.append(1 - ((truth == 1) & guess).sum() / ((truth == 1) | guess).sum())
        steps = [b - a for a, b in pairwise(jaccard)]
        total += (errors[order] * steps).sum()
    assert lovasz_softmax_loss(logits, target).item() == pytest.approx(total / 3)


@every
def test_gradient(loss: Loss) -> None:
    logits, target = draw()
    small, classes = logits[:, :, :2, :3].clone(), target[:, :2, :3]
    assert gradcheck(lambda x: loss(x, classes), (small.requires_grad_(),))


@every
def test_ignored_pixels_do_not_count(loss: Loss) -> None:
    logits, target = draw()
    left = loss(logits[..., :3], target[..., :3]).item()
    hidden = target.clone()
    hidden[..., 3:] = -100
    assert loss(logits, hidden).item() == pytest.approx(left)
    with pytest.raises(ValueError, match=r"wanted logits \(n, classes, ...\)"):
        loss(logits, target[..., :2])

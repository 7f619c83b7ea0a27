"""Augmentations made of augmentations."""

import numpy as np
import pytest

import triptych as tp
from triptych_audio import augmentations as A

X = np.ones((4, 2, 50))


class Add(A.Augmentation):
    """Adds a digit, so that order can be seen: y = 10 x + digit."""

    def __init__(self, digit, p=1.0):
        super().__init__(p)
        self.digit = digit

    def transform(self, samples, sample_rate):
        return samples * 10 + self.digit


def test_compose_in_order():
    steps = A.Compose([Add(2), Add(3), lambda x: x + 0.5])
    assert (steps(X) == 123.5).all()
    orders = {A.Compose([Add(2), Add(3)], shuffle=True)(X)[0, 0, 0] for _ in range(50)}
    assert orders == {123, 132}
    assert (A.Compose([Add(2)], p=0.0)(X) == 1).all()


def test_sample_rate_reaches_the_steps():
    steps = A.Compose([A.LowPassFilter(p=1.0)], sample_rate=8000)
    assert steps(X).shape == X.shape
    assert A.Compose([A.LowPassFilter(p=1.0)])(X, 16000).shape == X.shape


def test_one_of():
    one = A.OneOf([Add(2), Add(3)], weights=[1, 3])
    drawn = [one(X)[0, 0, 0] for _ in range(400)]
    assert set(drawn) == {12, 13}
    assert np.mean([d == 13 for d in drawn]) == pytest.approx(0.75, abs=0.08)
    assert {A.OneOf([Add(2), Add(3)])(X)[0, 0, 0] for _ in range(40)} == {12, 13}


@pytest.mark.parametrize(
    ("count", "wanted"),
    [(2, {123, 124, 134}), ((0, 1), {1, 12, 13, 14}), ((2, None), {123, 124, 134, 1234})],
)
def test_some_of(count, wanted):
    some = A.SomeOf(count, [Add(2), Add(3), Add(4)])
    assert {int(some(X)[0, 0, 0]) for _ in range(150)} == wanted


def test_frozen_chain_does_it_again(rng):
    steps = A.Compose(
        [A.Gain(p=0.5), A.OneOf([A.AddGaussianSNR(p=1.0), A.BitCrush(p=1.0)]), A.Shift(p=0.5)],
        shuffle=True,
    )
    x = rng.standard_normal((2, 800))
    first = steps(x, 16000)
    steps.freeze_parameters()
    for _ in range(3):
        np.testing.assert_array_equal(steps(x, 16000), first)
    other = A.Compose([A.Gain(p=1.0), A.AddGaussianSNR(p=1.0)])
    twin = A.Compose([A.Gain(p=1.0), A.AddGaussianSNR(p=1.0)])
    want = other(x, 16000)
    twin.restore(other.snapshot())
    twin.freeze_parameters()
    np.testing.assert_array_equal(twin(x, 16000), want)
    steps.unfreeze_parameters()
    assert any((steps(x, 16000) != first).any() for _ in range(5))
    assert A.Compose([A.Gain()]).snapshot() is None
    twin.restore(None)
    assert twin.drawn is None


def test_each_example_has_its_own():
    batch = A.PerExampleBatchAugment(A.Gain(p=1.0))
    got = batch(X)
    assert got.shape == X.shape
    assert len(np.unique(got)) == 4
    channels = A.PerExampleBatchAugment(A.Gain(p=1.0), "per_channel")(X)
    assert len(np.unique(channels)) == 8
    assert A.PerExampleBatchAugment(A.Gain())(np.ones((0, 5))).shape == (0, 5)


def test_frozen_batch():
    batch = A.PerExampleBatchAugment(A.Compose([A.Gain(p=1.0), A.AddGaussianNoise(p=0.5)]))
    first = batch(X, 16000)
    batch.freeze_parameters()
    np.testing.assert_array_equal(batch(X, 16000), first)
    np.testing.assert_array_equal(batch(X[:2], 16000), first[:2])
    with pytest.raises(ValueError, match="parameters of 4 examples are frozen, got 5"):
        batch(np.ones((5, 2, 50)), 16000)
    batch.unfreeze_parameters()
    assert (batch(X, 16000) != first).any()


def test_batches_that_do_not_fit():
    with pytest.raises(ValueError, match="wants 1 axes before"):
        A.PerExampleBatchAugment(A.Gain())(np.ones(5))
    cuts = A.PerExampleBatchAugment(A.RepeatPart(1, 1, 0.001, 0.01, p=1.0), "per_example")
    with pytest.raises(ValueError, match="add AdjustDuration"):
        cuts(X, 1000)


def test_mixup():
    x, labels = np.arange(6.0).reshape(3, 1, 2), np.array([0, 1, 2])
    mixup = A.Mixup(3, alpha=1.0, generator=tp.Generator().manual_seed(2))
    mixed, soft = mixup(x, labels)
    np.testing.assert_allclose(soft.sum(1), 1)
    np.testing.assert_allclose(mixed[:, 0, 0], soft @ np.array([0.0, 2.0, 4.0]), atol=1e-9)
    again = A.Mixup(3, alpha=1.0, generator=tp.Generator().manual_seed(2))(x, np.eye(3))
    np.testing.assert_allclose(again[0], mixed)
    np.testing.assert_allclose(again[1], soft)
    same, hard = A.Mixup(3, p=0.0)(x, labels)
    np.testing.assert_array_equal(same, x)
    np.testing.assert_array_equal(hard, np.eye(3))


def test_shares_are_from_the_beta_distribution():
    drawn = A.Mixup(alpha=0.4)._draw(5000).numpy()
    assert drawn.mean() == pytest.approx(0.5, abs=0.03)
    assert drawn.var() == pytest.approx(1 / (4 * (2 * 0.4 + 1)), abs=0.01)


def test_mixup_errors():
    with pytest.raises(ValueError, match="wanted 3 labels"):
        A.Mixup(3)(np.ones((3, 5)), np.array([0, 1]))
    with pytest.raises(ValueError, match="need num_classes"):
        A.Mixup()(np.ones((2, 5)), np.array([0, 1]))

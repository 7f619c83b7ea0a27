"""Transforms made of transforms."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import ShapeError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors


def add(amount: int) -> T.Lambda:
    return T.Lambda(lambda x: x + amount)


def test_compose_runs_in_order() -> None:
    assert T.Compose([add(1), lambda x: x * 10])(tp.tensor([1])).item() == 20
    assert T.Compose([])(5) == 5
    image, label = T.Compose([T.Resize(2), T.ToImage()])(Image.new("L", (4, 4)), 3)
    assert image.shape == (1, 2, 2)
    assert label == 3


def test_compose_prints_its_steps() -> None:
    text = repr(T.Compose([T.CenterCrop(3), T.Compose([T.RandomHorizontalFlip(0.2)])]))
    assert "CenterCrop(size=(3, 3))" in text
    assert "RandomHorizontalFlip(p=0.2)" in text


def test_compose_wants_a_sequence() -> None:
    with pytest.raises(TypeError, match="put a single one into a list"):
        T.Compose(T.Resize(3))  # type: ignore[arg-type]


@pytest.mark.parametrize("p", [0.0, 0.25, 1.0])
def test_random_apply_applies_all_or_none(p: float) -> None:
    generator = tp.Generator().manual_seed(1)
    step = T.RandomApply([add(1), add(10)], p, generator=generator)
    results = [step(0) for _ in range(400)]
    assert set(results) <= {0, 11}
    assert abs(np.mean(results) / 11 - p) < 0.08  # four deviations of 400 draws


def test_random_choice_follows_its_probabilities() -> None:
    step = T.RandomChoice([add(1), add(2)], p=[3, 1], generator=tp.Generator().manual_seed(1))
    results = [step(0) for _ in range(400)]
    assert abs(results.count(1) / 400 - 0.75) < 0.09
    assert set(results) == {1, 2}
    for p in ([1.0], [0.0, 0.0], [-1.0, 2.0]):
        with pytest.raises(ShapeError, match="one probability for each of 2"):
            T.RandomChoice([add(1), add(2)], p=p)


def test_random_order_uses_every_step_once() -> None:
    steps = [T.Lambda(lambda x, name=name: x + name) for name in "abc"]
    step = T.RandomOrder(steps, generator=tp.Generator().manual_seed(0))
    orders = {step("") for _ in range(100)}
    assert orders == {"abc", "acb", "bac", "bca", "cab", "cba"}


def test_lambda_goes_by_type() -> None:
    sample = {"image": tp.ones(1, 1, 1), "label": 3}
    out = T.Lambda(lambda x: x * 2, int)(sample)
    assert out == {"image": sample["image"], "label": 6}
    assert T.Lambda(str)(
        (1, [2]),
    ) == ("1", ["2"])


def test_identity() -> None:
    x = tp.zeros(1, 1, 1)
    assert T.Identity()(x) is x


def more(pair: list[tp.Tensor]) -> list[tp.Tensor]:
    return [x + 5 for x in pair]


def twice(pair: list[tp.Tensor]) -> list[tp.Tensor]:
    return [x * 2 for x in pair]


@pytest.mark.parametrize(
    "make",
    [
        lambda: T.RandomApply([more, more], 0.5, per_sample=True),
        lambda: T.RandomChoice([more, T.Identity()], per_sample=True),
        lambda: T.RandomOrder([more, twice], per_sample=True),
    ],
)
def test_each_sample_has_a_draw_of_its_own(make: Callable[[], T.Transform]) -> None:
    tp.manual_seed(0)
    images, masks = tp.zeros(40, 1, 2, 2), tv_tensors.Mask(tp.zeros(40, 2, 2))
    out, mask, label = make()((tv_tensors.Image(images), masks, "label"))
    assert label == "label"
    assert np.array_equal(out.numpy()[:, 0], mask.numpy())
    values = out.numpy()[:, 0, 0, 0]
    assert len(set(values.tolist())) == 2
    assert 8 < (values == values.max()).sum() < 32


@pytest.mark.parametrize("p", [-0.1, 1.5])
def test_probabilities_are_checked(p: float) -> None:
    for make in (T.RandomHorizontalFlip, T.RandomGrayscale, lambda p: T.RandomApply([], p)):
        with pytest.raises(ValueError, match="from 0 to 1"):
            make(p)

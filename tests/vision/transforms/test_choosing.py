"""Groups and replays."""

from collections import Counter
from typing import Any

import pytest

import triptych as tp
from triptych.errors import BoundsError, ShapeError
from triptych_vision import transforms as T

ADD = [T.Lambda(lambda x, n=n: x + n) for n in (1, 10, 100)]


def counted(group: Any, times: int = 300) -> Counter[int]:
    return Counter(group(tp.zeros(1, 1, 1)).int().item() for _ in range(times))


def test_one_of_by_weights() -> None:
    seen = counted(T.OneOf(ADD, weights=[1, 3, 0], p=0.8))
    assert set(seen) == {0, 1, 10}
    assert 0.1 < seen[0] / 300 < 0.3
    assert 2 < seen[10] / seen[1] < 5
    for wrong in ([1, 2], [0, 0, 0], [1, 1, -1]):
        with pytest.raises(ShapeError, match="weight for each of 3"):
            T.OneOf(ADD, wrong)


def test_some_of() -> None:
    assert set(counted(T.SomeOf(ADD, 2))) == {11, 101, 110}
    assert set(counted(T.SomeOf(ADD, (0, 1)))) == {0, 1, 10, 100}
    assert set(counted(T.SomeOf(ADD[:1], 3, replace=True))) == {3}
    assert set(counted(T.SomeOf(ADD, 3, p=0.5))) == {0, 111}
    for wrong in (4, (2, 1), (1, 2, 3)):
        with pytest.raises(BoundsError, match="SomeOf"):
            T.SomeOf(ADD, wrong)
    batch = T.SomeOf(ADD, 1, per_sample=True)(tp.zeros(50, 1, 1, 1))
    assert set(batch.flatten().int().tolist()) == {1, 10, 100}


def test_replays_draw_what_was_drawn() -> None:
    own = tp.Generator().manual_seed(3)
    steps = T.ReplayCompose(
        [
            T.RandomCrop(8),
            T.OneOf([T.RandomHorizontalFlip(), T.ColorJitter(0.4, 0.4)], p=0.9),
            T.GaussianNoise(),
            T.RandomRotation(30, generator=own),
        ]
    )
    image, other = tp.rand(3, 16, 16), tp.rand(3, 16, 16)
    out, record = steps(image)
    tp.manual_seed(1)
    expected = tp.rand(3)
    tp.manual_seed(1)
    assert steps.replay(record, image).equal(out)
    assert tp.rand(3).equal(expected)  # the stream went on as if nothing was replayed
    assert not steps(image)[0].equal(out)
    assert steps.replay(record, other).shape == (3, 8, 8)
    assert steps.replay(record, image, 7)[1] == 7
    with pytest.raises(ShapeError, match="another pipeline"):
        steps.replay(record[:1], image)

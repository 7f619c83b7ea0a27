"""Top-k accuracy, compared with a naive twin."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_vision.metrics import Accuracy, accuracy

RNG = np.random.default_rng(0)
SCORES, TRUE = RNG.normal(size=(50, 9)).astype(np.float32), RNG.integers(0, 9, 50)


def naive(k: int) -> float:
    hits = [
        int(c) in sorted(range(9), key=lambda j: -row[j])[:k]
        for row, c in zip(SCORES, TRUE, strict=True)
    ]
    return 100 * sum(hits) / len(hits)


def test_equals_the_naive_one() -> None:
    got = accuracy(tp.from_numpy(SCORES), tp.from_numpy(TRUE), topk=(1, 3, 9))
    assert [float(share) for share in got] == pytest.approx([naive(1), naive(3), 100.0])
    one_hot = tp.from_numpy(np.eye(9, dtype=np.float32)[TRUE])
    assert float(accuracy(tp.from_numpy(SCORES), one_hot)[0]) == pytest.approx(naive(1))


def test_batches_add_up() -> None:
    metric = Accuracy(topk=(1, 5))
    for part in (slice(0, 7), slice(7, 50)):
        metric(tp.from_numpy(SCORES[part]), tp.from_numpy(TRUE[part]))
    assert metric.compute() == pytest.approx({"acc@1": naive(1), "acc@5": naive(5)})
    metric.reset()
    with pytest.raises(DomainError, match=r"Accuracy\.compute: nothing was seen"):
        metric.compute()


def test_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"\(n, classes\)"):
        accuracy(tp.zeros(3, 2), tp.zeros(4, dtype=tp.int64))
    with pytest.raises(ShapeError, match="no samples"):
        accuracy(tp.zeros(0, 2), tp.zeros(0, dtype=tp.int64))
    with pytest.raises(DomainError, match="for 2 classes"):
        accuracy(tp.zeros(3, 2), tp.zeros(3, dtype=tp.int64), topk=(5,))

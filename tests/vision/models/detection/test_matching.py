"""Which anchor stands for which box."""

import pytest

import triptych as tp
from triptych_vision.models.detection import BalancedPositiveNegativeSampler, Matcher, SSDMatcher

QUALITY = tp.tensor([[0.9, 0.1, 0.5, 0.2, 0.3], [0.2, 0.2, 0.6, 0.4, 0.0]])


def test_thresholds() -> None:
    assert Matcher(0.6, 0.4)(QUALITY).tolist() == [0, -1, 1, -2, -1]


def test_low_quality_matches() -> None:
    quality = tp.tensor([[0.9, 0.1, 0.2], [0.0, 0.3, 0.3]])
    assert Matcher(0.6, 0.4)(quality).tolist() == [0, -1, -1]
    assert Matcher(0.6, 0.4, allow_low_quality_matches=True)(quality).tolist() == [0, 1, 1]


def test_every_box_gets_an_anchor() -> None:
    quality = tp.tensor([[0.1, 0.2, 0.0], [0.3, 0.1, 0.0]])
    assert SSDMatcher(0.5)(quality).tolist() == [1, 0, -1]


def test_errors() -> None:
    with pytest.raises(ValueError, match="no true boxes"):
        Matcher(0.6, 0.4)(tp.zeros(0, 5))
    with pytest.raises(ValueError, match="no proposed boxes"):
        Matcher(0.6, 0.4)(tp.zeros(2, 0))
    with pytest.raises(ValueError, match=r"low_threshold 0\.7 is above"):
        Matcher(0.6, 0.7)


def test_sampler() -> None:
    tp.manual_seed(0)
    labels = tp.tensor([1.0] * 10 + [0.0] * 20 + [-1.0] * 5)
    (positive,), (negative,) = BalancedPositiveNegativeSampler(8, 0.5)([labels])
    assert positive.dtype == tp.uint8
    assert (int(positive.sum()), int(negative.sum())) == (4, 4)
    assert int(positive[10:].sum()) == 0
    assert int(negative[:10].sum() + negative[30:].sum()) == 0
    (positive,), (negative,) = BalancedPositiveNegativeSampler(25, 0.8)([labels])
    assert (int(positive.sum()), int(negative.sum())) == (10, 15)

"""Stochastic depth."""

import numpy as np
import pytest

import triptych as tp
from triptych_vision.ops import StochasticDepth, stochastic_depth


def test_rows_are_zero_or_scaled() -> None:
    tp.manual_seed(0)
    out = stochastic_depth(tp.ones(2000, 3, 2), 0.3, "row").numpy()
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / 0.7)}
    assert (out == out[:, :1, :1]).all()
    assert abs(out.mean() - 1) < 0.05


def test_batch_is_one_draw() -> None:
    tp.manual_seed(0)
    drawn = {float(stochastic_depth(tp.ones(4, 5), 0.5, "batch").sum()) for _ in range(40)}
    assert drawn == {0.0, 40.0}


def test_off() -> None:
    x = tp.rand(3, 4)
    assert stochastic_depth(x, 0.9, "row", training=False) is x
    assert StochasticDepth(0.9, "row").eval()(x) is x
    assert stochastic_depth(x, 1.0, "row").abs().sum() == 0
    assert repr(StochasticDepth(0.5, "row")) == "StochasticDepth(p=0.5, mode=row)"


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"from 0 to 1, got 1\.5"):
        stochastic_depth(tp.ones(2), 1.5, "row")
    with pytest.raises(ValueError, match="mode is one of"):
        stochastic_depth(tp.ones(2), 0.5, "column")

"""Slopes and running means beside plain loops."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_audio import functional as F

MODES = {"replicate": "edge", "constant": "constant", "reflect": "reflect", "circular": "wrap"}


@pytest.mark.parametrize("win_length", [3, 5, 8, 13])
@pytest.mark.parametrize("mode", sorted(MODES))
def test_deltas_are_least_squares(rng, win_length, mode):
    x = rng.standard_normal((2, 3, 20))
    n = (win_length - 1) // 2
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(x, [(0, 0), (0, 0), (n, n)], mode=MODES[mode]), 2 * n + 1, -1
    )
    slopes = np.polyfit(np.arange(-n, n + 1), around.reshape(-1, 2 * n + 1).T, 1)[0]
    got = F.compute_deltas(x, win_length, mode)
    np.testing.assert_allclose(got, slopes.reshape(x.shape), atol=1e-12)


def test_deltas_refuse_a_short_window():
    with pytest.raises(ShapeError, match="at least 3"):
        F.compute_deltas(tp.ones(4, 5), 2)


def window(t, frames, size, least, center):
    start = t - size // 2 if center else t - size
    end = start + size if center else t + 1
    if start < 0:
        end, start = end - start, 0
    if not center and end > t:
        end = max(t + 1, least)
    if end > frames:
        start, end = max(start - (end - frames), 0), frames
    return slice(start, end)


@pytest.mark.parametrize("size", [(600, 100), (10, 4), (7, 30), (6, 2)])
@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("norm_vars", [False, True])
def test_running_mean(rng, size, center, norm_vars):
    x = rng.standard_normal((2, 25, 3))
    got = F.sliding_window_cmn(x, *size, center, norm_vars)
    for t in range(25):
        part = x[:, window(t, 25, *size, center)]
        want = x[:, t] - part.mean(1)
        if norm_vars:
            want = want / part.std(1)
        np.testing.assert_allclose(got[:, t], want, atol=1e-9)


def test_constant_columns_and_single_frames_give_zero():
    assert (F.sliding_window_cmn(tp.full((9, 2), 3.0), 4, 2, norm_vars=True) == 0).all()
    assert (F.sliding_window_cmn(tp.ones(1, 2), norm_vars=True) == 0).all()


def test_running_mean_keeps_dtype_and_gradient():
    x = tp.arange(12.0).reshape(6, 2).requires_grad_()
    out = F.sliding_window_cmn(x, 3, 1, norm_vars=True)
    assert out.dtype == tp.float32
    out.square().sum().backward()
    assert x.grad.isfinite().all()


def test_running_mean_refuses():
    with pytest.raises(ShapeError, match="cmn_window > 0"):
        F.sliding_window_cmn(tp.ones(4))


@pytest.mark.parametrize("shape", [(1, 3), (2, 1, 3)])
@pytest.mark.parametrize("center", [False, True])
def test_one_frame_keeps_its_shape(shape, center):
    got = F.sliding_window_cmn(tp.ones(*shape), center=center)
    assert got.shape == shape and not got.any()

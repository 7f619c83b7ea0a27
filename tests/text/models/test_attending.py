"""Attention and sights against loops."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_text.models.attending import Sight, attend, causal_sight, padding_sight

RNG = np.random.default_rng(0)


def twin(q, k, v, allowed, scale, bias, cap):
    n, heads, length, _ = q.shape
    share = heads // k.shape[1]
    out = np.zeros((n, length, heads, v.shape[-1]))
    for i, h, t in np.ndindex(n, heads, length):
        scores = k[i, h // share] @ q[i, h, t] * scale
        scores = np.tanh(scores / cap) * cap if cap else scores
        scores = scores + (0 if bias is None else bias[0, h, t])
        scores = scores[allowed[i, t]]
        weights = np.exp(scores - scores.max())
        out[i, t, h] = weights / weights.sum() @ v[i, h // share][allowed[i, t]]
    return out.reshape(n, length, -1)


@pytest.mark.parametrize("cap", [None, 1.5])
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize(("length", "stored"), [(1, 4), (5, 0), (3, 4), (1, 0)])
@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("padded", [False, True])
def test_attend(length, stored, window, padded, with_bias, cap):
    total = stored + length
    q = RNG.standard_normal((2, 4, length, 6))
    k, v = RNG.standard_normal((2, 2, 2, total, 6))
    bias = RNG.standard_normal((1, 4, length, total)) if with_bias else None
    mask = np.ones((2, total + 2), np.int64)
    if padded:
        mask[1, :2] = 0  # one of them is forgotten already
        mask[1, 2] = 0 if length > 1 or (window is None and total > 1) else 1
    allowed = np.zeros((2, length, total), bool)
    for i, t, s in np.ndindex(*allowed.shape):
        behind = stored + t - s
        near = behind >= 0 and (window is None or behind < window)
        allowed[i, t, s] = near and (not padded or mask[i, 2 + s] or behind == 0)
    given = tp.from_numpy(mask) if padded else None
    sight = causal_sight(length, stored, window, given)
    if padded:  # rows without any key are of padding, and mean nothing
        sight = Sight(tp.from_numpy(allowed)[:, None])
        sees = causal_sight(length, stored, window, given).allowed
        sees = np.broadcast_to(sees.numpy(), (2, 1, length, total))[:, 0]
        own = np.eye(length, total, stored, dtype=bool)
        np.testing.assert_array_equal(sees | own, allowed | own)
    wanted = twin(q, k, v, allowed, 0.3, bias, cap)
    for inference in (False, True):
        with tp.inference_mode(inference):
            got = attend(
                *(tp.from_numpy(x) for x in (q, k, v)), sight, scale=0.3, soft_cap=cap,
                bias=None if bias is None else tp.from_numpy(bias),
            )  # fmt: skip
        np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-9)


def test_dropout_and_masks():
    x = tp.ones(1, 1, 1, 4)
    dropped = attend(x, tp.ones(1, 1, 400, 4), tp.ones(1, 1, 400, 4), Sight(), dropout_p=0.5)
    assert 0.7 < dropped.mean().item() < 1.3
    assert dropped.mean().item() != 1
    assert padding_sight(None) == Sight()
    assert padding_sight(tp.tensor([[1, 0]])).allowed.tolist() == [[[[True, False]]]]
    each = tp.ones(1, 2, 2).tril()
    assert padding_sight(each).allowed.shape == (1, 1, 2, 2)
    for mask in (tp.ones(3), tp.ones(1, 2)):
        with pytest.raises(ShapeError, match="attention_mask"):
            causal_sight(3, 0, None, mask)

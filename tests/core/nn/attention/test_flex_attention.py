"""Scores and masks by formula, against attention with the same numbers in tensors."""

import numpy as np
import pytest

import triptych as tp
from triptych.nn import functional as F
from triptych.nn.attention.bias import causal_lower_right, causal_upper_left
from triptych.nn.attention.flex_attention import (
    and_masks,
    create_block_mask,
    create_mask,
    flex_attention,
    noop_mask,
    or_masks,
)

RNG = np.random.default_rng(0)
Q, K, V = (tp.tensor(RNG.standard_normal((2, 4, n, 3))) for n in (5, 6, 6))


def causal(b, h, q, kv):
    return q >= kv


def near(b, h, q, kv):
    return (q - kv).abs() < 2


def same(one, two):
    np.testing.assert_allclose(one.numpy(), two.numpy(), rtol=1e-9, atol=1e-12)


def test_without_formulas_it_is_attention():
    same(flex_attention(Q, K, V), F.scaled_dot_product_attention(Q, K, V))
    one, two = (t[:, :2] for t in (K, V))
    expected = F.scaled_dot_product_attention(Q, one, two, enable_gqa=True, scale=0.3)
    same(flex_attention(Q, one, two, scale=0.3, enable_gqa=True), expected)


def test_score_mod_sees_places_of_every_axis():
    slopes = tp.tensor([1.0, 2.0, 3.0, 4.0], dtype=tp.float64)
    bias = np.empty((2, 4, 5, 6))
    for b, h, i, j in np.ndindex(bias.shape):
        bias[b, h, i, j] = (j - i) * float(slopes[h]) + b
    out = flex_attention(Q, K, V, lambda score, b, h, i, j: score + (j - i) * slopes[h] + b)
    same(out, F.scaled_dot_product_attention(Q, K, V, tp.tensor(bias)))


def test_block_masks():
    mask = create_block_mask(causal, None, None, 5, 6)
    same(
        flex_attention(Q, K, V, block_mask=mask),
        F.scaled_dot_product_attention(Q, K, V, is_causal=True),
    )
    assert mask.shape == (1, 1, 5, 6) and mask.sparsity() == pytest.approx(50)
    odd = create_mask(lambda b, h, q, kv: (q + h) % 2 == 0, 2, 4, 5, 6)  # rows that see nothing
    out = flex_attention(
        Q, K, V, block_mask=create_block_mask(lambda b, h, q, kv: (q + h) % 2 == 0, 2, 4, 5, 6)
    )
    same(out, F.scaled_dot_product_attention(Q, K, V, odd))


def test_masks_combine():
    both = create_mask(and_masks(causal, near), None, None, 4, 4)[0, 0].numpy()
    either = create_mask(or_masks(causal, near), None, None, 4, 4)[0, 0].numpy()
    np.testing.assert_array_equal(both, np.tri(4) - np.tri(4, k=-2) == 1)
    np.testing.assert_array_equal(either, np.tri(4, k=1) == 1)
    assert create_mask(noop_mask, None, None, 2, 3).all()


def test_lse_is_the_logarithm_of_the_row_sums():
    lse = flex_attention(Q, K, V, return_lse=True)[1]
    scores = np.einsum("bhid,bhjd->bhij", Q.numpy(), K.numpy()) / 3**0.5
    np.testing.assert_allclose(lse.numpy(), np.log(np.exp(scores).sum(-1)))


def test_biases_by_name():
    assert causal_upper_left(2, 3).tolist() == [[True, False, False], [True, True, False]]
    assert causal_lower_right(2, 3).tolist() == [[True, True, False], [True, True, True]]


def test_errors():
    with pytest.raises(tp.ShapeError, match="enable_gqa"):
        flex_attention(Q, K[:, :2], V[:, :2])

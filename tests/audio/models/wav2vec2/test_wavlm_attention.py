"""Gated biases for distances, against plain loops."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio.models.wav2vec2.wavlm_attention import WavLMSelfAttention, distance_buckets


def bucket(offset, num_buckets, max_distance):
    """One distance, in the words of the paper."""
    half = num_buckets // 2
    first = half if offset > 0 else 0
    distance, exact = abs(offset), half // 2
    if distance < exact:
        return first + distance
    steps = math.log(distance / exact) / math.log(max_distance / exact) * (half - exact)
    return first + min(exact + int(steps + 1e-6), half - 1)


@pytest.mark.parametrize(("num_buckets", "max_distance"), [(320, 800), (32, 128), (8, 16)])
def test_buckets(num_buckets, max_distance):
    got = distance_buckets(700, 900, num_buckets, max_distance)
    want = [bucket(offset, num_buckets, max_distance) for offset in range(-699, 900)]
    assert got.tolist() == want


def layer(**options):
    tp.manual_seed(0)
    made = WavLMSelfAttention(6, 2, num_buckets=8, max_distance=6, **options).eval()
    if made.gru_rel_pos:
        with tp.no_grad():
            made.gru_rel_pos_const += tp.randn(1, 2, 1, 1)
    return made


def test_bias_is_the_table_at_each_distance():
    made = layer(has_relative_attention_bias=True)
    got = made.compute_bias(4, 7).detach().numpy()
    table = made.rel_attn_embed.weight.detach().numpy()
    for q in range(4):
        for k in range(7):
            np.testing.assert_array_equal(got[:, q, k], table[bucket(k - q, 8, 6)])


@pytest.mark.parametrize("gated", [False, True])
def test_is_the_plain_computation(gated, rng):
    made = layer(has_relative_attention_bias=True, gru_rel_pos=gated)
    x = rng.standard_normal((2, 5, 6)).astype(np.float32)
    attention = made.attention
    weight, bias = attention.in_proj_weight.detach().numpy(), attention.in_proj_bias.detach()
    q, k, v = np.split(x @ weight.T + bias.numpy(), 3, -1)
    positions = made.compute_bias(5, 5).detach().numpy()
    want = np.zeros_like(x)
    for n in range(2):
        for h in range(2):
            part = slice(3 * h, 3 * h + 3)
            added = positions[h]
            if gated:
                linear = made.gru_rel_pos_linear
                gates = x[n, :, part] @ linear.weight.detach().numpy().T
                gates = gates + linear.bias.detach().numpy()
                a, b = (1 / (1 + np.exp(-g.sum(-1))) for g in (gates[:, :4], gates[:, 4:]))
                const = made.gru_rel_pos_const.detach().numpy()[0, h, 0, 0]
                added = (a * (b * const - 1) + 2)[:, None] * added
            scores = np.exp(q[n, :, part] @ k[n, :, part].T / np.sqrt(3) + added)
            want[n, :, part] = scores / scores.sum(-1, keepdims=True) @ v[n, :, part]
    out = attention.out_proj
    want = want @ out.weight.detach().numpy().T + out.bias.detach().numpy()
    got, position_bias = made(tp.tensor(x))
    np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-4, atol=1e-5)
    assert position_bias.shape == (2, 2, 5, 5)


def test_padding_is_not_looked_at_however_it_is_said(rng):
    made = layer(has_relative_attention_bias=True)
    x = tp.tensor(rng.standard_normal((1, 6, 6)).astype(np.float32))
    alone = made(x[:, :4])[0].detach().numpy()
    padded = tp.tensor([[False] * 4 + [True] * 2])
    by_keys = made(x, key_padding_mask=padded)[0][:, :4]
    mask = (-10000.0 * padded.to(x.dtype))[:, None, None].expand(1, 1, 6, 6)
    by_mask = made(x, attention_mask=mask)[0][:, :4]
    np.testing.assert_allclose(by_keys.detach().numpy(), alone, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(by_mask.detach().numpy(), alone, rtol=1e-5, atol=1e-6)


def test_later_layers_use_the_bias_of_the_first(rng):
    x = tp.tensor(rng.standard_normal((1, 4, 6)).astype(np.float32))
    later = layer()
    plain = later(x)[0].detach().numpy()
    assert later(x)[1] is None
    mask = tp.zeros(1, 1, 4, 4)
    np.testing.assert_allclose(later(x, attention_mask=mask)[0].detach().numpy(), plain, rtol=1e-6)
    hidden = tp.tensor([[False, False, False, True]])
    assert not np.allclose(later(x, key_padding_mask=hidden)[0].detach().numpy(), plain)
    given = tp.randn(1, 2, 4, 4)
    out, passed_on = later(x, position_bias=given)
    assert passed_on is given
    assert not np.allclose(out.detach().numpy(), plain)


def test_refuses():
    with pytest.raises(DomainError, match="no multiple"):
        WavLMSelfAttention(6, 4)
    with pytest.raises(DomainError, match="no table"):
        layer().compute_bias(2, 2)
    with pytest.raises(ShapeError, match="frames, 6"):
        layer()(tp.zeros(2, 4, 5))

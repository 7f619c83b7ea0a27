"""Rotary embeddings against complex numbers, and the kinds of stretching by what they promise."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych.errors import FileFormatError
from triptych_text.models.rotary import ROPE_TYPES, RotaryEmbedding, rope_settings, rotate

PLAIN = 1 / 10000 ** (np.arange(0, 16, 2) / 16)


def frequencies(length=1, longest=64, **settings):
    found = rope_settings({"rope_parameters": settings}, 10000.0)
    return ROPE_TYPES[found["rope_type"]](found, 16, longest, length)


def test_a_turn_is_a_product_of_complex_numbers():
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 16))
    places = np.array([[0, 1, 2, 3, 4], [70, 71, 72, 73, 500]])
    rotary = RotaryEmbedding(rope_settings({}, 10000.0), 16, 64)
    cos, sin = rotary(tp.from_numpy(places), tp.float64)
    got = rotate(tp.from_numpy(x), cos, sin).numpy()
    turned = (x[..., :8] + 1j * x[..., 8:]) * np.exp(1j * places[:, None, :, None] * PLAIN)
    np.testing.assert_allclose(got[..., :8] + 1j * got[..., 8:], turned, atol=2e-4)


def test_settings_old_and_new():
    assert rope_settings({}, 5.0) == {"rope_type": "default", "rope_theta": 5.0}
    old = {"rope_theta": 7.0, "rope_scaling": {"type": "linear", "factor": 2.0}}
    assert rope_settings(old, 5.0) == {"rope_type": "linear", "factor": 2.0, "rope_theta": 7.0}
    outside = {"rope_scaling": {"rope_type": "yarn"}, "original_max_position_embeddings": 9}
    assert rope_settings(outside, 5.0)["original_max_position_embeddings"] == 9
    assert rope_settings({"rope_scaling": None, "rope_theta": 3.0}, 5.0)["rope_theta"] == 3.0


def test_plain_and_linear():
    np.testing.assert_allclose(frequencies()[0], PLAIN, rtol=1e-6)
    np.testing.assert_allclose(frequencies(rope_type="linear", factor=4.0)[0], PLAIN / 4, rtol=1e-6)


def test_dynamic_stretches_only_long_texts():
    short, _ = frequencies(length=64, rope_type="dynamic", factor=2.0)
    np.testing.assert_allclose(short, PLAIN, rtol=1e-6)
    long, _ = frequencies(length=192, rope_type="dynamic", factor=2.0)
    theta = 10000 * (2 * 192 / 64 - 1) ** (16 / 14)
    np.testing.assert_allclose(long, 1 / theta ** (np.arange(0, 16, 2) / 16), rtol=1e-5)


def test_yarn_keeps_fast_turns_and_stretches_slow_ones():
    made = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}
    found, scale = frequencies(**made, beta_fast=4)
    assert scale == pytest.approx(0.1 * math.log(4) + 1)
    np.testing.assert_allclose(found[0], PLAIN[0], rtol=1e-6)
    np.testing.assert_allclose(found[-1], PLAIN[-1] / 4, rtol=1e-6)
    assert (np.diff(found / PLAIN) <= 1e-6).all()
    assert frequencies(**made, attention_factor=2.0)[1] == 2.0
    assert frequencies(**made, mscale=2.0, mscale_all_dim=1.0)[1] == pytest.approx(
        (0.2 * math.log(4) + 1) / (0.1 * math.log(4) + 1)
    )
    made["factor"] = None
    assert frequencies(**made, truncate=False, longest=64)[1] == 1.0


def test_llama3_and_longrope():
    made = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    found, _ = frequencies(rope_type="llama3", original_max_position_embeddings=64, **made)
    turns = 64 * PLAIN / (2 * np.pi)
    np.testing.assert_allclose(found[turns > 4], PLAIN[turns > 4], rtol=1e-5)
    np.testing.assert_allclose(found[turns < 1], PLAIN[turns < 1] / 8, rtol=1e-5)
    long = {"rope_type": "longrope", "original_max_position_embeddings": 16}
    long |= {"short_factor": [1.0] * 8, "long_factor": [2.0] * 8}
    found, scale = frequencies(length=17, **long)
    np.testing.assert_allclose(found, PLAIN / 2, rtol=1e-6)
    assert scale == pytest.approx(math.sqrt(1 + math.log(4) / math.log(16)))
    assert frequencies(length=16, **long, factor=1.0)[1] == 1.0
    np.testing.assert_allclose(frequencies(length=16, **long)[0], PLAIN, rtol=1e-6)
    assert frequencies(length=16, **long, attention_factor=3.0)[1] == 3.0


def test_refuses():
    with pytest.raises(FileFormatError, match="rope_type='spiral' is not implemented, only"):
        RotaryEmbedding({"rope_type": "spiral", "rope_theta": 1.0}, 8, 64)
    with pytest.raises(FileFormatError, match="'linear' wants the setting 'factor'"):
        RotaryEmbedding({"rope_type": "linear", "rope_theta": 1.0}, 8, 64)


def test_without_tensors_it_is_the_same():
    x = tp.randn(2, 3, 4, 8)
    cos, sin = RotaryEmbedding(rope_settings({}, 10.0), 8, 64)(tp.arange(4)[None], tp.float32)
    with tp.inference_mode():
        quick = rotate(x, cos, sin)
    np.testing.assert_allclose(quick.numpy(), rotate(x, cos, sin).numpy(), rtol=1e-6, atol=1e-6)

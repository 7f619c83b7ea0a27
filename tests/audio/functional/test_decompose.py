"""Tones and clicks taken apart; loudness normalised, beside plain loops."""

import math

import numpy as np
import pytest
from scipy import ndimage, signal

import triptych as tp
from triptych.errors import DomainError
from triptych_audio import functional as F
from triptych_audio.functional import decompose


def cross():
    """A line along time, a line along frequency, and some noise."""
    x = 0.01 * np.random.default_rng(0).random((40, 50))
    x[20], x[:, 30] = 1.0, 1.0
    return x


def test_lines_go_to_their_sides():
    tones, clicks = F.hpss(cross(), 15)
    assert (tones[20, :25] > 0.9).all() and (clicks[:15, 30] > 0.9).all()
    assert (clicks[20, :20] < 0.1).all() and (tones[:15, 30] < 0.1).all()


@pytest.mark.parametrize("size", [(5, 7), (4, 6), (31, 31)])
@pytest.mark.parametrize("block", [1 << 22, 64])
def test_masks_equal_scipy(rng, size, block, monkeypatch):
    monkeypatch.setattr(decompose, "BLOCK", block)
    x = rng.random((2, 20, 30))
    harm = ndimage.median_filter(x, size=(1, 1, size[0]), mode="reflect")
    perc = ndimage.median_filter(x, size=(1, size[1], 1), mode="reflect")
    tones, clicks = F.hpss(x, size, 1.5, mask=True, margin=(1.0, 2.0))
    np.testing.assert_allclose(tones, harm**1.5 / (harm**1.5 + perc**1.5))
    np.testing.assert_allclose(clicks, perc**1.5 / (perc**1.5 + (2 * harm) ** 1.5))


def test_parts_add_up_and_keep_phases(rng):
    x = rng.standard_normal((12, 16)) + 1j * rng.standard_normal((12, 16))
    tones, clicks = F.hpss(x, 5)
    np.testing.assert_allclose(tones + clicks, x)
    hard = F.hpss(x, 5, math.inf, mask=True)
    assert set(np.unique(hard)) <= {0.0, 1.0}


def test_silence():
    tones, clicks = F.hpss(tp.zeros(5, 6), 3, mask=True)
    assert (tones == 0.5).all() and (clicks == 0.5).all()
    assert (F.hpss(tp.zeros(5, 6), 3, mask=True, margin=2.0)[0] == 0).all()


def test_hpss_gradient_passes_the_product():
    x = tp.tensor(cross(), requires_grad=True)
    F.hpss(x, 5)[0].sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), F.hpss(x.detach(), 5, mask=True)[0].numpy())


def test_hpss_refuses():
    with pytest.raises(DomainError, match="margin >= 1"):
        F.hpss(tp.ones(4, 4), margin=0.5)


def plain_pcen(x, b, gain, bias, power, eps):
    smooth = signal.lfilter([b], [1, b - 1], x, zi=np.full((*x.shape[:-1], 1), 1 - b))[0]
    ratio = x * (eps + smooth) ** -gain
    if power == 0:
        return np.log1p(ratio)
    return (ratio + bias) ** power - bias**power


@pytest.mark.parametrize(
    ("gain", "bias", "power"), [(0.98, 2.0, 0.5), (0.8, 0.0, 0.25), (0.5, 10.0, 0.0)]
)
def test_pcen_equals_the_formula(rng, gain, bias, power):
    x = rng.random((2, 10, 300))
    b = (math.sqrt(1 + 4 * 12.5**2) - 1) / (2 * 12.5**2)  # 0.4 s of 512 at 16 kHz
    got = F.pcen(x, 16000, 512, gain, bias, power)
    np.testing.assert_allclose(got, plain_pcen(x, b, gain, bias, power, 1e-6), atol=1e-9)
    given = F.pcen(x, 16000, 512, gain, bias, power, b=0.3)
    np.testing.assert_allclose(given, plain_pcen(x, 0.3, gain, bias, power, 1e-6), atol=1e-9)


def test_pcen_forgets_loudness():
    x = tp.rand(4, 400, generator=tp.Generator().manual_seed(0)) * 1e6
    quiet, loud = (F.pcen(x * g, 16000, gain=1.0)[:, 200:] for g in (1.0, 100.0))
    np.testing.assert_allclose(quiet.numpy(), loud.numpy(), rtol=1e-3)


def test_pcen_refuses():
    with pytest.raises(DomainError, match="gain, bias, power >= 0"):
        F.pcen(tp.ones(2, 3), 16000, bias=-1.0)
    with pytest.raises(DomainError, match="b is above 0"):
        F.pcen(tp.ones(2, 3), 16000, b=1.5)

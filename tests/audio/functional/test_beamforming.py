"""Beamforming by what it must achieve, and against loops."""

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F

C, BINS, FRAMES = 3, 4, 30


def noise(rng, *shape):
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


@pytest.fixture
def scene(rng):
    """One source heard by three microphones, in noise."""
    steering = noise(rng, BINS, C)
    source = noise(rng, BINS, FRAMES)
    target = np.einsum("fc,ft->cft", steering, source)
    return steering, target, noise(rng, C, BINS, FRAMES)


def test_psd_against_loops(rng):
    x, mask = noise(rng, 2, C, BINS, FRAMES), rng.random((2, BINS, FRAMES))
    for normalize in (True, False):
        got = F.psd(x, mask, normalize)
        weights = mask / (mask.sum(-1, keepdims=True) + 1e-10) if normalize else mask
        for i in np.ndindex(2, BINS):
            column = x[i[0], :, i[1]]
            np.testing.assert_allclose(got[i], (column * weights[i]) @ column.conj().T)
    np.testing.assert_allclose(F.psd(x), np.einsum("bcft,beft->bfce", x, x.conj()))
    with pytest.raises(ValueError, match="without its channels"):
        F.psd(x, mask[:, 1:])


def test_target_passes_unchanged(scene):
    steering, target, noisy = scene
    psd_s, psd_n = F.psd(target), F.psd(noisy)
    one_hot = np.eye(C)[1]
    for weights in (
        F.mvdr_weights_souden(psd_s, psd_n, 1),
        F.mvdr_weights_souden(psd_s, psd_n, one_hot),
        F.mvdr_weights_rtf(steering, psd_n, 1),
        F.mvdr_weights_rtf(F.rtf_evd(psd_s), psd_n, one_hot),
        F.mvdr_weights_rtf(F.rtf_power(psd_s, psd_n, 1), psd_n, 1),
    ):
        np.testing.assert_allclose(F.apply_beamforming(weights, target), target[1], rtol=1e-5)
        left = np.linalg.norm(F.apply_beamforming(weights, noisy))
        assert left < np.linalg.norm(noisy[1])


def test_noise_is_least(scene, rng):
    """No other weights that pass the target let less noise through."""
    steering, _, noisy = scene
    psd_n = F.psd(noisy)
    weights = F.mvdr_weights_rtf(steering, psd_n, diagonal_loading=False, eps=0.0)
    np.testing.assert_allclose((weights.conj() * steering).sum(-1), 1)
    power = np.einsum("fc,fce,fe->f", weights.conj(), psd_n, weights).real
    for _ in range(20):
        other = weights + 0.1 * noise(rng, BINS, C)
        other = other / (other.conj() * steering).sum(-1, keepdims=True).conj()
        assert (np.einsum("fc,fce,fe->f", other.conj(), psd_n, other).real >= power).all()


@pytest.mark.parametrize("n_iter", [1, 2, 5])
def test_transfer_functions(scene, n_iter):
    steering, target, noisy = scene
    psd_s, psd_n = F.psd(target), F.psd(noisy)
    for found in (F.rtf_evd(psd_s), F.rtf_power(psd_s, psd_n, 0, n_iter)):
        ratio = found / steering  # the same direction, whatever the factor
        np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1], ratio.shape), rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(F.rtf_evd(psd_s), axis=-1), 1)


def test_batches_and_kinds(scene):
    _, target, noisy = scene
    psd_s, psd_n = F.psd(target), F.psd(noisy)
    many = F.mvdr_weights_souden(np.stack([psd_s] * 2), np.stack([psd_n] * 2), 0)
    one = F.mvdr_weights_souden(tp.tensor(psd_s), tp.tensor(psd_n), 0)
    np.testing.assert_allclose(many[1], one.numpy())
    low = F.apply_beamforming(one.to(tp.complex64), tp.tensor(noisy).to(tp.complex64))
    assert low.dtype == tp.complex64 and low.shape == (BINS, FRAMES)


def test_gradients(scene):
    _, target, noisy = scene

    def enhance(x, y):
        psd_s, psd_n = F.psd(x), F.psd(y)
        return tp.view_as_real(
            F.apply_beamforming(F.mvdr_weights_souden(psd_s, psd_n, 0), x + y)
        ).sum((0, 1))

    inputs = [tp.tensor(a[:2, :2, :5] * 0.3, requires_grad=True) for a in (target, noisy)]
    assert tp.autograd.gradcheck(enhance, inputs, atol=1e-4, rtol=1e-3)


def wrong(scene):
    steering, target, noisy = scene
    s, n = F.psd(target), F.psd(noisy)
    weights = F.mvdr_weights_souden(s, n, 0)
    return [
        (lambda: F.mvdr_weights_souden(s[0], n[0], 0), ValueError, "psd_s and psd_n"),
        (lambda: F.mvdr_weights_souden(s, n[1:], 0), ValueError, "psd_s and psd_n"),
        (lambda: F.mvdr_weights_souden(s[:, 1:], n[:, 1:], 0), ValueError, "wanted a matrix"),
        (lambda: F.mvdr_weights_souden(s.real, n, 0), TypeError, "psd_s must be complex"),
        (lambda: F.mvdr_weights_souden(s, n, "x"), TypeError, "reference_channel is an int"),
        (lambda: F.mvdr_weights_rtf(steering[1:], n), ValueError, "rtf .* and psd_n"),
        (lambda: F.mvdr_weights_rtf(steering.real, n), TypeError, "rtf must be complex"),
        (lambda: F.rtf_evd(s.real), TypeError, "psd_s must be complex"),
        (lambda: F.rtf_evd(s[:, 1:]), ValueError, "wanted a matrix"),
        (lambda: F.rtf_power(s, n, 0, 0), ValueError, "at least 1"),
        (lambda: F.apply_beamforming(weights[1:], noisy), ValueError, "wanted weights"),
        (lambda: F.apply_beamforming(weights, noisy.real), TypeError, "specgram must be"),
    ]


def test_errors(scene):
    for call, error, text in wrong(scene):
        with pytest.raises(error, match=text):
            call()

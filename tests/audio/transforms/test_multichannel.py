"""Transforms of several microphones against the functions they are made of."""

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F
from triptych_audio import transforms as T

C, BINS, FRAMES = 3, 4, 12


@pytest.fixture
def spectra(rng):
    shape = (2, C, BINS, FRAMES)
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


@pytest.fixture
def masks(rng):
    return rng.random((2, 2, C, BINS, FRAMES))


def test_psd(spectra, masks):
    mask = masks[0]
    np.testing.assert_allclose(
        T.PSD(multi_mask=True)(spectra, mask), F.psd(spectra, mask.mean(1), eps=1e-15)
    )
    np.testing.assert_allclose(
        T.PSD(normalize=False)(spectra, mask[:, 0]), F.psd(spectra, mask[:, 0], False)
    )
    np.testing.assert_allclose(T.PSD(multi_mask=True)(spectra), F.psd(spectra))


def by_hand(solution, psd_s, psd_n, spectra):
    if solution == "ref_channel":
        weights = F.mvdr_weights_souden(psd_s, psd_n, 1)
    elif solution == "stv_evd":
        weights = F.mvdr_weights_rtf(F.rtf_evd(psd_s), psd_n, 1)
    else:
        weights = F.mvdr_weights_rtf(F.rtf_power(psd_s, psd_n, 1), psd_n, 1)
    return F.apply_beamforming(weights, spectra)


@pytest.mark.parametrize("solution", ["ref_channel", "stv_evd", "stv_power"])
@pytest.mark.parametrize("multi_mask", [False, True])
def test_mvdr(spectra, masks, solution, multi_mask):
    mask_s, mask_n = masks if multi_mask else masks[:, :, 0]
    plain = [m.mean(1) if multi_mask else m for m in (mask_s, mask_n, 1 - mask_s)]
    psds = [F.psd(spectra, m, eps=1e-15) for m in plain]
    transform = T.MVDR(1, solution, multi_mask)
    np.testing.assert_allclose(
        transform(spectra, mask_s, mask_n), by_hand(solution, psds[0], psds[1], spectra)
    )
    np.testing.assert_allclose(
        transform(spectra, mask_s), by_hand(solution, psds[0], psds[2], spectra)
    )
    low = transform(spectra.astype(np.complex64), mask_s, mask_n)
    assert low.dtype == np.complex64 and low.shape == (2, BINS, FRAMES)


@pytest.mark.parametrize("multi_mask", [False, True])
def test_online(spectra, masks, multi_mask):
    mask_s, mask_n = masks if multi_mask else masks[:, :, 0]
    transform = T.MVDR(1, multi_mask=multi_mask, online=True)
    first = transform(spectra, mask_s, mask_n)
    np.testing.assert_allclose(first, T.MVDR(1, multi_mask=multi_mask)(spectra, mask_s, mask_n))
    later = transform(spectra * 2, mask_n, mask_s)
    flat_s, flat_n = (m.mean(1) if multi_mask else m for m in (mask_s, mask_n))
    sums = [m.sum(-1)[..., None, None] for m in (flat_s, flat_n)]
    old = [F.psd(spectra, m, eps=1e-15) for m in (flat_s, flat_n)]
    new = [F.psd(spectra * 2, m, eps=1e-15) for m in (flat_n, flat_s)]
    mixed = [(o * s + n) / (s + w) for o, n, s, w in zip(old, new, sums, sums[::-1], strict=True)]
    np.testing.assert_allclose(later, by_hand("ref_channel", *mixed, spectra * 2))
    assert {"psd_s", "psd_n", "mask_sum_s", "mask_sum_n"} <= set(transform.state_dict())


def test_known_densities(spectra):
    psd_s, psd_n = F.psd(spectra[..., :5]), F.psd(spectra[..., 5:])
    rtf = F.rtf_evd(psd_s)
    want = F.apply_beamforming(F.mvdr_weights_souden(psd_s, psd_n, 1, eps=1e-3), spectra)
    got = T.SoudenMVDR()(spectra, psd_s, psd_n, 1, eps=1e-3)
    np.testing.assert_allclose(got, want)
    want = F.apply_beamforming(F.mvdr_weights_rtf(rtf, psd_n, 2, False), spectra)
    np.testing.assert_allclose(T.RTFMVDR()(spectra, rtf, psd_n, 2, False), want)


def test_errors(spectra, masks):
    with pytest.raises(ValueError, match="solution is one of"):
        T.MVDR(solution="best")
    with pytest.raises(ValueError, match="wanted"):
        T.MVDR()(spectra[0, 0], masks[0, 0, 0])
    with pytest.raises(TypeError, match="complex spectra"):
        T.MVDR()(spectra.real, masks[0, :, 0])
    assert isinstance(T.MVDR()(tp.tensor(spectra), tp.tensor(masks[0, :, 0])), tp.Tensor)

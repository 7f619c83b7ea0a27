"""Metrics beside the packages that made them, and beside their formulas."""

import sys

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, DTypeError, MissingDependencyError, ShapeError
from triptych_audio import functional as F
from triptych_audio import metrics as M

WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog"]


def sentences(rng, count=40):
    return [" ".join(rng.choice(WORDS, rng.integers(1, 9))) for _ in range(count)]


def speech(rng, rate=16000):
    t = np.arange(2 * rate) / rate
    x = np.convolve(rng.standard_normal(len(t)), np.ones(4), "same") * (np.sin(9 * t) > -0.3)
    x[rate // 3 : rate // 2] *= 1e-4
    return np.stack([x + g * rng.standard_normal(len(t)) for g in (0.1, 0.5, 2.0)]), x


def test_words_equal_jiwer(rng):
    jiwer = pytest.importorskip("jiwer")
    wanted, got = sentences(rng), sentences(rng)
    assert M.word_error_rate(wanted, got) == pytest.approx(jiwer.wer(wanted, got))
    assert M.character_error_rate(wanted, got) == pytest.approx(jiwer.cer(wanted, got))
    for a, b in zip(wanted, got, strict=True):
        assert M.match_error_rate(a, b) <= jiwer.mer(a, b) + 1e-12


def test_alignment_is_sound(rng):
    for a, b in zip(sentences(rng), sentences(rng), strict=True):
        x, y = a.split(), b.split()
        found = M.align(x, y)
        assert found.errors == F.edit_distance(x, y)
        assert [i for i, _ in found.pairs if i is not None] == list(range(len(x)))
        assert [j for _, j in found.pairs if j is not None] == list(range(len(y)))
        both = [(i, j) for i, j in found.pairs if i is not None and j is not None]
        assert sum(x[i] == y[j] for i, j in both) == found.hits
        assert len(both) == found.hits + found.substitutions
    assert M.align("ab", "ba").hits == 1  # rather than two replacements


def test_rates_over_all_words():
    assert M.word_error_rate(["a b c", "d"], ["a b", "e"]) == 0.5
    assert M.match_error_rate("a", "b c") == 1.0
    with pytest.raises(ShapeError, match="one of each"):
        M.word_error_rate("a", ["a"])
    with pytest.raises(ShapeError, match="as many references"):
        M.word_error_rate(["a"], ["a", "b"])
    with pytest.raises(ShapeError, match="empty"):
        M.word_error_rate("", "a")
    with pytest.raises(ShapeError, match="no words at all"):
        M.match_error_rate("", "")


def test_ratios_equal_their_formulas(rng):
    target, noise = rng.standard_normal((2, 3, 400))
    got = M.snr(target + 0.1 * noise, target)
    np.testing.assert_allclose(got, 10 * np.log10((target**2).sum(-1) / (0.01 * noise**2).sum(-1)))
    np.testing.assert_allclose(M.snr(target + 5.0 + 0.1 * noise, target, True), got, atol=0.1)
    mixed = target + 0.1 * noise
    wanted = M.si_sdr(mixed, target)
    np.testing.assert_allclose(M.si_sdr(7 * mixed + 3, target), wanted, rtol=1e-9)
    a, b = (v - v.mean(-1, keepdims=True) for v in (mixed, target))
    part = (a * b).sum(-1, keepdims=True) / (b * b).sum(-1, keepdims=True) * b
    formula = 10 * np.log10((part**2).sum(-1) / ((part - a) ** 2).sum(-1))
    np.testing.assert_allclose(wanted, formula)


def test_sdr_forgives_a_filter(rng):
    target = rng.standard_normal((2, 3000))
    target[:, -8:] = 0.0
    filtered = np.stack([np.convolve(t, [0.5, 0.0, 0.3, -0.1])[:3000] for t in target])
    noise = 0.05 * rng.standard_normal((2, 3000))
    assert (M.sdr(filtered, target, 64) > 40).all()
    got = M.sdr(filtered + noise, target, 8)
    for i in range(2):  # least squares with the shifted targets themselves
        shifted = np.stack([np.r_[np.zeros(k), target[i], np.zeros(7 - k)] for k in range(8)], 1)
        estimate = np.r_[(filtered + noise)[i], np.zeros(7)]
        rest = estimate - shifted @ np.linalg.lstsq(shifted, estimate, rcond=None)[0]
        share = 1 - (rest @ rest) / (estimate @ estimate)
        assert got[i] == pytest.approx(10 * np.log10(share / (1 - share)), rel=1e-5)
    assert M.sdr(target[0] + 4.0, target[0], 4, zero_mean=True) > 100
    assert M.sdr(target[0], np.zeros(3000), 4) == -np.inf


@pytest.mark.parametrize("rate", [8000, 10000, 16000])
@pytest.mark.parametrize("extended", [False, True])
def test_stoi_equals_pystoi(rng, rate, extended):
    pystoi = pytest.importorskip("pystoi")
    degraded, clean = speech(rng, rate)
    got = M.stoi(degraded, np.broadcast_to(clean, degraded.shape), rate, extended)
    want = [pystoi.stoi(clean, d, rate, extended) for d in degraded]
    np.testing.assert_allclose(got, want, atol=1e-9)
    assert got[0] > got[1] > got[2]


def test_stoi_refuses(rng):
    for n in (100, 3000):
        with pytest.raises(ShapeError, match="30 frames"):
            M.stoi(rng.standard_normal(n), rng.standard_normal(n), 10000)
    with pytest.raises(ShapeError, match="same shape"):
        M.stoi(np.zeros(5), np.zeros(6), 10000)


def test_pesq(rng, monkeypatch):
    pesq = pytest.importorskip("pesq")
    degraded, clean = speech(rng)
    got = M.pesq(degraded, np.broadcast_to(clean, degraded.shape), 16000)
    assert got[0] == pytest.approx(pesq.pesq(16000, clean, degraded[0], "wb"))
    assert got[0] > got[2]
    with pytest.raises(DTypeError, match="16000 Hz"):
        M.pesq(degraded, degraded, 44100)
    with pytest.raises(ShapeError, match="same shape"):
        M.pesq(degraded, clean, 16000)
    monkeypatch.setitem(sys.modules, "pesq", None)
    with pytest.raises(MissingDependencyError, match=r"triptych-audio\[pesq\]"):
        M.pesq(clean, clean, 16000)


def test_melody():
    wanted = np.array([100.0, 200.0, 300.0, 400.0, 0.0, 0.0])
    got = np.array([101.0, 400.0, 0.0, 420.0, 500.0, np.nan])
    assert M.raw_pitch_accuracy(got, wanted) == 0.25
    assert M.raw_pitch_accuracy(got, wanted, 100.0) == 0.5
    assert M.raw_chroma_accuracy(got, wanted) == 0.5
    assert M.voicing_recall(got, wanted) == 0.75
    assert M.voicing_false_alarm(got, wanted) == 0.5
    with pytest.raises(ShapeError, match="no frame of the target is voiced"):
        M.raw_pitch_accuracy(got, np.zeros(6))
    with pytest.raises(ShapeError, match="same shape"):
        M.voicing_recall(got, wanted[:3])


def test_frechet_audio_distance(rng):
    real = rng.standard_normal((500, 4))
    near, far = real[:250] + 0.01, 2 * rng.standard_normal((300, 4)) + 1
    assert abs(M.frechet_audio_distance(real, real)) < 1e-9
    assert M.frechet_audio_distance(near, real) < M.frechet_audio_distance(far, real)
    want = F.frechet_distance(far.mean(0), np.cov(far.T), real.mean(0), np.cov(real.T))
    assert M.frechet_audio_distance(far, real) == pytest.approx(want)
    with pytest.raises(ShapeError, match="n > 1"):
        M.frechet_audio_distance(real[:1], real)
    with pytest.raises(ShapeError, match="same width"):
        M.frechet_audio_distance(real[:, :3], real)


def rates_at(scores, same, threshold):
    return (scores[same] < threshold).mean(), (scores[~same] >= threshold).mean()


def test_verification_equals_trying_all_thresholds(rng):
    for n in (30, 301):
        same = rng.random(n) < 0.4
        scores = np.round(rng.standard_normal(n) + 1.5 * same, 1)  # with equal scores
        tried = [rates_at(scores, same, t) for t in [*np.unique(scores), np.inf]]
        rate, threshold = M.equal_error_rate(scores, same.astype(int))
        miss, alarm = rates_at(scores, same, threshold)
        closest = min(abs(a - b) for a, b in tried)
        assert abs(miss - alarm) == pytest.approx(closest)
        assert min(miss, alarm) - 1e-12 <= rate <= max(miss, alarm) + 1e-12
        cost, threshold = M.min_dcf(scores, same.astype(int), 0.05, 2.0, 1.0)
        costs = [(2 * 0.05 * a + 0.95 * b) / 0.1 for a, b in tried]
        assert cost == pytest.approx(min(costs))
        miss, alarm = rates_at(scores, same, threshold)
        assert (0.1 * miss + 0.95 * alarm) / 0.1 == pytest.approx(cost)


def test_verification_without_errors():
    assert M.equal_error_rate(np.array([0.1, 0.2, 0.8]), np.array([0, 0, 1])) == (0.0, 0.8)
    assert M.min_dcf(tp.tensor([0.1, 0.9]), tp.tensor([0, 1]))[0] == 0.0
    with pytest.raises(ShapeError, match="some 1 and some 0"):
        M.equal_error_rate(np.ones(3), np.ones(3))
    with pytest.raises(DomainError, match="p_target"):
        M.min_dcf(np.ones(2), np.array([0, 1]), 1.0)


def test_ratios_refuse():
    for ratio in (M.snr, M.si_sdr, M.sdr):
        with pytest.raises(ShapeError, match="same shape"):
            ratio(np.zeros(4), np.zeros(5))

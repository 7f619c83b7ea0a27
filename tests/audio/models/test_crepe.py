"""CREPE: layers, decoding against written sums, and pure tones on the published weights."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio.models import CREPE
from triptych_audio.models.crepe_decoding import (
    BINS,
    bins_to_frequency,
    frequency_to_bin,
    viterbi,
    weighted,
)
from triptych_audio.pipelines import CREPE_TINY
from triptych_datasets import Offline

TONES = [60, 75, 110, 220, 440, 660, 880, 1200, 1500]


@pytest.fixture(scope="module")
def published():
    try:
        return CREPE_TINY.get_model()
    except Offline as error:
        pytest.skip(f"no source of the weights is in reach: {error}")


@pytest.fixture
def tiny(filled):
    return filled(CREPE("tiny"))


def cents(found, wanted):
    return 1200 * np.log2(np.asarray(found) / wanted)


@pytest.mark.network
@pytest.mark.parametrize("decoder", ["argmax", "viterbi", "weighted"])
def test_pure_tones_within_a_bin(published, decoder):
    times = np.arange(4000) / 16000
    tones = np.stack([np.sin(2 * np.pi * f * times) for f in TONES]).astype(np.float32)
    pitch, periodicity = published.predict(tones, decoder=decoder, step=25)
    middle = slice(2, -2)  # windows that the tone fills
    assert np.abs(cents(pitch[:, middle], np.array(TONES)[:, None])).max() < 20
    assert periodicity[:, middle].min() > 0.65  # the network is least sure at 60 Hz


@pytest.mark.network
def test_a_glide_at_another_rate_and_loudness(published):
    times = np.arange(22050) / 44100
    frequency = 200 * 2**times  # half an octave up
    tone = 0.01 * np.sin(2 * np.pi * np.cumsum(frequency) / 44100).astype(np.float32)
    pitch, _ = published.predict(tp.tensor(tone), 44100, step=20)
    wanted = 200 * 2 ** (0.02 * np.arange(len(pitch)))
    assert np.abs(cents(pitch, wanted)[3:-3]).max() < 20


@pytest.mark.network
def test_a_voice_in_much_noise(published, rng):
    times = np.arange(8000) / 16000
    voice = sum(np.sin(2 * np.pi * 180 * k * times) / k for k in range(1, 8))
    pitch, _ = published.predict((voice + 3 * rng.standard_normal(8000)).astype(np.float32))
    assert np.median(np.abs(cents(pitch, 180))) < 20


@pytest.mark.network
def test_noise_is_less_periodic_than_a_tone(published, rng):
    noise = rng.standard_normal(8000).astype(np.float32)
    _, periodicity = published.predict(noise, step=50)
    assert np.median(periodicity) < 0.5


def test_names_and_sizes():
    state = CREPE("tiny").state_dict()
    assert {k.partition(".")[0] for k in state} == {
        "classifier",
        *(f"conv{i}{bn}" for i in range(1, 7) for bn in ("", "_BN")),
    }
    assert state["conv1.weight"].shape == (128, 1, 512, 1)
    assert sum(p.numel() for p in CREPE("tiny").parameters()) == 486_552
    with tp.nn.init.skipped():
        assert sum(p.numel() for p in CREPE("full").parameters()) == 22_239_976


def test_layers_are_the_images_that_the_file_holds(tiny, normal):
    """The first two layers by convolutions of images, as the paper draws them."""
    x = normal(0, 3, 1024)
    y = x[:, None, :, None]
    for index, pad in ((1, (254, 254)), (2, (31, 32))):
        conv, norm = getattr(tiny, f"conv{index}"), getattr(tiny, f"conv{index}_BN")
        y = norm(conv(tp.nn.functional.pad(y, (0, 0, *pad))).relu())
        y = tp.nn.functional.max_pool2d(y, (2, 1), (2, 1))
    z = tiny._layer(tiny._layer(x.unsqueeze(1), 1), 2)
    np.testing.assert_allclose(z.detach(), y[..., 0].detach(), rtol=1e-4, atol=1e-5)
    assert tiny.embed(x).shape == (3, 32, 8)
    assert tiny(x).shape == (3, BINS)


def test_frames_at_every_step():
    model = CREPE("tiny")
    x = tp.arange(16000.0)
    padded = np.pad(np.arange(16000.0), 512)
    frames = model.frames(x, step=12.5)
    assert frames.shape == (1, 81, 1024)
    np.testing.assert_array_equal(frames[0, 3], padded[600:1624].astype(np.float32))
    assert model.frames(x, pad=False).shape == (1, 94, 1024)
    assert model.frames(tp.zeros(2, 8000), 8000).shape == (2, 101, 1024)


def test_batches_change_nothing_but_memory(tiny, normal):
    x = normal(0, 2, 3000)
    one = tiny.predict(x, batch_size=1000)
    many = tiny.predict(x, batch_size=3)
    for a, b in zip(one, many, strict=True):
        assert a.shape == (2, 19)
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("decoder", ["argmax", "viterbi", "weighted"])
def test_pitch_stays_within_its_limits(tiny, normal, decoder):
    pitch, periodicity = tiny.predict(normal(0, 4000), fmin=100, fmax=150, decoder=decoder)
    assert 98 < float(pitch.min()) <= float(pitch.max()) < 152
    assert float(periodicity.min()) >= 0


def test_bins():
    bins = tp.arange(BINS, dtype=tp.float64)
    frequencies = bins_to_frequency(bins)
    np.testing.assert_allclose(cents(frequencies[1:], frequencies[:-1]), 20, rtol=1e-9)
    assert [frequency_to_bin(float(f) * 1.0001) for f in frequencies] == list(range(BINS))
    assert frequency_to_bin(0) < 0


def test_best_path_is_the_best_of_all():
    """Against every path over a few bins; the others cannot be chosen."""
    rng = np.random.default_rng(3)
    places = np.array([100, 101, 102, 103, 106])
    scores = np.full((2, 4, BINS), -np.inf, np.float32)
    scores[..., places] = rng.random((2, 4, 5)) ** 4
    ways = np.stack(np.meshgrid(*[range(5)] * 4, indexing="ij"), -1).reshape(-1, 4)
    jumps = np.log((12 - np.abs(places[:, None] - places)) / 144)
    for path, row in zip(viterbi(tp.tensor(scores))[0].tolist(), scores, strict=True):
        logs = np.log(row[:, places] + 1e-5)
        totals = sum(logs[t, ways[:, t]] for t in range(4))
        totals = totals + sum(jumps[ways[:, t], ways[:, t + 1]] for t in range(3))
        assert path == places[ways[totals.argmax()]].tolist()


def test_mean_around_the_best_bin():
    scores = np.zeros((1, 3, BINS), np.float32)
    scores[0, 0, [50, 51]] = 0.75, 0.25
    scores[0, 0, 60] = 0.5  # too far to count
    scores[0, 1, [0, 2]] = 0.5, 0.25
    bins, places = weighted(tp.tensor(scores))
    assert bins.tolist() == [[50, 0, 0]]
    np.testing.assert_allclose(places, [[50.25, 2 / 3, 0.0]], rtol=1e-6)


def test_path_does_not_follow_a_single_outlier():
    scores = np.full((1, 9, BINS), 0.01, np.float32)
    scores[0, :, 200] = 0.9
    scores[0, 4, [200, 90]] = 0.3, 0.95
    assert viterbi(tp.tensor(scores))[0].tolist() == [[200] * 9]
    assert weighted(tp.tensor(scores))[0][0, 4] == 90


def test_silence_is_a_number(tiny):
    pitch, periodicity = tiny.predict(np.zeros(2000, np.float32))
    assert np.isfinite(pitch).all()
    assert np.isfinite(periodicity).all()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda m: CREPE("huge"), DomainError, "capacity is one of"),
        (lambda m: m(tp.zeros(2, 1000)), ShapeError, r"wanted \(n, 1024\)"),
        (lambda m: m.predict(tp.zeros(2000), decoder="best"), DomainError, "decoder is one of"),
        (lambda m: m.predict(tp.zeros(2000), fmin=300, fmax=200), DomainError, "fmin < fmax"),
        (lambda m: m.predict(tp.zeros(2000), fmin=3000, fmax=4000), DomainError, "fmin < fmax"),
        (lambda m: m.predict(tp.zeros(2000), step=0.01), DomainError, "step is 0.0625 ms"),
        (lambda m: m.predict(tp.zeros(1, 1, 2000)), ShapeError, r"wanted \(t,\) or \(n, t\)"),
        (lambda m: m.predict(tp.zeros(1000), pad=False), ShapeError, "use pad=True"),
    ],
)
def test_mistakes(tiny, call, error, text):
    with pytest.raises(error, match=text):
        call(tiny)

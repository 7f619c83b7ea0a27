"""Effects in SoX's words: what they do to shape, rate and samples."""

import numpy as np
import pytest

import triptych as tp
import triptych_audio
from triptych_audio import functional as F
from triptych_audio import sox_effects as S

RATE = 1000


def run(x, *effect, rate=RATE):
    return S.apply_effects_tensor(x, rate, [effect])[0]


@pytest.fixture
def x(rng):
    return rng.uniform(-0.5, 0.5, (2, 1000))


# effect, the same with functions
SAME = [
    ("allpass 100 2q", lambda x: F.allpass_biquad(x, RATE, 100, 2)),
    ("band 100 50", lambda x: F.band_biquad(x, RATE, 100, 2)),
    ("band -n 0.1k", lambda x: F.band_biquad(x, RATE, 100, 2, True)),
    ("bandpass -c 100 0.05k", lambda x: F.bandpass_biquad(x, RATE, 100, 2, True)),
    ("bandreject 100 50h", lambda x: F.bandreject_biquad(x, RATE, 100, 2)),
    ("bass 3 100 0.9q", lambda x: F.bass_biquad(x, RATE, 3, 100, 0.9)),
    ("treble -3dB 300 1s", lambda x: F.treble_biquad(x, RATE, -3, 300, 0.5**0.5)),
    ("biquad 1 .5 0 1 .2 0", lambda x: F.biquad(x, 1, 0.5, 0, 1, 0.2, 0)),
    ("equalizer 100 1.5 -6", lambda x: F.equalizer_biquad(x, RATE, 100, -6, 1.5)),
    ("highpass 100", lambda x: F.highpass_biquad(x, RATE, 100)),
    ("lowpass -2 100 1q", lambda x: F.lowpass_biquad(x, RATE, 100, 1)),
    ("contrast", lambda x: F.contrast(x)),
    ("dcshift 0.3 0.05", lambda x: F.dcshift(x, 0.3, 0.05)),
    ("dcshift 0.3", lambda x: F.dcshift(x, 0.3)),
    ("flanger", lambda x: F.flanger(x, RATE)),
    (
        "flanger 1 3 10 50 2 triangle 30 quadratic",
        lambda x: F.flanger(x, RATE, 1, 3, 10, 50, 2, 30, "triangular", "quadratic"),
    ),
    ("gain -3", lambda x: F.gain(x, -3)),
    ("gain -n -3", lambda x: x / np.abs(x).max() * 10 ** (-3 / 20)),
    ("gain -l 12", lambda x: F.limiter(F.gain(x, 12), RATE, 0.0)),
    ("norm", lambda x: x / np.abs(x).max()),
    ("overdrive 10", lambda x: F.overdrive(x, 10)),
    ("phaser .6 .7 3 .6 2 -t", lambda x: F.phaser(x, RATE, 0.6, 0.7, 3, 0.6, 2, False)),
    ("reverb -w", lambda x: F.reverb(x, RATE, wet_level=1 / 3, dry_level=0.0)),
    ("vol 0.5", lambda x: 0.5 * x),
    ("vol -6dB", lambda x: x * 10 ** (-6 / 20)),
    ("vol -.25 power", lambda x: -0.5 * x),
    ("vol -6 dB", lambda x: x * 10 ** (-6 / 20)),
    ("channels 1", lambda x: x.mean(0, keepdims=True)),
    ("channels 3", lambda x: x[[0, 1, 0]]),
    ("delay 0.01 3s", lambda x: np.stack([np.pad(x[0], (10, 0)), np.pad(x[1], (3, 7))])),
    ("delay 0.01", lambda x: np.stack([np.pad(x[0], (10, 0)), np.pad(x[1], (0, 10))])),
    ("pad 0.1 20s", lambda x: np.pad(x, ((0, 0), (100, 20)))),
    ("pad 0.1@0.2", lambda x: np.insert(x, [200] * 100, 0, -1)),
    ("rate 500", lambda x: F.resample(x, 1000, 500)),
    ("rate -v 0.5k", lambda x: F.resample(x, 1000, 500)),
    ("remix -", lambda x: x.mean(0, keepdims=True)),
    ("remix 2 1i 0", lambda x: np.stack([x[1], -x[0], 0 * x[0]])),
    ("remix -m 1-2", lambda x: x.sum(0, keepdims=True)),
    ("remix -p 1,2", lambda x: x.sum(0, keepdims=True) / 2**0.5),
    ("remix 1v0.5,2v0.2 2p-6", lambda x: np.stack([x[0] / 2 + x[1] / 5, x[1] * 10 ** (-0.3)])),
    ("repeat", lambda x: np.concatenate([x, x], -1)),
    ("repeat 2", lambda x: np.concatenate([x] * 3, -1)),
    ("reverse", lambda x: x[:, ::-1]),
    ("swap", lambda x: x[::-1]),
    ("tempo 1.25", lambda x: F.time_stretch(x, 1.25, 1024)),
    ("trim 0.1 0.2", lambda x: x[:, 100:300]),
    ("trim 100s", lambda x: x[:, 100:]),
    ("trim 0 =0:00.1 -0.2 -0.1", lambda x: x[:, np.r_[0:100, 800:900]]),
    ("vad -p 0.1 -t 99 -l 400", lambda x: x[:, :100]),
    ("speed 2", lambda x: x),
]


@pytest.mark.parametrize(("effect", "function"), SAME, ids=[e for e, _ in SAME])
def test_is_the_function(x, effect, function):
    want = np.clip(function(x), -1, 1)
    got = run(x, *effect.split())
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, atol=1e-7)


def test_every_effect_is_tried():
    tried = {effect.split()[0] for effect, _ in SAME}
    assert set(S.effect_names()) - tried == {"deemph", "echo", "fade", "pitch", "riaa"}


def test_filters_of_records(x):
    for name, function in (("deemph", F.deemph_biquad), ("riaa", F.riaa_biquad)):
        np.testing.assert_allclose(run(x, name, rate=44100), function(x, 44100))


@pytest.mark.parametrize("name", ["lowpass", "highpass"])
def test_one_pole(name):
    freqs = np.abs(np.fft.rfft(run(np.eye(1, 4000) * 0.9, name, "-1", "20")[0])) / 0.9
    corner, keeps, stops = (
        freqs[80],
        *((freqs[0], freqs[-1]) if name == "lowpass" else freqs[[-1, 0]]),
    )
    assert 20 * np.log10(corner) == pytest.approx(-3, abs=0.6)
    assert keeps == pytest.approx(1, abs=0.07) and stops < 0.1


def test_octaves(x):
    w0 = 2 * np.pi * 100 / RATE
    q = 1 / (2 * np.sinh(np.log(2) / 2 * w0 / np.sin(w0)))
    want = F.bandpass_biquad(x, RATE, 100, q)
    np.testing.assert_allclose(run(x, "bandpass", "100", "1o"), want, atol=1e-9)


def test_speed_and_pitch_change_the_rate(x):
    same, rate = S.apply_effects_tensor(x, RATE, [["speed", "1.1"]])
    assert rate == 1100 and same.shape == x.shape
    assert S.apply_effects_tensor(x, RATE, [["speed", "1200c"]])[1] == 2000
    longer, rate = S.apply_effects_tensor(x, RATE, [["pitch", "1200"]])
    assert rate == 2000 and longer.shape == (2, 2000)
    back, rate = S.apply_effects_tensor(x, RATE, [["pitch", "-q", "300"], ["rate", "1k"]])
    assert rate == 1000 and abs(back.shape[1] - 1000) <= 1


def test_echo():
    got = run(np.eye(1, 100) * 0.5, "echo", "0.8", "0.9", "60", "0.4", "30", "0.2")
    assert got.shape == (1, 160)
    np.testing.assert_allclose(got[0, [0, 30, 60]], np.array([0.8, 0.2, 0.4]) * 0.45)


@pytest.mark.parametrize("shape", ["h", "l", "p", "q", "t", "-t"])
def test_fade(shape):
    x = np.full((1, 1000), 0.5)
    got = run(x, "fade", shape, "0.1", "0.5", "0.2")[0]
    assert got.shape == (500,)
    assert got[0] < 1e-5 and got[-1] < 1e-5
    assert (got[100:299] == 0.5).all()
    assert (np.diff(got[:100]) > 0).all() and (np.diff(got[300:]) < 0).all()
    assert run(x, "fade", "0.1")[0, -1] == 0.5
    whole = run(x, "fade", "0.1", "0")[0]
    assert whole.shape == (1000,) and whole[-1] < 1e-5


def test_reverb_delays_and_levels(x):
    wet = run(x, "reverb", "-w")
    late = run(x, "reverb", "-w", "50", "50", "100", "100", "20")
    np.testing.assert_allclose(late[:, 20:], wet[:, :-20], atol=1e-7)
    np.testing.assert_allclose(run(x, "reverb"), (wet + x).clip(-1, 1), atol=1e-7)


def test_samples_are_limited_after_each_effect(x):
    got = S.apply_effects_tensor(x, RATE, [["vol", 10], ["vol", 0.1]])[0]
    np.testing.assert_allclose(got, (10 * x).clip(-1, 1) / 10)


def test_kinds_and_integers(x):
    whole = np.round(x * 30000).astype(np.int16)
    got = S.apply_effects_tensor(tp.tensor(whole), RATE, [["vol", "0.5"]])[0]
    assert got.dtype == tp.int16
    np.testing.assert_allclose(got.numpy(), whole / 2, atol=0.5)
    for dtype in (np.int32, np.uint8):
        top = np.array([[np.iinfo(dtype).max, np.iinfo(dtype).min]], dtype)
        np.testing.assert_array_equal(S.apply_effects_tensor(top, RATE, [["vol", "2"]])[0], top)
    turned, _ = S.apply_effects_tensor(x.T.copy(), RATE, [["pad", "0.1"]], channels_first=False)
    assert turned.shape == (1100, 2)
    assert S.apply_effects_tensor(x, RATE, [])[1] == RATE


def test_file(tmp_path, x):
    path = tmp_path / "x.wav"
    triptych_audio.save(path, x.astype(np.float32), RATE)
    got, rate = S.apply_effects_file(path, [["trim", "0", "0.5"], ["rate", "500"]])
    assert got.shape == (2, 250) and rate == 500
    assert S.apply_effects_file(path, [["reverse"]], channels_first=False)[0].shape == (1000, 2)
    triptych_audio.save(path, np.ones((1, 9), np.int16), RATE)
    assert S.apply_effects_file(path, ["reverse"], normalize=False)[0].dtype == tp.int16


def test_nothing_in():
    assert run(np.zeros((2, 0)), "norm").shape == (2, 0)
    assert run(np.zeros((2, 1)), "tempo", "2").shape == (2, 1)


BAD = [
    (["nope"], KeyError, "no effect 'nope'; there are allpass, band"),
    (["lowpass"], ValueError, "an argument is missing; use: lowpass"),
    (["lowpass", "x"], ValueError, "could not convert"),
    (["bandpass", "100", "0q"], ValueError, "a width is above 0"),
    (["reverse", "1"], ValueError, r"\['1'\] is too much"),
    (["remix"], ValueError, "an argument is missing"),
    (["remix", "5"], ValueError, "there are channels 1 to 2"),
    (["remix", "x"], ValueError, "names no channels"),
    (["trim", "0.5", "=0.1"], ValueError, "positions in order"),
    (["pad", "1@9"], ValueError, "behind the end"),
    (["channels", "0"], ValueError, "a channel at least"),
    (["rate", "0"], ValueError, "1 Hz at least"),
    (["speed", "-1"], ValueError, "above 0"),
    (["tempo", "0"], ValueError, "above 0"),
    (["vol", "1", "loud"], ValueError, "no kind of gain"),
    (["delay", "1:x"], ValueError, "use: delay"),
    (["delay", "-5"], ValueError, "negative"),
]


@pytest.mark.parametrize(("effect", "error", "text"), BAD)
def test_errors(x, effect, error, text):
    with pytest.raises(error, match=text):
        run(x, *effect)


def test_waveforms_that_do_not_fit(x):
    with pytest.raises(ValueError, match=r"wanted \(c, t\)"):
        run(x[0], "reverse")
    with pytest.raises(TypeError, match="wanted floating samples"):
        run(np.ones((1, 5), np.int64), "reverse")

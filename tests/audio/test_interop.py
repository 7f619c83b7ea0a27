"""Arrays of every kind in, the same kind out."""

import sys
import types

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional, transforms
from triptych_audio.interop import same_kind


class Foreign:
    """An array of another library: it has DLPack and nothing else."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


@pytest.fixture
def library(monkeypatch):
    """`Foreign` as part of a library that can import DLPack."""
    module = types.ModuleType("foreign")
    module.from_dlpack = lambda array: Foreign(np.from_dlpack(array))
    monkeypatch.setitem(sys.modules, "foreign", module)
    monkeypatch.setattr(Foreign, "__module__", "foreign.arrays")


@same_kind
def scaled(waveform, factor, offset=None):
    assert isinstance(waveform, tp.Tensor)
    out = waveform * factor
    return (out if offset is None else out + offset), waveform.shape[-1]


def test_tensor_keeps_history():
    x = tp.ones(3, requires_grad=True)
    out, count = scaled(x, 2.0)
    assert isinstance(out, tp.Tensor)
    assert out.requires_grad
    assert count == 3


def test_numpy():
    out, _ = scaled(np.ones(3), 2.0, offset=tp.ones(3, dtype=tp.float64))
    assert type(out) is np.ndarray
    assert out.dtype == np.float64
    np.testing.assert_array_equal(out, [3, 3, 3])


def test_numpy_comes_back_without_history():
    out, _ = scaled(np.ones(3, np.float32), tp.ones(3, requires_grad=True))
    assert type(out) is np.ndarray


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0)[::2],
        np.arange(3.0).astype(">f8"),
        np.broadcast_to(np.float32(1), (3,)),
        np.asfortranarray(np.ones((2, 3), np.float32)),
    ],
)
def test_numpy_of_any_layout(array):
    out, _ = scaled(array, 2.0)
    np.testing.assert_array_equal(out, array * 2)


def test_dlpack(library):
    out, _ = scaled(Foreign(np.ones(3, np.float32)), 2.0)
    assert type(out) is Foreign
    np.testing.assert_array_equal(out.array, [2, 2, 2])


def test_array_namespace(monkeypatch):
    namespace = types.SimpleNamespace(from_dlpack=lambda a: Foreign(np.from_dlpack(a)))
    monkeypatch.setattr(Foreign, "__array_namespace__", lambda self: namespace, raising=False)
    out, _ = scaled(Foreign(np.ones(3)), 2.0)
    assert type(out) is Foreign


def test_lists_are_refused():
    with pytest.raises(TypeError, match=r"scaled: wanted a Tensor.*got list, float"):
        scaled([1.0, 2.0], 2.0)


WAVES = {
    "add_noise": (tp.ones(4), tp.tensor(3.0)),
    "convolve": (tp.ones(2),),
    "gain": (),
    "lfilter": (tp.ones(2), tp.ones(2)),
    "lowpass_biquad": (8000, 500.0),
    "resample": (8000, 4000),
    "spectrogram": (0, tp.ones(4), 4, 2, 4, 2.0, False),
}


@pytest.mark.parametrize("name", WAVES)
@pytest.mark.parametrize("first", [None, [0.0, 1.0], "a.wav"])
def test_what_is_no_array_is_named(name, first):
    with pytest.raises(TypeError, match=f"^{name}: wanted a Tensor.* got {type(first).__name__}"):
        getattr(functional, name)(first, *WAVES[name])


@pytest.mark.parametrize("name", [n for n in WAVES if n != "convolve"])
def test_a_waveform_has_time_and_real_numbers(name):
    function = getattr(functional, name)
    with pytest.raises(ValueError, match=rf"^{name}: wanted a waveform \(\.\.\., t\)"):
        function(tp.tensor(1.0), *WAVES[name])
    for dtype in (tp.complex64, tp.bool):
        with pytest.raises(TypeError, match=f"^{name}: wanted real samples, got {dtype}"):
            function(tp.zeros(4, dtype=dtype), *WAVES[name])


def test_errors_of_a_module_name_its_class():
    with pytest.raises(TypeError, match=r"^Vol: wanted a Tensor.* as waveform, got NoneType"):
        transforms.Vol(2.0)(None)
    with pytest.raises(ValueError, match=r"^Fade: wanted a waveform"):
        transforms.Fade(1, 1)(waveform=np.ones((), np.float32))


FLOATING = {
    "detect_pitch_frequency": (8000,),
    "dither": (),
    "filtfilt": (tp.ones(2), tp.ones(2)),
    "log_mel_spectrogram": (),
    "onset_strength": (8000,),
    "pitch_shift": (8000, 2),
    "rms": (),
    "spectrogram": WAVES["spectrogram"],
    "speed": (8000, 1.1),
    "split": (),
    "time_stretch": (1.2,),
    "trim": (),
    "zero_crossing_rate": (),
}
OF_SOMETHING = (
    "log_mel_spectrogram", "onset_strength", "pitch_shift", "rms", "spectrogram", "time_stretch",
    "zero_crossing_rate",
)  # fmt: skip


@pytest.mark.parametrize("name", FLOATING)
def test_integers_are_refused_by_name(name):
    with pytest.raises(TypeError, match=f"^{name}: wanted floating samples, got triptych.int16"):
        getattr(functional, name)(tp.zeros(4000, dtype=tp.int16), *FLOATING[name])


@pytest.mark.parametrize("name", OF_SOMETHING)
def test_nothing_is_refused_by_name(name):
    with pytest.raises(ValueError, match=f"^{name}: wanted at least 1 sample, .* shape \\(2, 0\\)"):
        getattr(functional, name)(tp.zeros(2, 0), *FLOATING[name])


def test_there_is_no_sound_in_nothing():
    part, span = functional.trim(tp.zeros(2, 0))
    assert part.shape == (2, 0) and span == (0, 0)
    assert functional.split(tp.zeros(0)).shape == (0, 2)

"""Pictures: what is on them, and what is said without matplotlib."""

import sys

import numpy as np
import pytest

import triptych as tp
from triptych.errors import MissingDependencyError, ShapeError
from triptych_audio.display import plot_spectrogram, plot_waveform


@pytest.fixture
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def test_waveform(pyplot, stereo):
    axes = plot_waveform(stereo, 16000, title="two tones")
    assert axes.get_title() == "two tones"
    lines = axes.get_lines()
    assert len(lines) == 2
    np.testing.assert_array_equal(lines[1].get_ydata(), stereo[1])
    assert lines[0].get_xdata()[-1] == pytest.approx(3999 / 16000)
    own = pyplot.subplots()[1]
    assert plot_waveform(tp.tensor(stereo[0]), 16000, own) is own


def test_spectrogram(pyplot):
    power = np.array([[1.0, 0.1], [0.0, 10.0]])
    axes = plot_spectrogram(power, 8000, 100)
    image = axes.get_images()[0]
    np.testing.assert_allclose(image.get_array(), [[0, -10], [-70, 10]], atol=1e-9)
    assert image.get_extent() == [0, 2 * 100 / 8000, 0, 4000]
    axes = plot_spectrogram(power * 1j, 8000, 100, top_db=None, ylabel="mel band")
    np.testing.assert_allclose(axes.get_images()[0].get_array(), power**2)
    assert axes.get_images()[0].get_extent()[3] == 2


def test_refuses(monkeypatch):
    with pytest.raises(ShapeError, match="channels, t"):
        plot_waveform(np.zeros((2, 3, 4)), 8000)
    with pytest.raises(ShapeError, match="choose a channel"):
        plot_spectrogram(np.zeros((2, 3, 4)), 8000, 100)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r"triptych-audio\[display\]"):
        plot_waveform(np.zeros(4), 8000)

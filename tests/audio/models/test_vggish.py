"""VGGish: its features against the written sums, its layers by name."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_audio.models import VGGish, VGGishInputProcessor


def mel(hertz):
    return 1127 * np.log(1 + hertz / 700)


def test_features_are_the_written_sums(rng):
    x = rng.uniform(-1, 1, 16000).astype(np.float32)
    got = VGGishInputProcessor()(x)
    assert got.shape == (1, 1, 96, 64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    edges = np.linspace(mel(125), mel(7500), 66)
    bins = mel(np.linspace(0, 8000, 257))
    for frame, band in ((0, 0), (17, 20), (95, 63)):
        spectrum = np.abs(np.fft.rfft(x[160 * frame :][:400] * window, 512))
        low, centre, high = edges[band : band + 3]
        triangle = np.interp(bins, [low, centre, high], [0, 1, 0])
        want = np.log(spectrum @ triangle + 0.01)
        np.testing.assert_allclose(got[0, 0, frame, band], want, rtol=1e-4)


def test_layers_and_their_order(normal):
    with tp.nn.init.skipped():
        model = VGGish()
    keys = [k for k in model.state_dict() if k.endswith("weight")]
    convolutions = [f"features_network.{i}.weight" for i in (0, 3, 6, 8, 11, 13)]
    assert keys == [*convolutions, *(f"embedding_network.{i}.weight" for i in (0, 2, 4))]
    maps = normal(0, 1, 2, 3, 5)
    model.features_network = tp.nn.Identity()
    model.embedding_network = tp.nn.Identity()
    want = np.moveaxis(maps.numpy(), 1, 3).reshape(1, -1)  # frames, bands, channels
    np.testing.assert_array_equal(model(maps), want)


@pytest.mark.parametrize("shape", [(1, 16000), (15599,)])
def test_mistakes(shape):
    with pytest.raises(ShapeError, match="15600 samples or more"):
        VGGishInputProcessor()(tp.zeros(*shape))

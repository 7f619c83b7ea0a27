"""Settings of convolution layers; their numbers are tested with `functional`."""

import numpy as np
import pytest

import triptych
from triptych import nn
from triptych.nn import functional as F


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [1, (1, 2), "same", "valid"])
def test_padding_modes_pad_and_then_convolve(mode, padding):
    layer = nn.Conv2d(2, 3, (3, 4), padding=padding, padding_mode=mode)
    x = triptych.randn(1, 2, 6, 7)
    sides = {1: [1, 1, 1, 1], (1, 2): [2, 2, 1, 1], "same": [1, 2, 1, 1], "valid": [0, 0, 0, 0]}
    name = "constant" if mode == "zeros" else mode
    want = F.conv2d(F.pad(x, sides[padding], name), layer.weight, layer.bias)
    out = layer(x)
    assert padding != "same" or out.shape[2:] == x.shape[2:]
    np.testing.assert_allclose(out.detach().numpy(), want.detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("size", [(9, 11), (10, 12)])
def test_transposed_convolution_takes_an_output_size(size):
    layer = nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1)
    x = triptych.randn(1, 2, 5, 6)
    assert layer(x, output_size=size).shape == (1, 3, *size)
    with pytest.raises(ValueError, match=r"\(30, 30\) is not between \(9, 11\) and \(10, 12\)"):
        layer(x, output_size=(30, 30))


def test_starting_values_are_uniform_within_the_inverse_root_of_fan_in():
    layer = nn.Conv2d(16, 32, 3, groups=2)
    bound = 1 / np.sqrt(8 * 9)
    for p in layer.parameters():
        assert float(p.abs().max()) <= bound
    assert float(layer.weight.std()) == pytest.approx(bound / np.sqrt(3), rel=0.05)


def test_mistakes():
    with pytest.raises(ValueError, match="cannot be split into 2 groups"):
        nn.Conv2d(3, 4, 3, groups=2)
    with pytest.raises(ValueError, match="padding='same' needs stride 1"):
        nn.Conv2d(3, 4, 3, stride=2, padding="same")
    with pytest.raises(KeyError, match="padding is an int, a tuple"):
        nn.Conv2d(3, 4, 3, padding="full")
    with pytest.raises(KeyError, match="padding_mode is one of"):
        nn.Conv2d(3, 4, 3, padding_mode="mirror")
    with pytest.raises(KeyError, match="always 'zeros'"):
        nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect")
    with pytest.raises(ValueError, match="kernel_size wants one int or 2"):
        nn.Conv2d(3, 4, (1, 2, 3))

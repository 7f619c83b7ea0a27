"""The repeated block of layers."""

import pytest

import triptych as tp
from triptych import nn
from triptych_vision.ops import Conv2dNormActivation


def test_layers_and_defaults() -> None:
    conv, norm, activation = Conv2dNormActivation(3, 8, kernel_size=5, stride=2)
    assert conv.weight.shape == (8, 3, 5, 5)
    assert conv.bias is None
    assert isinstance(norm, nn.BatchNorm2d)
    assert activation.inplace is True


@pytest.mark.parametrize(("kernel_size", "dilation"), [(1, 1), (3, 1), (3, 2), (5, 3)])
def test_default_padding_keeps_the_size(kernel_size: int, dilation: int) -> None:
    block = Conv2dNormActivation(2, 4, kernel_size, dilation=dilation)
    assert block(tp.zeros(1, 2, 13, 9)).shape == (1, 4, 13, 9)
    assert block.out_channels == 4


def test_parts_may_be_left_out() -> None:
    block = Conv2dNormActivation(4, 4, padding=0, groups=4, norm_layer=None, activation_layer=None)
    assert len(block) == 1
    assert block[0].bias is not None
    assert block(tp.zeros(1, 4, 5, 5)).shape == (1, 4, 3, 3)
    plain = Conv2dNormActivation(4, 4, activation_layer=nn.Hardswish, inplace=None, bias=True)
    assert plain[0].bias is not None
    assert isinstance(plain[2], nn.Hardswish)

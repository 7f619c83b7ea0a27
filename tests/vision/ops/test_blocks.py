"""The repeated block of layers."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych_vision.ops import (
    MLP,
    Conv2dNormActivation,
    Conv3dNormActivation,
    FrozenBatchNorm2d,
    Permute,
    SqueezeExcitation,
)
from triptych_vision.ops.blocks import same_padding


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


def test_padding_for_one_number_or_several() -> None:
    assert same_padding(5, 3) == 6
    assert same_padding((3, 5), 1) == (1, 2)
    assert same_padding(3, (1, 2)) == (1, 2)
    block = Conv2dNormActivation(2, 4, kernel_size=(3, 5))
    assert block(tp.zeros(1, 2, 9, 7)).shape == (1, 4, 9, 7)


def test_videos() -> None:
    block = Conv3dNormActivation(2, 4, (1, 3, 3), stride=(1, 2, 2))
    assert isinstance(block[1], nn.BatchNorm3d)
    assert block(tp.zeros(1, 2, 3, 8, 8)).shape == (1, 4, 3, 4, 4)


def test_squeeze_and_excitation_weighs_channels() -> None:
    block = SqueezeExcitation(4, 2)
    x = tp.rand(2, 4, 3, 5)
    means = x.mean((2, 3))
    hidden = (means @ block.fc1.weight[:, :, 0, 0].T + block.fc1.bias).relu()
    weights = (hidden @ block.fc2.weight[:, :, 0, 0].T + block.fc2.bias).sigmoid()
    np.testing.assert_allclose(
        block(x).detach().numpy(), (x * weights[:, :, None, None]).detach().numpy(), rtol=1e-5
    )
    assert set(block.state_dict()) == {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"}


def test_mlp_layers() -> None:
    mlp = MLP(3, [8, 5], norm_layer=nn.LayerNorm, dropout=0.1)
    kinds = [type(layer) for layer in mlp]
    assert kinds == [nn.Linear, nn.LayerNorm, nn.ReLU, nn.Dropout, nn.Linear, nn.Dropout]
    assert set(mlp.state_dict()) == {
        f"{i}.{name}" for i in (0, 1, 4) for name in ("weight", "bias")
    }
    with pytest.raises(ValueError, match="empty"):
        MLP(3, [])


def test_permute() -> None:
    assert Permute([2, 0, 1])(tp.zeros(3, 4, 5)).shape == (5, 3, 4)


def test_frozen_normalisation_is_the_evaluated_one() -> None:
    norm, frozen = nn.BatchNorm2d(3).eval(), FrozenBatchNorm2d(3)
    for value in norm.state_dict().values():
        if value.ndim:
            value.copy_(tp.rand(3) + 0.5)
    frozen.load_state_dict(norm.state_dict())  # num_batches_tracked is ignored
    x = tp.rand(2, 3, 4, 4)
    np.testing.assert_allclose(frozen(x).numpy(), norm(x).detach().numpy(), rtol=1e-5, atol=1e-6)
    assert not list(frozen.parameters())

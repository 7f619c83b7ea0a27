"""Batch norm folded into the layer before it computes the same."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.nn import utils

RNG = np.random.default_rng(0)


def trained(bn):
    """A norm in evaluation whose numbers are not those it starts with."""
    for t in (bn.running_mean, bn.running_var, bn.weight, bn.bias):
        if t is not None:
            t.data = tp.tensor(RNG.uniform(0.5, 2, t.shape))
    return bn.double().eval()


PAIRS = [
    (nn.Conv1d(3, 4, 2), nn.BatchNorm1d(4), (2, 3, 5), False),
    (nn.Conv2d(4, 4, 3, groups=2, bias=False), nn.BatchNorm2d(4, eps=0.1), (2, 4, 5, 5), False),
    (nn.Conv3d(2, 3, 2), nn.BatchNorm3d(3, affine=False), (1, 2, 3, 3, 3), False),
    (nn.ConvTranspose2d(3, 4, 2), nn.BatchNorm2d(4), (2, 3, 3, 3), True),
]


@pytest.mark.parametrize(("conv", "bn", "shape", "transpose"), PAIRS)
def test_convolutions(conv, bn, shape, transpose):
    conv, bn = conv.double().eval(), trained(bn)
    x = tp.tensor(RNG.standard_normal(shape))
    fused = utils.fuse_conv_bn_eval(conv, bn, transpose)
    assert type(fused) is type(conv) and fused is not conv
    np.testing.assert_allclose(fused(x).detach().numpy(), bn(conv(x)).detach().numpy(), rtol=1e-10)
    weight, bias = utils.fuse_conv_bn_weights(
        conv.weight,
        conv.bias,
        bn.running_mean,
        bn.running_var,
        bn.eps,
        bn.weight,
        bn.bias,
        transpose,
    )
    np.testing.assert_array_equal(weight.detach().numpy(), fused.weight.detach().numpy())
    assert isinstance(bias, nn.Parameter) and weight.requires_grad


@pytest.mark.parametrize("bias", [True, False])
def test_linear(bias):
    linear, bn = nn.Linear(3, 4, bias).double().eval(), trained(nn.BatchNorm1d(4))
    x = tp.tensor(RNG.standard_normal((5, 3)))
    fused = utils.fuse_linear_bn_eval(linear, bn)
    np.testing.assert_allclose(fused(x).detach().numpy(), bn(linear(x)).detach().numpy())
    pair = utils.fuse_linear_bn_weights(
        linear.weight, linear.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    np.testing.assert_array_equal(pair[0].detach().numpy(), fused.weight.detach().numpy())


def test_errors():
    with pytest.raises(tp.ShapeError, match="evaluation"):
        utils.fuse_conv_bn_eval(nn.Conv1d(3, 4, 2), nn.BatchNorm1d(4).eval())
    bn = nn.BatchNorm1d(4, track_running_stats=False).eval()
    with pytest.raises(tp.ShapeError, match="running statistics"):
        utils.fuse_conv_bn_eval(nn.Conv1d(3, 4, 2).eval(), bn)
    with pytest.raises(tp.ShapeError, match="gives 4 features"):
        utils.fuse_linear_bn_eval(nn.Linear(3, 4).eval(), nn.BatchNorm1d(3).eval())

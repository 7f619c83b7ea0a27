"""Starting values, beside the statistics they promise."""

import math

import numpy as np
import pytest

import triptych
from triptych import nn
from triptych.nn import init


def filled(fill, *shape, **options):
    t = triptych.empty(*shape, dtype=triptych.float64)
    assert fill(t, generator=triptych.Generator().manual_seed(0), **options) is t
    return t.numpy()


UNIFORM = {  # name: (shape, options, half width)
    "uniform_": ((500, 400), {"a": -3.0, "b": 3.0}, 3.0),
    "xavier_uniform_": ((300, 400), {"gain": 2.0}, 2 * math.sqrt(6 / 700)),
    "kaiming_uniform_": ((100, 50, 3, 3), {}, math.sqrt(6 / 450)),
}
NORMAL = {  # name: (shape, options, standard deviation)
    "normal_": ((500, 400), {"std": 3.0}, 3.0),
    "xavier_normal_": ((100, 50, 3, 3), {}, math.sqrt(2 / 1350)),
    "kaiming_normal_": (
        (100, 50, 3, 3),
        {"mode": "fan_out", "nonlinearity": "relu"},
        math.sqrt(2 / 900),
    ),
}


@pytest.mark.parametrize("name", UNIFORM)
def test_uniform(name):
    shape, options, bound = UNIFORM[name]
    x = filled(getattr(init, name), *shape, **options)
    assert x.min() >= -bound
    assert x.max() < bound
    assert x.std() == pytest.approx(bound / math.sqrt(3), rel=0.01)
    assert x.mean() == pytest.approx(0, abs=0.02 * bound)


@pytest.mark.parametrize("name", NORMAL)
def test_normal(name):
    shape, options, std = NORMAL[name]
    x = filled(getattr(init, name), *shape, **options)
    assert x.std() == pytest.approx(std, rel=0.02)
    assert x.mean() == pytest.approx(0, abs=0.02 * std)
    assert ((x / x.std()) ** 4).mean() == pytest.approx(3, rel=0.05)  # kurtosis of the normal


@pytest.mark.parametrize(("a", "b"), [(-2.0, 2.0), (-0.5, 1.0), (0.5, 3.0)])
def test_truncated_normal_has_the_moments_of_its_density(a, b):
    x = filled(init.trunc_normal_, 400, 500, a=a, b=b)
    assert x.min() >= a
    assert x.max() <= b
    grid = np.linspace(a, b, 100001)
    density = np.exp(-(grid**2) / 2)
    mean = (grid * density).sum() / density.sum()
    std = math.sqrt(((grid - mean) ** 2 * density).sum() / density.sum())
    assert x.mean() == pytest.approx(mean, abs=0.01)
    assert x.std() == pytest.approx(std, rel=0.01)
    with pytest.raises(ValueError, match="choose cuts around the mean"):
        filled(init.trunc_normal_, 3, a=5, b=6)


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 2, 3)])
def test_orthogonal(shape):
    x = filled(init.orthogonal_, *shape, gain=2.0).reshape(shape[0], -1)
    small = x @ x.T if x.shape[0] <= x.shape[1] else x.T @ x
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-12)


def test_sparse():
    x = filled(init.sparse_, 20, 7, sparsity=0.3)
    assert ((x == 0).sum(0) == 6).all()


def test_constants():
    t = triptych.empty(2, 3)
    assert init.ones_(t).sum().item() == 6
    assert init.zeros_(t).sum().item() == 0
    assert init.constant_(t, 0.5).sum().item() == 3
    np.testing.assert_array_equal(init.eye_(t).numpy(), np.eye(2, 3))


@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_passes_channels_through(groups):
    layer = nn.Conv2d(4, 4, 3, padding=1, groups=groups, bias=False)
    init.dirac_(layer.weight, groups)
    x = triptych.randn(1, 4, 5, 5)
    np.testing.assert_array_equal(layer(x).detach().numpy(), x.numpy())


def test_gains():
    assert init.calculate_gain("leaky_relu", 0.5) == math.sqrt(2 / 1.25)
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / 1.0001)
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("conv_transpose2d") == 1
    with pytest.raises(KeyError, match="unknown nonlinearity 'gelu'; known: conv1d"):
        init.calculate_gain("gelu")


def test_parameters_are_written_unrecorded_and_repeatably():
    draws = []
    for _ in range(2):
        p = nn.Parameter(triptych.empty(3, 4))
        init.kaiming_uniform_(p, generator=triptych.Generator().manual_seed(4))
        assert p.is_leaf
        assert p.requires_grad
        draws.append(p.detach().numpy())
    np.testing.assert_array_equal(*draws)


def test_skipped():
    t = triptych.full((3,), 7.0)
    with init.skipped():
        assert init.normal_(t).tolist() == [7.0] * 3
    assert init.zeros_(t).tolist() == [0.0] * 3


def test_mistakes():
    with pytest.raises(ValueError, match="at least 2 dims"):
        init.xavier_uniform_(triptych.empty(3))
    with pytest.raises(ValueError, match="wanted a tensor with 2 dims"):
        init.eye_(triptych.empty(3))
    with pytest.raises(ValueError, match="cannot be split into 2 groups"):
        init.dirac_(triptych.empty(3, 3, 3), 2)
    with pytest.raises(KeyError, match="mode is fan_in or fan_out"):
        init.kaiming_normal_(triptych.empty(3, 3), mode="fan")


def test_older_names_warn_and_do_the_same():
    w = triptych.empty(3, 4)
    with pytest.warns(FutureWarning, match="nn.init.constant is now nn.init.constant_"):
        assert nn.init.constant(w, 2.5) is w
    assert w.tolist() == [[2.5] * 4] * 3

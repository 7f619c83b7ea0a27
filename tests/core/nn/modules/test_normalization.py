"""Running statistics, beside NumPy's mean and variance."""

import numpy as np
import pytest

import triptych
from triptych import nn


def batches(*shape):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape) * (i + 1) + i for i in range(3)]


@pytest.mark.parametrize("momentum", [0.1, 0.5, None])
@pytest.mark.parametrize(
    ("kind", "shape"), [(nn.BatchNorm1d, (6, 3)), (nn.BatchNorm2d, (2, 3, 4, 5))]
)
def test_running_statistics(kind, shape, momentum):
    layer = kind(3, momentum=momentum, dtype=triptych.float64)
    mean, var = np.zeros(3), np.ones(3)
    axes = tuple(a for a in range(len(shape)) if a != 1)
    for i, x in enumerate(batches(*shape)):
        out = layer(triptych.tensor(x)).detach().numpy()
        np.testing.assert_allclose(out.mean(axes), 0, atol=1e-12)
        share = 1 / (i + 1) if momentum is None else momentum
        mean = (1 - share) * mean + share * x.mean(axes)
        var = (1 - share) * var + share * x.var(axes, ddof=1)
    np.testing.assert_allclose(layer.running_mean.numpy(), mean)
    np.testing.assert_allclose(layer.running_var.numpy(), var)
    assert int(layer.num_batches_tracked) == 3
    x = batches(*shape)[0]
    side = [1, 3] + [1] * (len(shape) - 2)
    want = (x - mean.reshape(side)) / np.sqrt(var.reshape(side) + layer.eps)
    np.testing.assert_allclose(layer.eval()(triptych.tensor(x)).detach().numpy(), want)
    assert int(layer.num_batches_tracked) == 3
    layer.reset_running_stats()
    assert layer.running_mean.tolist() == [0.0] * 3
    assert int(layer.num_batches_tracked) == 0


def test_without_running_statistics_the_batch_counts_in_evaluation_too():
    layer = nn.BatchNorm2d(3, track_running_stats=False).eval()
    out = layer(triptych.tensor(batches(2, 3, 4, 5)[2])).detach().numpy()
    np.testing.assert_allclose(out.mean((0, 2, 3)), 0, atol=1e-6)
    assert layer.running_mean is None


def test_instance_norm_without_batch():
    layer = nn.InstanceNorm2d(3)
    x = triptych.randn(3, 4, 5)
    np.testing.assert_array_equal(layer(x).numpy(), layer(x.unsqueeze(0))[0].numpy())


def test_instance_norm_tracks_when_asked():
    layer = nn.InstanceNorm1d(3, track_running_stats=True)
    x = triptych.randn(4, 3, 50) + 5
    layer(x)
    np.testing.assert_allclose(layer.running_mean.numpy(), x.mean((0, 2)).numpy() * 0.1, rtol=1e-5)
    assert not triptych.allclose(layer.eval()(x), layer.train()(x))


def test_mistakes():
    with pytest.raises(ValueError, match=r"BatchNorm2d: wanted 4 dims, got shape \(2, 3\)"):
        nn.BatchNorm2d(3)(triptych.zeros(2, 3))
    with pytest.raises(ValueError, match="5 channels cannot be split into 2 groups"):
        nn.GroupNorm(2, 5)
    with pytest.raises(ValueError, match="wanted 3 channels, got 4"):
        nn.InstanceNorm1d(3, affine=True)(triptych.zeros(2, 4, 5))

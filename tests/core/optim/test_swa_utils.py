"""Averages of models over training."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import triptych
from triptych import nn, optim
from triptych.optim import swa_utils


def net():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))


def models(count):
    """A model after each of some made-up updates."""
    model, found = net(), []
    for i in range(count):
        with triptych.no_grad():
            for j, t in enumerate([*model.parameters(), *model.buffers()]):
                t.add_(i + j)
        found.append(copy.deepcopy(model))
    return found


def weights(model):
    return [p.detach().numpy() for p in model.parameters()]


def test_the_default_is_the_mean_of_all_models():
    seen = models(4)
    averaged = swa_utils.AveragedModel(seen[0])
    for model in seen:
        averaged.update_parameters(model)
    assert int(averaged.n_averaged) == 4
    for got, *each in zip(weights(averaged.module), *map(weights, seen), strict=True):
        np.testing.assert_allclose(got, np.mean(each, axis=0), rtol=1e-5)
    for mine, last in zip(averaged.module.buffers(), seen[-1].buffers(), strict=True):
        assert (mine == last).all(), "buffers follow the model"


@pytest.mark.parametrize("which", ["avg_fn", "multi_avg_fn"])
def test_exponential_average(which):
    make = {"avg_fn": swa_utils.get_ema_avg_fn, "multi_avg_fn": swa_utils.get_ema_multi_avg_fn}
    seen = models(3)
    averaged = swa_utils.AveragedModel(seen[0], **{which: make[which](0.75)}, use_buffers=True)
    for model in seen:
        averaged.update_parameters(model)
    wanted = weights(seen[0])
    for model in seen[1:]:
        wanted = [0.75 * a + 0.25 * b for a, b in zip(wanted, weights(model), strict=True)]
    for got, want in zip(weights(averaged.module), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5)
    counts = [m[1].num_batches_tracked.item() for m in seen]
    assert averaged.module[1].num_batches_tracked.item() not in counts, "buffers are averaged, too"


def test_the_average_is_a_model_with_a_checkpoint():
    averaged = swa_utils.AveragedModel(net())
    averaged.update_parameters(net())
    x = triptych.ones(2, 3)
    assert averaged(x).shape == (2, 1)
    twin = swa_utils.AveragedModel(net())
    twin.load_state_dict(averaged.state_dict())
    assert int(twin.n_averaged) == 1
    assert (twin.eval()(x) == averaged.eval()(x)).all()


def test_update_bn_takes_the_mean_over_all_batches():
    model = nn.Sequential(nn.BatchNorm1d(2, momentum=0.3)).eval()
    batches = [(triptych.randn(5, 2) + i, "label") for i in range(3)]
    swa_utils.update_bn(batches, model)
    means = [x.numpy().mean(0) for x, _ in batches]
    np.testing.assert_allclose(model[0].running_mean.numpy(), np.mean(means, axis=0), rtol=1e-5)
    assert model[0].momentum == 0.3
    assert not model.training


@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_swalr_reaches_its_rate_and_stays(strategy):
    optimizer = optim.SGD([triptych.ones(1, requires_grad=True)], lr=1.0)
    schedule = swa_utils.SWALR(optimizer, 0.2, anneal_epochs=4, anneal_strategy=strategy)
    rates = []
    for _ in range(7):
        rates += schedule.get_last_lr()
        optimizer.step()
        schedule.step()
    part = np.minimum(np.arange(7) / 4, 1)
    height = part if strategy == "linear" else (1 - np.cos(np.pi * part)) / 2
    np.testing.assert_allclose(rates, 1 - 0.8 * height, rtol=1e-12)


def test_refuses():
    with pytest.raises(ValueError, match="not both"):
        swa_utils.AveragedModel(net(), avg_fn=abs, multi_avg_fn=abs)
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        swa_utils.get_ema_multi_avg_fn(1.5)
    optimizer = optim.SGD([triptych.ones(1, requires_grad=True)])
    with pytest.raises(ValueError, match="'cos' or 'linear'"):
        swa_utils.SWALR(optimizer, 0.1, anneal_strategy="x")

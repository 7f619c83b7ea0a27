"""GradScaler: scaling, skipping, growing; and training under autocast."""

from contextlib import nullcontext

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.amp import GradScaler

F = nn.functional


def parameter(value=1.0):
    w = tp.tensor([value], requires_grad=True)
    return w, tp.optim.SGD([w], lr=1.0)


def test_scaled_gradients_come_out_as_if_unscaled():
    w, optimizer = parameter()
    scaler = GradScaler("cpu", init_scale=1024.0)
    scaler.scale((w * 3).sum()).backward()
    assert w.grad.item() == 3072
    scaler.unscale_(optimizer)
    assert w.grad.item() == 3
    scaler.step(optimizer)
    scaler.update()
    assert w.item() == -2
    assert scaler.get_scale() == 1024


def test_small_gradients_survive_float16():
    def slope(scale):
        w = tp.tensor([1.0], requires_grad=True)
        with tp.autocast("cpu", dtype=tp.float16):
            y = (w.view(1, 1) @ tp.tensor([[1e-4]])) * tp.tensor(1e-4).half()
        (y.float().sum() * scale).backward()
        return w.grad.item() / scale

    assert slope(1.0) < 0.7e-8 or slope(1.0) > 1.3e-8  # lost or rounded beyond use
    assert slope(2.0**14) == pytest.approx(1e-8, rel=0.01)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_step_with_an_infinite_gradient_is_left_out(bad):
    w, optimizer = parameter()
    other, second = parameter()
    scaler = GradScaler("cpu", init_scale=8.0, backoff_factor=0.25)
    w.grad, other.grad = tp.tensor([bad]), tp.tensor([8.0])
    assert scaler.step(optimizer) is None
    scaler.step(second)
    scaler.update()
    assert w.item() == 1
    assert other.item() == 0
    assert scaler.get_scale() == 2


def test_the_factor_grows_after_a_while_without_infinities():
    w, optimizer = parameter()
    scaler = GradScaler("cpu", init_scale=4.0, growth_factor=3.0, growth_interval=2)
    scales = []
    for _ in range(5):
        w.grad = tp.tensor([0.0])
        scaler.step(optimizer)
        scaler.update()
        scales.append(scaler.get_scale())
    assert scales == [4, 12, 12, 36, 36]


def test_the_factor_never_becomes_infinite():
    w, optimizer = parameter()
    scaler = GradScaler("cpu", init_scale=1e308, growth_factor=10.0, growth_interval=1)
    w.grad = tp.tensor([0.0])
    scaler.step(optimizer)
    scaler.update()
    assert scaler.get_scale() == 1e308


def test_outputs_of_any_nesting_are_scaled():
    scaler = GradScaler("cpu", init_scale=2.0)
    one = tp.ones(1)
    found = scaler.scale({"a": [one, (one,)]})
    assert found["a"][0].item() == found["a"][1][0].item() == 2
    assert [t.item() for t in scaler.scale(iter([one, one]))] == [2, 2]
    with pytest.raises(tp.DTypeError, match="wanted tensors, got float"):
        scaler.scale([1.0])


def test_misuse_is_an_error():
    w, optimizer = parameter()
    scaler = GradScaler("cpu")
    with pytest.raises(tp.GradError, match=r"no step\(\) was called"):
        scaler.update()
    w.grad = tp.tensor([1.0])
    scaler.unscale_(optimizer)
    with pytest.raises(tp.GradError, match=r"unscale_\(\) was called"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(tp.GradError, match=r"update\(\) after every step"):
        scaler.step(optimizer)
    with pytest.raises(tp.GradError, match="closures"):
        scaler.step(optimizer, closure=lambda: 1)
    for wrong in ({"growth_factor": 1.0}, {"backoff_factor": 1.0}, {"growth_interval": 0}):
        with pytest.raises(tp.GradError, match="wanted a"):
            GradScaler("cpu", **wrong)


def test_float16_gradients_are_refused():
    w = tp.ones(1).half().requires_grad_()
    w.grad = tp.ones(1).half()
    with pytest.raises(tp.DTypeError, match="keep the parameters in float32"):
        GradScaler("cpu").unscale_(tp.optim.SGD([w], lr=1.0))


def test_a_scaler_that_is_off_does_nothing():
    w, optimizer = parameter()
    scaler = GradScaler("cpu", enabled=False)
    scaler.scale((w * 3).sum()).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert w.item() == -2
    assert not scaler.is_enabled()
    assert scaler.get_scale() == 1
    assert scaler.state_dict() == {}
    scaler.load_state_dict({})


@pytest.mark.skipif(tp.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_default_scaler_is_off():
    with pytest.warns(UserWarning, match="no cuda device"):
        assert not GradScaler().is_enabled()


def test_state_goes_to_another_scaler():
    one = GradScaler("cpu", 8.0, 3.0, 0.25, 7)
    w, optimizer = parameter()
    w.grad = tp.zeros(1)
    one.step(optimizer)
    one.update()
    two = GradScaler("cpu")
    two.load_state_dict(one.state_dict())
    assert two.state_dict() == one.state_dict()
    assert one.state_dict()["_growth_tracker"] == 1
    getters = two.get_growth_factor(), two.get_backoff_factor(), two.get_growth_interval()
    assert getters == (3.0, 0.25, 7)
    with pytest.raises(tp.GradError, match="the state is empty"):
        two.load_state_dict({})


def test_update_takes_a_factor():
    scaler = GradScaler("cpu")
    scaler.update(tp.tensor(5.0))
    assert scaler.get_scale() == 5


# Training

X = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)


def train(region, scaler=None, steps=120):
    tp.manual_seed(1)
    x = tp.tensor(X)
    target = x[:, :1] * x[:, 1:2] + x[:, 2:3]
    net = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.LayerNorm(32), nn.Linear(32, 1))
    optimizer = tp.optim.Adam(net.parameters(), lr=1e-2)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        with region():
            loss = F.mse_loss(net(x), target)
        if scaler is None:
            loss.backward()
            optimizer.step()
        else:
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize(
    ("region", "scaled"),
    [
        (nullcontext, False),
        (lambda: tp.autocast("cpu", dtype=tp.bfloat16), False),
        (lambda: tp.autocast("cpu", dtype=tp.bfloat16), True),
        (lambda: tp.autocast("cpu", dtype=tp.float16), True),
    ],
    ids=["float32", "bfloat16", "bfloat16 scaled", "float16 scaled"],
)
def test_a_net_learns(region, scaled):
    losses = train(region, GradScaler("cpu", growth_interval=50) if scaled else None)
    assert losses[0] > 1
    assert losses[-1] < 0.02

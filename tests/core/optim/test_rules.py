"""Every optimizer and option against its published formula in float64 NumPy, over ten steps."""

from __future__ import annotations

import math

import numpy as np
import pytest

import triptych
from triptych import optim

STEPS = 10
START = np.array([[1.5, -2.0, 0.3], [0.0, 4.0, -0.7]])


def gradient(w, step):
    """Of a function with a minimum away from zero; depends on the step as a batch would make it."""
    return 2 * (w - 0.5) * np.array([1.0, 0.1, 3.0]) + 0.2 * np.sin(
        step + np.arange(6).reshape(2, 3)
    )


def train(make, steps=STEPS, dtype=triptych.float64):
    w = triptych.tensor(START, dtype=dtype, requires_grad=True)
    optimizer = make([w])
    for step in range(steps):
        w.grad = triptych.tensor(gradient(w.detach().numpy(), step), dtype=dtype)
        optimizer.step()
    return w.detach().numpy(), optimizer


def l2(g, w, o):
    return g + o.get("weight_decay", 0) * w


def sgd(w, s, g, t, o):
    g, momentum = l2(g, w, o), o.get("momentum", 0)
    if momentum:
        first = "b" not in s
        s["b"] = g if first else momentum * s["b"] + (1 - o.get("dampening", 0)) * g
        g = g + momentum * s["b"] if o.get("nesterov") else s["b"]
    return w - o["lr"] * g


def moments(s, g, o):
    b1, b2 = o.get("betas", (0.9, 0.999))
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g * g
    return b1, b2


def decoupled(g, w, o):
    if o.get("decoupled_weight_decay"):
        return g, w - o["lr"] * o.get("weight_decay", 0) * w
    return l2(g, w, o), w


def adam(w, s, g, t, o):
    g, w = decoupled(g, w, o)
    b1, b2 = moments(s, g, o)
    v = s["v"]
    if o.get("amsgrad"):
        v = s["largest"] = np.maximum(s.get("largest", 0), v)
    return w - o["lr"] * (s["m"] / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + o.get("eps", 1e-8))


def adamw(w, s, g, t, o):
    return adam(w, s, g, t, {"weight_decay": 0.01, **o, "decoupled_weight_decay": True})


def rmsprop(w, s, g, t, o):
    g, a = l2(g, w, o), o.get("alpha", 0.99)
    s["v"] = a * s.get("v", 0) + (1 - a) * g * g
    s["m"] = a * s.get("m", 0) + (1 - a) * g
    v = s["v"] - s["m"] ** 2 if o.get("centered") else s["v"]
    d = g / (np.sqrt(v) + o.get("eps", 1e-8))
    s["b"] = o.get("momentum", 0) * s.get("b", 0) + d
    return w - o["lr"] * s["b"]


def adagrad(w, s, g, t, o):
    g = l2(g, w, o)
    s["s"] = s.get("s", o.get("initial_accumulator_value", 0)) + g * g
    rate = o["lr"] / (1 + (t - 1) * o.get("lr_decay", 0))
    return w - rate * g / (np.sqrt(s["s"]) + o.get("eps", 1e-10))


def adadelta(w, s, g, t, o):
    g, rho, eps = l2(g, w, o), o.get("rho", 0.9), o.get("eps", 1e-6)
    s["v"] = rho * s.get("v", 0) + (1 - rho) * g * g
    d = np.sqrt(s.get("u", 0) + eps) / np.sqrt(s["v"] + eps) * g
    s["u"] = rho * s.get("u", 0) + (1 - rho) * d * d
    return w - o["lr"] * d


def adamax(w, s, g, t, o):
    g, (b1, b2) = l2(g, w, o), o.get("betas", (0.9, 0.999))
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["u"] = np.maximum(b2 * s.get("u", 0), np.abs(g) + o.get("eps", 1e-8))
    return w - o["lr"] / (1 - b1**t) * s["m"] / s["u"]


def nadam(w, s, g, t, o):
    g, w = decoupled(g, w, o)
    b1, b2 = moments(s, g, o)

    def mu(i):
        return b1 * (1 - 0.5 * 0.96 ** (i * o.get("momentum_decay", 4e-3)))

    product = math.prod(mu(i) for i in range(1, t + 1))
    top = mu(t + 1) * s["m"] / (1 - product * mu(t + 1)) + (1 - mu(t)) * g / (1 - product)
    return w - o["lr"] * top / (np.sqrt(s["v"] / (1 - b2**t)) + o.get("eps", 1e-8))


def radam(w, s, g, t, o):
    g, w = decoupled(g, w, o)
    b1, b2 = moments(s, g, o)
    m = s["m"] / (1 - b1**t)
    most = 2 / (1 - b2) - 1
    rho = most - 2 * t * b2**t / (1 - b2**t)
    if rho <= 5:
        return w - o["lr"] * m
    r = np.sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))
    return w - o["lr"] * m * r * np.sqrt(1 - b2**t) / (np.sqrt(s["v"]) + o.get("eps", 1e-8))


def lion(w, s, g, t, o):
    (b1, b2), m = o.get("betas", (0.9, 0.99)), s.get("m", 0)
    s["m"] = b2 * m + (1 - b2) * g
    return w - o["lr"] * (np.sign(b1 * m + (1 - b1) * g) + o.get("weight_decay", 0) * w)


def lamb(w, s, g, t, o):
    b1, b2 = moments(s, g, o)
    root = np.sqrt(s["v"] / (1 - b2**t)) + o.get("eps", 1e-6)
    r = s["m"] / (1 - b1**t) / root + o.get("weight_decay", 0) * w
    size = min(np.linalg.norm(w), o.get("clip", 10.0))
    return w - o["lr"] * size / np.linalg.norm(r) * r


def lars(w, s, g, t, o):
    decay, momentum = o.get("weight_decay", 0), o.get("momentum", 0.9)
    size = np.linalg.norm(w)
    trust = o.get("trust_coefficient", 1e-3) * size
    g = (g + decay * w) * trust / (np.linalg.norm(g) + decay * size + o.get("eps", 0))
    s["b"] = momentum * s.get("b", 0) + g
    return w - o["lr"] * (g + momentum * s["b"] if o.get("nesterov") else s["b"])


TWINS = {
    "SGD": sgd,
    "Adam": adam,
    "AdamW": adamw,
    "RMSprop": rmsprop,
    "Adagrad": adagrad,
    "Adadelta": adadelta,
    "Adamax": adamax,
    "NAdam": nadam,
    "RAdam": radam,
    "Lion": lion,
    "LAMB": lamb,
    "LARS": lars,
}
MOMENTS = [{}, {"betas": (0.5, 0.7)}, {"eps": 0.1}, {"weight_decay": 0.3}]
BOTH_DECAYS = [*MOMENTS, {"weight_decay": 0.3, "decoupled_weight_decay": True}]
OPTIONS = {
    "SGD": [
        {},
        {"weight_decay": 0.3},
        {"momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.4},
        {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    ],
    "Adam": [*BOTH_DECAYS, {"amsgrad": True, "betas": (0.5, 0.7)}],
    "AdamW": [*MOMENTS, {"amsgrad": True, "betas": (0.5, 0.7)}],
    "RMSprop": [
        {},
        {"alpha": 0.6},
        {"eps": 0.1},
        {"weight_decay": 0.3},
        {"momentum": 0.9},
        {"centered": True, "eps": 0.1},
        {"centered": True, "momentum": 0.5, "eps": 0.1},
    ],
    "Adagrad": [
        {},
        {"lr_decay": 0.5},
        {"weight_decay": 0.3},
        {"initial_accumulator_value": 2.0},
        {"eps": 0.1},
    ],
    "Adadelta": [{}, {"rho": 0.5}, {"eps": 0.1}, {"weight_decay": 0.3}],
    "Adamax": MOMENTS,
    "NAdam": [*BOTH_DECAYS, {"momentum_decay": 0.5}],
    "RAdam": [*BOTH_DECAYS, {"betas": (0.5, 0.99)}],
    "Lion": [{}, {"betas": (0.5, 0.7)}, {"weight_decay": 0.3}],
    "LAMB": [*MOMENTS, {"clip": 1.5}],
    "LARS": [
        {},
        {"trust_coefficient": 0.1},
        {"weight_decay": 0.3},
        {"momentum": 0.5},
        {"nesterov": True},
        {"eps": 1.0},
    ],
}
CASES = [(name, options) for name, listed in OPTIONS.items() for options in listed]
CAPTURABLE = [n for n in TWINS if n not in ("SGD", "Adagrad", "Lion", "LARS")]


def twin(name, options, steps=STEPS):
    sign = -1 if options.get("maximize") else 1
    w, state = START, {}
    for step in range(steps):
        w = TWINS[name](w, state, sign * gradient(w, step), step + 1, options)
    return w


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_follows_the_formula(name, options, maximize):
    options = {"lr": 0.05, "maximize": maximize, **options}
    got, _ = train(lambda params: getattr(optim, name)(params, **options))
    np.testing.assert_allclose(got, twin(name, options), rtol=1e-10, atol=1e-12)


def test_every_option_matters():
    """Otherwise the comparison above might pass for an option that nobody reads."""
    for name, listed in OPTIONS.items():
        results = [twin(name, {"lr": 0.05, **options}) for options in listed]
        for i, one in enumerate(results):
            assert all(np.abs(one - other).max() > 1e-6 for other in results[:i]), (name, i)


@pytest.mark.parametrize("name", CAPTURABLE)
def test_capturable_counts_in_a_tensor_and_agrees(name):
    make = getattr(optim, name)
    got, optimizer = train(lambda params: make(params, lr=0.05, capturable=True), steps=30)
    (state,) = optimizer.state.values()
    assert isinstance(state["step"], triptych.Tensor)
    assert state["step"].item() == 30
    np.testing.assert_allclose(got, twin(name, {"lr": 0.05}, steps=30), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", TWINS)
def test_float32_stays_float32(name):
    got, optimizer = train(
        lambda params: getattr(optim, name)(params, lr=0.05), dtype=triptych.float32
    )
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, twin(name, {"lr": 0.05}), rtol=1e-4, atol=1e-5)
    for state in optimizer.state.values():
        for value in state.values():
            assert not isinstance(value, triptych.Tensor) or value.dtype == triptych.float32


@pytest.mark.parametrize("name", TWINS)
def test_lr_may_be_a_tensor(name):
    rate = triptych.tensor(0.05, dtype=triptych.float64)
    got, _ = train(lambda params: getattr(optim, name)(params, lr=rate))
    np.testing.assert_allclose(got, twin(name, {"lr": 0.05}), rtol=1e-10, atol=1e-12)


def test_sgd_takes_complex_parameters():
    w = triptych.tensor([1 + 2j, -1j], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.5, momentum=0.5)
    w.grad = triptych.tensor([1j, 2 + 0j], dtype=w.dtype)
    optimizer.step()
    np.testing.assert_allclose(w.detach().numpy(), [1 + 1.5j, -1 - 1j])


def test_others_refuse_complex_parameters():
    w = triptych.tensor([1 + 2j], requires_grad=True)
    w.grad = triptych.tensor([1j], dtype=w.dtype)
    with pytest.raises(triptych.DTypeError, match="complex"):
        optim.Adam([w]).step()


def test_differentiable_updates_carry_gradients():
    """d/dlr of (w - lr * g) ** 2 is -2 * g * (w - lr * g)."""
    lr = triptych.tensor(0.1, requires_grad=True)
    start = triptych.tensor([3.0], requires_grad=True)
    w = start.clone()
    optimizer = optim.SGD([w], lr=lr, differentiable=True)
    w.grad = triptych.tensor([2.0])
    optimizer.step()
    (w * w).sum().backward()
    assert lr.grad.item() == pytest.approx(-2 * 2 * (3 - 0.2))
    assert start.grad.item() == pytest.approx(2 * (3 - 0.2))


@pytest.mark.parametrize("name", TWINS)
def test_gradients_are_left_alone(name):
    w = triptych.tensor(START, requires_grad=True)
    optimizer = getattr(optim, name)([w], lr=0.1, **({"weight_decay": 0.1}))
    w.grad = triptych.ones_like(w)
    optimizer.step()
    assert (w.grad == 1).all()
    assert w.is_leaf
    assert w.requires_grad


@pytest.mark.parametrize("name", ["LAMB", "LARS"])
def test_layers_of_zeros_move_and_vectors_are_not_scaled(name):
    zero = triptych.zeros(2, 2, requires_grad=True)
    vector = triptych.tensor([1e-3, 1e-3], requires_grad=True)
    optimizer = getattr(optim, name)([zero, vector], lr=0.5)
    for p in (zero, vector):
        p.grad = triptych.ones_like(p)
    optimizer.step()
    np.testing.assert_allclose(zero.detach().numpy(), -0.5, rtol=1e-4)
    np.testing.assert_allclose(vector.detach().numpy(), 1e-3 - 0.5, rtol=1e-4)


def test_muon_makes_steps_nearly_orthogonal():
    generator = triptych.Generator().manual_seed(0)
    w = triptych.zeros(6, 4, requires_grad=True)
    w.grad = triptych.randn(6, 4, generator=generator)
    optim.Muon([w], lr=1.0, weight_decay=0.0).step()
    singular = np.linalg.svd(w.detach().numpy() / math.sqrt(6 / 4), compute_uv=False)
    assert singular.min() > 0.5
    assert singular.max() < 1.3


def test_asgd_averages_from_t0_on():
    w = triptych.tensor([1.0], dtype=triptych.float64, requires_grad=True)
    optimizer, path = optim.ASGD([w], lr=0.1, lambd=0.0, t0=2), []
    for _ in range(6):
        w.grad = triptych.ones_like(w).detach()
        optimizer.step()
        path.append(w.item())
    assert optimizer.state[w]["ax"].item() == pytest.approx(np.mean(path[3:]))


def test_asgd_keeps_the_rates_of_the_next_step_as_torch_files_do():
    w = triptych.tensor([1.0], dtype=triptych.float64, requires_grad=True)
    optimizer = optim.ASGD([w], lr=0.1, lambd=0.5, alpha=0.75, t0=1)
    for step in (1, 2, 3):
        w.grad = triptych.zeros_like(w).detach()
        optimizer.step()
        state = optimizer.state_dict()["state"][0]
        assert state["eta"] == pytest.approx(0.1 / (1 + 0.5 * 0.1 * step) ** 0.75)
        assert state["mu"] == 1 / max(1, step - 1)
    decays = [1 - 0.5 * 0.1 / (1 + 0.5 * 0.1 * k) ** 0.75 for k in range(3)]
    assert w.item() == pytest.approx(math.prod(decays))


def test_lbfgs_solves_rosenbrock_and_counts_its_evaluations():
    w = triptych.tensor([-1.2, 1.0], dtype=triptych.float64, requires_grad=True)
    optimizer = optim.LBFGS([w], max_iter=100, line_search_fn="strong_wolfe")
    calls = []

    def closure():
        calls.append(1)
        optimizer.zero_grad()
        value = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
        value.backward()
        return value

    first = optimizer.step(closure)
    assert first.item() == pytest.approx(24.2)
    np.testing.assert_allclose(w.detach().numpy(), [1, 1], atol=1e-4)
    assert optimizer.state[w]["func_evals"] == len(calls) < 80


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (
            lambda p: optim.Muon([triptych.zeros(2, requires_grad=True)]),
            triptych.ShapeError,
            "takes matrices",
        ),
        (lambda p: optim.Muon([p], adjust_lr_fn="x"), ValueError, "match_rms_adamw"),
        (lambda p: optim.LBFGS([p]).step(), triptych.GradError, "closure"),
        (lambda p: optim.LBFGS([p], line_search_fn="x"), ValueError, "strong_wolfe"),
        (lambda p: optim.LBFGS([{"params": p}, {"params": []}]), ValueError, "one group"),
        (lambda p: optim.Rprop([p], etas=(1.5, 0.5)), ValueError, "etas"),
        (lambda p: optim.Adafactor([p], d=0.5), ValueError, "d should be"),
        (lambda p: optim.Adafactor([p], beta2_decay=0.5), ValueError, "beta2_decay"),
        (lambda p: optim.Lion([p], betas=(0.9, 1.0)), ValueError, "betas"),
    ],
)
def test_refuses(make, error, text):
    with pytest.raises(error, match=text):
        make(triptych.zeros(2, 2, requires_grad=True))

from __future__ import annotations

import math
import pickle
import warnings

import pytest

import triptych
from triptych import optim
from triptych.optim import lr_scheduler as lrs

BASE = 0.8


def sgd(*rates, **options):
    groups = [
        {"params": [triptych.ones(1, requires_grad=True)], "lr": rate} for rate in rates or (BASE,)
    ]
    return optim.SGD(groups, lr=0.1, **options)


def rates(make, steps, optimizer=None):
    """The rates of the first group, one per epoch."""
    optimizer = optimizer or sgd()
    scheduler = make(optimizer)
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        assert scheduler.get_last_lr() == [g["lr"] for g in optimizer.param_groups]
        optimizer.step()
        scheduler.step()
    return seen


def bow(part):
    return (1 + math.cos(math.pi * part)) / 2


def restarts(t, length, factor):
    while t >= length:
        t, length = t - length, length * factor
    return bow(t / length)


FORMULAS = {
    "StepLR": (lambda o: lrs.StepLR(o, 3, gamma=0.5), lambda t: BASE * 0.5 ** (t // 3)),
    "MultiStepLR": (
        lambda o: lrs.MultiStepLR(o, [2, 5, 5], gamma=0.5),
        lambda t: BASE * 0.5 ** ((t >= 2) + 2 * (t >= 5)),
    ),
    "ConstantLR": (
        lambda o: lrs.ConstantLR(o, factor=0.25, total_iters=4),
        lambda t: BASE * (0.25 if t < 4 else 1),
    ),
    "LinearLR": (
        lambda o: lrs.LinearLR(o, start_factor=0.25, end_factor=0.75, total_iters=4),
        lambda t: BASE * (0.25 + 0.5 * min(t, 4) / 4),
    ),
    "LinearLR to zero": (
        lambda o: lrs.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=4),
        lambda t: BASE * (1 - min(t, 4) / 4),
    ),
    "ExponentialLR": (lambda o: lrs.ExponentialLR(o, 0.9), lambda t: BASE * 0.9**t),
    "PolynomialLR": (
        lambda o: lrs.PolynomialLR(o, total_iters=6, power=2.0),
        lambda t: BASE * (1 - min(t, 6) / 6) ** 2,
    ),
    "LambdaLR": (lambda o: lrs.LambdaLR(o, lambda t: 1 / (1 + t)), lambda t: BASE / (1 + t)),
    "MultiplicativeLR": (
        lambda o: lrs.MultiplicativeLR(o, lambda t: t / (t + 1)),
        lambda t: BASE / (t + 1),
    ),
    "CosineAnnealingLR": (
        lambda o: lrs.CosineAnnealingLR(o, T_max=5, eta_min=0.1),
        lambda t: 0.1 + (BASE - 0.1) * bow(t / 5),
    ),
    "CosineAnnealingWarmRestarts": (
        lambda o: lrs.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2, eta_min=0.1),
        lambda t: 0.1 + (BASE - 0.1) * restarts(t, 3, 2),
    ),
    "equal restarts": (
        lambda o: lrs.CosineAnnealingWarmRestarts(o, T_0=3),
        lambda t: BASE * restarts(t, 3, 1),
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_follows_the_formula(name):
    make, formula = FORMULAS[name]
    wanted = [formula(t) for t in range(14)]
    assert rates(make, 14) == pytest.approx(wanted, abs=1e-12)
    assert len(set(wanted)) > 1


CLOSED = [n for n in FORMULAS if "Lambda" not in n and "Multiplicative" not in n]


@pytest.mark.parametrize("name", CLOSED)
def test_a_given_epoch_uses_the_formula_too(name):
    make, formula = FORMULAS[name]
    optimizer = sgd()
    scheduler = make(optimizer)
    optimizer.step()
    scheduler.step(9)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(formula(9))
    scheduler.step(2)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(formula(2))


@pytest.mark.parametrize("name", FORMULAS)
def test_continues_from_a_state_dict(name):
    make, formula = FORMULAS[name]
    optimizer = sgd()
    scheduler = make(optimizer)
    for _ in range(4):
        optimizer.step()
        scheduler.step()
    saved = pickle.loads(pickle.dumps((optimizer.state_dict(), scheduler.state_dict())))
    other = sgd()
    resumed = make(other)
    other.load_state_dict(saved[0])
    resumed.load_state_dict(saved[1])
    assert resumed.get_last_lr() == scheduler.get_last_lr()
    for t in range(5, 12):
        other.step()
        resumed.step()
        assert other.param_groups[0]["lr"] == pytest.approx(formula(t), abs=1e-12)


def test_continues_with_last_epoch():
    optimizer = sgd()
    optimizer.param_groups[0].update(initial_lr=BASE, lr=BASE * 0.9**4)
    scheduler = lrs.ExponentialLR(optimizer, 0.9, last_epoch=3)
    assert scheduler.last_epoch == 4
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(BASE * 0.9**5)


def test_continuing_needs_the_initial_rate():
    with pytest.raises(KeyError, match="initial_lr"):
        lrs.ExponentialLR(sgd(), 0.9, last_epoch=3)


def test_each_group_has_its_rate():
    optimizer = sgd(1.0, 0.5)
    scheduler = lrs.LambdaLR(optimizer, [lambda t: 2.0**-t, lambda t: 1.0])
    optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.5, 0.5]


def test_a_rate_that_is_a_tensor_is_written_to():
    rate = triptych.tensor(0.8)
    optimizer = optim.SGD([triptych.ones(1, requires_grad=True)], lr=rate)
    scheduler = lrs.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.4)


def one_cycle(t, total, pct, curve, low, top, bottom):
    peak = pct * total - 1
    if t <= peak:
        return top + (low - top) * curve(t / peak)
    return bottom + (top - bottom) * curve((t - peak) / (total - 1 - peak))


@pytest.mark.parametrize(("strategy", "curve"), [("cos", bow), ("linear", lambda part: 1 - part)])
def test_one_cycle(strategy, curve):
    optimizer = sgd(momentum=0.5)
    scheduler = lrs.OneCycleLR(
        optimizer, 1.0, epochs=5, steps_per_epoch=4, pct_start=0.25, anneal_strategy=strategy,
        div_factor=10, final_div_factor=100,
    )  # fmt: skip
    for t in range(20):
        (group,) = optimizer.param_groups
        assert group["lr"] == pytest.approx(one_cycle(t, 20, 0.25, curve, 0.1, 1.0, 0.001))
        wanted = one_cycle(t, 20, 0.25, curve, 0.95, 0.85, 0.95)
        assert group["momentum"] == pytest.approx(wanted)
        optimizer.step()
        scheduler.step()
    with pytest.raises(ValueError, match="cycle of 20"):
        scheduler.step()


def test_one_cycle_in_three_phases_moves_beta1():
    optimizer = optim.Adam([triptych.ones(1, requires_grad=True)])
    scheduler = lrs.OneCycleLR(
        optimizer, 1.0, total_steps=21, pct_start=0.4, three_phase=True, anneal_strategy="linear"
    )
    seen = []
    for _ in range(21):
        seen.append((optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["betas"][0]))
        optimizer.step()
        scheduler.step()
    start, peak = 1 / 25, 0.4 * 21 - 1
    assert seen[0] == pytest.approx((start, 0.95))
    rising = 7 / peak
    assert seen[7] == pytest.approx((start + (1 - start) * rising, 0.95 - 0.1 * rising))
    falling = (12 - peak) / peak
    assert seen[12] == pytest.approx((1 - (1 - start) * falling, 0.85 + 0.1 * falling))
    assert seen[20] == pytest.approx((start / 1e4, 0.95))
    assert optimizer.param_groups[0]["betas"][1] == 0.999


def test_one_cycle_without_momentum_needs_an_optimizer_that_has_some():
    optimizer = optim.Adagrad([triptych.ones(1, requires_grad=True)])
    with pytest.raises(ValueError, match="Adagrad has neither"):
        lrs.OneCycleLR(optimizer, 1.0, total_steps=10)
    scheduler = lrs.OneCycleLR(optimizer, 1.0, total_steps=10, cycle_momentum=False)
    assert scheduler.get_last_lr() == pytest.approx([1 / 25])


def plateau(metrics, **options):
    optimizer = sgd(1.0)
    scheduler = lrs.ReduceLROnPlateau(optimizer, factor=0.5, **options)
    seen = []
    for metric in metrics:
        scheduler.step(metric)
        seen.append(optimizer.param_groups[0]["lr"])
    return seen


def test_plateau_waits_for_its_patience():
    assert plateau([3, 2, 2, 2, 2, 2, 2], patience=1) == [1, 1, 1, 0.5, 0.5, 0.25, 0.25]


def test_plateau_thresholds():
    assert plateau([2.0, 1.95, 1.9], patience=0, threshold=0.1) == [1, 0.5, 0.25]
    assert plateau([2.0, 1.95, 1.9], patience=0, threshold=0.01) == [1, 1, 1]
    absolute = {"patience": 0, "threshold_mode": "abs", "threshold": 0.06}
    assert plateau([2.0, 1.95, 1.9], **absolute) == [1, 0.5, 0.5]
    assert plateau([2.0, 2.05, 2.1], mode="max", **absolute) == [1, 0.5, 0.5]
    assert plateau([2.0, 2.05, 2.3], mode="max", patience=0, threshold=0.1) == [1, 0.5, 0.5]


def test_plateau_cooldown_and_lowest_rate():
    assert plateau([1] * 7, patience=0, cooldown=2) == [1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]
    assert plateau([1] * 4, patience=0, min_lr=0.3) == [1, 0.5, 0.3, 0.3]


def test_plateau_takes_tensors_and_counts_nan_as_bad():
    loss = triptych.tensor(1.0)
    assert plateau([loss, float("nan")], patience=0) == [1, 0.5]


def test_plateau_continues_from_a_state_dict():
    optimizer = sgd(1.0)
    one = lrs.ReduceLROnPlateau(optimizer, patience=1)
    one.step(1.0)
    one.step(1.0)
    two = lrs.ReduceLROnPlateau(optimizer, patience=5)
    two.load_state_dict(one.state_dict())
    two.step(1.0)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)


def test_chained_schedules_multiply():
    def make(optimizer):
        parts = [lrs.ConstantLR(optimizer, 0.5, total_iters=2), lrs.ExponentialLR(optimizer, 0.9)]
        return lrs.ChainedScheduler(parts)

    wanted = [BASE * (0.5 if t < 2 else 1) * 0.9**t for t in range(5)]
    assert rates(make, 5) == pytest.approx(wanted)


def sequence(optimizer):
    parts = [lrs.LinearLR(optimizer, 0.25, total_iters=3), lrs.ExponentialLR(optimizer, 0.5)]
    return lrs.SequentialLR(optimizer, parts, milestones=[3])


def test_schedules_in_sequence():
    wanted = [0.25, 0.5, 0.75, 1, 0.5, 0.25]
    assert rates(sequence, 6) == pytest.approx([BASE * w for w in wanted])


def test_sequences_continue_from_a_state_dict():
    optimizer = sgd()
    scheduler = sequence(optimizer)
    for _ in range(4):
        optimizer.step()
        scheduler.step()
    other = sgd()
    resumed = sequence(other)
    other.load_state_dict(optimizer.state_dict())
    resumed.load_state_dict(scheduler.state_dict())
    other.step()
    resumed.step()
    assert other.param_groups[0]["lr"] == pytest.approx(BASE * 0.25)


def test_sequence_of_a_chain():
    def make(optimizer):
        chain = lrs.ChainedScheduler(
            [lrs.ConstantLR(optimizer, 0.5, total_iters=9), lrs.ExponentialLR(optimizer, 0.9)]
        )
        return lrs.ChainedScheduler([chain])

    assert rates(make, 3) == pytest.approx([BASE * 0.5 * 0.9**t for t in range(3)])


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda o: lrs.StepLR(None, 1), TypeError, "wanted an Optimizer, got NoneType"),
        (lambda o: lrs.StepLR(o, 0), ValueError, "step_size"),
        (lambda o: lrs.ConstantLR(o, 2.0), ValueError, "factor"),
        (lambda o: lrs.LinearLR(o, 0.0), ValueError, "start_factor"),
        (lambda o: lrs.LambdaLR(o, [abs, abs]), ValueError, "2 functions for 1"),
        (lambda o: lrs.LambdaLR(o, 0.5), TypeError, "function"),
        (lambda o: lrs.CosineAnnealingWarmRestarts(o, 0), ValueError, "T_0"),
        (lambda o: lrs.CosineAnnealingWarmRestarts(o, 2).step(-1), ValueError, "at least 0"),
        (lambda o: lrs.OneCycleLR(o, 1.0), ValueError, "total_steps"),
        (lambda o: lrs.OneCycleLR(o, 1.0, 9, pct_start=2.0), ValueError, "pct_start"),
        (lambda o: lrs.OneCycleLR(o, 1.0, 9, anneal_strategy="x"), ValueError, "'cos'"),
        (lambda o: lrs.OneCycleLR(o, [1.0, 2.0], 9), ValueError, "2 values for 1"),
        (lambda o: lrs.ReduceLROnPlateau(o, "up"), ValueError, "mode"),
        (lambda o: lrs.ReduceLROnPlateau(o, factor=1.0), ValueError, "factor"),
        (lambda o: lrs.ChainedScheduler([]), ValueError, "at least one"),
        (lambda o: lrs.ChainedScheduler([3]), TypeError, "no scheduler"),
        (lambda o: lrs.ChainedScheduler([lrs.ReduceLROnPlateau(o)]), ValueError, "metric"),
        (
            lambda o: lrs.ChainedScheduler([lrs.StepLR(o, 1), lrs.StepLR(sgd(), 1)]),
            ValueError,
            "one optimizer",
        ),
        (lambda o: lrs.SequentialLR(o, [lrs.StepLR(o, 1)], [2]), ValueError, "0 milestones"),
        (lambda o: lrs.LRScheduler(o), NotImplementedError, "get_lr"),
    ],
)
def test_refuses(make, error, text):
    with pytest.raises(error, match=text):
        make(sgd())


def test_warns_if_the_schedule_steps_first():
    optimizer = sgd()
    scheduler = lrs.StepLR(optimizer, 1)
    with pytest.warns(UserWarning, match="before optimizer.step"):
        scheduler.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.step()


class Decay:
    def __init__(self, rate):
        self.rate = rate

    def __call__(self, t):
        return self.rate**t


def test_callable_objects_are_saved_and_functions_are_not():
    optimizer = sgd(1.0, 1.0)
    scheduler = lrs.LambdaLR(optimizer, [Decay(0.5), lambda t: 1.0])
    saved = scheduler.state_dict()
    assert saved["lr_lambdas"] == [{"rate": 0.5}, None]
    other = lrs.LambdaLR(sgd(1.0, 1.0), [Decay(0.9), lambda t: 1.0])
    other.load_state_dict(saved)
    assert other.lr_lambdas[0].rate == 0.5


def saw(t, up, down, low, high):
    part = t % (up + down)
    return low + (high - low) * (part / up if part <= up else 1 - (part - up) / down)


@pytest.mark.parametrize(
    ("options", "height"),
    [
        ({}, lambda t: 1.0),
        ({"mode": "triangular2"}, lambda t: 0.5 ** (t // 5)),
        ({"mode": "exp_range", "gamma": 0.9}, lambda t: 0.9**t),
        ({"scale_fn": lambda cycle: 1 / cycle}, lambda t: 1 / (t // 5 + 1)),
    ],
)
def test_cyclic_rates_and_momenta(options, height):
    optimizer = sgd(momentum=0.5)
    schedule = lrs.CyclicLR(optimizer, 0.1, 1.1, step_size_up=2, step_size_down=3, **options)
    for t in range(16):
        part = saw(t, 2, 3, 0, 1) * height(t)
        group = optimizer.param_groups[0]
        assert group["lr"] == pytest.approx(0.1 + part)
        assert group["momentum"] == pytest.approx(0.9 - 0.1 * part)
        optimizer.step()
        schedule.step()


def test_cyclic_moves_beta1_and_refuses():
    w = triptych.ones(1, requires_grad=True)
    adam = optim.Adam([w])
    lrs.CyclicLR(adam, 0.1, 1.0)
    assert adam.param_groups[0]["betas"] == (0.9, 0.999)
    with pytest.raises(ValueError, match="mode should be one of triangular"):
        lrs.CyclicLR(sgd(momentum=0.9), 0.1, 1.0, mode="square")
    with pytest.raises(ValueError, match="neither momentum nor betas"):
        lrs.CyclicLR(optim.Rprop([w]), 0.1, 1.0)

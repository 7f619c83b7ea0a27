from __future__ import annotations

import copy
import io
import pickle

import numpy as np
import pytest

import triptych
from triptych import optim


def leaf(*values):
    return triptych.tensor(list(values), requires_grad=True)


def run(optimizer, params, steps=3):
    for step in range(steps):
        for i, p in enumerate(params):
            p.grad = triptych.full_like(p, 0.1 * (step + i + 1)).detach()
        optimizer.step(lambda: 1.0)


def values(params):
    return [p.tolist() for p in params]


@pytest.mark.parametrize(
    ("params", "error", "text"),
    [
        (list, ValueError, "empty parameter list"),
        (lambda: triptych.ones(2), TypeError, r"pass \[tensor\]"),
        (lambda: {leaf(1.0)}, TypeError, "set"),
        (lambda: 3, TypeError, "iterable"),
        (lambda: [1.0], TypeError, "parameter 0 should be a Tensor, got float"),
        (lambda: [leaf(1.0) * 2], triptych.GradError, "MulBackward"),
        (lambda: [leaf(1.0)] * 2, ValueError, "comes twice"),
        (lambda: [("a", leaf(1.0)), leaf(1.0)], ValueError, "either all"),
        (lambda: [{"lr": 1.0}], TypeError, "params"),
        (lambda: [{"params": {leaf(1.0)}}], TypeError, "set"),
    ],
)
def test_refuses_wrong_parameters(params, error, text):
    with pytest.raises(error, match=text):
        optim.SGD(params())


def test_refuses_a_parameter_in_two_groups():
    p = leaf(1.0)
    with pytest.raises(ValueError, match="comes twice"):
        optim.SGD([{"params": [p]}, {"params": [leaf(2.0), p]}])


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("SGD", {"lr": -1.0}, "lr should be at least 0"),
        ("SGD", {"momentum": -0.1}, "momentum"),
        ("SGD", {"nesterov": True}, "nesterov"),
        ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "nesterov"),
        ("Adam", {"betas": (1.0, 0.9)}, r"betas\[0\]"),
        ("Adam", {"betas": (0.9, -0.1)}, r"betas\[1\]"),
        ("AdamW", {"weight_decay": -1.0}, "AdamW: weight_decay"),
        ("Adam", {"lr": float("nan")}, "lr"),
        ("RMSprop", {"alpha": -1.0}, "alpha"),
        ("Adadelta", {"rho": 1.5}, "rho"),
        ("Adam", {"lr": triptych.ones(2)}, "one element"),
    ],
)
def test_refuses_wrong_options(name, options, text):
    with pytest.raises(ValueError, match=text):
        getattr(optim, name)([leaf(1.0)], **options)


def test_groups_have_options_of_their_own():
    slow, fast = leaf(1.0), leaf(1.0)
    optimizer = optim.SGD([{"params": slow}, {"params": [fast], "lr": 1.0}], lr=0.1)
    run(optimizer, [slow, fast], steps=1)
    np.testing.assert_allclose(
        [slow.item(), fast.item()], [1 - 0.1 * 0.1, 1 - 1.0 * 0.2], rtol=1e-6
    )
    assert [g["lr"] for g in optimizer.param_groups] == [0.1, 1.0]


def test_groups_can_be_added():
    first, second = leaf(1.0), leaf(1.0)
    optimizer = optim.SGD([first], lr=0.1)
    optimizer.add_param_group({"params": second, "lr": 0.5})
    run(optimizer, [first, second], steps=1)
    assert second.item() == pytest.approx(1 - 0.5 * 0.2)


def test_named_parameters_are_kept():
    optimizer = optim.SGD([("weight", leaf(1.0)), ("bias", leaf(0.0))])
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    with pytest.raises(ValueError, match="all groups name"):
        optimizer.add_param_group({"params": [leaf(1.0)]})


def test_parameters_without_gradient_stay():
    p, q = leaf(1.0), leaf(1.0)
    optimizer = optim.Adam([p, q], weight_decay=0.5)
    p.grad = triptych.ones(1)
    optimizer.step()
    assert q.item() == 1.0
    assert q not in optimizer.state


def test_closure_runs_with_gradients_and_its_loss_comes_back():
    p = leaf(2.0)
    optimizer = optim.SGD([p], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with triptych.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert p.item() == 1.0


def test_zero_grad():
    p = leaf(1.0, 2.0)
    optimizer = optim.SGD([p])
    p.grad = held = triptych.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == held.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert p.grad is None


def test_state_dict_has_torchs_layout():
    params = [leaf(1.0), leaf(1.0, 2.0), leaf(3.0)]
    optimizer = optim.Adam([{"params": params[:1]}, {"params": params[1:], "lr": 0.5}])
    run(optimizer, params[:2])
    saved = optimizer.state_dict()
    assert set(saved) == {"state", "param_groups"}
    assert sorted(saved["state"]) == [0, 1]
    assert set(saved["state"][1]) == {"step", "exp_avg", "exp_avg_sq"}
    assert [g["params"] for g in saved["param_groups"]] == [[0], [1, 2]]
    assert saved["param_groups"][1]["lr"] == 0.5
    assert saved["state"][0]["step"] == 3


ALL = [n for n in optim.__all__ if n[0].isupper() and n != "Optimizer"]


@pytest.mark.parametrize("name", ALL)
def test_continues_from_a_state_dict(name):
    params = [leaf([1.0, -1.0]), leaf([0.5])]  # matrices, for Muon
    optimizer = getattr(optim, name)(params, lr=0.05)
    run(optimizer, params)
    twins = [p.detach().clone().requires_grad_() for p in params]
    resumed = getattr(optim, name)(twins, lr=0.3)
    resumed.load_state_dict(optimizer.state_dict())
    run(optimizer, params)
    run(resumed, twins)
    assert values(params) == values(twins)


def test_loading_copies():
    p, q = leaf(1.0), leaf(1.0)
    one, two = optim.SGD([p], momentum=0.9), optim.SGD([q], momentum=0.9)
    run(one, [p], steps=1)
    two.load_state_dict(one.state_dict())
    run(two, [q], steps=1)
    assert one.state[p]["momentum_buffer"].item() == pytest.approx(0.1)


def test_accepts_what_torch_saves():
    """There step is a float32 tensor; newer versions save more options, older ones fewer."""
    p = triptych.tensor([1.0], dtype=triptych.float64, requires_grad=True)
    optimizer = optim.AdamW([p], lr=0.3)
    moments = {"exp_avg": triptych.tensor([0.5]), "exp_avg_sq": triptych.tensor([0.25])}
    group = {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False}
    optimizer.load_state_dict(
        {
            "state": {0: {"step": triptych.tensor(4.0), **moments}},
            "param_groups": [{**group, "future_option": 1, "params": [0]}],
        }
    )
    assert optimizer.state[p]["step"] == 4
    assert isinstance(optimizer.state[p]["step"], int)
    assert optimizer.state[p]["exp_avg"].dtype == triptych.float64
    assert optimizer.param_groups[0]["decoupled_weight_decay"] is True
    run(optimizer, [p], steps=1)
    m, v = 0.9 * 0.5 + 0.1 * 0.1, 0.999 * 0.25 + 0.001 * 0.01
    step = 0.01 * (m / (1 - 0.9**5)) / (np.sqrt(v / (1 - 0.999**5)) + 1e-8)
    assert p.item() == pytest.approx(1 - step, rel=1e-9)


def test_loading_refuses_other_groups():
    saved = optim.SGD([leaf(1.0), leaf(2.0)]).state_dict()
    with pytest.raises(ValueError, match=r"groups of \[1\] parameters, the saved state \[2\]"):
        optim.SGD([leaf(1.0)]).load_state_dict(saved)


def test_a_checkpoint_survives_a_file():
    p = leaf(1.0, 2.0)
    optimizer = optim.Adam([p], lr=0.05)
    run(optimizer, [p])
    file = io.BytesIO()
    triptych.save(optimizer.state_dict(), file)
    file.seek(0)
    q = p.detach().clone().requires_grad_()
    resumed = optim.Adam([q])
    resumed.load_state_dict(triptych.load(file))
    run(optimizer, [p])
    run(resumed, [q])
    assert values([p]) == values([q])


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies_are_independent(duplicate):
    p = leaf(1.0)
    optimizer = optim.SGD([p], lr=0.1, momentum=0.9)
    run(optimizer, [p])
    twin = duplicate(optimizer)
    (q,) = twin.param_groups[0]["params"]
    assert q is not p
    run(twin, [q])
    assert q.item() != p.item()
    run(optimizer, [p])
    assert values([p]) == values([q])


def test_hooks_see_each_step_and_can_be_removed():
    p = leaf(1.0)
    optimizer = optim.SGD([p], lr=0.1)
    calls = []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: calls.append("before"))
    after = optimizer.register_step_post_hook(lambda o, args, kwargs: calls.append("after"))
    run(optimizer, [p], steps=1)
    before.remove()
    run(optimizer, [p], steps=1)
    after.remove()
    after.remove()
    run(optimizer, [p], steps=1)
    assert calls == ["before", "after", "after"]


def test_a_pre_hook_may_change_the_arguments():
    optimizer = optim.SGD([leaf(1.0)])
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((lambda: 7,), {}))
    assert optimizer.step() == 7


class Halving(optim.Optimizer):
    """A user's own optimizer, written as for torch: it overrides step."""

    def __init__(self, params):
        super().__init__(params, {})

    @triptych.no_grad()
    def step(self, closure=None):
        for p in self.parameters():
            p.mul_(0.5)


def test_own_optimizers_may_override_step_and_keep_hooks():
    p = leaf(8.0)
    optimizer, calls = Halving([p]), []
    optimizer.register_step_post_hook(lambda *args: calls.append(1))
    optimizer.step()
    optimizer.step()
    assert p.item() == 2.0
    assert calls == [1, 1]


def test_own_optimizers_without_a_rule_say_so():
    p = leaf(1.0)
    p.grad = triptych.ones(1)
    with pytest.raises(NotImplementedError, match="neither update"):
        optim.Optimizer([p], {}).step()


def test_a_failing_step_leaves_the_optimizer_usable():
    p = leaf(1.0)
    optimizer = optim.SGD([p], lr=0.1)
    with pytest.raises(ZeroDivisionError):
        optimizer.step(lambda: 1 / 0)
    run(optimizer, [p], steps=1)
    assert p.item() == pytest.approx(0.99)


def test_repr_lists_the_options():
    text = repr(optim.SGD([leaf(1.0)], lr=0.25))
    assert text.startswith("SGD (\nParameter Group 0\n")
    assert "lr: 0.25" in text


def test_exports():
    assert optim.__all__ == sorted(optim.__all__)
    assert all(hasattr(optim, name) for name in optim.__all__)
    assert optim.lr_scheduler.__all__ == sorted(optim.lr_scheduler.__all__)


def test_hooks_around_checkpoints():
    optimizer, seen = optim.SGD([leaf(1.0)], lr=0.5), []
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("before saving"))
    handle = optimizer.register_state_dict_post_hook(lambda o, saved: {**saved, "note": 7})
    optimizer.register_load_state_dict_pre_hook(lambda o, saved: seen.append(saved.pop("note")))
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append("after loading"))
    saved = optimizer.state_dict()
    assert saved["note"] == 7
    optimizer.load_state_dict(saved)
    assert "note" in saved, "hooks get a copy"
    handle.remove()
    assert "note" not in optimizer.state_dict()
    assert seen == ["before saving", 7, "after loading", "before saving"]

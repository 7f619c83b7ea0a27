"""Modules in a row: what is computed together equals what they give one by one."""

import pytest

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError
from triptych.nn.modules import joined

ACTIVATIONS = [nn.Hardsigmoid, nn.Hardswish, nn.ReLU, nn.ReLU6, nn.Sigmoid, nn.SiLU]


@pytest.fixture
def joins(monkeypatch):
    """How many modules each call of the joined operation stood for; 0 where it gave up."""
    found, real = [], joined._joined

    def counting(x, modules):
        result = real(x, modules)
        found.append(result[1])
        return result

    monkeypatch.setattr(joined, "_joined", counting)
    return found


def block(activation=nn.ReLU, **options):
    tp.manual_seed(0)
    norm = nn.BatchNorm2d(6, eps=1e-3)
    for vector in (norm.running_mean, norm.weight.data, norm.bias.data):
        vector.normal_()
    norm.running_var.uniform_(0.5, 2)
    conv = nn.Conv2d(4, 6, 3, **{"padding": 1, "bias": False, **options})
    return nn.Sequential(conv, norm, activation(), nn.Flatten()).eval()


@pytest.mark.parametrize("activation", [*ACTIVATIONS, nn.Tanh, nn.Identity])
@pytest.mark.parametrize("options", [{}, {"stride": 2, "groups": 2}, {"padding": "same"}])
@pytest.mark.parametrize("dtype", [tp.float32, tp.float64, tp.bfloat16])
def test_equals_one_by_one(activation, options, dtype, joins):
    model, x = block(activation, **options).to(dtype), tp.randn(2, 4, 9, 7).to(dtype)
    with tp.no_grad():
        want = x
        for module in model:
            want = module(want)
        got = model(x)
    assert joins == [3 if activation in ACTIVATIONS else 2]
    tolerance = 4e-2 if dtype == tp.bfloat16 else 2e-6
    tp.testing.assert_close(got, want, rtol=tolerance, atol=tolerance)


def test_not_where_something_is_recorded(joins):
    model, x = block(), tp.randn(1, 4, 5, 5)
    model(x).sum().backward()
    assert joins == [] and model[0].weight.grad is not None


def test_not_in_training(joins):
    model = block().train()
    with tp.no_grad():
        model(tp.randn(2, 4, 5, 5))
    assert joins == [0] and model[1].num_batches_tracked == 1


@pytest.mark.parametrize("activation", [*ACTIVATIONS, nn.Tanh])
@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("side", [1, 9])
def test_a_bias_and_an_activation(activation, kernel, side, joins):
    model = nn.Sequential(nn.Conv2d(4, 6, kernel, padding=kernel // 2), activation()).eval()
    x = tp.randn(2, 4, side, side)
    with tp.no_grad():
        want = model[1](model[0](x))
        got = model(x)
    assert joins == [2 if activation in ACTIVATIONS else 1]
    tp.testing.assert_close(got, want, rtol=2e-6, atol=2e-6)


def test_a_bias_before_a_norm(joins):
    model = block(bias=True)
    x = tp.randn(1, 4, 5, 5)
    with tp.no_grad():
        want = model[2](model[1](model[0](x))).flatten(1)
        tp.testing.assert_close(model(x), want, rtol=2e-6, atol=2e-6)
    assert joins == [1]


def test_a_bias_that_does_not_fit(joins):
    model = nn.Sequential(nn.Conv2d(4, 6, 1), nn.ReLU())
    model[0].bias = nn.Parameter(tp.zeros(5))
    with (
        tp.no_grad(),
        pytest.raises(ShapeError, match=r"wanted a bias of shape \(6,\), got \(5,\)"),
    ):
        model(tp.randn(1, 4, 5, 5))
    assert joins == [0]


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("kind", ["register_forward_hook", "register_forward_pre_hook"])
def test_hooks_see_what_is_in_between(place, kind, joins):
    model, seen = block(), []
    getattr(model[place], kind)(lambda *call: seen.append(call))
    with tp.no_grad():
        model(tp.randn(1, 4, 5, 5))
    assert joins == [0] and len(seen) == 1


def test_a_hook_of_the_activation_keeps_it_apart(joins):
    model, seen = block(), []
    model[2].register_forward_hook(lambda *call: seen.append(call))
    with tp.no_grad():
        model(tp.randn(1, 4, 5, 5))
    assert joins == [2] and len(seen) == 1


def test_hooks_of_all_modules(joins):
    seen = []
    handle = nn.modules.module.register_module_forward_hook(lambda m, *call: seen.append(m))
    try:
        with tp.no_grad():
            model = block()
            model(tp.randn(1, 4, 5, 5))
    finally:
        handle.remove()
    assert joins == [] and seen == [*model, model]


def test_a_forward_of_its_own(joins):
    model = block()
    model[1].forward = lambda x: x * 0
    with tp.no_grad():
        assert model(tp.randn(1, 4, 5, 5)).abs().max() == 0
    assert joins == [0]


@pytest.mark.parametrize(
    "change",
    [
        lambda m: setattr(m, "0", nn.Conv2d(4, 6, 3, bias=False, padding_mode="circular")),
        lambda m: setattr(m, "1", nn.BatchNorm2d(6, affine=False).eval()),
        lambda m: setattr(m, "1", nn.BatchNorm2d(6, track_running_stats=False).eval()),
        lambda m: setattr(m, "1", nn.GroupNorm(2, 6)),
    ],
    ids=["circular", "no weight", "no statistics", "group norm"],
)
def test_others_run_one_by_one(change, joins):
    model = block()
    change(model)
    with tp.no_grad():
        model(tp.randn(1, 4, 5, 5))
    assert joins == [0]


def test_one_sample_and_dims_with_names(joins):
    model = block()[:3]
    with tp.no_grad():
        with pytest.raises(ShapeError, match="BatchNorm2d: wanted 4 dims"):
            model(tp.randn(4, 5, 5))
        named = tp.randn(1, 4, 5, 5).refine_names("n", "c", "h", "w")
        assert model(named).names == ("n", "c", "h", "w")
    assert joins == [0, 0]


def test_errors_name_the_module():
    model = block()
    with tp.no_grad(), pytest.raises(ShapeError, match="conv2d: weight expects 4 input channels"):
        model(tp.randn(1, 3, 5, 5))


def test_changed_statistics_count(joins):
    model, x = block(nn.Identity), tp.randn(1, 4, 5, 5)
    with tp.no_grad():
        before = model(x)
        model[1].running_mean += 1
        model[1].bias.data.fill_(3)
        assert not tp.allclose(model(x), before)
        tp.testing.assert_close(model(x), nn.Flatten()(model[1](model[0](x))))


def test_chain_of_nothing():
    x = tp.ones(2)
    assert nn.chain(x) is x

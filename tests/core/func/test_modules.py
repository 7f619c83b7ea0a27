"""Modules as functions of their parameters, and as trees."""

import pytest

import triptych
from triptych import nn
from triptych.func import functional_call, grad, stack_module_state, vmap
from triptych.testing import assert_close
from triptych.tree import flatten, tree_map, unflatten


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 3, bias=False)
        self.second = nn.Linear(3, 3, bias=False)
        self.second.weight = self.first.weight
        self.register_buffer("count", triptych.zeros(()))

    def forward(self, x, scale=1.0):
        self.count += 1
        return self.second(self.first(x)) * scale


@pytest.fixture
def net():
    triptych.manual_seed(0)
    return Tied()


def test_a_call_with_other_parameters_leaves_the_module_alone(net):
    x, own = triptych.randn(2, 3), net.first.weight
    found = functional_call(net, {"first.weight": triptych.eye(3)}, (x,), {"scale": 2.0})
    assert_close(found, x * 2)
    assert net.first.weight is own and net.second.weight is own


def test_tied_weights(net):
    x, own = triptych.randn(2, 3), net.first.weight.detach()
    one = {"second.weight": triptych.eye(3)}
    assert_close(functional_call(net, one, x), x)
    assert_close(functional_call(net, one, x, tie_weights=False), x @ own.T)
    both = {"first.weight": triptych.eye(3), "second.weight": triptych.zeros(3, 3)}
    with pytest.raises(triptych.ShapeError, match="one tensor"):
        functional_call(net, both, x)
    assert_close(functional_call(net, both, x, tie_weights=False), x * 0)
    same = triptych.eye(3)
    assert_close(functional_call(net, {"first.weight": same, "second.weight": same}, x), x)


def test_several_dicts_and_buffers_that_are_written(net):
    x, count = triptych.ones(1, 3), triptych.tensor(4.0)
    functional_call(net, ({"first.weight": triptych.eye(3)}, {"count": count}), (x,))
    assert float(count) == 5.0 and float(net.count) == 0.0
    with pytest.raises(triptych.ShapeError, match="several dicts"):
        functional_call(net, [{"count": count}, {"count": count}], (x,))


def test_names_that_do_not_fit(net):
    x = triptych.ones(1, 3)
    with pytest.raises(triptych.UnknownNameError, match=r"third\.weight"):
        functional_call(net, {"third.weight": triptych.eye(3)}, (x,))
    with pytest.raises(triptych.UnknownNameError, match="count is not given"):
        functional_call(net, {"first.weight": triptych.eye(3)}, (x,), strict=True)
    with pytest.raises(triptych.DTypeError, match="dict"):
        functional_call(net, triptych.eye(3), (x,))


def test_the_module_is_whole_again_after_an_error(net):
    own = net.first.weight
    with pytest.raises(triptych.ShapeError):
        functional_call(net, {"first.weight": triptych.eye(3)}, (triptych.ones(1, 5),))
    assert net.first.weight is own


def test_an_ensemble():
    models = [nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)) for _ in range(3)]
    params, buffers = stack_module_state(models)
    assert all(p.requires_grad and p.is_leaf for p in params.values())
    x = triptych.randn(5, 3)

    def call(p, b, data):
        return functional_call(models[0], (p, b), (data,))

    found = vmap(call, in_dims=(0, 0, None))(params, buffers, x)
    assert_close(found, triptych.stack([m(x) for m in models]), rtol=1e-5, atol=1e-6)
    found.sum().backward()
    models[1](x).sum().backward()
    assert_close(params["0.weight"].grad[1], models[1][0].weight.grad, rtol=1e-5, atol=1e-6)


def test_models_that_cannot_be_stacked():
    for models, text in (
        ([], "at least one"),
        ([nn.Linear(2, 2), nn.ReLU()], "classes"),
        ([nn.Linear(2, 2), nn.Linear(2, 2).eval()], "training"),
        ([nn.Linear(2, 2), nn.Linear(2, 2, bias=False)], "names"),
    ):
        with pytest.raises(triptych.ShapeError, match=text):
            stack_module_state(models)


def test_a_module_is_a_tree_of_its_distinct_tensors(net):
    leaves, spec = flatten(net)
    assert [tuple(t.shape) for t in leaves] == [(3, 3), ()]
    assert spec == flatten(Tied())[1] and hash(spec) == hash(flatten(Tied())[1])
    assert spec != flatten(Tied().eval())[1]
    twin = unflatten(spec, [triptych.eye(3), leaves[1]])
    assert type(twin) is Tied and twin.first.weight is twin.second.weight
    assert net.first.weight is leaves[0]


def test_gradients_by_a_module(net):
    norm = nn.Sequential(net, nn.BatchNorm1d(3))
    x = triptych.randn(4, 3)
    found = grad(lambda m: m(x).square().sum())(norm)
    twin = Tied()
    twin.load_state_dict(net.state_dict())
    reference = nn.Sequential(twin, nn.BatchNorm1d(3))
    reference(x).square().sum().backward()
    assert_close(found[0].first.weight, twin.first.weight.grad, rtol=1e-4, atol=1e-5)
    assert float(found[1].running_mean.abs().sum()) == 0.0  # buffers have no gradients
    assert float(norm[1].num_batches_tracked) == 1.0
    stepped = tree_map(lambda p, g: p.detach() - 0.1 * g, norm, found)
    assert_close(stepped[0].first.weight, net.first.weight.detach() - 0.1 * found[0].first.weight)


def test_a_batch_of_modules():
    models = [nn.Linear(3, 2) for _ in range(3)]
    whole = tree_map(lambda *ts: triptych.stack([t.detach() for t in ts]), *models)
    x = triptych.randn(5, 3)
    found = vmap(lambda m, data: m(data), in_dims=(0, None))(whole, x)
    assert_close(found, triptych.stack([m(x) for m in models]), rtol=1e-5, atol=1e-6)


def test_compile_still_takes_a_module_for_state():
    net = nn.Linear(3, 1, bias=False)

    @triptych.compile
    def step(model, x):
        with triptych.no_grad():
            model.weight.mul_(2)
        return model(x).detach()

    before, x = net.weight.detach().clone(), triptych.ones(3)
    for k in range(1, 4):
        assert_close(step(net, x), before[0].sum()[None] * 2**k)

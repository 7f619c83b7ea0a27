"""Registration, walking, conversion and errors of modules."""

import copy
import pickle

import numpy as np
import pytest

import triptych
from triptych import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3))
        self.head = nn.Linear(2, 5)
        self.register_buffer("mean", triptych.zeros(3))
        self.register_buffer("cache", triptych.ones(1), persistent=False)

    def forward(self, x):
        return self.head(self.features(x - self.mean.reshape(3, 1, 1)).mean((2, 3)))


def test_names_of_everything_in_order():
    net = Net()
    names = [n for n, _ in net.named_parameters()]
    assert names == [
        "features.0.weight",
        "features.0.bias",
        "features.2.weight",
        "features.2.bias",
        "head.weight",
        "head.bias",
    ]
    assert [n for n, _ in net.named_parameters("model", recurse=False)] == []
    assert [n for n, _ in net.named_buffers(prefix="model")] == ["model.mean", "model.cache"]
    modules = ["", "features", "features.0", "features.1", "features.2", "head"]
    assert [n for n, _ in net.named_modules()] == modules
    assert [n for n, _ in net.named_children()] == ["features", "head"]
    assert list(net.children()) == [net.features, net.head]
    assert len(list(net.modules())) == 6
    assert len(list(net.buffers())) == 2


def test_shared_members_come_once_unless_asked():
    net = nn.Module()
    net.a = nn.Linear(2, 2)
    net.b = net.a
    assert len(list(net.parameters())) == 2
    assert [n for n, _ in net.named_parameters(remove_duplicate=False)] == [
        "a.weight",
        "a.bias",
        "b.weight",
        "b.bias",
    ]
    assert [n for n, _ in net.named_modules()] == ["", "a"]
    assert list(net.state_dict()) == ["a.weight", "a.bias", "b.weight", "b.bias"]
    twin = copy.deepcopy(net)
    assert twin.a is twin.b
    assert twin.a.weight is not net.a.weight


def test_members_by_full_name():
    net = Net()
    assert net.get_submodule("features.2") is net.features[2]
    assert net.get_submodule("") is net
    assert net.get_parameter("head.weight") is net.head.weight
    assert net.get_buffer("mean") is net.mean
    with pytest.raises(AttributeError, match="no attribute 'haed'; did you mean head"):
        net.get_submodule("haed.weight")
    with pytest.raises(AttributeError, match="'weight' is no module"):
        net.get_submodule("head.weight")
    with pytest.raises(AttributeError, match="is a Parameter"):
        net.get_buffer("head.weight")


def test_assignment_replaces_members_in_place():
    net = Net()
    net.features[0] = nn.Identity()
    net.head = nn.Linear(2, 3)
    assert [n for n, _ in net.named_modules()][1:] == [
        "features",
        "features.0",
        "features.1",
        "features.2",
        "head",
    ]
    net.head.bias = None
    assert list(net.head.state_dict()) == ["weight"]
    net.mean = triptych.ones(3)
    assert net.get_buffer("mean") is net.mean
    with pytest.raises(
        TypeError, match=r"Net.mean: wanted a Tensor or None, got int; del module.mean"
    ):
        net.mean = 3
    with pytest.raises(TypeError, match="wanted a Parameter or None, got Tensor"):
        net.head.weight = triptych.zeros(3, 2)
    with pytest.raises(TypeError, match="wanted a Module or None"):
        net.head = 3


def test_a_name_changes_its_kind():
    net = nn.Module()
    net.x = 3
    net.x = nn.Parameter(triptych.zeros(2))
    assert "x" not in net.__dict__
    net.x = nn.Buffer(triptych.zeros(1), persistent=False)
    assert not list(net.parameters())
    assert list(net.state_dict()) == []
    net.x = nn.Linear(1, 1)
    assert not list(net.buffers())
    del net.x
    assert not hasattr(net, "x")
    with pytest.raises(AttributeError):
        del net.x


@pytest.mark.parametrize(
    "member", [nn.Parameter(triptych.zeros(1)), nn.Linear(1, 1), nn.Buffer(triptych.zeros(1))]
)
def test_forgotten_init_is_explained(member):
    class Forgetful(nn.Module):
        def __init__(self):
            self.member = member

    with pytest.raises(AttributeError, match=r"before super\(\).__init__\(\) has been called"):
        Forgetful()


def test_forgotten_init_without_members_is_explained_on_call():
    class Forgetful(nn.Module):
        def __init__(self):
            self.scale = 2

        def forward(self, x):
            return x * self.scale

    with pytest.raises(
        AttributeError, match=r"was super\(\).__init__\(\) called first in Forgetful"
    ):
        Forgetful()(triptych.zeros(1))


@pytest.mark.parametrize("name", ["", "a.b"])
def test_bad_names(name):
    net = nn.Module()
    for register, value in (
        (net.register_buffer, triptych.zeros(1)),
        (net.add_module, nn.Identity()),
        (net.register_parameter, nn.Parameter(triptych.zeros(1))),
    ):
        with pytest.raises(KeyError, match="must not be empty nor contain a dot"):
            register(name, value)


def test_taken_names():
    net = Net()
    with pytest.raises(KeyError, match="'head' exists already"):
        net.register_buffer("head", triptych.zeros(1))
    with pytest.raises(KeyError, match="'forward' exists already"):
        net.add_module("forward", nn.Identity())
    net.register_buffer("mean", triptych.ones(3))
    assert float(net.mean.sum()) == 3


def test_registering_the_wrong_kind():
    net = nn.Module()
    with pytest.raises(TypeError, match=r"wrap it: nn.Parameter"):
        net.register_parameter("w", triptych.zeros(1))
    with pytest.raises(TypeError, match="wanted a Tensor or None, got list"):
        net.register_buffer("b", [1])
    with pytest.raises(TypeError, match="wanted a Module or None, got function"):
        net.add_module("f", test_taken_names)
    with pytest.raises(TypeError, match="Parameter: wanted a Tensor, got list"):
        nn.Parameter([1.0])


def test_an_attribute_error_inside_a_property_is_shown():
    class Broken(nn.Module):
        @property
        def size(self):
            return self.missing_thing

    with pytest.raises(AttributeError, match="no attribute 'missing_thing'"):
        _ = Broken().size


def test_dir_lists_members():
    assert {"head", "mean", "forward"} <= set(dir(Net()))


def test_conversion_keeps_integers_and_identity():
    net = nn.BatchNorm2d(3)
    weight = net.weight
    assert net.double() is net
    assert net.weight is weight
    assert weight.dtype == net.running_mean.dtype == triptych.float64
    assert net.num_batches_tracked.dtype == triptych.int64
    assert net.to(triptych.zeros(1, dtype=triptych.float16)).bias.dtype == triptych.float16
    assert net.to("cpu", triptych.bfloat16).bias.dtype == triptych.bfloat16
    for name in ("half", "bfloat16", "float"):
        getattr(net, name)()
    assert net.cpu().weight.dtype == triptych.float32
    with pytest.raises(TypeError, match=r"Module.to: wanted a floating or complex dtype"):
        net.to(triptych.int64)


def test_conversion_takes_gradients_along():
    layer = nn.Linear(2, 1)
    layer(triptych.ones(3, 2)).sum().backward()
    layer.double()
    assert layer.weight.grad.dtype == triptych.float64
    layer(triptych.ones(3, 2, dtype=triptych.float64)).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad.numpy(), [[6.0, 6.0]])


def test_zero_grad_and_freezing():
    layer = nn.Linear(2, 1)
    layer(triptych.ones(1, 2)).sum().backward()
    layer.zero_grad(set_to_none=False)
    assert not layer.weight.grad.numpy().any()
    layer.zero_grad()
    assert layer.weight.grad is None
    layer.requires_grad_(False)
    assert not layer(triptych.ones(1, 2)).requires_grad


def test_apply_visits_children_first():
    seen = []
    Net().apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Conv2d", "ReLU", "Conv2d", "Sequential", "Linear", "Net"]


def test_train_wants_a_bool():
    with pytest.raises(TypeError, match="wanted a bool, got str"):
        nn.Linear(1, 1).train("yes")


def test_errors_name_the_layer():
    net = Net()
    net.features[2] = nn.Conv2d(5, 2, 3)
    with pytest.raises(ValueError, match="conv") as caught:
        net(triptych.zeros(1, 3, 8, 8))
    assert caught.value.__notes__ == ["in layer features.2 (Conv2d) of Net"]
    with pytest.raises(ValueError, match="linear") as caught:
        nn.Linear(2, 2)(triptych.zeros(3))
    assert caught.value.__notes__ == ["in layer Linear"]


def test_errors_name_a_layer_that_is_reached_past_its_parent():
    class Skipping(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Net()

        def forward(self, x):
            return self.inner.head(x)

    with pytest.raises(ValueError, match="linear") as caught:
        Skipping()(triptych.zeros(3))
    assert caught.value.__notes__ == ["in layer inner.head (Linear) of Skipping"]


def test_an_error_raised_twice_is_located_once():
    error = ValueError("again")

    class Raises(nn.Module):
        def forward(self):
            raise error

    for _ in range(2):
        with pytest.raises(ValueError, match="again"):
            nn.Sequential(Raises())[0]()
    assert error.__notes__ == ["in layer Raises"]


def test_forward_is_missing():
    with pytest.raises(NotImplementedError, match=r"does not define forward\(\)"):
        nn.Module()()


def test_printed_model():
    net = nn.Sequential(nn.Linear(1, 2), nn.ModuleList([nn.ReLU(), nn.ReLU()]))
    assert repr(net) == (
        "Sequential(\n"
        "  (0): Linear(in_features=1, out_features=2, bias=True)\n"
        "  (1): ModuleList(\n"
        "    (0-1): 2 x ReLU()\n"
        "  )\n"
        ")"
    )


def test_parameter_shares_memory_and_drops_history():
    x = triptych.ones(2, requires_grad=True) * 2
    p = nn.Parameter(x)
    assert p.is_leaf
    assert p.requires_grad
    with triptych.no_grad():
        p.mul_(3)
    assert x.tolist() == [6.0, 6.0]
    assert repr(nn.Parameter(triptych.zeros(1))).startswith("Parameter containing:\ntensor([0.]")
    assert nn.Parameter(triptych.arange(2), requires_grad=False).dtype == triptych.int64
    assert nn.Parameter().numel() == 0
    with pytest.raises(triptych.GradError, match="only floating"):
        nn.Parameter(triptych.arange(2))


def test_operations_on_parameters_give_plain_tensors():
    p = nn.Parameter(triptych.ones(2))
    for out in (p + 1, p.detach(), p.clone(), p[0], p.to(triptych.float64)):
        assert type(out) is triptych.Tensor


def test_a_compiled_training_step_equals_an_eager_one():
    def train(wrap):
        triptych.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2))
        x, y = triptych.randn(8, 3), triptych.arange(8) % 2

        def step(x, y):
            net.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            with triptych.no_grad():
                for p in net.parameters():
                    p.sub_(p.grad * 0.1)
            return loss.detach()

        step = wrap(step)
        return [float(step(x, y)) for _ in range(4)], net.state_dict()

    (one, left), (two, right) = train(lambda f: f), train(triptych.compile)
    np.testing.assert_allclose(one, two, rtol=1e-6)
    for name in left:
        np.testing.assert_allclose(left[name].numpy(), right[name].numpy(), rtol=1e-5, atol=1e-7)


def test_located_errors_can_be_sent_to_other_processes():
    net = nn.Sequential(nn.Linear(3, 3))
    with pytest.raises(ValueError, match="linear") as caught:
        net(triptych.zeros(2))
    sent = pickle.loads(pickle.dumps(caught.value))
    assert sent.__notes__ == ["in layer 0 (Linear) of Sequential"]
    assert len(pickle.dumps(caught.value)) < 1000
    with pytest.raises(AttributeError) as missing:
        _ = net[0].wieght
    assert len(pickle.dumps(missing.value)) < 1000
    assert str(pickle.loads(pickle.dumps(missing.value))) == str(missing.value)

"""Lazy layers against the ordinary ones they turn into."""

import copy
import pickle

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.nn.modules.lazy import LazyModuleMixin
from triptych.nn.parameter import is_lazy

SEQ, IMG, VOL = (2, 6, 5), (2, 6, 5, 4), (2, 6, 3, 5, 4)
ROWS = [
    (nn.LazyLinear, (3,), {}, SEQ, nn.Linear, (5, 3)),
    (nn.LazyLinear, (3, False), {}, (5,), nn.Linear, (5, 3, False)),
]
for dims, shape in enumerate((SEQ, IMG, VOL), 1):
    for name, options in (
        ("Conv", {"groups": 2, "padding": 1, "padding_mode": "circular"}),
        ("ConvTranspose", {"stride": 2, "output_padding": 1, "bias": False}),
    ):
        kinds = [getattr(nn, f"{prefix}{name}{dims}d") for prefix in ("Lazy", "")]
        ROWS.append((kinds[0], (4, 2), options, shape, kinds[1], (6, 4, 2)))
        ROWS.append((kinds[0], (4, 2), options, shape[1:], kinds[1], (6, 4, 2)))
    kinds = [getattr(nn, f"{prefix}BatchNorm{dims}d") for prefix in ("Lazy", "")]
    ROWS.append((kinds[0], (), {"momentum": 0.3}, shape, kinds[1], (6,)))
    kinds = [getattr(nn, f"{prefix}InstanceNorm{dims}d") for prefix in ("Lazy", "")]
    stats = {"affine": True, "track_running_stats": True}
    ROWS.append((kinds[0], (), stats, shape[1:], kinds[1], (6,)))
    ROWS.append((kinds[0], (), {}, shape, kinds[1], (6,)))

rows = pytest.mark.parametrize(
    ("kind", "args", "options", "shape", "plain", "plain_args"),
    ROWS,
    ids=[f"{row[0].__name__}-{i}" for i, row in enumerate(ROWS)],
)


def drawn(shape):
    return tp.tensor(np.random.default_rng(0).standard_normal(shape))


@rows
def test_the_first_input_makes_the_ordinary_layer(kind, args, options, shape, plain, plain_args):
    layer, other = kind(*args, **options).double(), plain(*plain_args, **options).double()
    assert all(is_lazy(p) for p in layer.parameters())
    layer(drawn(shape))
    assert type(layer) is plain
    assert repr(layer) == repr(other)
    assert list(layer.state_dict()) == list(other.state_dict())
    assert all(p.dtype == tp.float64 and p.requires_grad for p in layer.parameters())
    other.load_state_dict(layer.state_dict())
    out = layer.eval()(drawn(shape))
    np.testing.assert_array_equal(out.detach().numpy(), other.eval()(drawn(shape)).detach().numpy())
    if list(layer.parameters()):
        out.sum().backward()
        assert all(p.grad is not None for p in layer.parameters())


@rows
def test_a_state_dict_gives_the_shapes(kind, args, options, shape, plain, plain_args):
    layer, other = kind(*args, **options).double(), plain(*plain_args, **options).double()
    assert layer.load_state_dict(other.state_dict()) == ([], [])
    out = layer.eval()(drawn(shape))
    assert repr(layer) == repr(other)
    np.testing.assert_array_equal(out.detach().numpy(), other.eval()(drawn(shape)).detach().numpy())


def test_a_lazy_state_dict_loads_into_a_lazy_layer_alone():
    state = nn.LazyLinear(3).state_dict()
    assert nn.LazyLinear(3).load_state_dict(state) == ([], [])
    filled = nn.LazyLinear(3)
    filled.load_state_dict(nn.Linear(2, 3).state_dict())
    with pytest.raises(tp.ShapeError, match="no shape yet"):
        filled.load_state_dict(state)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_wait_for_their_own_input(copied):
    layer = nn.Sequential(nn.LazyLinear(3, dtype=tp.float64), nn.LazyBatchNorm1d()).double()
    twin = copied(layer)
    layer(drawn((2, 5)))
    assert all(is_lazy(p) and p.dtype == tp.float64 for p in twin.parameters())
    assert twin(drawn((2, 7))).shape == (2, 3)
    assert twin[0].in_features == 7 and layer[0].in_features == 5


def test_the_parameter_an_optimizer_holds_is_the_one_that_learns():
    layer = nn.LazyLinear(1)
    optimizer = tp.optim.SGD(layer.parameters(), lr=0.1)
    layer(tp.ones(2, 3)).sum().backward()
    before = layer.weight.detach().clone()
    optimizer.step()
    np.testing.assert_allclose((before - layer.weight.detach()).numpy(), 0.2, rtol=1e-5)


def test_what_has_no_shape_says_so():
    layer = nn.LazyLinear(3)
    for use in (lambda: layer.weight + 1, lambda: layer.weight.shape, lambda: layer.weight.sum()):
        with pytest.raises(tp.ShapeError, match="run the module"):
            use()
    assert repr(layer.weight) == "<UninitializedParameter>"
    with pytest.raises(tp.ShapeError, match="groups"):
        nn.LazyConv1d(4, 2, groups=4)(drawn(SEQ))
    with pytest.raises(tp.ShapeError, match="dims"):
        nn.LazyConv2d(4, 2)(drawn(SEQ[:2]))


def test_moving_before_the_first_input():
    layer = nn.LazyBatchNorm1d().double().to_empty(device="cpu")
    layer(drawn(SEQ))
    assert layer.running_mean.dtype == layer.weight.dtype == tp.float64
    assert layer.num_batches_tracked.dtype == tp.int64


class Scale(LazyModuleMixin, nn.Module):
    """A user's own lazy layer, which stays of its class."""

    calls = 0

    def __init__(self):
        super().__init__()
        self.weight = nn.UninitializedParameter()

    def initialize_parameters(self, x):
        self.calls += 1
        self.weight.materialize(x.shape[-1:])
        nn.init.ones_(self.weight)

    def forward(self, x):
        return x * self.weight


def test_a_class_of_ones_own_is_initialised_once():
    layer = Scale()
    for _ in range(2):
        assert layer(tp.ones(2, 3)).tolist() == [[1.0] * 3] * 2
    assert layer.calls == 1 and type(layer) is Scale


def test_initialize_parameters_must_give_every_shape():
    class Forgetful(Scale):
        def initialize_parameters(self, x):
            pass

    with pytest.raises(tp.ShapeError, match="left some without a shape"):
        Forgetful()(tp.ones(2))

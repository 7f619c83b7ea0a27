"""Computed parameters: what is read, learned, saved and restored."""

import copy
import pickle

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.nn.utils import parametrize
from triptych.nn.utils.parametrize import (
    ParametrizationError,
    cached,
    is_parametrized,
    register_parametrization,
    remove_parametrizations,
    transfer_parametrizations_and_params,
    type_before_parametrizations,
)


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).mT

    def right_inverse(self, a):
        return a.triu()


class Exp(nn.Module):
    def forward(self, x):
        return x.exp()


class Factors(nn.Module):
    """A product of two originals."""

    def forward(self, a, b):
        return a * b

    def right_inverse(self, w):
        return w / 2, tp.full_like(w, 2)


class Count(nn.Module):
    calls = 0

    def forward(self, x):
        self.calls += 1
        return x * 1


def test_reading_computes_and_learning_reaches_the_original():
    layer = nn.Linear(3, 3).double()
    weight = layer.weight
    assert register_parametrization(layer, "weight", Symmetric()) is layer
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert layer.parametrizations.weight.original is weight  # optimisers keep their parameter
    made = layer.weight.detach().numpy()
    np.testing.assert_array_equal(made, made.T)
    assert "weight" not in layer._parameters and len(list(layer.parameters())) == 2
    layer(tp.ones(1, 3, dtype=tp.float64)).sum().backward()
    np.testing.assert_array_equal(weight.grad.numpy(), np.triu(np.full((3, 3), 2.0)) - np.eye(3))


def test_assigning_goes_through_the_inverse():
    layer = register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    layer.weight = tp.tensor([[1.0, 2.0], [2.0, 3.0]])
    assert layer.parametrizations.weight.original.tolist() == [[1.0, 2.0], [0.0, 3.0]]
    assert layer.weight.tolist() == [[1.0, 2.0], [2.0, 3.0]]
    layer.weight = nn.Parameter(tp.eye(2))
    assert layer.weight.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    register_parametrization(layer, "bias", Exp())
    with pytest.raises(NotImplementedError, match="Exp has no right_inverse"):
        layer.bias = tp.zeros(2)


def test_parametrizations_chain_in_order():
    layer = nn.Linear(2, 2)
    register_parametrization(layer, "weight", Symmetric())
    register_parametrization(layer, "weight", Exp())
    original = layer.parametrizations.weight.original.detach().numpy()
    symmetric = np.triu(original) + np.triu(original, 1).T
    np.testing.assert_allclose(layer.weight.detach().numpy(), np.exp(symmetric), rtol=1e-6)
    assert len(layer.parametrizations.weight) == 2


def test_several_originals():
    layer = nn.Linear(2, 3)
    before = layer.weight.detach().clone()
    register_parametrization(layer, "weight", Factors())
    names = [f"parametrizations.weight.original{i}" for i in (0, 1)]
    assert list(layer.state_dict()) == ["bias", *names]
    np.testing.assert_array_equal(layer.weight.detach().numpy(), before.numpy())
    with pytest.raises(ParametrizationError, match="2 originals"):
        remove_parametrizations(layer, "weight", leave_parametrized=False)
    remove_parametrizations(layer, "weight")
    np.testing.assert_array_equal(layer.weight.detach().numpy(), before.numpy())
    assert type(layer) is nn.Linear and isinstance(layer.weight, nn.Parameter)


@pytest.mark.parametrize("leave", [True, False])
def test_removing(leave):
    layer = nn.Linear(2, 2)
    weight = layer.weight
    plain = weight.detach().clone()
    register_parametrization(layer, "weight", Exp())
    register_parametrization(layer, "bias", Exp())
    remove_parametrizations(layer, "weight", leave_parametrized=leave)
    assert layer.weight is weight and is_parametrized(layer)
    expected = plain.exp() if leave else plain
    np.testing.assert_array_equal(weight.detach().numpy(), expected.numpy())
    remove_parametrizations(layer, "bias")
    assert type(layer) is nn.Linear and not is_parametrized(layer)
    assert sorted(layer.state_dict()) == ["bias", "weight"]


def test_buffers_can_be_computed_too():
    layer = nn.BatchNorm1d(3)
    register_parametrization(layer, "running_var", Exp())
    assert "parametrizations.running_var.original" in layer.state_dict()
    assert "parametrizations.running_var.original" in dict(layer.named_buffers())
    np.testing.assert_allclose(layer.running_var.numpy(), np.e, rtol=1e-6)
    remove_parametrizations(layer, "running_var")
    assert "running_var" in layer._buffers


def test_cached_computes_once():
    layer = register_parametrization(nn.Linear(2, 2), "weight", Count())
    count = layer.parametrizations.weight[0]
    before = count.calls
    with cached(), cached():
        assert layer.weight is layer.weight
        layer(tp.ones(1, 2))
    assert count.calls == before + 1
    assert layer.weight is not layer.weight
    assert count.calls == before + 3


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_parametrized_and_independent(copied):
    layer = register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    twin = copied(layer)
    assert is_parametrized(twin, "weight") and type_before_parametrizations(twin) is nn.Linear
    twin.weight = tp.eye(2)
    assert twin.weight.tolist() == [[1.0, 0.0], [0.0, 1.0]] != layer.weight.tolist()


def test_moving_converts_the_original():
    layer = register_parametrization(nn.Linear(2, 2), "weight", Symmetric()).double()
    assert layer.weight.dtype == layer.parametrizations.weight.original.dtype == tp.float64


def test_one_layer_keeps_its_class_while_another_changes():
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    register_parametrization(first, "weight", Exp())
    assert type(second) is nn.Linear and not hasattr(nn.Linear, "weight")
    assert isinstance(first, nn.Linear)
    assert type(first).__name__ == "ParametrizedLinear"


def test_transfer_shares_the_parametrizations():
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    register_parametrization(first, "weight", Symmetric())
    transfer_parametrizations_and_params(first, second)
    assert second.parametrizations.weight is first.parametrizations.weight
    np.testing.assert_array_equal(first.weight.detach().numpy(), second.weight.detach().numpy())
    with pytest.raises(tp.ShapeError, match="in the other"):
        transfer_parametrizations_and_params(first, nn.Linear(3, 3))


class Cut(nn.Module):
    def forward(self, x):
        return x[:1]


class Double(nn.Module):
    def forward(self, x):
        return x.double()


@pytest.mark.parametrize("kind", [Cut, Double])
def test_shape_and_dtype_may_change_only_if_unsafe(kind):
    with pytest.raises(ParametrizationError, match="unsafe=True"):
        register_parametrization(nn.Linear(2, 2), "weight", kind())
    layer = register_parametrization(nn.Linear(2, 2), "weight", kind(), unsafe=True)
    assert layer.weight.shape == (1, 2) or layer.weight.dtype == tp.float64
    layer = register_parametrization(nn.Linear(2, 2), "weight", Exp())
    with pytest.raises(ParametrizationError, match="unsafe=True"):
        register_parametrization(layer, "weight", kind())


def test_errors():
    layer = nn.Linear(2, 2)
    with pytest.raises(ParametrizationError, match="has no parameter or buffer 'kernel'"):
        register_parametrization(layer, "kernel", Exp())
    with pytest.raises(ParametrizationError, match="has none"):
        remove_parametrizations(layer, "weight")
    with pytest.raises(ParametrizationError, match="not parametrized"):
        transfer_parametrizations_and_params(layer, nn.Linear(2, 2))
    with pytest.raises(ParametrizationError, match="at least one"):
        parametrize.ParametrizationList([], layer.weight)

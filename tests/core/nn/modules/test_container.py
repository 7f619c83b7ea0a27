"""Sequences and dicts of modules and parameters."""

from collections import OrderedDict

import pytest

import triptych
from triptych import nn


def layers(n=4):
    return [nn.Linear(2, 2) for _ in range(n)]


def test_sequential_runs_in_order():
    double, plus = nn.Linear(1, 1), nn.Linear(1, 1)
    with triptych.no_grad():
        for layer, weight, bias in ((double, 2.0, 0.0), (plus, 1.0, 3.0)):
            layer.weight.fill_(weight)
            layer.bias.fill_(bias)
    x = triptych.ones(1)
    assert nn.Sequential(double, plus)(x).tolist() == [5.0]
    assert nn.Sequential(OrderedDict(b=plus, a=double))(x).tolist() == [8.0]
    assert nn.Sequential()(x) is x


@pytest.mark.parametrize("kind", [lambda ls: nn.Sequential(*ls), nn.ModuleList])
def test_list_operations(kind):
    ls = layers()
    held = kind(ls)
    assert len(held) == 4
    assert list(held) == ls
    assert held[-1] is ls[3]
    assert ls[2] in held
    assert nn.Identity() not in held
    part = held[1:3]
    assert type(part) is type(held)
    assert list(part) == ls[1:3]
    new = nn.Identity()
    held[1] = new
    del held[0]
    assert list(held) == [new, ls[2], ls[3]]
    assert list(held._modules) == ["0", "1", "2"]
    assert held.insert(1, ls[0]) is held
    assert held.append(ls[1]).extend([ls[0]]) is held
    assert list(held) == [new, ls[0], ls[2], ls[3], ls[1], ls[0]]
    assert held.pop(0) is new
    del held[1:4]
    assert list(held) == [ls[0], ls[0]]


def test_adding_and_repeating():
    ls = layers()
    assert list(nn.Sequential(*ls[:2]) + nn.Sequential(*ls[2:])) == ls
    assert list(nn.Sequential(ls[0]) * 2) == [ls[0], ls[0]]
    both = nn.ModuleList(ls[:1])
    both += ls[1:2]
    assert list(both + ls[2:3]) == ls[:3]


def test_sequential_slices_keep_names():
    named = nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh(), c=nn.ReLU()))
    assert list(named[1:]._modules) == ["b", "c"]
    del named[0]
    assert list(named._modules) == ["b", "c"]


@pytest.mark.parametrize("held", [nn.Sequential(nn.ReLU()), nn.ModuleList([nn.ReLU()])])
def test_mistakes(held):
    with pytest.raises(IndexError, match="index 3 is outside the 1 modules"):
        held[3]
    with pytest.raises(TypeError, match="wanted an int or a slice as index, got str"):
        held["a"]
    with pytest.raises(TypeError, match="wanted a Module, got function"):
        held.append(test_mistakes)


def test_module_dict():
    held = nn.ModuleDict({"a": nn.ReLU()})
    held["b"] = nn.Linear(2, 3)
    held.update([("c", nn.Tanh())])
    assert list(held) == list(held.keys()) == ["a", "b", "c"]
    assert [n for n, _ in held.items()] == ["a", "b", "c"]
    assert len(held) == len(list(held.values())) == 3
    assert "b" in held
    assert list(held.state_dict()) == ["b.weight", "b.bias"]
    assert type(held.pop("a")) is nn.ReLU
    del held["c"]
    held.clear()
    assert not len(held)
    with pytest.raises(TypeError, match="ModuleDict: wanted a Module, got int"):
        held["a"] = 3


def test_parameter_list():
    held = nn.ParameterList([triptych.zeros(2), nn.Parameter(triptych.ones(3))])
    held.append(triptych.ones(4)).extend([triptych.ones(5)])
    held += [triptych.ones(6)]
    assert [p.shape[0] for p in held] == [2, 3, 4, 5, 6]
    assert all(type(p) is nn.Parameter for p in held)
    assert list(held.state_dict()) == ["0", "1", "2", "3", "4"]
    assert held[-1] is held[4]
    assert len(held[1:3]) == 2
    assert held.pop(0).shape == (2,)
    held[0] = triptych.zeros(9)
    assert held[0].shape == (9,)
    assert len(list(held.parameters())) == len(held) == 4
    assert "(0): Parameter containing: [triptych.float32 of size 9]" in repr(held)
    with pytest.raises(IndexError, match="index 7 is outside the 4 entries"):
        held[7]


def test_parameter_dict():
    held = nn.ParameterDict({"a": triptych.zeros(2)})
    held["b"] = triptych.ones(3)
    assert list(held.state_dict()) == ["a", "b"]
    assert held.get("x") is None
    assert type(held["b"]) is nn.Parameter
    assert [k for k, _ in held.items()] == list(held.keys()) == list(held) == ["a", "b"]
    assert held.pop("a").shape == (2,)
    assert len(held) == len(held.values()) == 1
    with pytest.raises(KeyError):
        held["a"]
    held.clear()
    assert not list(held.parameters())

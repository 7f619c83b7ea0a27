"""Nested containers as flat lists, and back."""

from collections import OrderedDict, namedtuple

import pytest

import triptych
from triptych.tree import flatten, register_pytree_node, spread, tree_map, unflatten

Pair = namedtuple("Pair", "a b")


class Box:
    def __init__(self, value, label):
        self.value, self.label = value, label


class Crate(Box):
    pass


register_pytree_node(
    Box,
    lambda box: ([box.value], (type(box), box.label)),
    lambda c, context: context[0](c[0], context[1]),
)

TREE = {"x": [1, (2, 3)], "y": Pair(4, OrderedDict(z=5)), "c": Crate(6, "six")}


def test_round_trip():
    leaves, spec = flatten(TREE)
    assert leaves == [1, 2, 3, 4, 5, 6]
    back = unflatten(spec, leaves)
    assert back["y"] == TREE["y"] and type(back["y"].b) is OrderedDict
    assert type(back["c"]) is Crate and back["c"].label == "six"


def test_specs_are_equal_for_equal_structures():
    assert flatten(TREE)[1] == flatten(tree_map(lambda v: v + 1, TREE))[1]
    assert flatten([1, 2])[1] != flatten((1, 2))[1]
    assert flatten(Box(1, "a"))[1] != flatten(Box(1, "b"))[1]


def test_map_over_several_trees():
    assert tree_map(lambda a, b: a * b, [1, (2,)], [3, (4,)]) == [3, (8,)]
    with pytest.raises(triptych.ShapeError, match="nested differently"):
        tree_map(lambda a, b: a, [1, 2], [1, (2,)])


def test_leaves_by_request():
    leaves, _ = flatten([Box(1, "a"), 2], is_leaf=lambda v: isinstance(v, Box))
    assert leaves[0].value == 1 and leaves[1] == 2


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        (0, [0] * 6),
        ({"x": 0, "y": Pair(1, 2), "c": 3}, [0, 0, 0, 1, 2, 3]),
        ({"c": 3, "x": [0, (1, 2)], "y": None}, [0, 1, 2, None, None, 3]),
        ([0, 1, 2], None),
        ({"x": 0, "y": 1}, None),
        ({"x": [[0], 1], "y": 0, "c": 0}, None),
    ],
)
def test_spreading_a_prefix(prefix, found):
    assert spread(prefix, flatten(TREE)[1]) == found

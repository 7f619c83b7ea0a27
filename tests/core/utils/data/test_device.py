"""`DeviceLoader`: batches keep their structure, tensors move, a few come ahead."""

from collections import namedtuple

import pytest

import triptych as tp
from triptych.utils.data import DataLoader, DeviceLoader

Pair = namedtuple("Pair", ["x", "y"])


def test_structures_are_kept():
    x = tp.ones(2)
    batch = {"a": [x, "text"], "b": Pair(x, 3), "c": (x, None)}
    (moved,) = DeviceLoader([batch], "cpu")
    assert moved["a"][0] is x and moved["a"][1] == "text"
    assert isinstance(moved["b"], Pair) and moved["c"] == (x, None)


@pytest.mark.parametrize("ahead", [0, 1, 3, 10])
def test_batches_are_taken_ahead_and_come_in_order(ahead):
    taken = []

    def batches():
        for i in range(5):
            taken.append(i)
            yield tp.tensor([i])

    loader = iter(DeviceLoader(batches(), "cpu", ahead=ahead))
    assert next(loader).item() == 0 and len(taken) == min(ahead + 1, 5)
    assert [b.item() for b in loader] == [1, 2, 3, 4]


def test_it_has_the_length_of_its_loader():
    assert len(DeviceLoader(DataLoader(range(5), batch_size=2), "cpu")) == 3


def test_wrong_arguments():
    with pytest.raises(tp.DeviceError, match="moon"):
        DeviceLoader([], "moon")
    with pytest.raises(ValueError, match="ahead should be at least 0, got -1"):
        DeviceLoader([], "cpu", ahead=-1)

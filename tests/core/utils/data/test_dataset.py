from __future__ import annotations

import pytest

import triptych
from triptych.random import Generator
from triptych.utils.data import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)


class Numbers(Dataset):
    def __init__(self, *numbers):
        self.numbers = numbers

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, index):
        return self.numbers[index]


class Stream(IterableDataset):
    def __init__(self, *numbers):
        self.numbers = numbers

    def __iter__(self):
        return iter(self.numbers)


def test_tensor_dataset():
    x, y = triptych.arange(6).reshape(3, 2), triptych.arange(3)
    dataset = TensorDataset(x, y)
    assert len(dataset) == 3
    assert [t.tolist() for t in dataset[1]] == [[2, 3], 1]
    assert [t.tolist() for t in dataset[-1]] == [[4, 5], 2]
    assert [t.tolist() for t in dataset.__getbatch__([2, 0])] == [[[4, 5], [0, 1]], [2, 0]]


@pytest.mark.parametrize("shapes", [[], [(2,), (3,)], [()]])
def test_tensor_dataset_wants_one_length(shapes):
    with pytest.raises(triptych.ShapeError, match="one length"):
        TensorDataset(*(triptych.zeros(*s) for s in shapes))


def test_stack_dataset():
    assert StackDataset(Numbers(1, 2), Numbers(3, 4))[1] == (2, 4)
    assert StackDataset(a=Numbers(1, 2), b=Numbers(3, 4))[0] == {"a": 1, "b": 3}
    assert len(StackDataset(Numbers(1, 2))) == 2
    with pytest.raises(ValueError, match="different lengths"):
        StackDataset(Numbers(1), Numbers(1, 2))
    with pytest.raises(ValueError, match="either by position or by name"):
        StackDataset()


def test_concat_dataset():
    dataset = Numbers(1, 2) + Numbers() + Numbers(3)
    assert isinstance(dataset, ConcatDataset)
    assert [dataset[i] for i in range(-3, 3)] == [1, 2, 3, 1, 2, 3]
    assert len(dataset) == 3
    for outside in (3, -4):
        with pytest.raises(triptych.BoundsError, match="dataset of 3"):
            dataset[outside]
    with pytest.raises(ValueError, match="at least one"):
        ConcatDataset([])
    with pytest.raises(TypeError, match="ChainDataset"):
        ConcatDataset([Stream(1)])


def test_chain_dataset():
    assert list(Stream(1, 2) + Stream(3)) == [1, 2, 3]
    with pytest.raises(TypeError, match="ConcatDataset"):
        ChainDataset([Numbers(1)])


def test_subset():
    subset = Subset(Numbers(5, 6, 7, 8), [3, 1])
    assert (len(subset), [subset[i] for i in range(2)]) == (2, [8, 6])
    assert Subset(subset, [1]).__getitems__([0]) == [6]


def test_subset_fetches_at_once_where_its_dataset_can():
    class AtOnce(Numbers):
        def __getitems__(self, indices):
            return [tuple(indices)] * len(indices)

    subset = Subset(AtOnce(0, 1, 2, 3), [3, 2, 1])
    assert subset.__getitems__([0, 2]) == [(3, 1)] * 2
    assert Subset(subset, [2]).__getitems__([0]) == [(1,)]


def test_a_subset_of_tensors_makes_batches_at_once():
    subset = Subset(TensorDataset(triptych.arange(4)), [3, 2, 1])
    assert [t.tolist() for t in subset.__getbatch__([0, 2])] == [[3, 1]]
    assert Subset(Numbers(4, 5, 6), [2, 1]).__getbatch__([0]).tolist() == [6]


def test_random_split():
    dataset = Numbers(*range(10))
    parts = random_split(dataset, [3, 7], Generator().manual_seed(1))
    assert [len(p) for p in parts] == [3, 7]
    assert sorted(x for p in parts for x in p) == list(range(10))
    again = random_split(dataset, [3, 7], Generator().manual_seed(1))
    assert [list(p.indices) for p in parts] == [list(p.indices) for p in again]
    other = random_split(dataset, [3, 7], Generator().manual_seed(2))
    assert list(parts[1].indices) != list(other[1].indices)


def test_random_split_by_fractions():
    sizes = [len(p) for p in random_split(Numbers(*range(11)), [0.5, 0.3, 0.2])]
    assert sizes == [6, 3, 2]
    assert [len(p) for p in random_split(Numbers(*range(5)), [1.0])] == [5]


def test_random_split_refuses():
    with pytest.raises(ValueError, match="add up to 4, the dataset has 3"):
        random_split(Numbers(1, 2, 3), [2, 2])
    with pytest.raises(ValueError, match="fractions are between"):
        random_split(Numbers(1, 2, 3), [1.5, -0.5])
    with pytest.warns(UserWarning, match="part 1 is empty"):
        random_split(Numbers(1), [0.9, 0.1])


def test_bases_name_what_is_missing():
    with pytest.raises(NotImplementedError, match="Dataset does not define __getitem__"):
        Dataset()[0]
    with pytest.raises(NotImplementedError, match="__iter__"):
        iter(IterableDataset())

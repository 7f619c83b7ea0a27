from __future__ import annotations

import pytest

import triptych as tp
from triptych.random import Generator
from triptych.utils.data import (
    BatchSampler,
    BucketBatchSampler,
    DistributedSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)


def seeded(seed=1):
    return Generator().manual_seed(seed)


def test_sequential():
    assert list(SequentialSampler(range(3))) == [0, 1, 2]
    assert len(SequentialSampler(range(3))) == 3


def test_random_is_a_permutation_that_the_generator_decides():
    sampler = RandomSampler(range(20), generator=seeded())
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second
    assert list(RandomSampler(range(20), generator=seeded())) == first


def test_random_follows_the_default_generator():
    orders = []
    for _ in range(2):
        tp.manual_seed(3)
        orders.append(list(RandomSampler(range(20))))
    assert orders[0] == orders[1] != list(range(20))


def test_random_with_more_samples_than_there_are():
    drawn = list(RandomSampler(range(4), num_samples=10, generator=seeded()))
    assert len(drawn) == 10
    assert sorted(drawn[:4]) == sorted(drawn[4:8]) == [0, 1, 2, 3]


def test_random_with_replacement():
    drawn = list(RandomSampler(range(4), replacement=True, num_samples=400, generator=seeded()))
    assert all(60 < drawn.count(i) < 140 for i in range(4))


@pytest.mark.parametrize(("length", "options"), [(0, {}), (3, {"num_samples": 0})])
def test_random_refuses(length, options):
    with pytest.raises(ValueError, match="num_samples"):
        RandomSampler(range(length), **options)


def test_subset_random():
    sampler = SubsetRandomSampler([5, 7, 9], generator=seeded())
    assert sorted(sampler) == [5, 7, 9]
    assert len(sampler) == 3


def test_weighted():
    sampler = WeightedRandomSampler([0.0, 1.0, 3.0], 1000, generator=seeded())
    drawn = list(sampler)
    assert len(sampler) == len(drawn) == 1000
    assert drawn.count(0) == 0
    assert 2.4 < drawn.count(2) / drawn.count(1) < 3.8


def test_weighted_without_replacement():
    drawn = list(WeightedRandomSampler([1.0, 2.0, 3.0], 3, replacement=False, generator=seeded()))
    assert sorted(drawn) == [0, 1, 2]


def test_weighted_refuses():
    with pytest.raises(ValueError, match="num_samples"):
        WeightedRandomSampler([1.0], 0)
    with pytest.raises(ValueError, match="vector"):
        WeightedRandomSampler([[1.0]], 1)


@pytest.mark.parametrize(
    ("drop_last", "wanted"), [(False, [[0, 1, 2], [3, 4]]), (True, [[0, 1, 2]])]
)
def test_batches(drop_last, wanted):
    sampler = BatchSampler(SequentialSampler(range(5)), 3, drop_last)
    assert list(sampler) == wanted
    assert len(sampler) == len(wanted)


@pytest.mark.parametrize(("size", "drop"), [(0, False), (True, False), (1.5, False), (2, None)])
def test_batches_refuse(size, drop):
    with pytest.raises(ValueError, match="should be a"):
        BatchSampler(SequentialSampler(range(5)), size, drop)


@pytest.mark.parametrize("n", [0, 1, 2, 7, 8])
@pytest.mark.parametrize("replicas", [1, 2, 3, 4])
@pytest.mark.parametrize("drop_last", [False, True])
def test_distributed_shares_are_equal_and_cover(n, replicas, drop_last):
    shares = [
        list(DistributedSampler(range(n), replicas, rank, shuffle=False, drop_last=drop_last))
        for rank in range(replicas)
    ]
    assert len({len(s) for s in shares}) == 1
    interleaved = [i for row in zip(*shares, strict=True) for i in row]
    whole = list(range(n))
    if drop_last:
        assert interleaved == whole[: n // replicas * replicas]
    else:
        assert interleaved[:n] == whole
        assert set(interleaved[n:]) <= set(whole)


def test_distributed_order_depends_on_seed_and_epoch_alone():
    sampler = DistributedSampler(range(9), 2, 0, seed=5)
    twin = DistributedSampler(range(9), 2, 1, seed=5)
    first = list(sampler)
    assert sorted({*first, *twin}) == list(range(9))
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first


def test_distributed_reads_the_environment(monkeypatch):
    with pytest.raises(ValueError, match="WORLD_SIZE"):
        DistributedSampler(range(4))
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert list(DistributedSampler(range(4), shuffle=False)) == [1, 3]
    with pytest.raises(ValueError, match="from 0 to 1, got 2"):
        DistributedSampler(range(4), rank=2)


def test_the_base_names_what_is_missing():
    with pytest.raises(NotImplementedError, match="__iter__"):
        iter(Sampler())


# Batches of similar lengths


def lengths_of(batches, lengths):
    return [[lengths[i] for i in batch] for batch in batches]


def test_buckets_hold_similar_lengths_and_every_sample_once():
    lengths = tp.randint(1, 1000, (500,), generator=tp.Generator().manual_seed(0)).tolist()
    batches = list(BucketBatchSampler(lengths, 10, generator=tp.Generator().manual_seed(1)))
    assert sorted(i for b in batches for i in b) == list(range(500))
    spread = sum(max(b) - min(b) for b in lengths_of(batches, lengths)) / len(batches)
    assert spread < 30  # about 20 by chance alone; unsorted batches spread over about 820


def test_buckets_differ_by_epoch_and_repeat_by_seed():
    def epochs(seed):
        sampler = BucketBatchSampler(range(50), 5, generator=tp.Generator().manual_seed(seed))
        return list(sampler), list(sampler)

    first, second = epochs(0)
    assert first != second and epochs(0) == (first, second) and epochs(1)[0] != first
    tp.manual_seed(3)
    once = list(BucketBatchSampler(range(50), 5))
    tp.manual_seed(3)
    assert list(BucketBatchSampler(range(50), 5)) == once


def test_buckets_are_chunks_of_the_order():
    sampler = BucketBatchSampler([5, 1, 4, 2, 6, 3, 0], 2, shuffle=False, bucket_size_multiplier=2)
    assert list(sampler) == [[1, 3], [2, 0], [6, 5], [4]] and len(sampler) == 4
    dropping = BucketBatchSampler([3, 1, 2], 2, True, shuffle=False)
    assert list(dropping) == [[1, 2]] and len(dropping) == 1


def test_buckets_of_another_sampler():
    sampler = BucketBatchSampler([9, 8, 7, 6], 2, sampler=[3, 1], shuffle=False)
    assert list(sampler) == [[3, 1]] and len(sampler) == 1


def test_wrong_buckets():
    with pytest.raises(ValueError, match="batch_size should be a positive integer, got 0"):
        BucketBatchSampler([1], 0)
    with pytest.raises(ValueError, match="bucket_size_multiplier should be"):
        BucketBatchSampler([1], 1, bucket_size_multiplier=1.5)
    with pytest.raises(ValueError, match="exclude each other"):
        BucketBatchSampler([1], 1, shuffle=True, sampler=[0])

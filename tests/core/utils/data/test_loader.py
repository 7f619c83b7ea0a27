"""What a loader yields, with any kind and number of workers."""

from __future__ import annotations

import gc
import random
import time

import numpy as np
import pytest

import triptych
from triptych.random import Generator
from triptych.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    SequentialSampler,
    Subset,
    TensorDataset,
    get_worker_info,
)

WAYS = {
    "inline": {},
    "one process": {"num_workers": 1},
    "two processes": {"num_workers": 2},
    "two processes, kept": {"num_workers": 2, "persistent_workers": True},
    "far ahead": {"num_workers": 2, "prefetch_factor": 5},
    "one thread": {"num_workers": 1, "worker_type": "thread"},
    "two threads": {"num_workers": 2, "worker_type": "thread"},
    "two threads, kept": {"num_workers": 2, "worker_type": "thread", "persistent_workers": True},
}
WORKERS = {k: v for k, v in WAYS.items() if v}
PROCESSES = {k: v for k, v in WORKERS.items() if "worker_type" not in v}
way = pytest.mark.parametrize("options", WAYS.values(), ids=WAYS.keys())
workers = pytest.mark.parametrize("options", WORKERS.values(), ids=WORKERS.keys())
processes = pytest.mark.parametrize("options", PROCESSES.values(), ids=PROCESSES.keys())


def seeded(seed=1):
    return Generator().manual_seed(seed)


class Samples(Dataset):
    """Samples of every kind; some take longer than others."""

    def __init__(self, n=23):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        time.sleep(0.002 * (index % 3))
        return {
            "image": np.full((40, 40), index, np.float32),
            "small": triptych.tensor([index, -index]),
            "label": index,
            "name": str(index),
            "pair": (index / 2, [index]),
        }


class Count(IterableDataset):
    """0, 1, 2 ..., shared out among the workers."""

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        info = get_worker_info()
        first, step = (0, 1) if info is None else (info.id, info.num_workers)
        return iter(range(first, self.n, step))


class Random(Dataset):
    """Draws from the three default generators."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return [triptych.rand(1).item(), random.random(), np.random.rand(), get_worker_info().id]


def plain(value):
    if isinstance(value, triptych.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def epochs(loader, count=2):
    return [[plain(b) for b in loader] for _ in range(count)]


@way
def test_batches_are_the_same_with_any_workers(options):
    made = {"batch_size": 4, "shuffle": True}
    wanted = epochs(DataLoader(Samples(), generator=seeded(), **made))
    loader = DataLoader(Samples(), generator=seeded(), **made, **options)
    assert epochs(loader) == wanted
    assert wanted[0] != wanted[1]
    assert len(loader) == len(wanted[0]) == 6
    assert sorted(x for b in wanted[1] for x in b["label"]) == list(range(23))


@way
def test_the_default_generator_decides_too(options):
    runs = []
    for _ in range(2):
        triptych.manual_seed(11)
        runs.append(epochs(DataLoader(range(20), batch_size=3, shuffle=True, **options)))
        after = triptych.rand(1).item()
        runs.append(after)
    assert runs[:2] == runs[2:]


def test_loaders_leave_the_generator_alike():
    """Otherwise what a model draws would depend on the number of workers."""
    draws = set()
    for options in WAYS.values():
        triptych.manual_seed(11)
        epochs(DataLoader(range(4), shuffle=True, **options))
        draws.add(triptych.rand(1).item())
    assert len(draws) == 1


@processes
def test_random_samples_can_be_repeated(options):
    loader = DataLoader(Random(), batch_size=1, generator=seeded(), **options)
    first, second = epochs(loader)
    again = epochs(DataLoader(Random(), batch_size=1, generator=seeded(), **options))
    assert [first, second] == again
    values = [b[k][0] for epoch in (first, second) for b in epoch for k in range(3)]
    assert len(set(values)) == len(values)  # no two workers, epochs or libraries draw the same
    assert {b[3][0] for b in first} == set(range(options["num_workers"]))


@processes
def test_worker_k_is_seeded_with_the_base_seed_plus_k(options):
    class Seeds(Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            info = get_worker_info()
            assert info.num_workers == options["num_workers"]
            assert isinstance(info.dataset, Seeds)
            return info.id, info.seed, triptych.initial_seed()

    seen = [tuple(x.item() for x in b) for b in DataLoader(Seeds(), generator=seeded(), **options)]
    base = {seed - worker for worker, seed, _ in seen}
    assert len(base) == 1
    assert all(seed == initial for _, seed, initial in seen)
    assert get_worker_info() is None


@way
def test_streams(options):
    loader = DataLoader(Count(11), batch_size=2, **options)
    for epoch in epochs(loader):
        assert sorted(x for b in epoch for x in b) == list(range(11))
    step = max(1, options.get("num_workers", 0))
    for batch in loader:
        assert len({x % step for x in batch.tolist()}) == 1  # of one worker


@way
def test_streams_of_uneven_length_keep_their_order(options):
    class Uneven(IterableDataset):
        def __iter__(self):
            info = get_worker_info()
            worker = 0 if info is None else info.id
            time.sleep(0.01 * (1 - worker))
            return iter([worker * 100 + i for i in range(2 if worker == 0 else 7)])

    wanted = {0: [0, 1], 1: [0, 1], 2: [0, 100, 1, 101, 102, 103, 104, 105, 106]}
    for _ in range(2):
        seen = [x.item() for x in DataLoader(Uneven(), batch_size=1, **options)]
        assert seen == wanted[options.get("num_workers", 0)]


@way
def test_streams_drop_the_last_batch_of_each_worker(options):
    step = max(1, options.get("num_workers", 0))
    sizes = [len(b) for b in DataLoader(Count(10 * step + 1), 4, drop_last=True, **options)]
    assert sizes == [4] * (2 * step)


@way
def test_single_samples(options):
    loader = DataLoader(Samples(3), batch_size=None, **options)
    assert [s["label"] for s in loader] == [0, 1, 2]
    assert isinstance(next(iter(loader))["image"], triptych.Tensor)
    assert list(DataLoader(Count(1), batch_size=None, **options)) == [0]


@way
def test_batch_samplers(options):
    sampler = BatchSampler(SequentialSampler(range(7)), 3, drop_last=True)
    loader = DataLoader(range(7), batch_sampler=sampler, **options)
    assert epochs(loader, 1) == [[[0, 1, 2], [3, 4, 5]]]
    assert len(loader) == 2
    assert loader.batch_size is None


@way
def test_samplers(options):
    loader = DataLoader(range(10), batch_size=2, sampler=[7, 1, 4], **options)
    assert epochs(loader, 1) == [[[7, 1], [4]]]
    assert len(loader) == 2


@way
def test_collate_fn_gets_the_list_of_samples(options):
    assert list(DataLoader(range(4), 2, collate_fn=sum, **options)) == [1, 5]


@way
def test_empty_epochs(options):
    assert epochs(DataLoader([], **options)) == [[], []]
    assert epochs(DataLoader(Count(0), **options)) == [[], []]
    assert epochs(DataLoader(range(3), batch_size=4, drop_last=True, **options)) == [[], []]


@way
def test_drop_last(options):
    loader = DataLoader(range(7), batch_size=3, drop_last=True, **options)
    assert epochs(loader, 1) == [[[0, 1, 2], [3, 4, 5]]]
    assert len(loader) == 2


@way
def test_datasets_that_fetch_many_at_once_are_asked_to(options):
    class AtOnce(Dataset):
        def __len__(self):
            return 4

        def __getitems__(self, indices):
            return [sum(indices)] * len(indices)

    assert epochs(DataLoader(AtOnce(), 2, **options), 1) == [[[1, 1], [5, 5]]]


def test_own_samples_win_over_inherited_batches():
    class Shifted(TensorDataset):
        def __getitem__(self, index):
            return [t + 100 for t in super().__getitem__(index)]

    class Doubled(Subset):
        def __getitem__(self, index):
            return super().__getitem__(index) * 2

    (batch,) = DataLoader(Shifted(triptych.arange(3)), batch_size=3)
    assert batch[0].tolist() == [100, 101, 102]
    (batch,) = DataLoader(Subset(Shifted(triptych.arange(3)), [2, 0]), batch_size=3)
    assert batch[0].tolist() == [102, 100]
    (batch,) = DataLoader(Doubled(range(9), [5, 2]), batch_size=3)
    assert batch.tolist() == [10, 4]


@way
def test_batches_at_once_equal_collated_samples(options):
    dataset = TensorDataset(triptych.randn(9, 5), triptych.arange(9))
    subset = Subset(dataset, [8, 1, 3, 3])
    for source in (dataset, subset):
        at_once = epochs(DataLoader(source, 4, **options), 1)
        one_by_one = epochs(DataLoader([source[i] for i in range(len(source))], 4), 1)
        assert at_once == one_by_one
        lists = DataLoader(source, 4, collate_fn=list, **options)
        assert plain(next(iter(lists))[0][0]) == plain(source[0][0])


@way
def test_tensor_datasets(options):
    x, y = triptych.randn(9, 5), triptych.arange(9)
    batches = list(DataLoader(TensorDataset(x, y), 4, **options))
    assert [len(b) for b in batches] == [2, 2, 2]
    assert (triptych.cat([b[0] for b in batches]) == x).all()
    assert (triptych.cat([b[1] for b in batches]) == y).all()


def test_len_of_streams_follows_the_declared_length():
    class Declared(Count):
        def __len__(self):
            return self.n

    assert len(DataLoader(Declared(7), batch_size=2)) == 4
    assert len(DataLoader(Declared(7), batch_size=2, drop_last=True)) == 3
    assert len(DataLoader(Declared(7), batch_size=None)) == 7
    with pytest.raises(TypeError):
        len(DataLoader(Count(7)))


@workers
def test_two_passes_at_once(options):
    loader = DataLoader(range(6), batch_size=2, **{**options, "persistent_workers": False})
    pairs = [(a.tolist(), b.tolist()) for a in loader for b in loader]
    assert len(pairs) == 9
    assert pairs[5] == ([2, 3], [4, 5])


def test_kept_workers_start_over_in_the_middle():
    for worker_type in ("process", "thread"):
        loader = DataLoader(
            range(20), num_workers=2, persistent_workers=True, worker_type=worker_type
        )
        iterator = iter(loader)
        assert [next(iterator).item() for _ in range(3)] == [0, 1, 2]
        assert [b.item() for b in loader] == list(range(20))
        with pytest.raises(RuntimeError, match="a new pass ends the one before"):
            next(iterator)


def pids(epoch):
    return {pid for batch in epoch for pid in batch}


def test_kept_workers_are_kept():
    class Pid(Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            import os

            return os.getpid()

    loader = DataLoader(Pid(), num_workers=2, persistent_workers=True)
    first, second = epochs(loader)
    assert pids(first) == pids(second)
    fresh = epochs(DataLoader(Pid(), num_workers=2))
    assert not pids(fresh[0]) & pids(fresh[1])


@workers
def test_init_runs_once_in_each_worker(options):
    class Seen(Dataset):
        calls = ()

        def __len__(self):
            return 4

        def __getitem__(self, index):
            return list(self.calls), get_worker_info().id

    dataset = Seen()

    def init(worker):
        Seen.calls = (*Seen.calls, worker)

    kept = {**options, "persistent_workers": True}
    for _ in range(2):
        Seen.calls = ()
        loader = DataLoader(dataset, batch_size=None, worker_init_fn=init, **kept)
        for _ in range(2):
            for calls, worker in loader:
                assert calls.count(worker) == 1


@workers
def test_out_of_order(options):
    class Slow(Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            time.sleep(0.5 if index == 0 else 0)
            return index

    loader = DataLoader(Slow(), batch_size=None, in_order=False, **options)
    seen = list(loader)
    assert sorted(seen) == list(range(6))
    if options["num_workers"] == 2:
        assert seen[0] != 0
    assert list(DataLoader(Slow(), batch_size=None, **options)) == list(range(6))


@processes
def test_arrays_arrive_whole_and_writable(options):
    class Arrays(Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            rng = np.random.default_rng(index)
            big = rng.normal(size=(300, 1001))
            strided = rng.normal(size=(100, 200)).T[::3]
            return big, strided, np.zeros((0, 3)), np.array(index), big.astype(np.float16)

    def keep(samples):
        return samples

    (arrays,) = DataLoader(Arrays(), 3, collate_fn=keep, **options)
    for index, got in enumerate(arrays):
        for a, b in zip(got, Arrays()[index], strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
            if a.size:
                a += 1  # in memory of its own


@processes
def test_requests_and_batches_larger_than_a_pipe(options):
    """Both directions full at once: neither side may wait for the other."""
    n = 300_000
    loader = DataLoader(range(n), batch_size=n // 3, **options)
    batches = list(loader)
    assert [len(b) for b in batches] == [n // 3] * 3
    assert batches[2][-1] == n - 1


@workers
def test_gradients_are_recorded_in_workers_as_elsewhere(options):
    class Trains(Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            x = triptych.ones(2, requires_grad=True)
            (x * index).sum().backward()
            return x.grad

    with triptych.no_grad():
        assert epochs(DataLoader(Trains(), **options), 1) == [[[[0, 0]], [[1, 1]]]]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"num_workers": -1}, "num_workers should be an integer from 0, got -1"),
        ({"timeout": -1}, "timeout"),
        ({"num_workers": 1, "prefetch_factor": 0}, "prefetch_factor"),
        ({"num_workers": 1, "worker_type": "fiber"}, "'process' or 'thread', got 'fiber'"),
        ({"prefetch_factor": 2}, "prefetch_factor needs workers"),
        ({"persistent_workers": True}, "persistent_workers needs workers"),
        ({"multiprocessing_context": "spawn"}, "multiprocessing_context needs workers"),
        ({"timeout": 1}, "timeout needs workers"),
        ({"num_workers": 1, "multiprocessing_context": "x"}, r"one of \[.*'spawn'.*\], got 'x'"),
        (
            {"num_workers": 1, "worker_type": "thread", "multiprocessing_context": "spawn"},
            "exclude each other",
        ),
        ({"shuffle": True, "sampler": [0]}, "sampler and shuffle=True"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "batch_sampler and batch_size"),
        ({"batch_sampler": [[0]], "shuffle": True}, "batch_sampler and shuffle=True"),
        ({"batch_sampler": [[0]], "sampler": [0]}, "batch_sampler and sampler"),
        ({"batch_sampler": [[0]], "drop_last": True}, "batch_sampler and drop_last"),
        ({"batch_size": None, "drop_last": True}, "batch_size=None"),
        ({"batch_size": 0}, "batch_size should be a positive integer"),
        ({"dataset": Count(1), "shuffle": True}, "shuffle=True needs a dataset with an index"),
        ({"dataset": Count(1), "sampler": [0]}, "sampler needs a dataset with an index"),
        ({"dataset": Count(1), "batch_sampler": [[0]]}, "batch_sampler needs a dataset"),
    ],
)
def test_refuses_options_that_do_not_go_together(options, text):
    with pytest.raises(ValueError, match=text):
        DataLoader(**{"dataset": range(3), **options})


def test_refuses_a_dataset_without_length():
    with pytest.raises(TypeError, match="dict_keyiterator has no length"):
        DataLoader(iter({}.keys()))
    assert len(DataLoader(Dataset(), sampler=[1, 2])) == 2


def test_memory_pinning_is_accepted():
    assert epochs(DataLoader(range(1), pin_memory=True, pin_memory_device="cuda"), 1) == [[[0]]]


@workers
def test_batches_do_not_pile_up(options):
    """Each batch goes as soon as it is dropped: nothing behind the scenes holds it."""

    def living():
        gc.collect()
        return sum(isinstance(o, triptych.Tensor) and o.shape == (1,) for o in gc.get_objects())

    before = living()
    for batch in DataLoader(range(50), **options):
        assert batch.shape == (1,)
    del batch
    assert living() < before + 20

"""`StatefulDataLoader`: the rest of an epoch after a resume is the rest without one."""

import io
import random

import numpy as np
import pytest

import triptych as tp
from triptych.utils.data import (
    BatchSampler,
    BucketBatchSampler,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    StatefulDataLoader,
    WeightedRandomSampler,
    get_worker_info,
)

N = 23


class Noisy(Dataset):
    """Each sample draws from every default generator."""

    def __len__(self):
        return N

    def __getitem__(self, index):
        return np.array([index, tp.rand(()).item(), random.random(), np.random.rand()])


class Share(IterableDataset):
    """Workers have shares of different lengths, and draw."""

    def __iter__(self):
        info = get_worker_info()
        first, step = (0, 1) if info is None else (info.id, info.num_workers)
        for i in range(first, N - 7 * first, step):
            yield np.array([i, random.random()])


class Counter(IterableDataset):
    """Its iterator knows its place and cannot be fast-forwarded: it counts what it hands out."""

    handed_out = 0

    def __iter__(self):
        self.place = 0
        return self

    def __next__(self):
        if self.place >= N:
            raise StopIteration
        self.place += 1
        Counter.handed_out += 1
        return self.place

    def state_dict(self):
        return {"place": self.place}

    def load_state_dict(self, state):
        self.place = state["place"]


class Remembering(Dataset):
    """A dataset with a generator of its own, and a state."""

    def __init__(self):
        self.generator = tp.Generator().manual_seed(1)

    def __len__(self):
        return N

    def __getitem__(self, index):
        return index + tp.rand((), generator=self.generator).item()

    def state_dict(self):
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state):
        self.generator.set_state(state["generator"])


class StatefulSampler(RandomSampler):
    """Goes on in the middle of its order."""

    def __iter__(self):
        self.order, self.place = list(super().__iter__()), getattr(self, "place", 0)
        if hasattr(self, "loaded"):
            self.order, self.place = self.loaded
            del self.loaded
        while self.place < len(self.order):
            self.place += 1
            yield self.order[self.place - 1]
        self.place = 0

    def state_dict(self):
        return {"order": getattr(self, "order", []), "place": getattr(self, "place", 0)}

    def load_state_dict(self, state):
        if state["order"]:
            self.loaded = state["order"], state["place"]


class Places(Sampler):
    """Its iterator has a state, and starts anew when asked for an iterator again."""

    def __init__(self, order):
        self.order = order

    def __iter__(self):
        return PlacesIterator(self.order)

    def __len__(self):
        return len(self.order)


class PlacesIterator:
    def __init__(self, order):
        self.order, self.place = order, 0

    def __iter__(self):
        self.place = 0
        return self

    def __next__(self):
        if self.place == len(self.order):
            raise StopIteration
        self.place += 1
        return self.order[self.place - 1]

    def state_dict(self):
        return {"place": self.place}

    def load_state_dict(self, state):
        self.place = state["place"]


def seed(number):
    tp.manual_seed(number)
    random.seed(number)
    np.random.seed(number)


def numbers(batches):
    return [batch.tolist() if isinstance(batch, tp.Tensor) else batch for batch in batches]


def through_a_file(state):
    """What comes back of a state that was saved."""
    file = io.BytesIO()
    tp.save(state, file)
    file.seek(0)
    return tp.load(file)


def check(make, stops=(0, 1, 3)):
    """Resuming after so many batches gives the rest of the epoch, and the next epoch."""
    seed(0)
    loader = make()
    first, second = numbers(loader), numbers(loader)
    assert first
    for stop in (*stops, len(first)):
        seed(0)
        loader = make()
        batches = iter(loader)
        assert numbers(next(batches) for _ in range(stop)) == first[:stop]
        ended = stop == len(first) and next(batches, None) is None
        state = through_a_file(loader.state_dict())
        del batches, loader
        seed(99)
        again = make()
        again.load_state_dict(state)
        assert again.state_dict() == state
        if not ended:
            assert numbers(again) == first[stop:]
        assert numbers(again) == second


WORKERS = pytest.mark.parametrize("options", [{}, {"num_workers": 1}, {"num_workers": 3}], ids=str)


@WORKERS
@pytest.mark.parametrize("every", [1, 4])
def test_shuffled_samples_that_draw(options, every):
    check(
        lambda: StatefulDataLoader(
            Noisy(), 4, shuffle=True, snapshot_every_n_steps=every, **options
        )
    )


SAMPLERS = {
    "generator": lambda: {
        "batch_size": 4,
        "shuffle": True,
        "generator": tp.Generator().manual_seed(3),
    },
    "weights": lambda: {"batch_size": 4, "sampler": WeightedRandomSampler([1.0, 2.0] * 9, N)},
    "buckets": lambda: {"batch_sampler": BucketBatchSampler(range(N), 4, bucket_size_multiplier=2)},
    "own state": lambda: {"batch_size": 4, "sampler": StatefulSampler(range(N))},
    "own state inside": lambda: {
        "batch_sampler": BatchSampler(StatefulSampler(range(N)), 4, False)
    },
    "iterator's state": lambda: {"batch_size": None, "sampler": Places(list(range(N))[::-1])},
    "single samples": lambda: {"batch_size": None, "shuffle": True},
}


@pytest.mark.parametrize("options", [{}, {"num_workers": 2}], ids=str)
@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers(options, name):
    check(lambda: StatefulDataLoader(range(N), **SAMPLERS[name](), **options), (1, 4))


@WORKERS
@pytest.mark.parametrize("every", [1, 3])
def test_streams_skip_what_was_handed_out(options, every):
    check(lambda: StatefulDataLoader(Share(), 2, snapshot_every_n_steps=every, **options))


@WORKERS
def test_streams_with_a_place(options):
    check(lambda: StatefulDataLoader(Counter(), 4, **options))


def test_streams_with_a_place_are_not_fast_forwarded():
    loader = StatefulDataLoader(Counter(), 4)
    next(iter(loader))
    state, Counter.handed_out = loader.state_dict(), 0
    again = StatefulDataLoader(Counter(), 4)
    again.load_state_dict(state)
    next(iter(again))
    assert Counter.handed_out == 4


@pytest.mark.parametrize("options", [{}, {"num_workers": 2}], ids=str)
def test_datasets_with_a_state(options):
    def make():
        return StatefulDataLoader(Remembering(), 4, shuffle=True, **options)

    seed(0)
    loader = make()
    first = numbers(loader)
    seed(0)
    loader = make()
    batches = iter(loader)
    next(batches)
    again = make()
    again.load_state_dict(through_a_file(loader.state_dict()))
    assert numbers(again) == first[1:]


@pytest.mark.parametrize("context", ["spawn", "forkserver"])
def test_other_ways_to_start_workers(context):
    check(
        lambda: StatefulDataLoader(
            range(N), 4, shuffle=True, num_workers=1, multiprocessing_context=context
        ),
        (2,),
    )


def test_kept_workers():
    check(
        lambda: StatefulDataLoader(
            Noisy(), 4, shuffle=True, num_workers=2, persistent_workers=True
        ),
        (2,),
    )


def test_threads():
    options = {"num_workers": 2, "worker_type": "thread"}
    check(lambda: StatefulDataLoader(range(N), 4, shuffle=True, **options), (2,))


def test_a_state_stays_as_it_was_when_the_pass_goes_on():
    loader = StatefulDataLoader(range(N), 4, num_workers=2)
    batches = iter(loader)
    next(batches)
    state = loader.state_dict()
    rest = numbers(batches)
    loader.load_state_dict(state)
    assert numbers(loader) == rest
    loader.load_state_dict(state)  # once more, from the same state
    assert numbers(loader) == rest


def test_training_draws_are_where_they_were():
    """The draws of this process go on where they stood when the state was taken."""
    loader = StatefulDataLoader(range(N), 4, num_workers=2)
    batches = iter(loader)
    next(batches)
    state = loader.state_dict()
    wanted = tp.rand(3).tolist()
    seed(5)
    loader.load_state_dict(state)
    iter(loader)
    assert tp.rand(3).tolist() == wanted


def test_wrong_states_and_arguments():
    loader = StatefulDataLoader(range(4))
    with pytest.raises(ValueError, match=r"wanted what StatefulDataLoader\.state_dict\(\)"):
        loader.load_state_dict({"step": 3})
    with pytest.raises(ValueError, match="state is that of 0 workers, this loader has 2"):
        StatefulDataLoader(range(4), num_workers=2).load_state_dict(loader.state_dict())
    with pytest.raises(ValueError, match="in_order=False has no order"):
        StatefulDataLoader(range(4), in_order=False)
    with pytest.raises(ValueError, match="snapshot_every_n_steps should be a positive integer"):
        StatefulDataLoader(range(4), snapshot_every_n_steps=0)


@pytest.mark.parametrize(
    "options", [{"num_workers": 2}, {"num_workers": 2, "worker_type": "thread"}]
)
def test_errors_of_a_state_are_told(options):
    class Broken(Remembering):
        def state_dict(self):
            raise ValueError("no state today")

    with pytest.raises(ValueError, match="no state today"):
        list(StatefulDataLoader(Broken(), 4, **options))

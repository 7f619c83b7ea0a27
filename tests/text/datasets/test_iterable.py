"""Streams: steps, shares of workers, and states to go on from."""

import pickle
from collections import Counter
from itertools import islice

import pytest

import triptych as tp
from triptych.errors import DTypeError, ShapeError, UnknownNameError
from triptych.utils.data import DataLoader, StatefulDataLoader
from triptych_text.datasets import (
    Dataset,
    IterableDataset,
    concatenate_datasets,
    interleave_datasets,
)


class Numbers:
    """Rows that can be pickled."""

    def __init__(self, n, first=0):
        self.n, self.first = n, first

    def __call__(self):
        return range(self.first, self.first + self.n)


def stream(n=20, first=0):
    return IterableDataset(Numbers(n, first))


def seeded(seed=1):
    return tp.Generator().manual_seed(seed)


def is_odd(n):
    return n % 2 == 1


def doubled(n):
    return 2 * n


def twice_each(batch):
    return [n for n in batch for _ in range(2)]


def both(**options):
    return interleave_datasets([stream(5), stream(9, 100)], **options)


STREAMS = {
    "source": lambda: stream(),
    "map": lambda: stream().map(doubled),
    "batched": lambda: stream().map(twice_each, batched=True, batch_size=3),
    "filter": lambda: stream().filter(is_odd),
    "shuffle": lambda: stream().shuffle(6, generator=seeded()),
    "take": lambda: stream().shuffle(6, generator=seeded()).take(7),
    "skip": lambda: stream().filter(is_odd).skip(3),
    "batch": lambda: stream().batch(3),
    "repeat": lambda: stream(4).shuffle(3, generator=seeded()).repeat(5),
    "chain": lambda: concatenate_datasets([stream(5), stream(4, 50)]),
    "turns": lambda: both(stopping_strategy="all_exhausted"),
    "drawn": lambda: both(
        probabilities=[0.2, 0.8], generator=seeded(), stopping_strategy="all_exhausted"
    ),
}  # fmt: skip
EACH = pytest.mark.parametrize("name", STREAMS)


@EACH
def test_goes_on_from_any_place(name):
    whole = list(STREAMS[name]())
    for cut in range(len(whole) + 1):
        rows = iter(STREAMS[name]())
        assert list(islice(rows, cut)) == whole[:cut]
        state = pickle.loads(pickle.dumps(rows.state_dict()))
        again = STREAMS[name]()
        again.load_state_dict(state)
        assert again.state_dict() == state
        assert list(again) == whole[cut:]


# "turns" and "drawn": workers take turns among their shares, and start those anew by themselves
@pytest.mark.parametrize("name", [name for name in STREAMS if name not in ("turns", "drawn")])
@pytest.mark.parametrize("num_workers", [1, 3])
def test_workers_share_rows(name, num_workers):
    flat = name != "batch"  # each worker makes batches of its own
    expected = Counter(map(str, STREAMS[name]())) if flat else Counter(map(str, range(20)))
    if name == "take":
        expected = None
    loader = DataLoader(
        STREAMS[name](), batch_size=None, num_workers=num_workers, worker_type="thread",
        collate_fn=str,
    )  # fmt: skip
    got = list(loader)
    found = Counter(got if flat else [n for b in got for n in b.strip("[]").split(", ")])
    if expected is None:
        assert len(got) == 7 and max(found.values()) == 1
    else:
        assert found == expected


def test_processes_share_rows_and_resume():
    def loader():
        data = stream(30).shuffle(4).map(doubled)
        return StatefulDataLoader(data, batch_size=4, num_workers=2)

    tp.manual_seed(3)
    first = loader()
    batches = iter(first)
    seen = [n for _ in range(3) for n in next(batches).tolist()]
    again = loader()
    again.load_state_dict(first.state_dict())
    rest = [n for batch in batches for n in batch.tolist()]
    assert [n for batch in again for n in batch.tolist()] == rest
    assert sorted(seen + rest) == list(range(0, 60, 2))


def test_orders_differ_between_passes_and_repeat_with_a_seed():
    data = stream(50).shuffle(20, generator=seeded())
    first, second = list(data), list(data)
    assert first != second and sorted(first) == sorted(second) == list(range(50))
    assert list(stream(50).shuffle(20, generator=seeded())) == first
    tp.manual_seed(5)
    drawn = list(stream(50).shuffle(20))
    tp.manual_seed(5)
    assert list(stream(50).shuffle(20)) == drawn
    assert max(place - n for place, n in enumerate(first)) > 15  # late ones can come early


def test_every_order_is_as_likely():
    counts = Counter(tuple(stream(3).shuffle(3)) for _ in range(1200))
    assert len(counts) == 6 and min(counts.values()) > 140


def test_rounds_differ():
    rounds = list(stream(30).shuffle(30, generator=seeded()).repeat(2))
    assert rounds[:30] != rounds[30:] and sorted(rounds[:30]) == sorted(rounds[30:])
    assert list(islice(stream(2).repeat(), 5)) == [0, 1, 0, 1, 0]
    assert list(stream(0).repeat()) == []


def test_shards_of_processes():
    parts = [list(stream(10).map(doubled).shard(3, i)) for i in range(3)]
    assert parts == [[0, 6, 12, 18], [2, 8, 14], [4, 10, 16]]
    assert list(stream(8).take(6).shard(2, 1)) == [1, 3, 5]
    assert list(stream(16).shard(2, 1).shard(2, 0)) == [1, 5, 9, 13]


def test_rows_that_are_dicts():
    rows = IterableDataset(lambda: [{"a": i, "b": -i} for i in range(4)])
    added = rows.map(lambda row: {"c": row["a"] * 10}, remove_columns="b")
    assert list(added)[3] == {"a": 3, "c": 30}
    many = rows.map(lambda batch: {"c": [a + 1 for a in batch["a"]]}, batched=True, batch_size=3)
    assert list(many)[3] == {"a": 3, "b": -3, "c": 4}
    longer = rows.map(lambda batch: {"d": batch["a"] * 2}, batched=True, remove_columns=["a", "b"])
    assert [row["d"] for row in longer] == [0, 1, 2, 3] * 2
    assert list(rows.batch(3, drop_last_batch=True)) == [{"a": [0, 1, 2], "b": [0, -1, -2]}]
    assert list(rows.select_columns("b"))[1] == {"b": -1}
    assert list(rows.remove_columns(["b"]))[1] == {"a": 1}
    table = rows.to_map_style()
    assert isinstance(table, Dataset) and table["a"] == [0, 1, 2, 3]
    assert stream(3).map(lambda n: {"n": n}).to_map_style().column_names == ["n"]


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        (lambda d: d.shuffle(0), ValueError, "buffer_size"),
        (lambda d: d.batch(0), ValueError, "batch_size"),
        (lambda d: d.map(str, batched=True, batch_size=0), ValueError, "map: batch_size"),
        (lambda d: d.take(-1), ValueError, "take"),
        (lambda d: d.skip(-1), ValueError, "skip"),
        (lambda d: d.shard(2, 2), ValueError, "from 0 to 1"),
        (lambda d: next(iter(d.remove_columns("a"))), DTypeError, "wanted rows that are dicts"),
        (lambda d: next(iter(d.map(lambda n: {"n": n}).select_columns("m"))), UnknownNameError,
         "there are n"),
        (lambda d: next(iter(d.map(lambda n: {"n": n}).map(
            lambda b: {"m": [1]}, batched=True))), ShapeError, "remove_columns="),
        (lambda d: next(iter(d.map(
            lambda b: {"m": [1], "k": [1, 2]}, batched=True))), ShapeError, "different lengths"),
        (lambda d: next(iter(d.map(lambda n: {str(n): n}).batch(3))), UnknownNameError,
         "different columns"),
        (lambda d: iter(d).load_state_dict({}), ValueError, "'parents', 'position', 'seed'"),
        (lambda d: iter(d.batch(2)).load_state_dict({"parents": []}), ValueError, "same steps"),
        (lambda d: iter(d).load_state_dict(3), ValueError, "load_state_dict"),
    ],
)  # fmt: skip
def test_mistakes(change, error, told):
    with pytest.raises(error, match=told):
        change(stream(5))


def test_the_data_set_speaks_for_its_latest_pass():
    data = stream(4)
    start = data.state_dict()
    rows = iter(data)
    next(rows)
    assert data.state_dict() == rows.state_dict() != start
    data.load_state_dict(data.state_dict())
    assert data.state_dict() != start
    assert list(data) == [1, 2, 3] and list(data) == [0, 1, 2, 3]


def test_repr_tells_the_steps():
    assert repr(stream().shuffle(3).take(2)) == "IterableDataset(source > shuffle > window)"
    assert repr(IterableDataset(Numbers(3), num_rows=3)) == "IterableDataset(source, num_rows=3)"
    assert repr(both()) == "IterableDataset(interleaved)"


def test_turns():
    assert list(both()) == [0, 100, 1, 101, 2, 102, 3, 103, 4, 104]
    longest = list(both(stopping_strategy="all_exhausted"))
    assert longest[::2] == [0, 1, 2, 3, 4, 0, 1, 2, 3] and longest[1::2] == list(range(100, 109))
    many = interleave_datasets(
        [stream(10**6), stream(10**6, 10**7)], probabilities=[3, 1], generator=seeded()
    )
    share = sum(n < 10**7 for n in islice(many, 2000)) / 2000
    assert abs(share - 0.75) < 0.04


def test_workers_take_turns_among_their_shares():
    mixed = interleave_datasets([stream(6), stream(6, 100)])
    loader = DataLoader(mixed, batch_size=None, num_workers=2, worker_type="thread")
    assert sorted(int(n) for n in loader) == [*range(6), *range(100, 106)]


def test_tables_stay_tables():
    one, two = Dataset({"n": [1, 2]}), Dataset({"n": [3, 4, 5]})
    assert concatenate_datasets([one, two])["n"] == [1, 2, 3, 4, 5]
    assert interleave_datasets([one, two])["n"] == [1, 3, 2, 4]


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        (lambda: concatenate_datasets([]), DTypeError, "got nothing"),
        (lambda: concatenate_datasets([[1]]), DTypeError, "got list"),
        (lambda: interleave_datasets([stream(), Dataset({})]), DTypeError, "IterableDataset, Data"),
        (lambda: both(stopping_strategy="never"), ValueError, "first_exhausted"),
        (lambda: both(probabilities=[1.0]), ValueError, "2 probabilities"),
        (lambda: both(probabilities=[1, 0]), ValueError, "above 0"),
        (lambda: concatenate_datasets([Dataset({"a": [1]}), Dataset({"b": [1]})]),
         UnknownNameError, "different columns"),
    ],
)  # fmt: skip
def test_mistakes_in_combining(call, error, told):
    with pytest.raises(error, match=told):
        call()

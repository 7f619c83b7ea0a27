"""Large batches through shared memory: same values, nothing left behind, a way out without it."""

import errno
import gc
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from triptych.utils.data import DataLoader, Dataset, shared

LARGE = 1 << 19  # float32 numbers: 2 MiB, twice what it takes to go through shared memory

pytestmark = pytest.mark.skipif(
    not shared._AVAILABLE, reason="needs memfd_create and descriptors through sockets: Linux"
)


class Large(Dataset):
    def __init__(self, n=6, fails_at=None):
        self.n, self.fails_at = n, fails_at

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        if index == self.fails_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"x": np.full(LARGE, index, np.float32), "odd": np.arange(5000 + index, dtype="u1")}


def descriptors():
    links = [os.readlink(p) if p.is_symlink() else "" for p in Path("/proc/self/fd").iterdir()]
    return sum("triptych-batch" in link for link in links)


def mappings():
    return sum(
        "triptych-batch" in line for line in Path("/proc/self/maps").read_text().splitlines()
    )


@pytest.fixture(autouse=True)
def _nothing_is_left():
    yield
    gc.collect()
    end = time.monotonic() + 5
    while mappings() and time.monotonic() < end:
        time.sleep(0.01)
    assert (descriptors(), mappings()) == (0, 0)


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_values_arrive_and_may_be_written_to(context):
    loader = DataLoader(Large(3), batch_size=None, num_workers=1, multiprocessing_context=context)
    for i, sample in enumerate(loader):
        assert mappings() > 0
        assert sample["x"].shape == (LARGE,) and (sample["x"] == i).all()
        assert sample["odd"].tolist() == np.arange(5000 + i, dtype="u1").tolist()
        sample["x"] += 1
        assert (sample["x"] == i + 1).all()
        assert sample["x"].data_ptr() % 64 == 0
        del sample


def test_batches_hold_memory_but_no_descriptors():
    batches = list(DataLoader(Large(), batch_size=None, num_workers=2))
    assert mappings() == 6 and descriptors() == 0
    assert [b["x"][0].item() for b in batches] == [0, 1, 2, 3, 4, 5]
    part = batches[0]["x"][:10]  # a view keeps its memory
    del batches
    gc.collect()
    assert mappings() == 1 and part.tolist() == [0.0] * 10


def test_a_consumer_that_stops_early():
    for _ in range(3):
        for sample in DataLoader(Large(), batch_size=None, num_workers=2):
            assert sample["x"][0].item() == 0
            break
        del sample


def test_a_worker_that_is_killed():
    with pytest.raises(RuntimeError, match="SIGKILL"):
        list(DataLoader(Large(fails_at=3), batch_size=None, num_workers=2))


def no_room(fd, data, offset):
    raise OSError(errno.ENOSPC, "No space left on device")


def no_descriptors(name):
    raise OSError(errno.EMFILE, "Too many open files")


@pytest.mark.parametrize(
    ("name", "failing"), [("pwrite", no_room), ("memfd_create", no_descriptors)]
)
def test_the_pipe_carries_what_shared_memory_cannot(name, failing, monkeypatch):
    monkeypatch.setattr(os, name, failing)
    options = {"num_workers": 1, "multiprocessing_context": "fork"}
    for i, sample in enumerate(DataLoader(Large(3), batch_size=None, **options)):
        assert mappings() == 0
        assert (sample["x"] == i).all()


def test_small_batches_go_through_the_pipe():
    for batch in DataLoader(range(4), num_workers=1):
        assert mappings() == 0 and batch.item() < 4


def test_writing_closes_what_it_cannot_fill(monkeypatch):
    monkeypatch.setattr(os, "pwrite", no_room)
    assert shared.write([memoryview(b"x" * 10)]) is None
    assert descriptors() == 0

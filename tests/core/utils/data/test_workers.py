"""Workers that fail, die, hang or are abandoned."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from triptych.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

KINDS = [{"num_workers": 2}, {"num_workers": 2, "worker_type": "thread"}]
kinds = pytest.mark.parametrize("options", KINDS, ids=["process", "thread"])


class Calls(Dataset):
    """Calls a function for each sample; it may do anything."""

    def __init__(self, function, n=8):
        self.function, self.n = function, n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        return self.function(index)


@pytest.fixture(autouse=True)
def _nothing_is_left():
    before = threading.active_count()
    yield
    gc.collect()  # a caught exception holds the frames it went through, and they the iterator
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if not multiprocessing.active_children() and threading.active_count() <= before:
            return
        time.sleep(0.01)
    pytest.fail(f"left: {multiprocessing.active_children()}, {threading.enumerate()}")


class TwoTexts(Exception):
    def __init__(self, one, two):
        super().__init__(one, two)


def raises(kind, *arguments):
    def function(index):
        if index == 5:
            raise kind(*arguments)
        return index

    return function


@kinds
@pytest.mark.parametrize(
    ("kind", "arguments"),
    [(ValueError, ()), (KeyError, ()), (OSError, (2,)), (MemoryError, ())],
)
def test_exceptions_arrive_as_themselves(options, kind, arguments):
    loader = iter(DataLoader(Calls(raises(kind, *arguments, "bad image")), batch_size=2, **options))
    assert next(loader).tolist() == [0, 1]
    assert next(loader).tolist() == [2, 3]
    with pytest.raises(kind) as caught:
        next(loader)
    assert "bad image" in str(caught.value)
    if "worker_type" not in options:
        text = str(caught.value)
        assert "in DataLoader worker 0 (pid " in text
        assert "raise kind(*arguments)" in text  # the line, from the worker's traceback
        assert "\n" in text
        assert isinstance(caught.value.__cause__, kind)
    else:
        assert caught.value.args == (*arguments, "bad image")
        assert "worker thread 0" in caught.value.__notes__[-1]
    assert next(loader).tolist() == [6, 7]  # an epoch can go on, as in torch


def test_exceptions_that_no_text_makes_become_runtime_errors():
    loader = DataLoader(Calls(raises(TwoTexts, "one", "two")), num_workers=1)
    with pytest.raises(RuntimeError, match=r"TwoTexts in DataLoader worker 0[^$]*one[^$]*two"):
        list(loader)


def test_exceptions_of_local_classes_arrive_as_the_class_above():
    class Local(ValueError):
        pass

    with pytest.raises(ValueError, match="Local") as caught:
        list(DataLoader(Calls(raises(Local, "hidden")), num_workers=1))
    assert "hidden" in str(caught.value)


def test_exceptions_that_cannot_be_pickled_arrive():
    class Baggage:
        def __reduce__(self):
            raise TypeError("stays here")

    with pytest.raises(ValueError, match="Baggage object"):
        list(DataLoader(Calls(raises(ValueError, Baggage())), num_workers=1))


@kinds
def test_errors_of_init_are_told(options):
    def init(worker):
        raise ValueError(f"no licence for worker {worker}")

    with pytest.raises(ValueError, match="no licence for worker 0"):
        list(DataLoader(range(4), worker_init_fn=init, **options))


@kinds
def test_errors_of_a_stream_are_told(options):
    class Broken(IterableDataset):
        def __iter__(self):
            yield 1
            raise ValueError("stream broke")

    with pytest.raises(ValueError, match="stream broke"):
        list(DataLoader(Broken(), **options))


@kinds
def test_errors_of_collate_name_the_element(options):
    def ragged(index):
        return {"x": np.zeros(index)}

    with pytest.raises(ValueError, match=r"sample\['x'\].*sample 1 has \(1,\)"):
        list(DataLoader(Calls(ragged), batch_size=2, **options))


@kinds
def test_stop_iteration_in_a_dataset_is_no_silent_end(options):
    with pytest.raises(RuntimeError, match="raised StopIteration"):
        list(DataLoader(Calls(raises(StopIteration)), **options))


def test_stop_iteration_without_workers_is_no_silent_end():
    with pytest.raises(RuntimeError, match="raised StopIteration"):
        list(DataLoader(Calls(raises(StopIteration))))


def test_batches_that_cannot_be_pickled():
    loader = DataLoader(Calls(lambda i: lambda: i), num_workers=1, collate_fn=list)
    with pytest.raises((AttributeError, TypeError), match="cannot be sent"):
        list(loader)


def kill_self(index):
    if index == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return index


@pytest.mark.parametrize("kept", [False, True])
def test_a_killed_worker_is_an_error_that_names_it(kept):
    loader = DataLoader(Calls(kill_self), batch_size=2, num_workers=2, persistent_workers=kept)
    start = time.monotonic()
    with pytest.raises(RuntimeError) as caught:
        list(loader)
    text = str(caught.value)
    assert "worker 0 (pid " in text
    assert "killed by SIGKILL (exit code -9)" in text
    assert "memory" in text
    assert "while loading batch 2" in text
    assert time.monotonic() - start < 10
    with pytest.raises(RuntimeError, match="SIGKILL"):
        list(loader)  # the next epoch has new workers, which meet the same end


def test_a_worker_that_exits_is_an_error():
    loader = DataLoader(Calls(lambda i: os._exit(3)), num_workers=1)
    with pytest.raises(RuntimeError, match=r"worker 0 \(pid \d+\) exited with exit code 3"):
        list(loader)


def test_a_kept_worker_killed_between_epochs():
    loader = DataLoader(range(4), num_workers=2, persistent_workers=True)
    assert len(list(loader)) == 4
    victim = multiprocessing.active_children()[0]
    os.kill(victim.pid, signal.SIGKILL)
    victim.join()
    with pytest.raises(RuntimeError, match="SIGKILL"):
        list(loader)
    assert len(list(loader)) == 4


def test_a_worker_killed_within_a_message():
    """The parent has half a batch then; it must not wait for the rest."""

    def big(index):
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGKILL)).start()
        return np.zeros(400_000_000, np.uint8)  # takes longer than that to send

    with pytest.raises(RuntimeError, match="SIGKILL"):
        list(DataLoader(Calls(big), batch_size=None, num_workers=1))


@kinds
def test_timeouts(options):
    def hangs(index):
        time.sleep(1.0 if index == 2 else 0)
        return index

    loader = DataLoader(Calls(hangs), timeout=0.3, **options)
    with pytest.raises(RuntimeError, match=r"worker.* 0.* did not deliver batch 2 within 0.3 s"):
        list(loader)


@kinds
@pytest.mark.parametrize("kept", [False, True])
def test_abandoned_epochs_leave_nothing(options, kept):
    loader = DataLoader(Calls(lambda i: i, 100), persistent_workers=kept, **options)
    for batch in loader:
        if batch.item() == 3:
            break
    del loader


def test_kept_workers_end_with_their_loader():
    """At once, not when the garbage collector comes around."""
    gc.disable()
    try:
        loader = DataLoader(range(4), num_workers=2, persistent_workers=True)
        assert len(list(loader)) == 4
        assert len(multiprocessing.active_children()) == 2
        del loader
        assert not multiprocessing.active_children()
    finally:
        gc.enable()


def test_kept_workers_outlive_a_loader_that_is_still_iterated():
    batches = iter(DataLoader(range(9), num_workers=2, persistent_workers=True))
    assert [b.item() for b in batches] == list(range(9))


def test_a_worker_that_is_busy_is_not_waited_for_forever():
    def stuck(index):
        if index == 1:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(60)
        return index

    iterator = iter(DataLoader(Calls(stuck), num_workers=1))
    assert next(iterator).item() == 0
    start = time.monotonic()
    del iterator
    assert time.monotonic() - start < 10


def test_workers_of_a_forked_copy_stay_with_the_parent():
    """A child of this process inherits the loader's objects; dropping them there stops nothing."""
    iterator = iter(DataLoader(range(50), num_workers=1))
    assert next(iterator).item() == 0
    pid = os.fork()
    if pid == 0:
        del iterator
        os._exit(0)
    os.waitpid(pid, 0)
    assert [b.item() for b in iterator] == list(range(1, 50))


def test_workers_use_one_blas_thread():
    library = ctypes.CDLL(np.linalg._umath_linalg.__file__)
    count = getattr(library, "scipy_openblas_get_num_threads64_", None)
    if count is None:
        pytest.skip("NumPy was not built with the OpenBLAS of its wheels")
    assert count() == min(os.cpu_count(), 64)
    assert list(DataLoader(Calls(lambda i: count()), batch_size=None, num_workers=1)) == [1] * 8
    assert count() == min(os.cpu_count(), 64)


def run_script(tmp_path, body, **options):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(body))
    return subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


SCRIPT = """
    import sys
    from triptych.utils.data import DataLoader, Dataset

    class Squares(Dataset):
        def __len__(self):
            return 6
        def __getitem__(self, index):
            return index * index

    if __name__ == "__main__":
        loader = DataLoader(Squares(), 2, num_workers=2, multiprocessing_context="{method}")
        for _ in range(2):
            print([b.tolist() for b in loader])
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_all_start_methods(tmp_path, method):
    done = run_script(tmp_path, SCRIPT.format(method=method))
    assert done.stderr == ""
    assert done.stdout == "[[0, 1], [4, 9], [16, 25]]\n" * 2


def test_spawning_explains_what_must_be_picklable():
    loader = DataLoader(Calls(lambda i: i), num_workers=1, multiprocessing_context="spawn")
    with pytest.raises((AttributeError, TypeError)) as caught:
        list(loader)
    assert "worker_type='thread'" in caught.value.__notes__[-1]


def test_scripts_end_cleanly_in_the_middle_of_an_epoch(tmp_path):
    done = run_script(
        tmp_path,
        """
        from triptych.utils.data import DataLoader
        held = [iter(DataLoader(list(range(9)), num_workers=2, worker_type=kind))
                for kind in ("process", "thread")]
        print([next(i).item() for i in held])
        """,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[0, 0]\n", "")


def test_workers_end_when_the_parent_is_killed(tmp_path):
    done = run_script(
        tmp_path,
        """
        import multiprocessing, os, signal
        from triptych.utils.data import DataLoader
        loaders = [iter(DataLoader(list(range(99)), num_workers=2)) for _ in range(2)]
        print([next(i).item() for i in loaders])
        print(*(p.pid for p in multiprocessing.active_children()), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    pids = [int(p) for p in done.stdout.splitlines()[1].split()]
    assert len(pids) == 4
    end = time.monotonic() + 10
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < end, "workers outlived their parent"
        time.sleep(0.02)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


def test_interrupts_end_the_workers_quietly(tmp_path):
    done = run_script(
        tmp_path,
        """
        import os, signal, threading, time
        from triptych.utils.data import DataLoader, Dataset

        class Slow(Dataset):
            def __len__(self):
                return 9
            def __getitem__(self, index):
                time.sleep(0.2)
                return index

        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background has none
        threading.Timer(0.5, os.killpg, (os.getpgid(0), signal.SIGINT)).start()
        try:
            list(DataLoader(Slow(), num_workers=2))
        except KeyboardInterrupt:
            print("interrupted")
        """,
    )
    assert (done.stdout, done.stderr) == ("interrupted\n", "")


def test_get_worker_info_is_per_thread():
    def ask(index):
        return get_worker_info().id

    loader = DataLoader(Calls(ask), batch_size=None, num_workers=2, worker_type="thread")
    assert list(loader) == [0, 1] * 4
    assert get_worker_info() is None

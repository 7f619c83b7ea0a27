"""The extension as a whole: that it is there, that it can be turned off, threads and forks."""

import os
import subprocess
import sys

import numpy as np
import pytest

import triptych as tp
from triptych.backends import native


def run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def two_threads():
    before = tp.get_num_threads()
    tp.set_num_threads(2)
    yield
    tp.set_num_threads(before)


SHOW = "import triptych as tp; tp.show_config()"


def test_turned_off():
    assert "turned off by TRIPTYCH_NATIVE=0" in run(SHOW, TRIPTYCH_NATIVE="0")
    code = "import triptych as tp; x = tp.ones(1000); print(tp.softmax(x, 0).sum().item() > 0.99)"
    assert run(code, TRIPTYCH_NATIVE="0").strip() == "True"


@pytest.mark.native
def test_a_lesser_instruction_set_can_be_asked_for():
    assert "native kernels: baseline" in run(SHOW, TRIPTYCH_NATIVE="baseline")


@pytest.mark.native
def test_threads_as_the_environment_says():
    assert "1 thread\n" in run(SHOW, OMP_NUM_THREADS="1")
    assert "3 threads" in run(SHOW, OMP_NUM_THREADS="3")


@pytest.mark.native
def test_results_do_not_depend_on_who_computes(two_threads):
    x = tp.randn(501, 1021)
    many = tp.softmax(x, -1)
    tp.set_num_threads(1)
    assert tp.equal(tp.softmax(x, -1), many)


@pytest.mark.native
def test_pool_survives_a_fork(two_threads):
    code = """
import os, triptych as tp
tp.set_num_threads(2)
x = tp.randn(2000, 1000)
want = tp.softmax(x, -1)
child = os.fork()
if child == 0:
    os._exit(0 if tp.equal(tp.softmax(x, -1), want) else 1)
print(os.waitpid(child, 0)[1], tp.equal(tp.softmax(x, -1), want))
"""
    assert run(code).split() == ["0", "True"]


@pytest.mark.native
def test_calls_from_several_threads_at_once(two_threads):
    from concurrent.futures import ThreadPoolExecutor

    x = tp.randn(300, 1000)
    want = tp.softmax(x, -1)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: tp.softmax(x, -1), range(40)))
    assert all(tp.equal(y, want) for y in found)


@pytest.mark.native
def test_a_call_that_does_not_fit_takes_numpys_path():
    before = native.calls()["softmax"]
    x = tp.randn(64, 64)
    tp.softmax(x.double(), -1), tp.softmax(x[:2, :2], -1), tp.softmax(x[:0], -1)
    assert native.calls()["softmax"] == before
    tp.softmax(x, -1)
    assert native.calls()["softmax"] == before + 1


@pytest.mark.native
class TestMemory:
    """The allocator."""

    def test_borders_of_cache_lines(self):
        places = [np.empty(n, np.uint8).__array_interface__["data"][0] for n in range(1, 5000, 37)]
        assert all(place % 64 == 0 for place in places)

    def test_memory_is_used_again(self):
        tp.cpu.empty_cache()
        x = np.ones(1 << 20)
        del x
        before = tp.cpu.memory_stats()
        np.empty(1 << 20)
        after = tp.cpu.memory_stats()
        assert after["reused"] > before["reused"]
        assert after["reserved"] == before["reserved"]

    @pytest.mark.parametrize("count", [1, 100, 1 << 10, 1 << 16, 1 << 19])
    def test_zeros_are_zeros_again(self, count):
        for _ in range(3):
            x = np.zeros(count)
            assert not x.any()
            x[:] = 1
            del x

    def test_growing_keeps_what_is_there(self):
        x = np.arange(10)
        for n in (11, 100, 10**5, 10**6, 50):
            kept = min(n, x.size)
            want = x[:kept].copy()
            x.resize(n, refcheck=False)
            assert (x[:kept] == want).all()
            assert not x[kept:].any()

    def test_statistics_and_limit(self):
        limit = tp.cpu.memory_stats()["limit"]
        try:
            tp.cpu.empty_cache()
            before = tp.cpu.memory_allocated()
            x = np.empty(1 << 23, np.uint8)
            assert tp.cpu.memory_allocated() == before + (1 << 23)
            assert tp.cpu.max_memory_allocated() >= before + (1 << 23)
            del x
            assert tp.cpu.memory_allocated() == before
            assert tp.cpu.memory_reserved() - tp.cpu.memory_allocated() >= 1 << 23
            tp.cpu.set_memory_limit(0)
            assert tp.cpu.memory_reserved() - tp.cpu.memory_allocated() < 1 << 20
        finally:
            tp.cpu.set_memory_limit(limit)
        with pytest.raises(tp.ShapeError, match=r"set_memory_limit.*got -1"):
            tp.cpu.set_memory_limit(-1)

    def test_what_waits_longest_goes_first(self):
        limit = tp.cpu.memory_stats()["limit"]
        try:
            tp.cpu.empty_cache()
            tp.cpu.set_memory_limit(6 << 20)
            old, new = np.empty(4 << 20, np.uint8), np.empty(5 << 20, np.uint8)
            del old, new
            fresh = tp.cpu.memory_stats()["fresh"]
            np.empty(5 << 20, np.uint8)
            assert tp.cpu.memory_stats()["fresh"] == fresh
            np.empty(4 << 20, np.uint8)
            assert tp.cpu.memory_stats()["fresh"] == fresh + 1
        finally:
            tp.cpu.set_memory_limit(limit)

    def test_other_threads_have_it_too(self):
        from threading import Thread

        found = []
        before = tp.cpu.memory_allocated()

        def work():
            found.append(tp.softmax(tp.randn(1000, 1000), -1))
            found.append(tp.cpu.memory_allocated())

        thread = Thread(target=work)
        thread.start()
        thread.join()
        assert found[1] - before >= 4_000_000

    def test_numpys_own_kernels_use_it(self):
        x = tp.ones(1 << 17, dtype=tp.float64)
        found = []

        def work():
            before = tp.cpu.memory_allocated()
            y = tp.cos(x)
            found.append(tp.cpu.memory_allocated() - before)
            return y

        from threading import Thread

        work()
        thread = Thread(target=work)
        thread.start()
        thread.join()
        assert found == [1 << 20] * 2

    def test_can_be_left_to_numpy(self):
        code = SHOW + "; x = tp.ones(10**6); print(tp.cpu.memory_allocated())"
        out = run(code, TRIPTYCH_ALLOCATOR="0")
        assert "memory of arrays: NumPy's" in out
        assert out.split()[-1] == "0"


# An address space that ends soon after what there is; what a call did, and the same call again.
SHORT_OF_MEMORY = """
import re, resource, sys
import triptych as tp
tp.set_num_threads(int(sys.argv[1]))
x, w, s = tp.randn(8, 64, 56, 56), tp.randn(64, 64, 3, 3), tp.randn(2000, 2000)
conv = tp.nn.functional.conv2d
call = {"conv": lambda: conv(x, w, padding=1), "mm": lambda: s @ s}[sys.argv[2]]
with tp.no_grad():
    tp.relu(x)  # threads are there
    kept = [tp.zeros_like(x) for _ in range(4)] + [tp.zeros_like(s) for _ in range(4)]
    del kept  # memory for results is there
    with open("/proc/self/status") as file:
        used = 1024 * int(re.search(r"VmSize:\\s+(\\d+)", file.read())[1])
    # Enough for what the C library needs for a thread, without which it ends the process.
    resource.setrlimit(resource.RLIMIT_AS, (used + 3_000_000, resource.RLIM_INFINITY))
    try:
        call()
    except MemoryError:
        print("MemoryError")
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(call().isfinite().all().item())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="sets a limit as Linux has it")
@pytest.mark.parametrize("threads", ["1", "2", "4"])
@pytest.mark.parametrize("name", ["conv", "mm"])
def test_no_memory_for_intermediate_results_is_an_error_and_no_end(threads, name):
    command = [sys.executable, "-c", SHORT_OF_MEMORY, threads, name]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() in (["MemoryError", "True"], ["True"])


@pytest.mark.skipif(sys.platform != "linux", reason="sets a limit as Linux has it")
def test_fewer_threads_than_asked_for_are_enough():
    code = """
import resource, triptych as tp
tp.set_num_threads(500)
resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, resource.RLIM_INFINITY))  # for stacks
print(tp.softmax(tp.randn(1000, 1000), -1).sum().round().item())
"""
    assert run(code).strip() == "1000.0"

"""Streams, events, memory and the current GPU, over the stand-in for CuPy with what they need."""

import types

import pytest

import triptych as tp
from triptych.backends import backend_for
from triptych.backends.cupy_backend import Placed
from triptych.utils.data import DataLoader, DeviceLoader, StatefulDataLoader


def test_the_current_gpu_is_what_cuda_means(gpu):
    with tp.cuda.device(1):
        assert str(tp.zeros(1, device="cuda").device) == "cuda:1"
        assert tp.cuda.current_device() == 1
    assert tp.zeros(1, device="cuda").device.index == 0
    with tp.cuda.device(-1), tp.cuda.device(None):
        assert tp.cuda.current_device() == 0
    tp.cuda.set_device("cuda:1")
    assert tp.accelerator.current_device_index() == 1
    x = tp.ones(1, device="cuda:0")
    with tp.cuda.device_of(x):
        assert tp.cuda.current_device() == 0
    with pytest.raises(tp.DeviceError, match="2 CUDA device"):
        tp.cuda.set_device(5)


def test_tensors_are_made_on_the_default_device(gpu):
    tp.set_default_device("cuda:1")
    assert str(tp.tensor([1.0]).device) == str(tp.rand(2).device) == "cuda:1"
    with tp.device("cpu"):
        assert str(tp.ones(1).device) == "cpu"
    assert str(tp.arange(2).device) == "cuda:1"


def test_streams_make_themselves_current(gpu):
    s = tp.cuda.Stream()
    assert tp.cuda.current_stream() == tp.cuda.default_stream() != s
    with s:
        assert tp.cuda.current_stream() == s
    with tp.cuda.stream(s), tp.cuda.stream(None):
        assert tp.cuda.current_stream() == s
    assert tp.cuda.current_stream() == tp.cuda.default_stream()
    tp.cuda.set_stream(s)
    assert tp.cuda.current_stream() == s and s.query() and s.device == tp.device("cuda:0")


def test_events_are_recorded_and_waited_for(gpu):
    s, event = tp.cuda.Stream(), tp.cuda.Event(enable_timing=True)
    event.record(s)
    event.wait()
    s.wait_stream(tp.cuda.default_stream())
    names = [entry[0] for entry in gpu.Queue.log]
    assert names == ["record", "wait_event", "record", "wait_event"]
    assert event.elapsed_time(s.record_event()) == 2.5
    assert event._made().options["disable_timing"] is False


def test_memory_and_its_peak(gpu):
    assert (tp.cuda.memory_allocated(), tp.cuda.memory_reserved()) == (100, 300)
    gpu.Pool.used = 900
    gpu.Pool.hooks[-1].malloc_postprocess(device_id=0)
    gpu.Pool.used = 100
    assert tp.cuda.max_memory_allocated() == 900 and tp.cuda.max_memory_allocated(1) == 100
    tp.cuda.reset_peak_memory_stats()
    assert tp.cuda.max_memory_allocated() == 100 and tp.cuda.max_memory_reserved() == 300
    assert tp.cuda.mem_get_info() == (7, 9)


def test_memory_can_be_limited(gpu, monkeypatch):
    limits = []
    monkeypatch.setattr(
        gpu.Pool, "set_limit", lambda self, **limit: limits.append(limit), raising=False
    )
    tp.cuda.set_per_process_memory_fraction(0.5)
    tp.cuda.set_per_process_memory_fraction(1.0, "cuda:1")
    assert limits == [{"fraction": 0.5}, {"size": 0}]
    with pytest.raises(tp.DomainError, match="wanted a fraction from 0 to 1, got 2"):
        tp.cuda.set_per_process_memory_fraction(2)


def test_what_the_gpu_is(gpu):
    assert tp.cuda.get_device_name(1) == "Imaginary"
    assert tp.cuda.get_device_capability() == (8, 6)
    assert tp.cuda.get_device_properties().total_memory == 1 << 30
    assert tp.cuda.is_bf16_supported(including_emulation=False)
    found = tp.accelerator.current_accelerator()
    assert found.type == "cuda" and found.index is None
    with pytest.raises(tp.DTypeError, match="wanted a CUDA device, got cpu"):
        tp.cuda.get_device_name("cpu")


def test_sums_into_places_are_refused_when_asked_to_be_deterministic(gpu):
    x = tp.zeros(2, device="cuda", dtype=tp.complex64)  # real numbers have a kernel for it
    places, ones = tp.tensor([0, 0], device="cuda"), tp.ones_like(x)
    tp.use_deterministic_algorithms(True)
    with pytest.raises(RuntimeError, match="scatter: not deterministic on a GPU"):
        x.scatter_add(0, places, ones)
    assert (x + ones).cpu().tolist() == [1, 1]
    assert x.int().scatter_add(0, places, ones.int()).cpu().tolist() == [2, 0]  # in any order
    y = tp.ones(2, device="cuda", requires_grad=True)
    y[tp.tensor([False, True], device="cuda")].sum().backward()  # no place comes twice
    assert y.grad.cpu().tolist() == [0, 1]
    tp.use_deterministic_algorithms(True, warn_only=True)
    with pytest.warns(UserWarning, match="not deterministic"):
        assert x.scatter_add(0, places, ones).cpu().tolist() == [2, 0]


def test_pinned_memory_is_a_copy(gpu):
    x = tp.arange(6.0).reshape(2, 3)
    pinned = x.pin_memory()
    assert pinned.is_pinned() and not x.is_pinned() and tp.equal(pinned, x)
    assert pinned.pin_memory() is pinned


def test_copies_that_do_not_wait_go_through_pinned_memory(gpu):
    x = tp.arange(6.0).reshape(2, 3)
    sent = x.pin_memory().cuda(non_blocking=True)
    assert sent.is_cuda and tp.equal(sent.cpu(), x)
    back = sent.to("cpu", non_blocking=True)
    assert back.is_pinned() and tp.equal(back, x)
    assert not sent.cpu().is_pinned()
    assert tp.equal(x.t().pin_memory().t().to("cuda", non_blocking=True).cpu(), x)
    y = tp.zeros(2, 3, device="cuda").copy_(x.pin_memory(), non_blocking=True)
    assert tp.equal(y.cpu(), x)


def test_pinned_memory_is_held_until_its_copy_is_done(gpu, monkeypatch):
    copies = backend_for(tp.device("cuda")).copies
    tp.ones(3).pin_memory().cuda(non_blocking=True)
    assert not copies._under_way  # the stand-in is done at once
    monkeypatch.setattr(gpu.cuda, "Event", lambda **options: late)
    late = gpu.Queue()
    late.done = False
    tp.ones(3).pin_memory().cuda(non_blocking=True)
    tp.ones(4).pin_memory().cuda(non_blocking=True)
    assert [array.size for _, array in copies._under_way] == [3, 4]
    late.done = True
    tp.ones(5).pin_memory().cuda(non_blocking=True)
    assert not copies._under_way


def test_gradients_come_back_from_the_gpu(gpu):
    x = tp.ones(2, requires_grad=True)
    (x.cuda(non_blocking=True) * 3).sum().backward()
    assert x.grad.tolist() == [3, 3] and not x.grad.is_cuda


def test_a_full_gpu_says_who_holds_it(gpu):
    full = gpu.cuda.memory.OutOfMemoryError("Out of memory allocating 16 bytes.")
    with pytest.raises(tp.OutOfMemoryError) as caught, Placed(gpu, 1, "matmul"):
        raise full
    assert str(caught.value).startswith(
        "matmul: cuda:1 is full. Out of memory allocating 16 bytes. Tensors and arrays hold 100 "
        "bytes, the pool keeps 200 bytes for later, 7 bytes of 9 bytes are free. Take smaller"
    )
    assert isinstance(caught.value, MemoryError) and tp.cuda.OutOfMemoryError is tp.OutOfMemoryError
    assert gpu.cuda.Device().id == 0


def test_every_way_onto_a_full_gpu_has_the_clear_error(gpu, monkeypatch):
    def full(*args, **kwargs):
        raise gpu.cuda.memory.OutOfMemoryError("Out of memory allocating 8 bytes.")

    monkeypatch.setattr(gpu, "asarray", full)
    for copy in (lambda: tp.ones(2).cuda(), lambda: tp.ones(2).cuda(non_blocking=True)):
        with pytest.raises(tp.OutOfMemoryError, match="copying to the GPU: cuda:0 is full"):
            copy()
    place = backend_for(tp.device("cuda")).on(tp.device("cuda:1"))
    with pytest.raises(tp.OutOfMemoryError, match="creating a tensor: cuda:1 is full"), place:
        full()


def test_products_may_use_tf32_where_the_gpu_has_it(gpu, monkeypatch):
    set_to = []
    kinds = types.SimpleNamespace(COMPUTE_TYPE_DEFAULT="default", COMPUTE_TYPE_TF32="tf32")
    core = types.SimpleNamespace(
        _routines_linalg=kinds, set_compute_type=lambda dtype, kind: set_to.append(kind)
    )
    monkeypatch.setattr(gpu, "_core", core, raising=False)
    monkeypatch.setattr(gpu.cuda.Device, "compute_capability", "86", raising=False)
    try:
        tp.set_float32_matmul_precision("high")  # before CuPy is loaded
        tp.ones(1, device="cuda")
        tp.set_float32_matmul_precision("highest")
        monkeypatch.setattr(gpu.cuda.Device, "compute_capability", "75", raising=False)
        tp.set_float32_matmul_precision("medium")
    finally:
        tp.set_float32_matmul_precision("highest")
    assert set_to == ["tf32", "default", "default", "default"]


def test_batches_wait_on_the_gpu_for_their_copies(gpu):
    batches = DeviceLoader([{"x": tp.ones(2)}, {"x": tp.zeros(2)}], "cuda:1")
    gpu.Queue.log.clear()
    first, second = batches
    assert str(first["x"].device) == "cuda:1" and second["x"].tolist() == [0, 0]
    # For each: the lane waits for the consumer, marks its copy, the consumer waits for the mark.
    names = [entry[0] for entry in gpu.Queue.log]
    assert names.count("record") == 4 and names.count("wait_event") == 4


def test_a_data_loader_hands_out_batches_on_a_device(gpu):
    x = tp.arange(6.0)
    data = [(x[i], i) for i in range(6)]
    for options in ({}, {"pin_memory": True}, {"num_workers": 1, "worker_type": "thread"}):
        batches = list(DataLoader(data, batch_size=4, device="cuda", **options))
        assert [b[0].is_cuda and b[1].is_cuda for b in batches] == [True, True]
        assert tp.equal(batches[0][0].cpu(), x[:4])
    pinned = next(iter(DataLoader(data, batch_size=2, pin_memory=True)))
    assert pinned[0].is_pinned() and pinned[1].is_pinned()


def test_a_stateful_loader_on_a_device_goes_on_where_it_was(gpu):
    loader = StatefulDataLoader(list(range(6)), batch_size=2, device="cuda")
    batches = iter(loader)
    assert next(batches).tolist() == [0, 1]
    again = StatefulDataLoader(list(range(6)), batch_size=2, device="cuda")
    again.load_state_dict(loader.state_dict())
    assert [b.tolist() for b in again] == [[2, 3], [4, 5]]


def test_without_a_gpu_questions_have_answers_and_work_has_errors():
    assert not tp.cuda.is_available() and not tp.accelerator.is_available()
    assert tp.cuda.memory_allocated() == tp.cuda.max_memory_reserved() == 0
    assert tp.accelerator.current_accelerator() is None
    tp.cuda.reset_peak_memory_stats()
    for call in (tp.cuda.Stream, tp.cuda.current_stream, tp.cuda.get_device_name, tp.cuda.init):
        with pytest.raises(tp.MissingDependencyError, match="CuPy"):
            call()
    with pytest.raises(tp.DeviceError, match="accelerator: this machine has none"):
        tp.accelerator.synchronize()

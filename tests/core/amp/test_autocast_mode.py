"""Autocast regions: what they convert, how they nest, and that backward and compile agree."""

import pickle
import threading

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.amp import autocast_mode
from triptych.autograd import grad
from triptych.prims import TABLE
from triptych.state import state

F = nn.functional


@pytest.fixture
def net():
    tp.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


@pytest.fixture
def x():
    return tp.tensor(np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32))


CASES = [
    (lambda a: a @ a.mT, "bfloat16"),
    (lambda a: tp.bmm(a[None], a.mT[None]), "bfloat16"),
    (lambda a: tp.einsum("ij,kj->ik", a, a), "bfloat16"),
    (lambda a: tp.addmm(tp.ones(5, 5), a, a.mT), "bfloat16"),
    (lambda a: F.linear(a, tp.ones(3, 4), tp.ones(3)), "bfloat16"),
    (lambda a: F.conv1d(a[None], tp.ones(2, 5, 3), tp.ones(2)), "bfloat16"),
    (lambda a: F.conv_transpose1d(a[None], tp.ones(5, 2, 3), tp.ones(2)), "bfloat16"),
    (lambda a: nn.LSTM(4, 3)(a)[0], "bfloat16"),
    (lambda a: F.scaled_dot_product_attention(a[None], a[None], a[None]), "bfloat16"),
    (lambda a: tp.tensordot(a, a, dims=2), "float32"),
    (lambda a: a + 1, "float32"),
    (lambda a: a.bfloat16() * 2, "bfloat16"),
    (lambda a: a.bfloat16() * a, "float32"),
    (lambda a: tp.cat([a.bfloat16(), a]), "float32"),
    (lambda a: tp.where(a > 0, a.bfloat16(), a.half()), "float32"),
    (lambda a: a.bfloat16().relu(), "bfloat16"),
    (lambda a: F.gelu(a.bfloat16()), "bfloat16"),
    (lambda a: a.bfloat16().mean(), "bfloat16"),
    (lambda a: F.avg_pool1d(a[None].bfloat16(), 2), "bfloat16"),
    (lambda a: F.adaptive_avg_pool1d(a[None].bfloat16(), 3), "bfloat16"),
    (lambda a: a.bfloat16().exp(), "float32"),
    (lambda a: a.bfloat16() ** 2, "float32"),
    (lambda a: a.bfloat16().sum(), "float32"),
    (lambda a: a.bfloat16().cumsum(0), "float32"),
    (lambda a: a.bfloat16().softmax(-1), "float32"),
    (lambda a: F.layer_norm(a.bfloat16(), (4,)), "float32"),
    (lambda a: F.group_norm(a.bfloat16(), 2), "float32"),
    (lambda a: F.mse_loss(a.bfloat16(), a.bfloat16()), "float32"),
    (lambda a: F.cross_entropy(a.bfloat16(), tp.zeros(5).long()), "float32"),
    (lambda a: F.binary_cross_entropy_with_logits(a.bfloat16(), a.sigmoid()), "float32"),
    (lambda a: F.interpolate(a[None].bfloat16(), 8, mode="linear"), "float32"),
    (lambda a: tp.cov(a), "float32"),
    (lambda a: a.double() @ a.double().mT, "float64"),
    (lambda a: a.double().exp(), "float64"),
    (lambda a: a.long() + 1, "int64"),
]


@pytest.mark.parametrize(("call", "dtype"), CASES)
def test_each_operation_computes_in_its_class(x, call, dtype):
    with tp.autocast("cpu"):
        assert call(x).dtype.name == dtype


def test_losses_convert_before_they_subtract():
    a = tp.full((8,), 300.0).bfloat16()
    b = tp.full((8,), 301.0)  # the nearest bfloat16 is 300 or 302
    with tp.autocast("cpu"):
        assert F.l1_loss(a, b).item() == 1.0


def test_interpolation_keeps_single_precision(x):
    with tp.autocast("cpu"):
        found = F.interpolate(x[None], 7, mode="linear")
    assert tp.equal(found, F.interpolate(x[None], 7, mode="linear"))


@pytest.mark.parametrize("dtype", [tp.bfloat16, tp.float16])
def test_products_accumulate_in_single(dtype):
    rng = np.random.default_rng(1)
    a, b = (tp.tensor(rng.normal(size=s).astype(np.float32)) for s in ((3, 4096), (4096, 2)))
    with tp.autocast("cpu", dtype=dtype):
        found = a @ b
    exact = a.to(dtype).double() @ b.to(dtype).double()
    assert found.dtype is dtype
    eps = tp.finfo(dtype).eps
    assert ((found.double() - exact).abs() <= eps * exact.abs() + 1e-3).all()


@pytest.mark.parametrize("dtype", [tp.bfloat16, tp.float16])
def test_convolution_rounds_once(dtype):
    rng = np.random.default_rng(2)
    x, w = (
        tp.tensor(rng.normal(size=s).astype(np.float32)) for s in ((1, 64, 9, 9), (2, 64, 3, 3))
    )
    with tp.autocast("cpu", dtype=dtype):
        found = F.conv2d(x, w)
    exact = F.conv2d(x.to(dtype).double(), w.to(dtype).double())
    assert ((found.double() - exact).abs() <= tp.finfo(dtype).eps * exact.abs() + 1e-4).all()


def test_gradients_have_the_dtypes_of_their_inputs(net, x):
    x.requires_grad_()
    with tp.autocast("cpu"):
        loss = F.mse_loss(net(x), tp.zeros(5, 2))
    loss.backward()
    assert all(p.grad.dtype is tp.float32 for p in net.parameters())
    assert x.grad.dtype is tp.float32


def test_backward_runs_in_the_dtype_of_forward(x):
    w = tp.ones(3, 4, requires_grad=True)
    with tp.autocast("cpu"):
        y = F.linear(x, w)
    found = grad(y.sum(), w)[0]
    expected = tp.ones(5, 3).bfloat16().mT @ x.bfloat16()
    assert tp.equal(found, expected.float())


def test_backward_inside_a_region_gives_the_same(net, x):
    def gradients(inside):
        with tp.autocast("cpu"):
            loss = F.mse_loss(net(x), tp.zeros(5, 2))
            if inside:
                return grad(loss, list(net.parameters()))
        return grad(loss, list(net.parameters()))

    for one, two in zip(gradients(True), gradients(False), strict=True):
        assert tp.equal(one, two)


def test_second_derivatives_flow_through_the_casts():
    w = tp.tensor([[1.5]], requires_grad=True)
    with tp.autocast("cpu"):
        y = (w @ w) @ w
    (first,) = grad(y.sum(), w, create_graph=True)
    (second,) = grad(first.sum(), w)
    assert first.item() == 6.75
    assert second.item() == 9.0


def test_regions_nest_and_can_be_switched_off(net, x):
    with tp.autocast("cpu"):
        assert net(x).dtype is tp.bfloat16
        with tp.autocast("cpu", dtype=tp.float16):
            assert net(x).dtype is tp.float16
            assert tp.get_autocast_dtype("cpu") is tp.float16
        with tp.autocast("cpu", enabled=False):
            assert net(x).dtype is tp.float32
            assert not tp.is_autocast_enabled("cpu")
            with tp.autocast("cpu"):
                assert net(x).dtype is tp.bfloat16
        assert net(x).dtype is tp.bfloat16
    assert net(x).dtype is tp.float32
    assert state.trace is None
    assert state.run is state.quiet


def test_a_region_ends_when_its_block_raises():
    with pytest.raises(KeyError), tp.autocast("cpu"):
        raise KeyError
    assert state.trace is None


def test_it_decorates_functions_that_call_themselves(x):
    @tp.autocast("cpu")
    def power(a, n):
        assert tp.is_autocast_enabled("cpu")
        return a if n == 1 else a @ power(a, n - 1)

    square = x[:4]
    assert power(square, 3).dtype is tp.bfloat16
    assert state.trace is None


def test_a_region_belongs_to_its_thread():
    found = []
    with tp.autocast("cpu"):
        thread = threading.Thread(target=lambda: found.append(tp.is_autocast_enabled("cpu")))
        thread.start()
        thread.join()
    assert found == [False]


def test_no_grad_inside_does_not_spoil_the_weights_converted_before(x):
    w = tp.ones(3, 4, requires_grad=True)
    with tp.autocast("cpu"):
        with tp.no_grad():
            F.linear(x, w)
        assert F.linear(x, w).requires_grad


def count_casts(monkeypatch, fn):
    calls, real = [], autocast_mode.cast
    monkeypatch.setattr(autocast_mode, "cast", lambda *a, **k: calls.append(1) or real(*a, **k))
    fn()
    return len(calls)


def test_weights_are_converted_once_per_region(monkeypatch, x):
    w, low = tp.ones(4, 4, requires_grad=True), x.bfloat16()

    def three_times(**options):
        def run():
            with tp.autocast("cpu", **options):
                for _ in range(3):
                    F.linear(low, w)

        return run

    assert count_casts(monkeypatch, three_times()) == 1
    assert count_casts(monkeypatch, three_times(cache_enabled=False)) == 3


def test_a_weight_that_was_written_to_is_converted_again():
    w = tp.ones(1, 1, requires_grad=True)
    with tp.autocast("cpu"):
        assert (w @ w).item() == 1
        with tp.no_grad():
            w.mul_(2)
        assert (w @ w).item() == 4
        tp.clear_autocast_cache()
        assert (w @ w).item() == 4


def test_an_optimizer_step_inside_a_region_keeps_single_precision(net, x):
    optimizer = tp.optim.Adam(net.parameters(), lr=0.1)
    with tp.autocast("cpu"):
        net(x).sum().backward()
        optimizer.step()
    assert {p.dtype for p in net.parameters()} == {tp.float32}
    moments = [v for s in optimizer.state.values() for v in s.values() if isinstance(v, tp.Tensor)]
    assert {m.dtype for m in moments} == {tp.float32}


def test_in_place_results_stay_in_the_dtype_of_their_tensor():
    total = tp.zeros(2).bfloat16()
    with tp.autocast("cpu"):
        total.add_(tp.ones(2)).exp_()
    assert total.dtype is tp.bfloat16


# Compile


def make_step(net, x):
    def step():
        with tp.autocast("cpu"):
            loss = F.mse_loss(net(x), tp.zeros(5, 2))
        return [loss.detach(), *grad(loss, list(net.parameters()))]

    return step


def test_a_region_inside_a_capture(net, x):
    step = make_step(net, x)
    graph = tp.graph.capture(step)
    for one, two in zip(tp.graph.replay(graph), step(), strict=True):
        assert tp.equal(one, two)
    with tp.no_grad():
        for p in net.parameters():
            p.mul_(0.5)  # a replay converts the weights of today
    for one, two in zip(tp.graph.replay(graph), step(), strict=True):
        assert tp.equal(one, two)


def test_a_compiled_function_has_a_graph_per_setting(net, x):
    with tp.no_grad():
        compiled = tp.compile(lambda a: net(a))
        for _ in range(3):
            assert compiled(x).dtype is tp.float32
            for dtype in (tp.bfloat16, tp.float16):
                with tp.autocast("cpu", dtype=dtype):
                    assert tp.equal(compiled(x), net(x))
                    assert compiled(x).dtype is dtype
    assert len(compiled.entries) == 3
    assert all(entry.graphs for entry in compiled.entries.values())


def test_function_transforms_inside_a_region(x):
    w = tp.ones(4, 3)
    with tp.autocast("cpu"):
        rows = tp.func.vmap(lambda row: row @ w)(x)
        slope = tp.func.grad(lambda w: (x @ w).sum())(w)
        assert rows.dtype is tp.bfloat16
        assert tp.equal(rows, x @ w)
    assert slope.dtype is tp.float32


# Settings


def test_switches_for_the_thread(net, x):
    assert not tp.is_autocast_enabled()
    tp.set_autocast_enabled("cpu", True)
    try:
        assert tp.is_autocast_cpu_enabled()
        assert net(x).dtype is tp.bfloat16
        tp.set_autocast_dtype("cpu", tp.float16)
        assert net(x).dtype is tp.get_autocast_cpu_dtype() is tp.float16
    finally:
        tp.set_autocast_dtype("cpu", tp.bfloat16)
        tp.set_autocast_cpu_enabled(False)
    assert state.trace is None
    assert net(x).dtype is tp.float32


def test_a_switch_inside_a_region_ends_with_it(net, x):
    with tp.autocast("cpu"):
        tp.set_autocast_enabled("cpu", False)
        assert net(x).dtype is tp.float32
    assert state.trace is None


def test_cache_switch():
    assert tp.is_autocast_cache_enabled()
    tp.set_autocast_cache_enabled(False)
    try:
        assert not tp.is_autocast_cache_enabled()
    finally:
        tp.set_autocast_cache_enabled(True)


def test_defaults_and_availability():
    assert tp.get_autocast_dtype("cpu") is tp.bfloat16
    assert tp.get_autocast_gpu_dtype() is tp.float16
    assert tp.amp.is_autocast_available("cpu")
    assert not tp.amp.is_autocast_available("abacus")


def test_what_cannot_be_is_said():
    with pytest.raises(tp.DeviceError, match="'cpu' or 'cuda', got 'abacus'"):
        tp.autocast("abacus")
    with pytest.warns(UserWarning, match="wanted float16 or bfloat16, got float64"):
        region = tp.autocast("cpu", dtype=tp.float64)
    with region:
        assert not tp.is_autocast_enabled("cpu")


@pytest.mark.skipif(tp.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_a_region_for_it_is_off(net, x):
    with pytest.warns(UserWarning, match="no cuda device was found"):
        region = tp.autocast("cuda")
    with region:
        assert net(x).dtype is tp.float32


def test_every_class_is_in_the_table():
    assert {p.amp for p in TABLE.values() if isinstance(p.amp, str)} == {
        "low",
        "single",
        "widest",
        "as is",
    }


def test_marked_functions_keep_their_name_and_signature():
    assert F.mse_loss.__name__ == "mse_loss"
    assert pickle.loads(pickle.dumps(F.mse_loss)) is F.mse_loss

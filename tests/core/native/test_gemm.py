"""Matrix products of the extension beside NumPy's in float64: strides, leading dims, threads."""

import os
import subprocess
import sys

import numpy as np
import pytest

import triptych as tp
from triptych.backends import native

pytestmark = pytest.mark.native

LAYOUTS = {
    "packed": np.ascontiguousarray,
    "swapped": lambda x: np.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2),
    "part": lambda x: np.pad(x, [(0, 0)] * (x.ndim - 1) + [(2, 3)])[..., 2:-3],
    "every second": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "backwards": lambda x: np.ascontiguousarray(x[..., ::-1, :])[..., ::-1, :],
}
SHAPES = [
    ((1, 1), (1, 1)),
    ((1, 300), (300, 70)),
    ((70, 300), (300, 1)),
    ((3, 129), (129, 1100)),
    ((29, 400), (400, 31)),
    ((61, 17), (17, 67)),
    ((197, 401), (401, 130)),
    ((20, 3, 5), (20, 5, 7)),
    ((2, 3, 50, 20), (2, 3, 20, 40)),
    ((6, 50, 20), (20, 40)),
    ((50, 20), (6, 20, 40)),
    ((4, 1, 33, 20), (3, 20, 40)),
]


@pytest.fixture(params=[1, 2])
def threads(request):
    before = tp.get_num_threads()
    tp.set_num_threads(request.param)
    yield request.param
    tp.set_num_threads(before)


def floats(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def taken(name):
    return native.calls()[name]


def assert_close(got, a, b, plus=0.0):
    want = a.astype(np.float64) @ b.astype(np.float64) + plus
    bound = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64) + np.abs(plus)
    assert got.shape == want.shape
    assert got.dtype == np.float32
    assert (np.abs(got - want) <= 4e-7 * (a.shape[-1] ** 0.5 + 2) * bound + 1e-30).all()


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("left", LAYOUTS)
@pytest.mark.parametrize("right", LAYOUTS)
def test_matmul(shapes, left, right, threads):
    a, b = LAYOUTS[left](floats(*shapes[0])), LAYOUTS[right](floats(*shapes[1], seed=1))
    before = taken("matmul")
    assert_close(native.native.matmul(a, b), a, b)
    assert taken("matmul") == before + 1


@pytest.mark.parametrize("shape", [(7,), (1, 7), (5, 300), (2, 3, 40), (130, 513), (8, 33, 130)])
@pytest.mark.parametrize("out", [1, 31, 300])
@pytest.mark.parametrize("bias", [False, True])
def test_linear(shape, out, bias, threads):
    x, w, b = floats(*shape), floats(out, shape[-1], seed=1), floats(out, seed=2)
    before = taken("linear")
    got = tp.nn.functional.linear(
        tp.from_numpy(x), tp.from_numpy(w), tp.from_numpy(b) if bias else None
    )
    assert taken("linear") == before + 1
    assert_close(got.numpy(), x, w.T, b if bias else 0.0)


def test_operators_take_it_and_so_do_gradients():
    a = tp.randn(40, 300, requires_grad=True)
    b = tp.randn(50, 300, requires_grad=True)
    before = taken("matmul")
    y = a @ b.mT
    y.backward(tp.ones_like(y))
    assert taken("matmul") == before + 3
    ones = np.ones((40, 50), np.float32)
    assert_close(a.grad.numpy(), ones, b.detach().numpy())
    assert_close(b.grad.numpy(), ones.T, a.detach().numpy())


def test_gradients_of_linear():
    x, w = tp.randn(3, 20, 64, requires_grad=True), tp.randn(33, 64, requires_grad=True)
    b = tp.randn(33, requires_grad=True)
    before = taken("matmul")
    g = tp.randn(3, 20, 33)
    tp.nn.functional.linear(x, w, b).backward(g)
    assert taken("matmul") == before + 2
    rows = g.reshape(60, 33).numpy()
    assert_close(x.grad.reshape(60, 64).numpy(), rows, w.detach().numpy())
    assert_close(w.grad.numpy(), rows.T, x.detach().reshape(60, 64).numpy())
    np.testing.assert_allclose(b.grad.numpy(), rows.sum(0), rtol=1e-4, atol=1e-5)


def test_refuses_what_it_is_not_made_for():
    a = floats(8, 9)
    matmul, linear = native.native.matmul, native.native.linear
    odd = np.frombuffer(b"\0" * 300, np.uint8)[1:289].view(np.float32).reshape(8, 9)
    refused = [
        (a.astype(np.float64), a.T.astype(np.float64)),
        (a.astype(np.float16), a.T.astype(np.float16)),
        (a.astype(">f4"), a.T),
        (odd, a.T),
        (a, a),
        (a[0], a.T),
        (a, floats(9)),
        (a[:0], a.T),
        (a[:, :0], a.T[:0]),
        (floats(2, 8, 9), floats(3, 9, 8)),
        (a.tolist(), a.T),
    ]
    before = native.calls()
    assert all(matmul(*pair) is NotImplemented for pair in refused)
    assert linear(a, a.T) is NotImplemented
    assert linear(a, a.astype(np.float64)) is NotImplemented
    assert linear(a, a, floats(9)) is NotImplemented
    assert linear(a.T, floats(3, 8)) is NotImplemented
    assert native.calls() == before


@pytest.mark.parametrize("shape", [(1, 7), (5, 64), (3, 20, 64), (250, 400)])
@pytest.mark.parametrize("out", [1, 33, 200])
def test_fused_linear(shape, out, threads):
    from triptych.prims.fused_linear import fused_linear

    x, w, b, r = (
        floats(*shape),
        floats(out, shape[-1], seed=1),
        floats(out),
        floats(*shape[:-1], out),
    )
    before = taken("fused_linear")
    for shifted, added, activation in [
        (True, False, "gelu"),
        (False, False, "relu"),
        (True, True, "none"),
        (False, True, "none"),
    ]:
        rest = [b] * shifted + [r] * added
        params = {"shifted": shifted, "added": added, "activation": activation}
        got = fused_linear(*(tp.from_numpy(t) for t in (x, w, *rest)), **params).numpy()
        wide = (t.astype(np.float64) for t in (x, w, *rest))
        want = fused_linear(*(tp.from_numpy(t) for t in wide), **params).numpy()
        bound = np.abs(x).astype(np.float64) @ np.abs(w.T).astype(np.float64) + np.abs(want)
        assert (np.abs(got - want) <= 4e-7 * (shape[-1] ** 0.5 + 2) * (bound + 1)).all()
    assert taken("fused_linear") == before + 4
    fused = native.native.fused_linear
    assert fused(x, w, b, r.astype(np.float64), 0) is NotImplemented
    assert fused(x, w, None, r[:0], 0) is NotImplemented
    assert fused(x, w, None, None, 9) is NotImplemented


def test_gelu_of_products():
    x = np.linspace(-14, 14, 100_003, dtype=np.float32)[:, None].repeat(17, 1)
    got = native.native.fused_linear(x, np.eye(17, dtype=np.float32), None, None, 2)[:, 0]
    from scipy.special import ndtr

    x = x[:, 0].astype(np.float64)
    want = x * ndtr(x)
    normal = np.abs(want) > 2e-37
    assert (np.abs(got - want)[normal] <= 4 * 2**-23 * np.abs(want)[normal]).all()
    assert (np.abs(got[~normal]) < 2e-36).all()
    ends = np.array([[np.inf], [-np.inf], [np.nan]], np.float32).repeat(20, 0)
    got = native.native.fused_linear(ends, np.ones((20, 1), np.float32), None, None, 2)
    assert (got[:20] == np.inf).all()
    assert np.isnan(got[20:]).all()


def test_empty_products_take_numpys_path():
    assert tp.equal(tp.zeros(3, 0) @ tp.zeros(0, 4), tp.zeros(3, 4))
    assert (tp.zeros(0, 3) @ tp.zeros(3, 4)).shape == (0, 4)


@pytest.mark.parametrize("rows", [1, 4, 20, 100])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_not_finite(rows, value):
    a, b = floats(rows, 300), floats(300, 70, seed=1)
    a[0, 7], b[11, 5], b[12, 6] = value, value, -value
    a[:, 12], b[13] = 0, 0  # infinity times zero is NaN
    a[-1, 13] = value
    for right in (b, LAYOUTS["swapped"](b)):
        with np.errstate(invalid="ignore"):
            want = a @ b
        got = native.native.matmul(a, right)
        assert (np.isnan(got) == np.isnan(want)).all()
        assert (np.isinf(got) == np.isinf(want)).all()
        assert (np.sign(got[np.isinf(got)]) == np.sign(want[np.isinf(want)])).all()


@pytest.mark.parametrize("shapes", [*SHAPES, ((700, 500), (500, 900))], ids=str)
def test_same_numbers_each_time(shapes, threads):
    a, b = floats(*shapes[0]), floats(*shapes[1], seed=1)
    first = native.native.matmul(a, b)
    assert all((native.native.matmul(a, b) == first).all() for _ in range(5))


def test_lesser_instruction_sets():
    code = """
import numpy as np
from triptych.backends.native import native
rng = np.random.default_rng(0)
for m, k, n in [(1, 300, 70), (3, 70, 200), (8, 300, 70), (67, 300, 131), (131, 700, 50)]:
    a, b = rng.standard_normal((m, k)).astype("f"), rng.standard_normal((n, k)).astype("f")
    for right in (b.T, np.ascontiguousarray(b.T)):
        np.testing.assert_allclose(native.matmul(a, right), a @ right, rtol=1e-4, atol=1e-4)
print(native.instruction_set())
"""
    best = ["baseline", "avx2", "avx512"].index(native.instruction_set())
    for name in ["baseline", "avx2", "avx512"][: best + 1]:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "TRIPTYCH_NATIVE": name},
            capture_output=True,
            text=True,
        )
        assert done.stdout.strip() == name, done.stderr

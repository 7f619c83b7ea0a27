"""Attention and its gradients in CUDA C, against NumPy's way in double precision."""

import numpy as np
import pytest
from gpu.checks import STEP, numbers, reference, run
from gpu.fixtures import compiles

import triptych as tp

pytestmark = compiles
DTYPES = ("float16", "bfloat16", "float32")
SHAPES = [  # leading axes, queries, keys, features of both and of values
    ((1,), 1, 1, 1, 1),
    ((2, 3), 7, 7, 16, 16),
    ((2,), 13, 67, 33, 5),
    ((1, 1), 40, 33, 64, 128),
    ((), 9, 32, 8, 40),
]
CALL = {"masked": False, "drop": 0.0}


def given(shape, dtype):
    lead, length, source, width, depth = shape
    sizes = (length, width), (source, width), (source, depth)
    return [numbers(*lead, *s, dtype=dtype, scale=1.0, seed=i) for i, s in enumerate(sizes)]


def close(got, want, dtype, steps):
    np.testing.assert_allclose(
        got.get().astype(np.float64), want, rtol=steps * STEP[dtype], atol=steps * STEP[dtype]
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("causal", [None, 0, 3, -2])
def test_as_numpy(cupy, shape, dtype, causal):
    q, k, v = given(shape, dtype)
    call = CALL | {"scale": q.shape[-1] ** -0.5, "causal": causal}
    (out, level), was_taken = run(cupy, "attention", q, k, v, **call)
    assert was_taken and out.dtype == q.dtype and level.dtype == np.float32
    want, wanted_level = reference("attention", q, k, v, **call)
    close(out, want, dtype, 16)
    np.testing.assert_allclose(level.get(), wanted_level, rtol=2e-5, atol=2e-5)

    g = numbers(*want.shape, dtype=dtype, scale=1.0, seed=5)
    h = numbers(*wanted_level.shape, scale=0.5, seed=6)
    kept = want.astype(q.dtype), wanted_level.astype(np.float32)
    found, was_taken = run(cupy, "attention_grad", g, h, q, k, v, *kept, **call)
    assert was_taken
    expected = reference("attention_grad", g, h, q, k, v, *kept, **call)
    for got, one, like in zip(found[:3], expected[:3], (q, k, v), strict=True):
        assert got.dtype == like.dtype
        close(got, one, dtype, 64)


def test_what_is_refused_runs_over_cupy(cupy):
    q, k, v = given(((2,), 5, 6, 8, 8), "float32")
    call = CALL | {"scale": 0.5, "causal": None}
    mask = numbers(5, 6) > 0
    for inputs, changed in (
        ([q, k, v, mask], {"masked": True}),
        ([x.astype(np.float64) for x in (q, k, v)], {}),
        ([np.repeat(x, 20, -1) for x in (q, k, v)], {}),
    ):
        (out, level), was_taken = run(cupy, "attention", *inputs, **call | changed)
        assert not was_taken and level.shape == (2, 5)
        want, _ = reference("attention", *inputs, **call | changed)
        np.testing.assert_allclose(out.get(), want, rtol=1e-4, atol=1e-5)


def test_nan_stays_with_its_query(cupy):
    q, k, v = given(((1,), 12, 9, 8, 8), "float32")
    q[0, 4, 3] = np.nan
    (out, _), _ = run(cupy, "attention", q, k, v, scale=0.5, causal=None, **CALL)
    assert np.isnan(out.get()[0, 4]).all()
    assert np.isfinite(np.delete(out.get()[0], 4, 0)).all()


def test_heads_that_are_views_train_as_on_the_cpu(cupy):
    x = tp.from_numpy(numbers(2, 10, 3, 24))
    weights = tp.from_numpy(numbers(2, 3, 10, 8, seed=1))

    def gradient(device):
        moved = x.to(device).requires_grad_()
        q, k, v = moved.permute(0, 2, 1, 3).split(8, dim=-1)
        out = tp.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        (out * weights.to(device)).sum().backward()
        return moved.grad.cpu()

    assert tp.allclose(gradient("cuda"), gradient("cpu"), rtol=1e-4, atol=1e-4)


def test_levels_of_another_dtype_are_refused(cupy):
    q, k, v = given(((2,), 5, 6, 8, 8), "float32")
    call = CALL | {"scale": 0.5, "causal": None}
    out, level = reference("attention", q, k, v, **call)
    g, h = numbers(2, 5, 8), np.zeros((2, 5))
    found, was_taken = run(cupy, "attention_grad", g, h, q, k, v, out.astype("f4"), level, **call)
    assert not was_taken
    want = reference("attention_grad", g, h, q, k, v, out, level, **call)
    np.testing.assert_allclose(found[0].get(), want[0], rtol=1e-4, atol=1e-5)

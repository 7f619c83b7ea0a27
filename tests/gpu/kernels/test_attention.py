"""Attention and its gradients in CUDA C, against NumPy's way in double precision."""

import numpy as np
import pytest
from gpu.checks import STEP, numbers, reference, run
from gpu.fixtures import compiles

import triptych as tp

pytestmark = compiles
DTYPES = ("float16", "bfloat16", "float32", "float64")
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
    if dtype == "float64":
        shape = (*shape[:3], min(shape[3], 64), min(shape[4], 64))
    q, k, v = given(shape, dtype)
    agrees(cupy, q, k, v, (), CALL | {"scale": q.shape[-1] ** -0.5, "causal": causal})


def agrees(cupy, q, k, v, rest, call):
    """Output, levels and all gradients are those of NumPy's path; gives what was found."""
    dtype, wide = q.dtype.name, np.promote_types(q.dtype, np.float32)
    (out, level), was_taken = run(cupy, "attention", q, k, v, *rest, **call)
    assert was_taken and out.dtype == q.dtype and level.dtype == wide
    want, wanted_level = reference("attention", q, k, v, *rest, **call)
    close(out, want, dtype, 16)
    np.testing.assert_allclose(level.get(), wanted_level, rtol=2e-5, atol=2e-5)

    g = numbers(*want.shape, dtype=dtype, scale=1.0, seed=5)
    h = numbers(*wanted_level.shape, scale=0.5, seed=6).astype(wide)
    kept = want.astype(q.dtype), wanted_level.astype(wide)
    found, was_taken = run(cupy, "attention_grad", g, h, q, k, v, *kept, *rest, **call)
    assert was_taken
    expected = reference("attention_grad", g, h, q, k, v, *kept, *rest, **call)
    for got, one, like in zip(found[:3], expected[:3], (q, k, v), strict=True):
        assert got.dtype == like.dtype
        close(got, one, dtype, 64)
    if call["masked"] and rest[0].dtype.kind == "f":
        assert found[3].dtype == rest[0].dtype and found[3].shape == rest[0].shape
        close(found[3], expected[3], dtype if rest[0].dtype.itemsize > 2 else "float16", 256)
    return out, found


MASKS = [(7, 13), (1, 13), (7, 1), (2, 3, 7, 13), (2, 1, 1, 13), (3, 1, 13), (2, 1, 7, 13), (1, 1)]


@pytest.mark.parametrize("shape", MASKS)
@pytest.mark.parametrize("causal", [None, 2])
def test_masks_that_hide(cupy, shape, causal):
    q, k, v = given(((2, 3), 7, 13, 16, 8), "float32")
    mask = numbers(*shape, seed=3) > -2
    mask[..., :1, :] = mask[..., :1, :] & (shape[-2] == 1)  # a row that sees nothing
    call = {"scale": 0.25, "causal": causal, "masked": True, "drop": 0.0}
    out, _ = agrees(cupy, q, k, v, (mask,), call)
    assert not np.isnan(out.get()).any()


@pytest.mark.parametrize("shape", MASKS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_masks_that_are_added_and_their_gradients(cupy, shape, dtype):
    q, k, v = given(((2, 3), 7, 13, 16, 8), dtype)
    mask = numbers(*shape, dtype="float32" if dtype == "bfloat16" else dtype, scale=1.0, seed=3)
    mask[..., -1] = -np.inf if shape[-1] > 1 else 0
    agrees(cupy, q, k, v, (mask,), {"scale": 0.25, "causal": None, "masked": True, "drop": 0.0})


def test_masks_between_axes_that_they_are_the_same_for(cupy):
    q, k, v = given(((2, 3, 2), 5, 6, 8, 8), "float32")
    call = {"scale": 0.25, "causal": None, "masked": True, "drop": 0.0}
    for lead in ((2, 1, 2), (1, 3, 1), (3, 1)):
        agrees(cupy, q, k, v, (numbers(*lead, 5, 6, seed=4),), call)


def test_a_mask_of_several_heads_is_not_summed_atomically_where_that_must_not_be(cupy):
    q, k, v = given(((2,), 5, 6, 8, 8), "float32")
    call = {"scale": 0.25, "causal": None, "masked": True, "drop": 0.0}
    tp.use_deterministic_algorithms(True)
    try:
        for shape, sums in (
            ((2, 5, 6), True),
            ((2, 1, 6), True),
            ((5, 6), False),
            ((2, 5, 1), False),
        ):
            mask = numbers(*shape, seed=4)
            want, level = reference("attention", q, k, v, mask, **call)
            given_ = q, k, v, want.astype("f4"), level.astype("f4"), mask
            g, h = numbers(2, 5, 8, seed=5), numbers(2, 5, seed=6)
            found, was_taken = run(cupy, "attention_grad", g, h, *given_, **call)
            assert was_taken is sums
            expected = reference("attention_grad", g, h, *given_, **call)
            np.testing.assert_allclose(found[3].get(), expected[3], rtol=1e-4, atol=1e-4)
    finally:
        tp.use_deterministic_algorithms(False)


@pytest.mark.parametrize("drop", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_dropout_keeps_the_same_weights(cupy, dtype, drop):
    q, k, v = given(((2, 3), 9, 35, 16, 8), dtype)
    seed = np.array([-(2**62) + 12345, 987654321987], np.int64)
    agrees(cupy, q, k, v, (seed,), CALL | {"scale": 0.25, "causal": None, "drop": drop})
    mask = numbers(9, 35, seed=3) > -2
    call = {"scale": 0.25, "causal": 30, "masked": True, "drop": drop}
    agrees(cupy, q, k, v, (mask, seed), call)


def test_what_is_refused_runs_over_cupy(cupy):
    q, k, v = given(((2,), 5, 6, 8, 8), "float32")
    call = CALL | {"scale": 0.5, "causal": None}
    mask = np.ones((5, 6), np.int64)
    for inputs, changed in (
        ([q, k, v, mask], {"masked": True}),
        ([np.repeat(x, 9, -1).astype(np.float64) for x in (q, k, v)], {}),
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


def test_padded_batches_and_biases_train_as_on_the_cpu(cupy):
    x, bias = tp.from_numpy(numbers(2, 3, 10, 8)), tp.from_numpy(numbers(3, 10, 10, seed=2))
    seen = tp.arange(10) < tp.tensor([7, 10]).reshape(2, 1, 1, 1)

    def gradients(device):
        q = x.to(device).requires_grad_()
        added = bias.to(device).requires_grad_()
        attend = tp.nn.functional.scaled_dot_product_attention
        hidden = attend(q, q, q, attn_mask=seen.to(device))
        (attend(hidden, q, q, attn_mask=added) ** 2).sum().backward()
        return q.grad.cpu(), added.grad.cpu()

    for got, want in zip(gradients("cuda"), gradients("cpu"), strict=True):
        tp.testing.assert_close(got, want, rtol=1e-4, atol=1e-4 * float(want.abs().max()))


def test_levels_of_another_dtype_are_refused(cupy):
    q, k, v = given(((2,), 5, 6, 8, 8), "float32")
    call = CALL | {"scale": 0.5, "causal": None}
    out, level = reference("attention", q, k, v, **call)
    g, h = numbers(2, 5, 8), np.zeros((2, 5))
    found, was_taken = run(cupy, "attention_grad", g, h, q, k, v, out.astype("f4"), level, **call)
    assert not was_taken
    want = reference("attention_grad", g, h, q, k, v, out, level, **call)
    np.testing.assert_allclose(found[0].get(), want[0], rtol=1e-4, atol=1e-5)

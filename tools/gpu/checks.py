"""What tests of CUDA kernels have in common: numbers, and a comparison with NumPy's path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from triptych.backends import cuda
from triptych.prims import TABLE

DTYPES = {
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
}
# Distance between neighbouring numbers near 1: what one rounding may cost.
STEP = {"float16": 2**-10, "bfloat16": 2**-7, "float32": 2**-23, "float64": 2**-52}


def numbers(*shape: int, dtype: str = "float32", scale: float = 3.0, seed: int = 0) -> np.ndarray:
    """Normal numbers of a dtype, the same for the same arguments."""
    rng = np.random.default_rng([seed, *shape])
    return np.asarray(scale * rng.standard_normal(shape)).astype(DTYPES[dtype])


def taken(name: str, call: Callable[[], Any]) -> tuple[Any, bool]:
    """What a call gives, and whether the override of a primitive was taken in it."""
    before = cuda.calls().get(name, 0)
    found = call()
    return found, cuda.calls().get(name, 0) == before + 1


def run(cupy: Any, name: str, *inputs: Any, **params: Any) -> tuple[Any, bool]:
    """The primitive over CuPy, for NumPy arrays and numbers, and whether an override was taken."""
    from triptych.backends import Device, backend_for

    backend_for(Device("cuda"))
    moved = [cupy.asarray(x) if isinstance(x, np.ndarray) else x for x in inputs]
    first = next(x for x in moved if isinstance(x, cupy.ndarray))
    return taken(name, lambda: TABLE[name].kernel(first)(*moved, **params))


def reference(name: str, *inputs: Any, **params: Any) -> Any:
    """The primitive's `impl` over NumPy, in double precision."""
    impl = TABLE[name].impl
    wide = [x.astype(np.float64) if _rounds(x) else x for x in inputs]
    with np.errstate(all="ignore"):
        if isinstance(impl, str):
            return getattr(np, impl)(*wide, **params)
        return impl(np, *wide, **params)


def _rounds(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.name in DTYPES


def check(
    cupy: Any, name: str, *inputs: Any, steps: float = 4, floor: float | None = None, **params: Any
) -> Any:
    """Assert that the override is taken and that it agrees with NumPy; gives NumPy's result.

    Args:
        cupy: the module that tests run on.
        name: of the primitive.
        inputs: NumPy arrays and Python numbers.
        steps: relative error allowed, in distances between neighbouring numbers near 1.
        floor: absolute error allowed, in the same unit; default as `steps`.
        params: of the primitive.

    Raises:
        AssertionError: it is not taken, or differs.
    """
    found, was_taken = run(cupy, name, *inputs, **params)
    assert was_taken, f"{name}: the override was not taken"
    want = reference(name, *inputs, **params)
    dtype = next(x.dtype for x in inputs if _rounds(x))
    step = STEP[dtype.name]
    pairs = zip(found, want, strict=True) if isinstance(found, tuple) else [(found, want)]
    for one, two in pairs:
        got = one.get()
        assert got.shape == np.shape(two), f"{name}: shape {got.shape}, wanted {np.shape(two)}"
        assert got.dtype in (dtype, np.dtype(bool)), f"{name}: {dtype} became {got.dtype}"
        np.testing.assert_allclose(
            got.astype(np.float64),
            np.asarray(two, np.float64),
            rtol=steps * step,
            atol=(steps if floor is None else floor) * step,
            err_msg=f"{name} of {[np.shape(x) for x in inputs]}, {dtype}",
        )
    return want

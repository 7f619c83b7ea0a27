"""Elementwise operations from the `cuda` column of the table, one kernel each.

CuPy's ElementwiseKernel brings broadcasting and strides. Where a primitive is one function of CuPy
that is a kernel already; overridden are those that are several.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ...avals import Aval
from .prelude import ARITHMETIC
from .source import FLOATING, Source

if TYPE_CHECKING:
    from ...prims.table import Prim

# CuPy's element types of 16 bits, as its headers call them.
PREAMBLE = (
    ARITHMETIC
    + """
template <> struct Wide<float16> { typedef float type; };
template <> struct Wide<bfloat16> { typedef float type; };
"""
)
INPUTS = "abc"


def prims() -> list[Prim]:
    """The primitives with an expression of CUDA C."""
    from ...prims.table import TABLE

    return [prim for prim in TABLE.values() if isinstance(prim.cuda, str)]


def arity(prim: Prim) -> int:
    """How many inputs an elementwise primitive has."""
    return {"binary": 2, "select": 3}.get(prim.kind, 1)


def signature(prim: Prim) -> tuple[str, str, str]:
    """The declared inputs, the declared output and the operation, for an ElementwiseKernel.

    T is the element type and C the type to compute in. The condition of a selection is bool.
    """
    names = INPUTS[: arity(prim)]
    types = ["bool" if prim.kind == "select" and n == "a" else "T" for n in names]
    ins = ", ".join(f"{t} in_{n}" for t, n in zip(types, names, strict=True))
    samples = [Aval((), np.dtype("f4" if t == "T" else "?")) for t in types]
    out = "bool" if prim.aval(*samples).dtype == bool else "T"
    steps = ["typedef typename Wide<T>::type C"]
    steps += [
        f"const {'C' if t == 'T' else t} {n} = {'C(in_' + n + ')' if t == 'T' else 'in_' + n}"
        for t, n in zip(types, names, strict=True)
    ]
    return ins, f"{out} out", "; ".join([*steps, f"out = {out}({prim.cuda})"])


@cache
def kernel(cupy: Any, name: str) -> Any:
    """The ElementwiseKernel of a primitive; compiled per dtype when it is called."""
    from ...prims.table import TABLE

    ins, out, operation = signature(TABLE[name])
    return cupy.ElementwiseKernel(ins, out, operation, f"elementwise_{name}", preamble=PREAMBLE)


def _run(cupy: Any, name: str, *xs: Any) -> Any:
    arrays = [x for x in xs if isinstance(x, cupy.ndarray)]
    kinds = {a.dtype.name for a in arrays}
    if len(kinds) != 1 or kinds.pop() not in FLOATING:
        return NotImplemented
    return kernel(cupy, name)(*xs)


def _select(cupy: Any, condition: Any, a: Any, b: Any) -> Any:
    """For bfloat16, of which `cupy.where` makes float32."""
    if any(not isinstance(x, cupy.ndarray) or x.dtype.name != "bfloat16" for x in (a, b)):
        return NotImplemented
    return kernel(cupy, "where")(condition, a, b)


def sources() -> tuple[Source, ...]:
    """All expressions as kernels over contiguous arrays, to compile in one go: the checks walk over
    this, while CuPy writes the loops of what runs.
    """
    texts = []
    for prim in prims():
        ins, out, operation = signature(prim)
        pairs = [part.split() for part in (*ins.split(", "), out)]
        arrays = ", ".join(f"{'' if n == 'out' else 'const '}{t} *{n}s" for t, n in pairs)
        loads = "".join(f"    {t} {n} = {n}s[i];\n" for t, n in pairs[:-1])
        texts.append(f"""
template <class T> __global__ void elementwise_{prim.name}({arrays}, long long count) {{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
{loads}    {pairs[-1][0]} out;
    {operation};
    outs[i] = out;
}}
""")
    names = [f"elementwise_{prim.name}<{{T}}>" for prim in prims()]
    return (Source("elementwise", "".join(texts), names),)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function that is tried before CuPy's operations."""
    several = [p.name for p in prims() if not isinstance(p.impl, str) and p.kind != "select"]
    found = {name: partial(_run, cupy, name) for name in several}
    return {**found, "where": partial(_select, cupy)}

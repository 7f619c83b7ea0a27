"""CUDA C of a family of kernels, and its compilation per dtype when a kernel is first launched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .prelude import PRELUDE

# The element types of CUDA C by the name of the dtype. bool is one byte, 0 or 1, in both.
C_TYPES = {
    "bool": "bool",
    "int8": "signed char",
    "uint8": "unsigned char",
    "int16": "short",
    "int32": "int",
    "int64": "long long",
    "float16": "__half",
    "bfloat16": "__nv_bfloat16",
    "float32": "float",
    "float64": "double",
}
FLOATING = ("float16", "bfloat16", "float32", "float64")
OPTIONS = ("-std=c++17",)


class Source:
    """The kernels of one family.

    Args:
        family: its name; all kernels start with it, so that none is called like a function of C.
        code: CUDA C++ with templates; `PRELUDE` stands before it.
        kernels: what to instantiate, with ``{T}`` for the element type: ``"softmax_rows<{T}>"``.
        dtypes: names of the dtypes that ``{T}`` stands for.
    """

    def __init__(
        self, family: str, code: str, kernels: Sequence[str], dtypes: Sequence[str] = FLOATING
    ) -> None:
        self.family, self.kernels, self.dtypes = family, tuple(kernels), tuple(dtypes)
        self.text = PRELUDE + code
        stray = [k for k in self.kernels if not k.startswith(f"{family}_")]
        if stray:
            raise ValueError(f"{family}: names of kernels start with {family}_, got {stray}")
        self._functions: dict[tuple[int, str, str], Any] = {}

    def expressions(self, dtype: str) -> tuple[str, ...]:
        """The instances for a dtype, as C++ spells them: ``softmax_rows<float>``."""
        return tuple(k.format(T=C_TYPES[dtype]) for k in self.kernels)

    def kernel(self, cupy: Any, name: str, dtype: Any) -> Any:
        """The compiled kernel: ``kernel(grid, block, args)`` launches it in the current stream.

        Args:
            cupy: the module.
            name: one of `kernels`, with ``{T}`` in it.
            dtype: of the arrays; its name is one of `dtypes`.
        """
        key = id(cupy), name, dtype.name
        found = self._functions.get(key)
        if found is None:
            expressions = self.expressions(dtype.name)
            module = cupy.RawModule(code=self.text, options=OPTIONS, name_expressions=expressions)
            for kernel, expression in zip(self.kernels, expressions, strict=True):
                self._functions[id(cupy), kernel, dtype.name] = module.get_function(expression)
            found = self._functions[key]
        return found

    def takes(self, *arrays: Any) -> bool:
        """Whether arrays share one dtype of this family and are contiguous in C order."""
        dtype = arrays[0].dtype
        return dtype.name in self.dtypes and all(
            a.dtype == dtype and a.flags.c_contiguous for a in arrays
        )

"""Own CUDA kernels under the double: compiled for the CPU, and held to what they declare.

CuPy hands pointers to a kernel without looking at them. Here an array of another dtype than the
kernel declares, or a number of another width, is refused.
"""

from __future__ import annotations

import ctypes
import math
import re
import shutil
import tempfile
from functools import cache
from typing import Any

import numpy as np

from ..emulator.toolchain import compile_kernels
from .array import host_of, ndarray
from .capture import about_to_write, done
from .counts import COUNTS
from .device import Device

DECLARED = {"bool": "bool", "float16": "__half", "bfloat16": "__nv_bfloat16"}
C_TYPES = {
    **{"int8": "signed char", "int16": "short", "int32": "int", "int64": "long long"},
    **{"uint8": "unsigned char", "uint16": "unsigned short", "uint32": "unsigned"},
    **{"uint64": "unsigned long long", "float32": "float", "float64": "double"},
    **DECLARED,
}


@cache
def _library(source: str, options: tuple[str, ...], names: tuple[str, ...]) -> Any:
    if shutil.which("g++") is None:
        raise RuntimeError("g++ compiles kernels for the CPU here, and is not installed")
    code, symbols = compile_kernels(source, options, names)
    with tempfile.NamedTemporaryFile(suffix=".so") as file:
        file.write(code)
        file.flush()
        return ctypes.CDLL(file.name), symbols


def _triple(sizes: Any) -> Any:
    sizes = (sizes,) if isinstance(sizes, int) else tuple(sizes)
    return (ctypes.c_uint * 3)(*sizes, *[1] * (3 - len(sizes)))


class Kernel:
    """A function of a RawModule."""

    def __init__(self, library: Any, symbol: str, name: str) -> None:
        self.run, self.name = getattr(library, f"emulator_run_{symbol}"), name
        text = ctypes.create_string_buffer(4096)
        getattr(library, f"emulator_describe_{symbol}")(text)
        self.declared = text.value.decode().split()

    def __call__(
        self, grid: Any, block: Any, args: tuple[Any, ...], *, shared_mem: int = 0
    ) -> None:
        if len(args) != len(self.declared):
            raise TypeError(f"{self.name} declares {len(self.declared)} arguments, got {len(args)}")
        boxes = [self._box(i, a) for i, a in enumerate(args)]
        pointers = (ctypes.c_void_p * len(boxes))(*map(ctypes.addressof, boxes))
        threads = math.prod(_triple(block))
        if not 0 < threads <= 1024 or not math.prod(_triple(grid)) or shared_mem > 48 << 10:
            raise ValueError(f"{self.name}: no GPU launches grid {grid}, block {block}")
        about_to_write(a._host for a in args if isinstance(a, ndarray))

        def again(kept: Any = (boxes, args)) -> None:
            if self.run(_triple(grid), _triple(block), shared_mem, pointers):
                raise RuntimeError(f"{self.name}: threads of a block wait at different barriers")

        again()
        done(again)
        COUNTS.launches += 1

    def _box(self, i: int, value: Any) -> Any:
        """An argument where C finds it."""
        declared = self.declared[i]
        if isinstance(value, ndarray):
            if declared.rpartition("*")[2] != value.dtype.name or "*" not in declared:
                raise TypeError(
                    f"{self.name}: argument {i} is declared {declared}, got {value.dtype}"
                )
            return ctypes.c_void_p(host_of(value).ctypes.data)
        if not isinstance(value, np.generic) or value.dtype.name != declared:
            raise TypeError(
                f"{self.name}: argument {i} is declared {declared}, got {type(value).__name__}"
            )
        return (ctypes.c_char * value.itemsize).from_buffer_copy(value.tobytes())


class RawModule:
    """cupy.RawModule."""

    def __init__(
        self, code: str, *, options: tuple[str, ...] = (), name_expressions: Any = None
    ) -> None:
        names = tuple(name_expressions or ())
        self.library, self.symbols = _library(code, tuple(options), names)

    def get_function(self, name: str) -> Kernel:
        """A kernel by its name expression, or by its name if it is extern "C"."""
        return Kernel(self.library, self.symbols.get(name, name), name)


LOOP = """
#include <cuda_fp16.h>
#include <cuda_bf16.h>
typedef __half float16;
typedef __nv_bfloat16 bfloat16;
{preamble}
{types}
extern "C" __global__ void {name}_loop({arrays}, long long count) {{
    for (long long i = 0; i < count; i++) {{
        {references}
        {operation};
    }}
}}
"""


class ElementwiseKernel:
    """cupy.ElementwiseKernel, for parameters that are arrays of one type letter or of a dtype."""

    def __init__(
        self, in_params: str, out_params: str, operation: str, name: str, preamble: str = ""
    ) -> None:
        split = [[p.split() for p in side.split(",") if p] for side in (in_params, out_params)]
        self.ins, self.outs = split
        self.operation, self.name, self.preamble = operation, name, preamble

    def __call__(self, *args: Any) -> Any:
        if len(args) != len(self.ins):
            raise TypeError(f"{self.name} takes {len(self.ins)} arrays, got {len(args)}")
        letters = self._letters(args)
        hosts = [
            np.asarray(host_of(a), letters.get(t, t))
            for (t, _), a in zip(self.ins, args, strict=True)
        ]
        whole = np.broadcast_arrays(*hosts)
        flat = [np.array(h, order="C") for h in whole]
        outs = [np.empty(flat[0].shape, letters.get(t, t)) for t, _ in self.outs]
        kernel = self._compiled(tuple(sorted((k, v.name) for k, v in letters.items())))
        arrays = [ndarray(a) for a in (*flat, *outs)]
        for old, new in zip(flat, whole, strict=True):
            done(lambda new=new: new, old)  # launched again, it reads the inputs again
        if flat[0].size:
            kernel((1,), (1,), (*arrays, np.int64(flat[0].size)))
        found = tuple(ndarray(o, Device()) for o in outs)
        return found[0] if len(found) == 1 else found

    def _letters(self, args: tuple[Any, ...]) -> dict[str, np.dtype]:
        """The dtype of each type letter: that of the arrays declared with it."""
        letters: dict[str, np.dtype] = {}
        for (letter, _), a in zip(self.ins, args, strict=True):
            if not isinstance(a, ndarray):
                continue
            wanted = letters.setdefault(letter, a.dtype) if len(letter) == 1 else np.dtype(letter)
            if a.dtype != wanted:
                raise TypeError(f"{self.name}: {letter} is {wanted} and {a.dtype}")
        return letters

    @cache  # noqa: B019 -- kernels live as long as the process
    def _compiled(self, letters: tuple[tuple[str, str], ...]) -> Kernel:
        types = "".join(f"typedef {C_TYPES[name]} {letter};\n" for letter, name in letters)
        known = {letter for letter, _ in letters}
        pairs = [(t if t in known else C_TYPES[t], n) for t, n in (*self.ins, *self.outs)]
        inputs = {n for _, n in self.ins}
        text = LOOP.format(
            preamble=self.preamble,
            types=types,
            name=self.name,
            arrays=", ".join(f"{'const ' * (n in inputs)}{t} *{n}_all" for t, n in pairs),
            references=" ".join(
                f"{'const ' * (n in inputs)}{t} &{n} = {n}_all[i];" for t, n in pairs
            ),
            operation=re.sub(r"\s+", " ", self.operation),
        )
        library, _ = _library(text, (), ())
        return Kernel(library, f"{self.name}_loop", self.name)

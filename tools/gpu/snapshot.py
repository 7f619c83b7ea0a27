"""Rung 1: writes the names of CuPy's public interface, and of its functions' parameters.

Usage: python -m gpu.snapshot > tests/gpu/cupy_names.txt, in an environment with CuPy; it needs no
GPU. A line has a kind, a name and parameters: ``function linalg.svd a full_matrices compute_uv``.
``?`` stands where a compiled function does not tell its parameters, ``**`` where it takes any.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[2] / "tests" / "gpu" / "cupy_names.txt"
MODULES = (
    *("", "cuda", "cuda.memory", "cuda.runtime", "fft", "lib.stride_tricks", "linalg", "random"),
    "testing",
)
# Switches that CuPy has in its private parts alone.
PRIVATE = (
    "_core.set_compute_type",
    "_core._routines_linalg.COMPUTE_TYPE_DEFAULT",
    "_core._routines_linalg.COMPUTE_TYPE_TF32",
)
CLASSES = (
    *("ndarray", "ufunc", "ElementwiseKernel", "RawKernel", "RawModule", "ReductionKernel"),
    *("cuda.Device", "cuda.Event", "cuda.Graph", "cuda.MemoryHook", "cuda.MemoryPool"),
    *("cuda.PinnedMemoryPool", "cuda.Stream", "random.Generator", "random.RandomState"),
)
# Argument declarations of compiled functions, without their types: `Py_ssize_t n` is n.
C_TYPES = re.compile(r"\b(?:Py_ssize_t|int|bint|bool|str|tuple|list|_ndarray_base) (?=\w)")


@dataclass
class Entry:
    """One name: its kind, and its parameters or None where they are not known."""

    kind: str
    params: tuple[str, ...] | None

    def takes(self, keyword: str) -> bool:
        """Whether a call may pass this keyword; true where that is not known."""
        return self.params is None or keyword in self.params or "**" in self.params


def read(path: Path = FILE) -> dict[str, Entry]:
    """The snapshot, by name; its version is the only parameter of ``__version__``."""
    entries = {}
    for line in path.read_text().splitlines():
        kind, name, *params = line.split()
        entries[name] = Entry(kind, None if params == ["?"] else tuple(params))
    return entries


def _params(function: Any) -> list[str]:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        first = (function.__doc__ or "").strip().partition("\n")[0]
        match = re.match(r"[\w.]*\((.*?)\)(?:\s*->.*)?$", first)
        if not match:
            return ["?"]
        try:
            text = C_TYPES.sub("", match[1])
            signature = inspect.signature(eval(f"lambda {text}: 0"))
        except Exception:
            return ["?"]
    marks = {inspect.Parameter.VAR_KEYWORD: "**", inspect.Parameter.VAR_POSITIONAL: "*"}
    return [marks.get(p.kind, p.name) for p in signature.parameters.values()]


def _kind(value: Any) -> str:
    import cupy

    if isinstance(value, cupy.ufunc):
        return "ufunc"
    if isinstance(value, type):
        return "type"
    return "function" if callable(value) else "value"


def _lines(prefix: str, owner: Any) -> Iterator[str]:
    for name in sorted(dir(owner)):
        value = getattr(owner, name, None)
        if name.startswith("_") and not (name.startswith("__") and isinstance(owner, type)):
            continue
        if inspect.ismodule(value) or (name.startswith("__") and hasattr(object, name)):
            continue
        kind = _kind(value)
        params = _params(value) if kind == "function" else []
        yield " ".join([kind, prefix + name, *params])


def write() -> None:
    """Print the snapshot of the installed CuPy."""
    warnings.simplefilter("ignore")
    import cupy
    import cupyx

    lines = [f"value __version__ {cupy.__version__}"]
    for path in MODULES:
        lines += _lines(f"{path}." if path else "", _follow(cupy, path))
    for path in CLASSES:
        lines += _lines(f"{path}.", _follow(cupy, path))
        lines.append(f"type {path}")  # some hide from dir() of their module
    for path in PRIVATE:
        value = _follow(cupy, path)
        lines.append(" ".join([_kind(value), path, *(["?"] if callable(value) else [])]))
    lines += _lines("cupyx.", cupyx)
    print("\n".join(sorted(set(lines))))


def _follow(root: Any, path: str) -> Any:
    for part in path.split(".") if path else ():
        root = getattr(root, part)
    return root


if __name__ == "__main__":
    write()

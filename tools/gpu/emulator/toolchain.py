"""Compiles CUDA C for the CPU: the source between our device language and entry points, by g++.

Each kernel gets two functions of C: ``emulator_run_SYMBOL(grid, block, shared, arguments)``, which
runs a grid, and ``emulator_describe_SYMBOL(text)``, which writes what it takes.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

INCLUDE = Path(__file__).with_name("include")
ROOT = Path(__file__).parents[3]
FLAGS = (
    *("-std=c++17", "-O1", "-shared", "-fPIC", "-w", "-fpermissive", "-fno-strict-aliasing"),
    *("-ffp-contract=off", "-x", "c++", "-D__HIPCC_RTC__", "-D__HIPCC__"),
)
DYNAMIC = re.compile(
    r"extern\s+__shared__\s+(?:__align__\(\d+\)\s*)?([\w:<> ]+?)\s+(\w+)\s*\[\s*\]\s*;"
)
WAITS = re.compile(r"__sync|__shfl|__ballot|__any_sync|__all_sync|block_reduce|warp_reduce")
KERNEL = re.compile(r"__global__\s+void\s+(?:__launch_bounds__\([^)]*\)\s*)?(\w+)\s*\(")
EXTERN = re.compile(r'extern\s+"C"\s*(?:\{|(?:static\s+)?' + KERNEL.pattern + ")")


class CompileError(RuntimeError):
    """What g++ said of a kernel."""


def cache_directory() -> Path:
    """Where compiled kernels are kept between runs: build/gpu unless TRIPTYCH_GPU_CACHE says."""
    return Path(os.environ.get("TRIPTYCH_GPU_CACHE", ROOT / "build" / "gpu"))


def compile_kernels(
    source: str, options: Sequence[str] = (), names: Sequence[str] | None = None
) -> tuple[bytes, dict[str, str]]:
    """A shared library for CUDA C, and the symbol of each expression in `names`.

    Without names, the kernels are those that the source declares ``extern "C"``.

    Raises:
        CompileError: the source does not compile.
    """
    symbols = {name: f"named_{i}" for i, name in enumerate(names or ())}
    text = DYNAMIC.sub(r"\1 *\2 = (\1 *)emulator_dynamic;", source)
    plain = {} if names else {kernel: kernel for kernel in _declared(source)}
    barriers = "true" if WAITS.search(source) else "false"
    text += "".join(_entry(s, e, barriers) for e, s in (symbols | plain).items())
    kept = [o for o in options if o.startswith(("-I", "-D")) and "/usr/" not in o]
    return compile_host(text, kept), symbols


def _declared(source: str) -> list[str]:
    if re.search(r'extern\s+"C"\s*\{', source):
        return list(dict.fromkeys(KERNEL.findall(source)))
    return list(dict.fromkeys(name for name in EXTERN.findall(source) if name))


def _entry(symbol: str, expression: str, barriers: str) -> str:
    return f"""
extern "C" int emulator_run_{symbol}(
    const unsigned *grid, const unsigned *block, unsigned shared, void **arguments)
{{
    auto body = [](void **a) {{ emulator::call(&{expression}, a); }};
    return emulator::launch(body, grid, block, shared, arguments, {barriers});
}}
extern "C" void emulator_describe_{symbol}(char *text) {{
    emulator::describe(&{expression}, text);
}}
"""


def compile_host(text: str, options: Sequence[str] = ()) -> bytes:
    """A shared library for C++ on top of the device language, kept by the hash of all of it."""
    headers = "".join(p.read_text() for p in sorted(INCLUDE.rglob("*.h")))
    key = hashlib.sha256("\0".join([text, headers, *options, *FLAGS]).encode()).hexdigest()
    kept = cache_directory() / f"{key[:32]}.so"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            source, library = Path(folder, "kernel.cpp"), Path(folder, "kernel.so")
            source.write_text(text)
            command = ["g++", *FLAGS, f"-I{INCLUDE}", "-include", "device.h", *options]
            done = subprocess.run(
                [*command, str(source), "-o", str(library)], capture_output=True, text=True
            )
            if done.returncode:
                raise CompileError(done.stderr)
            library.rename(kept)
    return kept.read_bytes()

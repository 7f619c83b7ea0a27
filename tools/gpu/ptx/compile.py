"""Compiles CUDA C by NVRTC to PTX, and that for the CPU."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ..emulator.toolchain import CompileError, cache_directory, compile_host
from ..nvrtc import CompileError as NvrtcError
from ..nvrtc import Nvrtc
from .translate import translate

ARCHITECTURE = 80


@cache
def _nvrtc() -> Nvrtc:
    """The compiler in the folder that GPU_NVIDIA names: it is of another environment."""
    return Nvrtc(Path(os.environ["GPU_NVIDIA"]))


def _headers() -> list[str]:
    """CuPy's own headers, and those of CUDA's C++ libraries that it brings along."""
    import cupy

    base = Path(cupy.__file__).parent / "_core" / "include"
    libraries = [base / "cupy" / "_cccl" / name for name in ("cub", "thrust", "libcudacxx")]
    return [f"-I{p}" for p in (base, *libraries)]


def compile_through_ptx(
    source: str, options: Sequence[str] = (), names: Sequence[str] | None = None
) -> tuple[bytes, dict[str, str]]:
    """As `toolchain.compile_kernels`, but what runs is NVIDIA's reading of the source.

    Raises:
        CompileError: NVRTC refuses the source.
        NotImplementedError: its PTX has an instruction that is not translated.
    """
    kept = [o for o in options if o.startswith(("-I", "-D")) and "emulator" not in o]
    kept = [
        o for o in (*_headers(), *kept, "--device-as-default-execution-space") if "/usr/" not in o
    ]
    key = hashlib.sha256("\0".join([source, *kept, *(names or ())]).encode()).hexdigest()
    file = cache_directory() / f"{key[:32]}.ptx"
    if not file.exists():
        try:
            done = _nvrtc().compile(source, ARCHITECTURE, names or (), ptx=True, options=kept)
        except NvrtcError as error:
            raise CompileError(str(error)) from None
        symbols = "".join(f"// symbol {e}\t{s}\n" for e, s in done.symbols.items())
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(symbols + done.code.decode())
    text = file.read_text()
    found = dict(re.findall(r"^// symbol (.*)\t(.*)$", text, re.M))
    code, _ = translate(text)
    return compile_host(code), {name: found[name] for name in names or ()}

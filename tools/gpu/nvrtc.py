"""Rung 3: NVIDIA's compiler, which needs no GPU and no driver, on every kernel of the backend.

Usage: python -m gpu.nvrtc, in an environment with nvidia-cuda-nvrtc-cu12 and
nvidia-cuda-runtime-cu12. Prints what each kernel takes of registers, and fails where one does not
compile or spills registers to memory.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)
OPTIONS = ("--std=c++17", "--ptxas-options=-v", "-ftz=true")  # CuPy flushes subnormal numbers too
ENTRY = re.compile(r"Compiling entry function '(\w+)'")
SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
REGISTERS = re.compile(r"Used (\d+) registers")


class CompileError(RuntimeError):
    """What NVRTC said of a source."""


@dataclass
class Usage:
    """What one kernel takes, as the assembler reports it."""

    registers: int
    stack: int
    spilled: int


@dataclass
class Compiled:
    """A binary (or PTX), the symbol of each expression, and the usage of each symbol."""

    code: bytes
    symbols: dict[str, str]
    usage: dict[str, Usage]


def packages() -> Path | None:
    """The folder ``nvidia`` with NVRTC and the headers, or None where they are not installed."""
    found = importlib.util.find_spec("nvidia")
    for place in [] if found is None else found.submodule_search_locations or []:
        if any(Path(place, "cuda_nvrtc", "lib").glob("libnvrtc.so.*")):
            return Path(place)
    return None


class Nvrtc:
    """NVIDIA's run-time compiler."""

    def __init__(self, nvidia: Path) -> None:
        self.library = ctypes.CDLL(str(next(nvidia.glob("cuda_nvrtc/lib/libnvrtc.so.*"))))
        self.include = nvidia / "cuda_runtime" / "include"
        major, minor = ctypes.c_int(), ctypes.c_int()
        self._check(self.library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)))
        self.version = f"{major.value}.{minor.value}"

    @staticmethod
    def _check(code: int) -> None:
        if code:
            raise CompileError(f"NVRTC answered {code}")

    def compile(
        self,
        source: str,
        architecture: int,
        names: Sequence[str] = (),
        *,
        ptx: bool = False,
        options: Sequence[str] = (),
    ) -> Compiled:
        """The binary of a source for one architecture such as 80; with `ptx`, its PTX.

        Raises:
            CompileError: with the compiler's messages.
        """
        program, call = ctypes.c_void_p(), self.library
        self._check(
            call.nvrtcCreateProgram(
                ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None
            )
        )
        try:
            for name in names:
                self._check(call.nvrtcAddNameExpression(program, name.encode()))
            target = f"--gpu-architecture={'compute' if ptx else 'sm'}_{architecture}"
            texts = [target, f"-I{self.include}", *OPTIONS, *options]
            array = (ctypes.c_char_p * len(texts))(*(t.encode() for t in texts))
            failed = call.nvrtcCompileProgram(program, len(texts), array)
            log = self._text(program, "ProgramLog").decode()
            if failed:
                raise CompileError(log)
            symbols = {name: self._lowered(program, name) for name in names}
            code = self._text(program, "PTX" if ptx else "CUBIN")
            return Compiled(code, symbols, read_usage(log))
        finally:
            call.nvrtcDestroyProgram(ctypes.byref(program))

    def _text(self, program: Any, what: str) -> bytes:
        size = ctypes.c_size_t()
        self._check(getattr(self.library, f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
        buffer = ctypes.create_string_buffer(size.value)
        self._check(getattr(self.library, f"nvrtcGet{what}")(program, buffer))
        return buffer.raw if what == "CUBIN" else buffer.value

    def _lowered(self, program: Any, name: str) -> str:
        found = ctypes.c_char_p()
        self._check(self.library.nvrtcGetLoweredName(program, name.encode(), ctypes.byref(found)))
        return (found.value or b"").decode()


def read_usage(log: str) -> dict[str, Usage]:
    """What the assembler's report says, by symbol."""
    usage: dict[str, Usage] = {}
    current = ""
    for line in log.splitlines():
        if match := ENTRY.search(line):
            current = match[1]
            usage[current] = Usage(0, 0, 0)
        elif match := SPILLS.search(line):
            stack, stores, loads = map(int, match.groups())
            usage[current].stack, usage[current].spilled = stack, stores + loads
        elif match := REGISTERS.search(line):
            usage[current].registers = int(match[1])
    return usage


def main() -> int:
    """Compile everything and print a line per family and dtype."""
    from triptych.backends.cuda import sources

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("families", nargs="*", help="default: all")
    parser.add_argument("--sm", type=int, nargs="*", default=ARCHITECTURES)
    wanted = parser.parse_args()
    nvidia = packages()
    if nvidia is None:
        print("SKIP NVRTC is not installed in this environment")
        return 0
    nvrtc, compiled, failed = Nvrtc(nvidia), 0, 0
    for source in sources():
        if wanted.families and source.family not in wanted.families:
            continue
        for dtype in source.dtypes:
            done, bad = _compile_all(nvrtc, source, dtype, wanted.sm)
            compiled, failed = compiled + done, failed + bad
    print(f"RESULT passed={compiled} failed={failed} NVRTC {nvrtc.version}, sm {wanted.sm}")
    return int(failed > 0)


def _compile_all(nvrtc: Nvrtc, source: Any, dtype: str, architectures: Any) -> tuple[int, int]:
    """How many (kernel, architecture) compiled without spills, and how many not."""
    names, worst, spilled = source.expressions(dtype), 0, []
    for architecture in architectures:
        try:
            found = nvrtc.compile(source.text, architecture, names)
        except CompileError as error:
            print(f"FAIL {source.family} {dtype} sm_{architecture}\n{error}")
            return 0, len(names) * len(architectures)
        for name in names:
            usage = found.usage[found.symbols[name]]
            worst = max(worst, usage.registers)
            if usage.spilled:
                spilled.append(f"{name} sm_{architecture}: {usage.spilled} bytes spilled")
    total = len(names) * len(architectures)
    print(f"{source.family} {dtype}: {len(names)} kernels, at most {worst} registers", *spilled)
    return total - len(spilled), len(spilled)


if __name__ == "__main__":
    sys.exit(main())

"""Builds the libraries that CuPy's ROCm wheel links to: ours, with stubs for the rest.

Usage: python -m gpu.emulator.build SITE_PACKAGES TARGET

The wheel's modules name the libraries and functions they need. Those that runtime.cpp, blas.cpp and
random.cpp define come from there; every other one is a stub that fails with "not supported" and
says its name.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
LIBRARY = re.compile(r"\[(lib(?:amdhip64|hip\w+|roc\w+|rccl)\.so\.\d+)\]")
SYMBOL = re.compile(r"(?:__hip|hip|roc|nccl)\w*(?:@+\S+)?")
# How the functions of a library start; the first that fits.
PREFIXES = {
    "hipblas": "libhipblas",
    "hiprand": "libhiprand",
    "hiprtc": "libhiprtc",
    "hipfft": "libhipfft",
    "hipsparse": "libhipsparse",
    "rocsolver": "librocsolver",
    "rocblas": "librocblas",
    "roctracer": "libroctracer64",
    "roctx": "libroctx64",
    "nccl": "librccl",
    "": "libamdhip64",
}
SOURCES = {"libamdhip64": "runtime", "libhipblas": "blas", "libhiprand": "random"}
NOT_SUPPORTED = {"libamdhip64": 801}  # other libraries: 7
RTC = "libhiprtc.so.7"  # CuPy looks it up by name at run time, so no module asks for it
OWN = "emulator_counts"  # what the runtime offers beside HIP


def _run(*command: str, where: Path | None = None) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=where).stdout


def _needs(site: Path) -> tuple[set[str], set[str]]:
    """The libraries and the symbols (with versions) that the wheel's modules ask for."""
    libraries: set[str] = set()
    symbols: set[str] = set()
    for module in sorted(site.glob("cupy*/**/*.so")):
        found = LIBRARY.findall(_run("readelf", "-d", str(module)))
        libraries.update(found)
        if found:
            lines = _run("nm", "-D", "--undefined-only", str(module)).splitlines()
            names = [line.split()[-1] for line in lines]
            symbols.update(n for n in names if SYMBOL.fullmatch(n))
    return libraries, symbols


def _stub(name: str, code: int) -> str:
    if name.startswith("__hipRegisterFat"):
        return f"void **{name}(const void *d) {{ static void *handle; return &handle; }}\n"
    if name.startswith("__hip"):
        return f"void {name}(void) {{}}\n"
    if name == "hiprtcVersion":
        return "int hiprtcVersion(int *a, int *b) { *a = 7; *b = 0; return 0; }\n"
    return f'int {name}(void) {{ fprintf(stderr, "emulator: no {name}\\n"); return {code}; }}\n'


def _version_script(symbols: list[str], extra: str) -> str:
    """The versions that the wheel asks for, so that the loader finds each symbol under its own."""
    by_version: dict[str, list[str]] = {}
    for symbol in symbols:
        name, _, version = symbol.partition("@")
        by_version.setdefault(version.lstrip("@") or "hip_4.2", []).append(name)
    texts = []
    for i, (version, names) in enumerate(sorted(by_version.items())):
        last = f" {extra}; local: *;" if i == 0 else ""
        texts.append(f"{version} {{ global: {'; '.join(sorted(names))};{last} }};\n")
    return "".join(texts)


def _build_library(library: str, symbols: list[str], target: Path) -> None:
    base = library.split(".so")[0]
    objects, defined = [], set()
    if base in SOURCES:
        name = f"{SOURCES[base]}.o"
        source = str(HERE / f"{SOURCES[base]}.cpp")
        _run("g++", "-O2", "-std=c++17", "-fPIC", "-c", source, "-o", name, where=target)
        lines = _run("nm", "-g", "--defined-only", name, where=target).splitlines()
        objects, defined = [name], {line.split()[-1] for line in lines}
    names = sorted({s.partition("@")[0] for s in symbols} - defined)
    stubs = "".join(_stub(n, NOT_SUPPORTED.get(base, 7)) for n in names)
    (target / "stubs.c").write_text(f"#include <stdio.h>\nint in_{base};\n{stubs}")
    _run("gcc", "-O1", "-fPIC", "-w", "-c", "stubs.c", "-o", "stubs.o", where=target)
    options = [f"-Wl,-soname,{library}"]
    if base == "libamdhip64":
        (target / "versions.map").write_text(_version_script(symbols, OWN))
        options.append("-Wl,--version-script=versions.map")
    _run(
        *("g++", "-shared", *options, "-o", library, "stubs.o", *objects, "-ldl", "-lpthread"),
        where=target,
    )


def build(site: Path, target: Path) -> Path:
    """Build all libraries unless they are there and up to date, and return their folder."""
    sources = [HERE / f"{name}.cpp" for name in SOURCES.values()]
    text = "".join(p.read_text() for p in [Path(__file__), *sources]) + str(site)
    folder = target / hashlib.sha256(text.encode()).hexdigest()[:16]
    done = folder / "done"
    if done.exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    libraries, symbols = _needs(site)
    sets: dict[str, list[str]] = {library: [] for library in libraries} | {RTC: ["hiprtcVersion"]}
    for symbol in sorted(symbols):
        base = next(b for prefix, b in PREFIXES.items() if symbol.startswith(prefix))
        home = next(lib for lib in sets if lib.startswith(f"{base}."))
        sets[home].append(symbol)
    for library, wanted in sorted(sets.items()):
        _build_library(library, wanted, folder)
    done.touch()
    return folder


if __name__ == "__main__":
    print(build(Path(sys.argv[1]), Path(sys.argv[2])))

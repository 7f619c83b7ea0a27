"""The kernels under the sanitizers, beside their plain twins, with guard pages after all memory."""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKS = Path(__file__).parents[3] / "core" / "native" / "checks"
NAMES = sorted(p.stem for p in CHECKS.glob("check_*.c"))
WITH_PRODUCTS_OF_BYTES = {"check_short_gemm"}
COMPILER = shutil.which("gcc") or shutil.which("clang")
SETS = {
    "baseline": [],
    "avx2": ["-mavx2", "-mfma", "-mf16c"],
    "avx512": ["-march=skylake-avx512", "-mprefer-vector-width=512"],
}
ARM_COMPILER = shutil.which("aarch64-linux-gnu-gcc")
ARM_EMULATOR = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
NEEDS = {"baseline": set(), "avx2": {"avx2", "fma", "f16c"}, "avx512": {"avx512f", "avx512vl"}}


def flags_of_processor() -> set[str]:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    return set(next((line for line in lines if line.startswith("flags")), "").split())


@pytest.mark.skipif(COMPILER is None, reason="there is no C compiler here")
@pytest.mark.parametrize("target", SETS)
@pytest.mark.parametrize("check", NAMES)
def test_sanitized(check, target, tmp_path):
    if platform.machine() not in ("x86_64", "AMD64") and target != "baseline":
        pytest.skip(f"{target} is for x86-64, this is {platform.machine()}")
    if missing := NEEDS[target] - flags_of_processor():
        pytest.skip(f"this processor has no {', '.join(sorted(missing))}")
    flags = ["-fsanitize=address,undefined", *SETS[target], f"-DTARGET={target}"]
    run_check(check, COMPILER, flags, [], tmp_path)


# Plain NEON, and with the instructions for products of bytes that later processors have.
@pytest.mark.skipif(ARM_COMPILER is None, reason="there is no aarch64-linux-gnu-gcc here")
@pytest.mark.skipif(ARM_EMULATOR is None, reason="there is no qemu-aarch64 here")
@pytest.mark.parametrize("extensions", ["armv8-a", "armv8.2-a+dotprod"])
@pytest.mark.parametrize("check", NAMES)
def test_neon(check, extensions, tmp_path):
    if "dotprod" in extensions and check not in WITH_PRODUCTS_OF_BYTES:
        pytest.skip("has no kernel for these instructions")
    # The address sanitizer does not run under the emulator; guard pages do.
    flags = ["-static", "-fsanitize=undefined", f"-march={extensions}", "-DTARGET=baseline"]
    run_check(check, ARM_COMPILER, flags, [ARM_EMULATOR], tmp_path)


def run_check(check, compiler, flags, emulator, folder):
    """Builds a check, with warnings as errors, and runs it."""
    program = str(folder / check)
    build = [compiler, "-std=gnu11", "-O1", "-g", "-fno-sanitize-recover=all", *flags]
    build += ["-Wall", "-Wextra", "-Wno-psabi", "-Wno-unused-function", "-Werror"]
    build += ["-o", program, str(CHECKS / f"{check}.c"), "-lm"]
    built = subprocess.run(build, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    done = subprocess.run([*emulator, program], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout  # what was run

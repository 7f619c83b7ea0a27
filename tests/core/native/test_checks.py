"""The kernels under the sanitizers, beside their plain twins, with guard pages after all memory."""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKS = Path(__file__).parents[3] / "core" / "native" / "checks"
COMPILER = shutil.which("gcc") or shutil.which("clang")
SETS = {
    "baseline": [],
    "avx2": ["-mavx2", "-mfma", "-mf16c"],
    "avx512": ["-march=skylake-avx512", "-mprefer-vector-width=512"],
}
NEEDS = {"baseline": set(), "avx2": {"avx2", "fma", "f16c"}, "avx512": {"avx512f", "avx512vl"}}


def flags_of_processor() -> set[str]:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    return set(next((line for line in lines if line.startswith("flags")), "").split())


@pytest.mark.skipif(COMPILER is None, reason="there is no C compiler here")
@pytest.mark.parametrize("target", SETS)
@pytest.mark.parametrize("check", sorted(p.stem for p in CHECKS.glob("check_*.c")))
def test_sanitized(check, target, tmp_path):
    if platform.machine() not in ("x86_64", "AMD64") and target != "baseline":
        pytest.skip(f"{target} is for x86-64, this is {platform.machine()}")
    if missing := NEEDS[target] - flags_of_processor():
        pytest.skip(f"this processor has no {', '.join(sorted(missing))}")
    program = tmp_path / check
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    build = [COMPILER, "-std=gnu11", "-O1", "-g", *sanitizers, *SETS[target], f"-DTARGET={target}"]
    build += ["-Wall", "-Wextra", "-Wno-psabi", "-Wno-unused-function", "-Werror"]
    build += ["-o", str(program), str(CHECKS / f"{check}.c"), "-lm"]
    built = subprocess.run(build, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    done = subprocess.run([program], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout  # what was run

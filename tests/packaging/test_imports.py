"""Importing is cheap: no library comes along that the import itself does not need."""

import pytest

# Optional, or needed only when something is used; modules that `import PACKAGE` must not load.
HEAVY = {
    "av",
    "cupy",
    "huggingface_hub",
    "jax",
    "matplotlib",
    "onnx",
    "pandas",
    "PIL",
    "regex",
    "requests",
    "scipy",
    "soundfile",
    "soxr",
    "tokenizers",
    "torch",
    "tqdm",
}
# What the public modules below a package may load as well: the library that they are about.
MODULES_MAY = {"vision": {"PIL"}, "text": {"regex"}}

MODULE_BUDGET = 150  # modules that `import triptych` adds to NumPy's; 126 when this was set

LOADED = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
# Every module that is reached by the names in __all__, from the package down.
WALK = """
import importlib, types
waiting, seen = [importlib.import_module({module!r})], set()
while waiting:
    m = waiting.pop()
    if m.__name__ not in seen:
        seen.add(m.__name__)
        values = [getattr(m, name) for name in getattr(m, "__all__", ())]
        waiting += [v for v in values if isinstance(v, types.ModuleType)]
"""


def test_the_package_alone(package, printed):
    loaded = set(printed("-c", f"import {package.module}\n{LOADED}").split())
    assert package.module in loaded
    assert loaded & HEAVY == set()


def test_its_public_modules(package, printed):
    code = WALK.format(module=package.module) + LOADED
    loaded = set(printed("-c", code).split())
    assert loaded & HEAVY <= MODULES_MAY.get(package.folder, set())


def test_core_and_datasets_know_nothing_of_each_other(packages, printed):
    core, datasets, *domains = (p.module for p in packages)
    above_core = set(printed("-c", f"import {core}\n{LOADED}").split())
    above_datasets = set(printed("-c", f"import {datasets}\n{LOADED}").split())
    assert above_core.isdisjoint({datasets, *domains})
    assert above_datasets.isdisjoint({core, "numpy", *domains})


def test_core_stays_within_its_module_budget(printed):
    code = "import sys, numpy; n = len(sys.modules); import triptych; print(len(sys.modules) - n)"
    assert 1 < int(printed("-c", code)) <= MODULE_BUDGET


@pytest.mark.parametrize("name", ["PIL", "scipy", "requests"])
def test_a_heavy_import_would_be_seen(name, printed):
    assert name in printed("-c", f"import {name}\n{LOADED}").split()

"""The package as a whole: quick to import, honest about its names, examples that run."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import triptych_vision

MODULES = sorted(
    info.name for info in pkgutil.walk_packages(triptych_vision.__path__, "triptych_vision.")
)


def test_importing_loads_nothing_else() -> None:
    heavy = "numpy", "PIL", "triptych", "triptych_datasets"
    program = f"import triptych_vision, sys; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_transforms_do_not_load_pillow() -> None:
    program = "import triptych_vision.transforms, sys; print('PIL' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "False"


def test_subpackages_come_on_demand() -> None:
    assert triptych_vision.models.mobilenet_v2 is not None
    assert set(triptych_vision.__all__) <= set(dir(triptych_vision))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = triptych_vision.nothing


@pytest.mark.parametrize("name", ["triptych_vision", *MODULES])
def test_public_names_are_sorted_and_there(name: str) -> None:
    module = importlib.import_module(name)
    assert list(module.__all__) == sorted(module.__all__)
    for public in module.__all__:
        thing = getattr(module, public)
        assert not callable(thing) or thing.__doc__, f"{name}.{public} has no docstring"


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0

"""Every public module lists its names, in order; every name is there and documented."""

import importlib
from types import ModuleType

import pytest

# Values of these types explain themselves or cannot carry a docstring: constants and the like.
PLAIN = (int, float, str, bool, tuple, dict, frozenset, type(None))


def public_modules(name: str) -> dict[str, ModuleType]:
    """The module and all that its `__all__` leads to, by name."""
    found: dict[str, ModuleType] = {}
    waiting = [importlib.import_module(name)]
    while waiting:
        module = waiting.pop()
        if module.__name__ in found or not module.__name__.startswith(name):
            continue
        found[module.__name__] = module
        values = [getattr(module, public) for public in listed(module)]
        waiting += [v for v in values if isinstance(v, ModuleType)]
    return found


def listed(module: ModuleType) -> list[str]:
    """The names in `__all__`; that there is one has a test of its own."""
    return list(getattr(module, "__all__", ()))


@pytest.fixture
def modules(package):
    return public_modules(package.module)


def test_all_is_there_and_in_order(modules):
    lists = {name: listed(module) for name, module in modules.items()}
    assert [name for name, names in lists.items() if not names] == []
    assert [name for name, names in lists.items() if names != sorted(set(names))] == []


def test_every_name_resolves(modules):
    missing = [
        f"{module}.{public}"
        for module, value in modules.items()
        for public in listed(value)
        if not hasattr(value, public)
    ]
    assert missing == []


def test_every_name_is_documented(modules):
    silent = {f"{name} (module)" for name, module in modules.items() if not module.__doc__}
    for name, module in modules.items():
        for public in listed(module):
            value = getattr(module, public)
            if not isinstance(value, PLAIN) and not _documented(value):
                silent.add(f"{name}.{public}")
    assert sorted(silent) == []


def test_nothing_private_is_listed(modules):
    private = [
        f"{name}.{public}"
        for name, module in modules.items()
        for public in listed(module)
        if public.startswith("_")
    ]
    assert private == []


def _documented(value: object) -> bool:
    """Whether a value has a text of its own: not what a class takes over from its base."""
    if isinstance(value, type):
        return bool(value.__dict__.get("__doc__"))
    return bool(getattr(value, "__doc__", None))

"""Named tables refuse surprises."""

import pytest

from triptych.errors import UnknownNameError
from triptych.registry import Registry


@pytest.fixture
def shapes():
    table = Registry("shape")
    for name in ("square", "circle", "squircle", "sphere"):
        table.register(name, name.upper())
    return table


def test_entries_come_back(shapes):
    assert shapes["circle"] == "CIRCLE" and "circle" in shapes and "cube" not in shapes
    assert len(shapes) == 4 and list(shapes) == ["square", "circle", "squircle", "sphere"]
    assert shapes.values() == ["SQUARE", "CIRCLE", "SQUIRCLE", "SPHERE"]
    assert shapes.register("line", 1) == 1


def test_names_are_sorted_and_filtered(shapes):
    assert shapes.names() == ["circle", "sphere", "square", "squircle"]
    assert shapes.names("squ*") == ["square", "squircle"] and shapes.names("x*") == []


def test_a_name_is_registered_once(shapes):
    with pytest.raises(ValueError, match="shape 'circle' is registered already"):
        shapes.register("circle", 2)
    assert shapes["circle"] == "CIRCLE"


def test_an_unknown_name_lists_the_closest(shapes):
    with pytest.raises(UnknownNameError) as caught:
        shapes["squirle"]
    text = str(caught.value)
    assert text.startswith("no shape is named 'squirle'; did you mean squircle, ")
    assert text.count(",") == 2 and isinstance(caught.value, KeyError)


def test_a_name_like_no_other_lists_nothing(shapes):
    with pytest.raises(UnknownNameError) as caught:
        shapes["zzz"]
    assert str(caught.value) == "no shape is named 'zzz'"
    with pytest.raises(UnknownNameError, match="no shape is named 3"):
        shapes[3]


def test_an_entry_can_be_removed(shapes):
    count = len(shapes)
    shapes.register("blob", 0)
    assert shapes.remove("blob") == 0
    assert len(shapes) == count
    with pytest.raises(UnknownNameError, match="no shape is named 'blob'"):
        shapes.remove("blob")


@pytest.mark.parametrize(
    ("module", "name", "near"),
    [("", "zeroes", "zeros"), ("nn", "Linaer", "Linear"), ("nn.functional", "rleu", "relu")],
)
def test_modules_name_what_may_have_been_meant(module, name, near):
    import importlib

    found = importlib.import_module(f"triptych.{module}".rstrip("."))
    with pytest.raises(AttributeError, match=f"has no attribute {name!r}; did you mean .*{near}"):
        getattr(found, name)
    with pytest.raises(AttributeError, match=r"has no attribute '__nothing__'$"):
        getattr(found, "__nothing__")  # noqa: B009

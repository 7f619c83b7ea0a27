import pytest

from triptych.errors import DomainError
from triptych_text.tokenizers.special_text import allowed_names, refuse_special, split_at

NAMES = frozenset({"<a>", "<a>b", "<b>"})


def test_split():
    assert list(split_at("x<a>b<a><b>", NAMES)) == [
        (0, "x", False),
        (1, "<a>b", True),
        (5, "<a>", True),
        (8, "<b>", True),
    ]
    assert list(split_at("", NAMES)) == []
    assert list(split_at("<a>", frozenset())) == [(0, "<a>", False)]


def test_names():
    assert allowed_names(NAMES, "all") == NAMES
    assert allowed_names(NAMES, {"<a>", "other"}) == {"<a>"}
    with pytest.raises(DomainError, match=r"write \{'<a>'\}"):
        allowed_names(NAMES, "<a>")


def test_refusal():
    refuse_special("<a>", NAMES, NAMES, "all")
    refuse_special("<a>", NAMES, frozenset(), ())
    with pytest.raises(DomainError, match="at character 2"):
        refuse_special("xx<b>", NAMES, frozenset({"<a>"}), "all")
    with pytest.raises(DomainError):  # named outright, it is refused though it is allowed
        refuse_special("<b>", NAMES, NAMES, {"<b>"})

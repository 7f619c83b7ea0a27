"""Random changes follow their generator and keep what they promise; cleaning is exact."""

from collections import Counter

import pytest

import triptych as tp
from triptych.errors import DomainError, DTypeError, UnknownNameError
from triptych_text import augmentation as A
from triptych_text.augmentation.drawing import Augmentation

TEXT = "the quick brown fox jumps over a lazy dog and runs far away from home today"
SYNONYMS = {"quick": ["fast", "swift"], "dog": ["hound"], "the": ["this"]}


def seeded(seed=0):
    return tp.Generator().manual_seed(seed)


MADE = {
    "synonyms": lambda g: A.SynonymReplacement(SYNONYMS, 0.2, generator=g),
    "insertion": lambda g: A.RandomInsertion(SYNONYMS, 0.2, generator=g),
    "swap": lambda g: A.RandomSwap(0.3, generator=g),
    "deletion": lambda g: A.RandomDeletion(0.4, generator=g),
    "eda": lambda g: A.EDA(SYNONYMS, 0.3, generator=g),
    "chars": lambda g: A.CharNoise(0.3, generator=g),
    "back": lambda g: A.BackTranslation(
        lambda rows: [row.upper() for row in rows], lambda rows: [f"<{row}>" for row in rows],
        generator=g,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(MADE))
def test_draws(name):
    first, second = (MADE[name](seeded())([TEXT] * 30) for _ in range(2))
    assert first == second
    assert len(set(first)) > 1
    assert any(text != TEXT for text in first)
    tp.manual_seed(1)
    third = MADE[name](None)([TEXT] * 30)
    tp.manual_seed(1)
    assert MADE[name](None)([TEXT] * 30) == third != first
    assert isinstance(MADE[name](seeded())(TEXT), str)
    assert MADE[name](seeded())("") in ("", "<>")
    with pytest.raises(DTypeError, match="a text or a list of texts"):
        MADE[name](None)(3)


def test_synonyms():
    changed = A.SynonymReplacement(SYNONYMS, 1.0)(TEXT).split()
    assert changed[0] == "the"  # a stop word
    assert changed[1] in ("fast", "swift") and changed[8] == "hound"
    assert sum(a != b for a, b in zip(changed, TEXT.split(), strict=True)) == 2
    assert A.SynonymReplacement(SYNONYMS, 0.0)(TEXT) == TEXT
    assert A.SynonymReplacement({}, 1.0)(TEXT) == TEXT


def test_insertion():
    words = A.RandomInsertion({"dog": ["hound"]}, 0.25, generator=seeded())(TEXT).split()
    assert Counter(words) - Counter(TEXT.split()) == {"hound": 4}
    assert [w for w in words if w != "hound"] == TEXT.split()
    assert A.RandomInsertion({}, 0.5)(TEXT) == TEXT


def test_swap_and_deletion():
    swapped = A.RandomSwap(0.1, generator=seeded())(TEXT).split()
    assert Counter(swapped) == Counter(TEXT.split())
    assert sum(a != b for a, b in zip(swapped, TEXT.split(), strict=True)) == 2
    assert A.RandomSwap(1.0)("one") == "one"
    kept = A.RandomDeletion(0.5, generator=seeded())(" ".join(["w"] * 2000)).split()
    assert len(kept) == pytest.approx(1000, abs=80)
    assert A.RandomDeletion(1.0)(TEXT) in TEXT.split()


def test_variants():
    assert len(A.EDA(SYNONYMS, num_variants=9).variants(TEXT)) == 9


def test_back_translation_is_drawn():
    made = MADE["back"](seeded())
    rows = made(["x"] * 400)
    assert set(rows) == {"x", "<X>"}
    assert rows.count("x") == pytest.approx(200, abs=45)


def test_keyboard():
    assert set(A.KEYBOARD["s"]) == set("awedzx")
    assert all(key in A.KEYBOARD[other] for key in A.KEYBOARD for other in A.KEYBOARD[key])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("substitute", "x-1"), ("insert", "ax-11"), ("delete", "-"), ("swap", "-a1")],
)
def test_slips(kind, expected):
    assert A.CharNoise(1.0, [kind], {"a": "x"})("a-1") == expected


def test_share_of_slips():
    changed = A.CharNoise(0.2, ["delete"], generator=seeded())("a" * 5000)
    assert len(changed) == pytest.approx(4000, abs=130)
    # All kinds at once: nothing is lost that cannot be.
    assert A.CharNoise(1.0, generator=seeded())("." * 50) == "." * 50
    assert A.CharNoise(1.0, generator=seeded())(TEXT) != TEXT


def test_errors():
    with pytest.raises(DomainError, match="RandomSwap"):
        A.RandomSwap(1.1)
    with pytest.raises(UnknownNameError, match="CharNoise"):
        A.CharNoise(kinds=["melt"])
    with pytest.raises(UnknownNameError, match="CharNoise"):
        A.CharNoise(kinds=[])
    with pytest.raises(NotImplementedError, match="change"):
        Augmentation(0.5)("text")


@pytest.mark.parametrize(
    ("function", "text", "expected"),
    [
        (A.lowercase, "AbC", "abc"),
        (A.strip_html, "a<br/>b <!-- <b> -->1 < 2 &lt;x&gt;", "a b  1 < 2 <x>"),
        (A.strip_html, "<STYLE a>p{}</STYLE>x<!DOCTYPE html>", " x "),
        (A.strip_urls, "(http://a.b/c?d#e), www.x.org! e.g. this", "(), ! e.g. this"),
        (A.strip_emoji, "a\U0001f600b \U0001f1ea\U0001f1f8 3\ufe0f\u20e3 \u2764\ufe0f", "ab   "),
        (A.strip_emoji, "\u00a9 2 # \u2122 \u4e2d", "\u00a9 2 # \u2122 \u4e2d"),
        (A.normalize_unicode, "\uff21\u0301", "\u00c1"),
        (A.normalize_spaces, " a\n\u00a0 b ", "a b"),
    ],
)
def test_cleaning(function, text, expected):
    assert function(text) == expected


def test_clean():
    assert A.Clean()("<p>Hi\U0001f600 &amp; www.x.org</p>") == "Hi &"
    assert A.Clean(str.upper, (r"\p{L}", "x"))(["ab", "1"]) == ["xx", "1"]
    assert A.strip_emoji("\U0001f600", ":)") == ":)"
    with pytest.raises(DTypeError, match="Clean"):
        A.Clean("x")

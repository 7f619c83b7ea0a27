from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triptych_text.tokenizers.well_formed import (
    characters_before,
    is_well_formed,
    well_formed,
)

SURROGATES = st.text(alphabet=st.sampled_from("a\u00e9\ud83d\ude00\U0001f600"), max_size=12)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", ""),
        ("plain", "plain"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (b"ok", "ok"),
        (b"\xff\xfe a", "\ufffd\ufffd a"),
        (b"\xe2\x82", "\ufffd"),
        (bytearray(b"x"), "x"),
    ],
)
def test_examples(text, seen):
    assert well_formed(text) == seen
    assert is_well_formed(seen)


@given(SURROGATES)
def test_as_utf16_has_it(text):
    expected = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    seen = well_formed(text)
    assert seen == expected
    places = characters_before(text)
    if places is None:
        assert len(seen) == len(text)
    else:
        assert len(places) == len(seen) + 1
        assert [well_formed(text[a:b]) for a, b in pairwise(places)] == list(seen)

import pytest

from triptych.errors import DomainError, UnknownNameError
from triptych_text.tokenizers import Tokenizer

VOCAB = {word: i for i, word in enumerate(["[UNK]", "a", "b", "cat", ",", "1"])}


@pytest.mark.parametrize(
    ("split", "text", "ids", "offsets"),
    [
        ("words", "cat,a b!", [3, 4, 1, 2, 0], [(0, 3), (3, 4), (4, 5), (6, 7), (7, 8)]),
        ("whitespace", "cat a,b\tb", [3, 0, 2], [(0, 3), (4, 7), (8, 9)]),
        ("characters", "ab\n", [1, 2, 0], [(0, 1), (1, 2), (2, 3)]),
        (r"\d|[a-c]at", "cat1 x 1", [3, 5, 5], [(0, 3), (3, 4), (7, 8)]),
    ],
)
def test_split(split, text, ids, offsets):
    encoding = Tokenizer.from_words(VOCAB, split).encode(text)
    assert encoding.ids == ids
    assert encoding.offsets == offsets


def test_options():
    assert Tokenizer.from_words(VOCAB, lowercase=True).encode("CAT").ids == [3]
    letters = Tokenizer.from_words(VOCAB, "characters")
    assert letters.decode(letters.encode("abba").ids) == "abba"
    with pytest.raises(UnknownNameError, match=r"'\[NONE\]'"):
        Tokenizer.from_words(VOCAB, unk_token="[NONE]")
    with pytest.raises(DomainError, match="characters, whitespace, words or a regular"):
        Tokenizer.from_words(VOCAB, "(")

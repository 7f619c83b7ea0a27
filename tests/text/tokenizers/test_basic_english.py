import pytest

from triptych.errors import DTypeError, UnknownNameError
from triptych_text import data
from triptych_text.tokenizers import basic_english_normalize, get_tokenizer

# The example of torchtext's documentation, and each mark by itself.
CASES = {
    "You can now install TorchText using pip!": "you can now install torchtext using pip !",
    "Basic English Normalization for a Line of Text": (
        "basic english normalization for a line of text"
    ),
    "a'b": "a ' b",
    'a"b': "ab",
    "a.b,c": "a . b , c",
    "(a)?": "( a ) ?",
    "a;b:c": "a b c",
    "a<br />b\t\n c": "a b c",
    'a<br "/>b': "a b",  # quotation marks go before line breaks are looked for
    "": "",
}


@pytest.mark.parametrize("text", CASES)
def test_cases(text):
    assert basic_english_normalize(text) == CASES[text].split()


def test_get_tokenizer():
    assert get_tokenizer("basic_english") is basic_english_normalize
    assert get_tokenizer(None)(" A  b.") == ["A", "b."]
    assert get_tokenizer(list)("ab") == ["a", "b"]
    assert data.get_tokenizer is get_tokenizer


def test_get_tokenizer_refuses():
    with pytest.raises(UnknownNameError, match="basic_english"):
        get_tokenizer("basic_englisch")
    with pytest.raises(ValueError, match="'de'"):
        get_tokenizer("basic_english", language="de")
    with pytest.raises(DTypeError, match="int"):
        get_tokenizer(3)

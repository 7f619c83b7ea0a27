import pytest

from triptych.errors import BoundsError, UnknownNameError
from triptych_text.tokenizers import Encoding

TEXTS = ["the cats", "cat sleep, the"]


def test_places_of_rows(tokenizer):
    batch = tokenizer(TEXTS, ["cat", "the cat"], return_offsets=True)
    plain = tokenizer(TEXTS, ["cat", "the cat"])
    assert {k: v.tolist() for k, v in batch.items()} == {k: v.tolist() for k, v in plain.items()}
    assert batch.input_ids is batch["input_ids"]
    assert batch.tokens(0)[:5] == ["[CLS]", "the", "cat", "##s", "[SEP]"]
    assert batch.word_ids(0)[:5] == [None, 0, 1, 1, None]
    assert batch.sequence_ids(0)[:6] == [None, 0, 0, 0, None, 1]
    assert batch.char_to_token(0, 5) == 2
    assert batch.char_to_token(0, 0, 1) == 5
    assert batch.token_to_chars(0, 3) == (7, 8)
    assert batch.word_to_tokens(0, 1) == (2, 4)
    assert batch.word_to_chars(0, 1) == (4, 8)
    assert batch.word_to_chars(0, 9) is None
    assert batch.token_to_word(0, 3) == 1
    assert batch.token_to_sequence(0, 5) == 1
    assert batch.char_to_word(0, 7) == 1
    assert batch.char_to_word(0, 3) is None
    assert batch.to("cpu").word_ids(0) == batch.word_ids(0)


def test_without_places(tokenizer):
    batch = tokenizer("cat", return_tensors=None)
    assert batch.to("cpu") == batch == {**batch}
    with pytest.raises(UnknownNameError, match="return_offsets=True"):
        batch.word_ids()
    with pytest.raises(AttributeError, match="it has input_ids"):
        batch.nothing  # noqa: B018


def test_encoding_without_words():
    encoding = Encoding([7], ["a"], [(0, 1)], [1], [0], [0])
    assert encoding.token_to_word(0) is None
    assert encoding.token_to_sequence(0) is None
    assert encoding.moved([0, 2]).offsets == [(0, 2)]
    with pytest.raises(BoundsError):
        encoding.token_to_word(1)

import pytest

from triptych.errors import BoundsError


def test_lengths_and_offsets(tokenizer):
    text = "The cats, unrelated"
    encoding = tokenizer.encode(text)
    assert len(encoding) == len(encoding.ids) == len(encoding.offsets) == len(encoding.word_ids)
    for index in range(len(encoding)):
        span = encoding.token_to_chars(index)
        if encoding.special_tokens_mask[index]:
            assert span is None
        else:
            assert text[slice(*span)].lower() == encoding.tokens[index].removeprefix("##")
    with pytest.raises(BoundsError, match="index 99"):
        encoding.token_to_chars(99)


def test_characters_to_tokens(tokenizer):
    text = "cats sleep"
    encoding = tokenizer.encode(text)
    tokens = [encoding.char_to_token(i) for i in range(len(text))]
    assert tokens == [1, 1, 1, 2, None, 3, 3, 3, 3, 3]
    assert encoding.char_to_token(len(text)) is None


def test_pairs_have_offsets_of_their_own(tokenizer):
    encoding = tokenizer.encode("cat", "the cats", padding=9)
    assert encoding.char_to_token(0) == 1
    assert encoding.char_to_token(0, sequence=1) == 3
    assert encoding.char_to_token(7, sequence=1) == 5
    assert encoding.word_to_tokens(1, sequence=1) == (4, 6)
    assert encoding.word_to_tokens(0) == (1, 2)
    assert encoding.word_to_tokens(5) is None
    assert encoding.sequence_ids == [None, 0, None, 1, 1, 1, None, None, None]

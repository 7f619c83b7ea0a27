import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych_text.tokenizers import BytePairEncoding, DecodeStream, Tokenizer

RAW = BytePairEncoding(
    "bytes", {bytes([i]): i for i in range(256)} | {b"ab": 256}, "gpt2", {"<|end|>": 300}
)
BYTES = Tokenizer.from_encoding(RAW)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_pieces_together_are_the_text(text):
    stream = BYTES.decode_stream()
    ids = BYTES.encode(text).ids
    pieces = list(stream.stream(ids))
    assert "".join(pieces) == text
    if "\ufffd" not in text:
        assert not any("\ufffd" in piece for piece in pieces)


def test_no_half_characters():
    stream = DecodeStream(BYTES)
    assert [stream.step(byte) for byte in "é".encode()] == [None, "é"]
    assert [stream.step(byte) for byte in "日".encode()[:2]] == [None, None]
    assert stream.finish() == "\ufffd"
    assert stream.finish() == ""


def test_broken_bytes_do_not_wait_for_ever():
    stream = DecodeStream(BYTES)
    said = [piece for piece in (stream.step(0xFF) for _ in range(40)) if piece]
    assert said
    assert "".join(said) + stream.finish() == "\ufffd" * 40


def test_words_keep_their_spaces(tokenizer):
    ids = tokenizer.encode("the cats sleep " * 30).ids
    assert "".join(tokenizer.decode_stream().stream(ids)) == tokenizer.decode(ids)
    assert "".join(tokenizer.decode_stream(skip_special_tokens=False).stream(ids)) == (
        tokenizer.decode(ids, skip_special_tokens=False)
    )


def test_special_tokens_say_nothing():
    stream = DecodeStream(BYTES)
    assert [stream.step(i) for i in (97, 300, 98)] == ["a", None, "b"]


def test_work_per_step_does_not_grow():
    lengths = []

    class Spy:
        def decode(self, ids, skip_special_tokens=True):
            lengths.append(len(ids))
            return BYTES.decode(ids)

    stream = DecodeStream(Spy())
    for _ in range(500):
        stream.step(97)
    assert max(lengths) < 60


def test_library_streams_the_same(tokenizer):
    library = pytest.importorskip("tokenizers.decoders")
    ids = tokenizer.encode("the cats sleep, unrelated").ids
    theirs = library.DecodeStream(skip_special_tokens=True)
    expected = [theirs.step(tokenizer.backend, i) for i in ids]
    stream = tokenizer.decode_stream()
    assert [stream.step(i) for i in ids] == expected

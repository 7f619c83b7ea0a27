import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.errors import DomainError, FileFormatError, UnknownNameError
from triptych_text.tokenizers import BytePairEncoding, Tokenizer
from triptych_text.tokenizers.patterns import PATTERNS

END, MORE = "<|endoftext|>", "<|endoftext|>!"
EXTRA = (b" the", b"th", b"he", b" t", "é".encode(), b"  ", "日".encode()[:2], b"\n\n", b"ing")


@pytest.fixture(scope="module")
def ranks():
    single = {bytes([i]): 255 - i for i in range(256)}  # ranks are no byte values
    return single | {token: 256 + i for i, token in enumerate(EXTRA)}


@pytest.fixture(scope="module")
def encoding(ranks):
    return BytePairEncoding("toy", ranks, "cl100k", {END: 300, MORE: 301})


@pytest.mark.parametrize("pattern", PATTERNS.names())
@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=40))
def test_decode_of_encode_is_the_text(ranks, pattern, text):
    encoding = BytePairEncoding("toy", ranks, pattern)
    ids = encoding.encode(text, disallowed_special=())
    assert encoding.decode(ids) == text
    assert encoding.decode_with_offsets(ids)[0] == text


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=40))
def test_any_bytes_come_back(encoding, data):
    assert encoding.decode_bytes(encoding.encode_bytes(data)) == data


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet="the é日ing \n'S1\ud800", max_size=30))
def test_same_as_tiktoken(ranks, encoding, text):
    tiktoken = pytest.importorskip("tiktoken")
    peer = tiktoken.Encoding(
        "toy", pat_str=encoding.pattern, mergeable_ranks=ranks, special_tokens={END: 300, MORE: 301}
    )
    ids = encoding.encode(text)
    assert ids == peer.encode(text)
    assert encoding.decode_with_offsets(ids) == peer.decode_with_offsets(ids)
    starts = [s for s, _ in Tokenizer.from_encoding(encoding).encode(text).offsets]
    assert starts == peer.decode_with_offsets(ids)[1]
    assert encoding.decode_tokens_bytes(ids) == peer.decode_tokens_bytes(ids)


def test_special_tokens_are_guarded(encoding):
    text = f"a{END}"
    with pytest.raises(DomainError, match=r"'<\|endoftext\|>' at character 1"):
        encoding.encode(text)
    plain = encoding.encode(text, disallowed_special=())
    assert plain == encoding.encode_ordinary(text)
    assert 300 not in plain
    assert encoding.encode(text, allowed_special="all") == [*encoding.encode("a"), 300]
    assert encoding.encode(text, allowed_special={END}) == [*encoding.encode("a"), 300]
    assert encoding.encode(f"{MORE}", allowed_special="all") == [301]  # the longest one
    with pytest.raises(DomainError, match=r"<\|endoftext\|>!"):
        encoding.encode(MORE, allowed_special={END})
    with pytest.raises(DomainError, match='"all" or a set'):
        encoding.encode("a", allowed_special=END)
    assert encoding.decode([300]) == END


def test_the_rest_of_its_methods(encoding):
    assert encoding.n_vocab == encoding.max_token_value + 1 == 302
    assert encoding.eot_token == 300
    assert encoding.special_tokens_set == {END, MORE}
    assert encoding.is_special_token(300)
    assert not encoding.is_special_token(5)
    assert encoding.token_byte_values()[:2] == [b"\x00", b"\x01"]
    assert encoding.encode_batch(["the", "a"]) == [encoding.encode("the"), encoding.encode("a")]
    assert encoding.encode_ordinary_batch([END]) == [encoding.encode_ordinary(END)]
    array = encoding.encode_to_numpy("the the")
    assert array.dtype == np.uint32
    assert array.tolist() == encoding.encode("the the")
    assert encoding.encode_single_token(" the") == encoding.encode_single_token(b" the") == 256
    assert encoding.encode_single_token(END) == 300
    assert encoding.decode_batch([[256], [300]]) == [" the", END]
    assert encoding.decode_bytes_batch([[256]]) == [b" the"]
    assert encoding.decode_single_token_bytes(256) == b" the"
    assert encoding.decode(array) == "the the"
    assert encoding.decode([encoding.encode_single_token(b"\xff")]) == "\ufffd"
    with pytest.raises(UnicodeDecodeError):
        encoding.decode([encoding.encode_single_token(b"\xff")], errors="strict")
    assert "toy" in repr(encoding)


def test_pattern_with_groups(ranks):
    encoding = BytePairEncoding("groups", ranks, r"(a)|(.)")
    assert encoding.decode(encoding.encode("abc")) == "abc"


def test_refuses(ranks, encoding):
    with pytest.raises(UnknownNameError, match="no token 299"):
        encoding.decode([299])
    with pytest.raises(UnknownNameError, match="no token 'thethe'"):
        encoding.encode_single_token("thethe")
    with pytest.raises(UnknownNameError, match="no token b"):
        encoding.encode_single_token(b"\xff\xff")
    with pytest.raises(FileFormatError, match="1 of the 256 single bytes"):
        BytePairEncoding("x", {k: v for k, v in ranks.items() if k != b"a"}, "gpt2")
    with pytest.raises(FileFormatError, match="the same rank"):
        BytePairEncoding("x", ranks | {b"zz": 3}, "gpt2")
    with pytest.raises(DomainError, match="has the id of a rank"):
        BytePairEncoding("x", ranks, "gpt2", {END: 3})
    with pytest.raises(DomainError, match="cl100k, gpt2"):
        BytePairEncoding("x", ranks, "(")
    with pytest.raises(UnknownNameError, match="endoftext"):
        BytePairEncoding("x", ranks, "gpt2").eot_token  # noqa: B018


def test_cache_is_bounded(ranks, monkeypatch):
    monkeypatch.setattr("triptych_text.tokenizers.byte_pair_encoding.CACHED_PIECES", 2)
    encoding = BytePairEncoding("toy", ranks, r"\S+|\s")
    for word in ("a", "b", "c", "d" * 100):
        assert encoding.decode(encoding.encode(word)) == word
    assert len(encoding._cache) <= 2

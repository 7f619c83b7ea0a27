from collections import Counter, OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triptych.errors import BoundsError, DTypeError, UnknownNameError
from triptych_text.vocab import Vocab, build_vocab_from_iterator, vocab

TOKENS = st.lists(st.text(min_size=1, max_size=4), unique=True, max_size=30)


@given(TOKENS)
def test_numbers_and_tokens_are_inverse(tokens):
    v = Vocab(tokens)
    assert len(v) == len(tokens)
    assert v.lookup_tokens(v(tokens)) == tokens
    assert v.lookup_indices(tokens) == list(range(len(tokens))) == v.forward(tokens)
    assert [v.get_itos()[i] for i in v.get_stoi().values()] == list(v.get_stoi())


@given(TOKENS, st.data())
def test_insert_is_as_in_a_list(tokens, data):
    place = data.draw(st.integers(0, len(tokens)))
    v = Vocab(tokens)
    v.insert_token("new token", place)
    expected = [*tokens[:place], "new token", *tokens[place:]]
    assert v.get_itos() == expected
    assert v(expected) == list(range(len(expected)))


def test_copies_do_not_lead_back():
    v = Vocab(["a"])
    v.get_itos().append("b")
    v.get_stoi()["b"] = 1
    assert "b" not in v
    assert len(v) == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyError, UnknownNameError])
def test_unknown_token_without_default(error):
    with pytest.raises(error, match=r"'x' is not among the 1 tokens.*set_default_index"):
        Vocab(["a"])["x"]
    with pytest.raises(error):
        Vocab(["a"])(["a", "x"])


def test_default_index():
    v = Vocab(["a", "b"], default_index=1)
    assert v["x"] == 1
    assert v(["x", "a"]) == [1, 0]
    v.set_default_index(-7)
    assert v.get_default_index() == v["x"] == -7
    v.set_default_index(None)
    with pytest.raises(RuntimeError):
        v["x"]


@pytest.mark.parametrize("place", [-1, 3])
@pytest.mark.parametrize("error", [RuntimeError, IndexError, BoundsError])
def test_places_outside(place, error):
    with pytest.raises(error, match=f"index {place}"):
        Vocab(["a", "b"]).insert_token("c", place)
    with pytest.raises(error, match=f"index {place}"):
        Vocab(["a", "b"]).lookup_token(place)


@pytest.mark.parametrize("error", [RuntimeError, ValueError])
def test_a_token_twice(error):
    with pytest.raises(error, match="'a' appears twice"):
        Vocab(["a", "b", "a"])
    with pytest.raises(error, match="'a' is there already, as number 0"):
        Vocab(["a"]).append_token("a")


def test_vocab_of_counts():
    counts = OrderedDict([("hello", 4), ("world", 3), ("rare", 1), ("<unk>", 9)])
    first = vocab(counts, min_freq=2, specials=["<unk>", "<pad>"])
    assert first.get_itos() == ["<unk>", "<pad>", "hello", "world"]
    last = vocab(counts, specials=["<unk>"], special_first=False)
    assert last.get_itos() == ["hello", "world", "rare", "<unk>"]
    assert list(counts) == ["hello", "world", "rare", "<unk>"]  # the caller's is untouched


def test_build_sorts_by_count_then_alphabet():
    texts = [["b", "a", "b"], ["c", "a", "d"]]
    assert build_vocab_from_iterator(texts).get_itos() == ["a", "b", "c", "d"]
    cut = build_vocab_from_iterator(iter(texts), specials=["<u>"], max_tokens=3)
    assert cut.get_itos() == ["<u>", "a", "b"]
    with pytest.raises(ValueError, match="no room"):
        build_vocab_from_iterator(texts, specials=["<u>"], max_tokens=1)


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=9), max_size=9), st.integers(1, 4))
def test_build_against_a_counter(texts, min_freq):
    counts = Counter(token for tokens in texts for token in tokens)
    built = build_vocab_from_iterator(texts, min_freq=min_freq).get_itos()
    assert set(built) == {token for token, count in counts.items() if count >= min_freq}
    keys = [(-counts[token], token) for token in built]
    assert keys == sorted(keys)


def test_equality():
    assert Vocab(["a"]) == Vocab(["a"])
    assert Vocab(["a"]) != Vocab(["a"], default_index=0)
    assert Vocab(["a"]) != ["a"]


@pytest.mark.parametrize(
    "call",
    [
        lambda v: Vocab("ab"),
        lambda v: v("ab"),
        lambda v: v.lookup_indices("ab"),
        lambda v: vocab({"a": 1}, specials="<unk>"),
        lambda v: build_vocab_from_iterator([["a"]], specials="<unk>", max_tokens=20),
    ],
)
def test_a_text_is_no_list_of_tokens(call):
    with pytest.raises(DTypeError, match="wanted a list of tokens, got the text"):
        call(Vocab(["a", "b"]))


def test_numbers_must_be_numbers():
    with pytest.raises(DTypeError, match=r"set_default_index.*'<unk>'.*v\[token\]"):
        Vocab(["<unk>"]).set_default_index("<unk>")
    with pytest.raises(DTypeError, match="set_default_index"):
        Vocab(["<unk>"], default_index="<unk>")
    for index in ("a", 0.0, None):
        with pytest.raises(DTypeError, match="lookup_token: wanted a number"):
            Vocab(["a"]).lookup_token(index)


@pytest.mark.parametrize("counts", [["a"], None, "a"])
def test_counts_must_be_a_mapping(counts):
    with pytest.raises(DTypeError, match="vocab: wanted a dict of tokens and counts"):
        vocab(counts)

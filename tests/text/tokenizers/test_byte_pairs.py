import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych_text.tokenizers.byte_pairs import byte_alphabet, merge_bytes, printable


def toy_ranks(seed: int = 0, merges: int = 60) -> dict[bytes, int]:
    """Single bytes and random unions of two tokens over a small alphabet."""
    draw = random.Random(seed)
    ranks = {bytes([i]): i for i in range(256)}
    tokens = [b"a", b"b", b"c", b" "]
    while len(ranks) < 256 + merges:
        union = draw.choice(tokens) + draw.choice(tokens)
        if union not in ranks:
            ranks[union] = len(ranks)
            tokens.append(union)
    return ranks


def naive(piece: bytes, ranks: dict[bytes, int]) -> list[int]:
    """Join the leftmost pair of the lowest rank, again and again."""
    parts = [piece[i : i + 1] for i in range(len(piece))]
    while True:
        found = [
            (ranks[parts[i] + parts[i + 1]], i)
            for i in range(len(parts) - 1)
            if parts[i] + parts[i + 1] in ranks
        ]
        if not found:
            return [ranks[part] for part in parts]
        _, i = min(found)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="abc ", min_size=1, max_size=40), st.integers(0, 5))
def test_same_as_the_naive_twin(text, seed):
    ranks = toy_ranks(seed)
    if text.encode() not in ranks:  # a whole token is taken at once, as tiktoken does
        assert merge_bytes(text.encode(), ranks) == naive(text.encode(), ranks)


def test_long_piece_takes_no_square_time():
    ranks = toy_ranks()
    ids = merge_bytes(b"abc" * 100_000, ranks)
    back = {rank: token for token, rank in ranks.items()}
    assert b"".join(back[i] for i in ids) == b"abc" * 100_000


def test_alphabet_is_that_of_the_library():
    pre_tokenizers = pytest.importorskip("tokenizers").pre_tokenizers
    assert set(byte_alphabet().values()) == set(pre_tokenizers.ByteLevel.alphabet())
    text = "é \n\x00"
    cut = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    assert printable(text.encode()) == cut.pre_tokenize_str(text)[0][0]

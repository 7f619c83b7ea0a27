"""A model that continues texts by a rule, and a tokenizer of letters."""

from types import SimpleNamespace

import pytest

import triptych as tp
from triptych_text.models import GPT2Config, GPT2LMHeadModel


class Letters:
    """Ids are code points; ids above 1000 are single bytes of UTF-8."""

    def encode(self, text):
        return SimpleNamespace(ids=list(map(ord, text)))

    def decode(self, ids, skip_special_tokens=True):
        data = b"".join(bytes([i - 1000]) if i >= 1000 else chr(i).encode() for i in ids)
        return data.decode("utf-8", errors="replace")


@pytest.fixture
def letters():
    return Letters()


@pytest.fixture
def model():
    tp.manual_seed(0)
    config = GPT2Config(
        vocab_size=12, n_positions=40, n_embd=16, n_layer=1, n_head=2, pad_token_id=0,
        eos_token_id=1, initializer_range=0.5,
    )  # fmt: skip
    return GPT2LMHeadModel(config).eval()

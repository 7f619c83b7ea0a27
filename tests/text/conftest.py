"""A tiny vocabulary and tiny models."""

import pytest

from triptych_text.models import BertConfig
from triptych_text.tokenizers import Tokenizer, word_piece_backend

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "the",
    "cat",
    "##s",
    "sleep",
    "un",
    "##related",
    ",",
]


@pytest.fixture
def words() -> list[str]:
    return list(WORDS)


@pytest.fixture
def vocab_file(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def tokenizer() -> Tokenizer:
    return Tokenizer(word_piece_backend({word: i for i, word in enumerate(WORDS)}))


@pytest.fixture
def bert_config() -> BertConfig:
    return BertConfig(
        vocab_size=20,
        hidden_size=12,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=24,
        max_position_embeddings=10,
    )

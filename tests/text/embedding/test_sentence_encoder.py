import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import triptych as tp
from triptych.errors import DTypeError
from triptych_text.embedding import Pooling, SentenceEncoder
from triptych_text.embedding.sentence_encoder import BATCH_COST_TOKENS, batches_by_length
from triptych_text.models import BertModel

TEXTS = ["cat", "the cats sleep, the cats", "", "sleep", "unrelated cats, the", "cat", "the"]


@pytest.fixture
def encoder(bert_config, tokenizer):
    tp.manual_seed(3)
    bert_config.initializer_range = 0.5
    return SentenceEncoder(BertModel(bert_config), tokenizer, max_length=9).eval()


def one_by_one(encoder, texts, normalize):
    """The naive twin: no batches, no padding."""
    rows = []
    for text in texts:
        ids = encoder.tokenizer.encode(text, truncation=True, max_length=9).ids
        with tp.no_grad():
            row = encoder.model(tp.tensor([ids])).last_hidden_state[0].numpy().mean(0)
        rows.append(row / np.linalg.norm(row) if normalize else row)
    return np.stack(rows)


@pytest.mark.parametrize("batch_size", [1, 2, 32])
@pytest.mark.parametrize("normalize", [True, False])
def test_batches_against_one_by_one(encoder, batch_size, normalize, monkeypatch):
    monkeypatch.setattr("triptych_text.embedding.sentence_encoder.BATCH_COST_TOKENS", 99)
    got = encoder.encode(TEXTS, batch_size, normalize)
    assert got.dtype == tp.float32
    assert not got.requires_grad
    expected = one_by_one(encoder, TEXTS, normalize)
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_single_and_none(encoder):
    assert encoder.encode("cat").shape == (12,)
    np.testing.assert_allclose(
        encoder.encode("cat").numpy(), encoder.encode(["cat"])[0].numpy(), rtol=1e-6
    )
    assert encoder.encode([]).shape == (0, 12)


def test_other_pooling_and_width(encoder):
    encoder.pooling = Pooling(["cls", "mean"])
    assert encoder.encode(["cat", "the cats"]).shape == (2, 24)
    assert encoder.encode([]).shape == (0, 24)


def test_training_mode_is_kept_and_not_used(encoder):
    encoder.train()
    first, second = encoder.encode(TEXTS).numpy(), encoder.encode(TEXTS).numpy()
    np.testing.assert_array_equal(first, second)
    assert encoder.training
    assert encoder.model.embeddings.dropout.training


def test_forward_can_be_trained(encoder):
    encoder(**encoder.tokenizer(["cat", "the cats"])).square().sum().backward()
    assert encoder.model.embeddings.word_embeddings.weight.grad[6].abs().sum().item() > 0


def test_refuses(encoder):
    with pytest.raises(ValueError, match="batch_size"):
        encoder.encode(TEXTS, batch_size=0)
    with pytest.raises(DTypeError, match="a int at position 1"):
        encoder.encode(["cat", 3])
    with pytest.raises(DTypeError, match="generator"):
        encoder.encode(text for text in TEXTS)


def test_progress(encoder, capsys):
    encoder.encode(TEXTS, progress=True)
    assert "7/7" in capsys.readouterr().err
    encoder.encode(TEXTS)
    assert capsys.readouterr().err == ""


def test_from_a_folder(encoder, tmp_path):
    encoder.model.save_pretrained(tmp_path)
    encoder.tokenizer.save(tmp_path / "tokenizer.json")
    (tmp_path / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 9}))
    loaded = SentenceEncoder.from_pretrained(tmp_path)
    assert not loaded.training
    assert (loaded.max_length, loaded.pooling.modes) == (9, ("mean",))
    np.testing.assert_array_equal(loaded.encode(TEXTS).numpy(), encoder.encode(TEXTS).numpy())
    (tmp_path / "1_Pooling").mkdir()
    settings = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(settings))
    assert SentenceEncoder.from_pretrained(tmp_path).pooling.modes == ("cls",)


@given(st.lists(st.integers(0, 60), max_size=40), st.integers(1, 9))
def test_batches_by_length(lengths, batch_size):
    batches = list(batches_by_length(lengths, batch_size))
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        own = [lengths[place] for place in batch]
        assert 0 < len(batch) <= batch_size
        assert own[0] == max(own)
        assert sum(max(own) - length for length in own) <= BATCH_COST_TOKENS
    longest = [lengths[batch[0]] for batch in batches]
    assert longest == sorted(longest, reverse=True)

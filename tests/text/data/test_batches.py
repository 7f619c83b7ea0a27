"""Collators, packing, span corruption and samplers."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import triptych as tp
from triptych.errors import DomainError, DTypeError, ShapeError, UnknownNameError
from triptych_text.data import (
    BucketBatchSampler,
    ConcatChunks,
    DataCollatorForLanguageModeling,
    DataCollatorForSeq2Seq,
    DataCollatorForWholeWordMask,
    DataCollatorWithPadding,
    SpanCorruption,
    TokenBatchSampler,
    document_mask,
    pack,
)

PAD, CLS, SEP, MASK = 0, 2, 3, 4  # in the vocabulary of conftest.py


def test_padding(tokenizer):
    collate = DataCollatorWithPadding(tokenizer)
    batch = collate([{"input_ids": [5, 6], "label": 1}, {"input_ids": [7], "label": 0}])
    assert {k: v.tolist() for k, v in batch.items()} == {
        "input_ids": [[5, 6], [7, PAD]],
        "attention_mask": [[1, 1], [1, 0]],
        "labels": [1, 0],
    }
    left = DataCollatorWithPadding(tokenizer, pad_to_multiple_of=3, padding_side="left")
    assert left([[5, 6], [7]])["input_ids"].tolist() == [[0, 5, 6], [0, 0, 7]]
    fixed = DataCollatorWithPadding(tokenizer, padding="max_length", max_length=4)
    assert fixed([tp.tensor([5])])["attention_mask"].tolist() == [[1, 0, 0, 0]]
    scores = collate([{"input_ids": [5], "scores": [0.5, 1.5]}])["scores"]
    assert scores.tolist() == [[0.5, 1.5]]
    encodings = [tokenizer.encode("the cats"), tokenizer.encode("cat")]
    batch = collate(encodings)
    assert batch["input_ids"].tolist() == [[CLS, 5, 6, 7, SEP], [CLS, 6, SEP, PAD, PAD]]
    assert batch["special_tokens_mask"].tolist() == [[1, 0, 0, 0, 1], [1, 0, 1, 1, 1]]
    assert batch["token_type_ids"].tolist() == [[0] * 5] * 2
    assert "word_ids" not in batch


def test_padding_errors(tokenizer):
    collate = DataCollatorWithPadding(tokenizer)
    with pytest.raises(ShapeError, match="empty batch"):
        collate([])
    with pytest.raises(ShapeError, match="different names"):
        collate([{"input_ids": [1], "a": 1}, {"input_ids": [1], "b": 1}])
    with pytest.raises(DTypeError, match="got str"):
        collate(["text"])
    with pytest.raises(ShapeError, match="does not fit"):
        DataCollatorWithPadding(tokenizer, padding=False)([[1, 2], [3]])
    with pytest.raises(ShapeError, match="does not fit"):
        DataCollatorWithPadding(tokenizer, padding="max_length", max_length=1)([[1, 2]])
    for wrong in ({"padding": "x"}, {"padding": "max_length"}):
        with pytest.raises(DomainError, match="padding"):
            DataCollatorWithPadding(tokenizer, **wrong)


def test_masked_language_modeling(tokenizer):
    generator = tp.Generator().manual_seed(0)
    collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.3, generator=generator)
    rows = [[CLS, *[6] * 60, SEP]] * 100 + [[CLS, 6, SEP]]
    batch = collate([{"input_ids": row} for row in rows])
    ids, labels = batch["input_ids"].numpy(), batch["labels"].numpy()
    chosen = labels != -100
    assert chosen[:100, 1:61].mean() == pytest.approx(0.3, abs=0.02)
    assert not chosen[:, 0].any() and not chosen[:100, 61].any() and not chosen[100, 2:].any()
    assert set(labels[chosen]) == {6}
    assert (ids[~chosen] == np.asarray([r + [PAD] * (62 - len(r)) for r in rows])[~chosen]).all()
    assert (ids[chosen] == MASK).mean() == pytest.approx(0.8 + 0.1 / 12, abs=0.03)
    assert (ids[chosen] == 6).mean() == pytest.approx(0.1 + 0.1 / 12, abs=0.03)


def test_special_tokens_mask_is_heeded(tokenizer):
    collate = DataCollatorForLanguageModeling(
        tokenizer, mlm_probability=1.0, mask_replace_prob=1.0, random_replace_prob=0.0
    )
    batch = collate([{"input_ids": [6, 6, 6], "special_tokens_mask": [0, 1, 0]}])
    assert batch["input_ids"].tolist() == [[MASK, 6, MASK]]
    assert batch["labels"].tolist() == [[6, -100, 6]]
    assert "special_tokens_mask" not in batch


def test_causal_language_modeling(tokenizer):
    collate = DataCollatorForLanguageModeling(tokenizer, mlm=False)
    batch = collate([[5, 6, 7], [8]])
    assert batch["labels"].tolist() == [[5, 6, 7], [8, -100, -100]]
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, PAD, PAD]]


def test_language_modeling_errors(tokenizer):
    with pytest.raises(DomainError, match="shares"):
        DataCollatorForLanguageModeling(tokenizer, mask_replace_prob=0.95)
    without = SimpleNamespace(pad_id=0, token_to_id=lambda token: None)
    with pytest.raises(UnknownNameError, match="none of"):
        DataCollatorForLanguageModeling(without)


@pytest.mark.parametrize("by_encoding", [True, False])
def test_whole_words(tokenizer, by_encoding):
    collate = DataCollatorForWholeWordMask(
        tokenizer, mlm_probability=0.5, generator=tp.Generator().manual_seed(0)
    )
    encoding = tokenizer.encode("cats unrelated the cats")  # cat ##s un ##related the cat ##s
    sample = encoding if by_encoding else {"input_ids": encoding.ids}
    chosen = (collate([sample] * 200)["labels"] != -100).numpy()
    assert not chosen[:, [0, -1]].any()
    for first, second in ((1, 2), (3, 4), (6, 7)):
        assert (chosen[:, first] == chosen[:, second]).all()
        assert chosen[:, first].mean() == pytest.approx(0.5, abs=0.12)
    assert (chosen[:, 1] != chosen[:, 3]).any() and (chosen[:, 1] != chosen[:, 6]).any()


def test_seq2seq(tokenizer):
    shifted = SimpleNamespace(prepare_decoder_input_ids_from_labels=lambda labels: labels + 1000)
    rows = [{"input_ids": [5], "labels": [6, 7, 8]}, {"input_ids": [5, 6], "labels": [7]}]
    batch = DataCollatorForSeq2Seq(tokenizer, shifted)(rows)
    assert batch["input_ids"].tolist() == [[5, PAD], [5, 6]]
    assert batch["labels"].tolist() == [[6, 7, 8], [7, -100, -100]]
    assert batch["decoder_input_ids"].tolist() == [[1006, 1007, 1008], [1007, 900, 900]]
    fixed = DataCollatorForSeq2Seq(
        tokenizer, padding="max_length", max_length=4, label_pad_token_id=9, padding_side="left"
    )
    assert fixed(rows)["labels"].tolist() == [[9, 6, 7, 8], [9, 9, 9, 7]]
    assert "labels" not in fixed([{"input_ids": [5]}])
    assert len(rows[0]) == 2  # the caller's samples stay whole


@given(st.integers(2, 80), st.integers(0, 2**32), st.floats(0.05, 0.9), st.floats(1, 5))
def test_span_corruption_loses_nothing(length, seed, density, mean):
    sentinels = list(range(1000, 1100))
    made = SpanCorruption(
        sentinels, eos_id=1, noise_density=density, mean_noise_span_length=mean,
        generator=tp.Generator().manual_seed(seed),
    )  # fmt: skip
    ids = list(range(100, 100 + length))
    sample = made(ids)
    assert sample["input_ids"].pop() == sample["labels"].pop() == 1
    spans = {}
    for token in sample["labels"]:
        if token >= 1000:
            spans[token] = []
            last = token
        else:
            spans[last].append(token)
    assert list(spans) == sentinels[: len(spans)]
    filled = [t for token in sample["input_ids"] for t in spans.get(token, [token])]
    cut = length - sum(t < 1000 for t in sample["input_ids"])
    assert cut == min(max(round(length * density), 1), length - 1)
    assert sample["input_ids"][0] == 100
    if cut:
        assert filled == ids


def test_span_corruption_errors():
    with pytest.raises(ShapeError, match="2 ids or more"):
        SpanCorruption([9])([1])
    with pytest.raises(DomainError, match="noise_density"):
        SpanCorruption([9], noise_density=1.0)
    with pytest.raises(DomainError, match="sentinels"):
        SpanCorruption([9], noise_density=0.5, mean_noise_span_length=1)(list(range(20)))


@given(
    st.lists(st.lists(st.integers(1, 9), max_size=7), max_size=12), st.integers(1, 6), st.booleans()
)
def test_packing_keeps_the_stream(documents, size, ended):
    eos = 0 if ended else None
    stream = [t for d in documents for t in [*d, *([0] if ended else [])]]
    blocks = list(ConcatChunks(documents, size, eos, drop_last=False))
    assert [t for block in blocks for t in block["input_ids"].tolist()] == stream
    assert all(len(block["input_ids"]) == size for block in blocks[:-1])
    packed = pack(documents, size, eos)
    whole = len(stream) // size
    assert packed.input_ids.tolist() == np.reshape(stream[: whole * size], (whole, size)).tolist()


def test_packing_by_hand():
    packed = pack([[1, 2, 3, 4, 5], [6], [7, 8]], 4)
    assert packed.document_ids.tolist() == [[0, 0, 0, 0], [0, 1, 2, 2]]
    assert packed.position_ids.tolist() == [[0, 1, 2, 3], [0, 0, 0, 1]]
    mask = document_mask(packed.document_ids)
    assert mask[1].int().tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]
    assert document_mask(packed.document_ids, causal=False)[1, 2].tolist() == [
        False, False, True, True,
    ]  # fmt: skip
    with pytest.raises(DomainError, match="block_size"):
        ConcatChunks([], 0)


@given(st.lists(st.integers(0, 20), max_size=60), st.booleans(), st.integers(1, 30))
def test_token_batches(lengths, shuffle, bucket):
    made = TokenBatchSampler(
        lengths, 20, max_samples=5, shuffle=shuffle, bucket_size=bucket,
        generator=tp.Generator().manual_seed(0),
    )  # fmt: skip
    batches = list(made)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert 0 < len(batch) <= 5
        assert len(batch) * max(lengths[i] for i in batch) <= 20


def test_token_batches_choices():
    lengths = [3, 30, 2, 4]
    with pytest.raises(DomainError, match="sample 1 has 30 tokens"):
        TokenBatchSampler(lengths, 10)
    made = TokenBatchSampler(lengths, 10, drop_long=True, sampler=[3, 1, 0], shuffle=False)
    assert list(made) == [[0, 3]]
    with pytest.raises(DomainError, match="max_tokens"):
        TokenBatchSampler([1], 0)
    one = TokenBatchSampler([1] * 50, 5, generator=tp.Generator().manual_seed(0))
    assert list(one) != list(one)


def test_bucket_sampler_is_the_core_s():
    assert BucketBatchSampler is tp.utils.data.BucketBatchSampler

"""Words for gaps, and vectors of tokens, against the model itself."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError, ShapeError, UnknownNameError
from triptych_text.models import BertForMaskedLM
from triptych_text.pipelines import FeatureExtraction, FillMask
from triptych_text.tokenizers import Tokenizer, word_piece_backend


@pytest.fixture
def fill(bert_config, tokenizer):
    tp.manual_seed(0)
    bert_config.vocab_size, bert_config.initializer_range = 12, 1.0
    return FillMask(BertForMaskedLM(bert_config).eval(), tokenizer)


def scores(fill, text, place):
    with tp.no_grad():
        logits = fill.model(**fill.tokenizer([text])).logits[0, place]
    return logits.softmax(-1).numpy()


def test_one_gap(fill):
    text = "the [MASK] sleep"
    wanted = scores(fill, text, 2)
    found = fill(text, top_k=12)
    assert [f["token"] for f in found] == np.argsort(-wanted).tolist()
    np.testing.assert_allclose([f["score"] for f in found], np.sort(wanted)[::-1], rtol=1e-5)
    cat = next(f for f in found if f["token"] == 6)
    assert (cat["token_str"], cat["sequence"]) == ("cat", "the cat sleep")
    assert len(fill(text)) == 5


def test_several_gaps(fill):
    text = "[MASK] cat [MASK]"
    first, second = fill(text, top_k=2)
    assert first[0]["token"] == scores(fill, text, 1).argmax()
    assert second[0]["token"] == scores(fill, text, 3).argmax()
    assert "[MASK]" in first[0]["sequence"]  # the other gap


def test_targets(fill):
    text = "the [MASK]"
    found = fill(text, targets=["sleep", "cats", "cat"])  # "cats" begins with "cat"
    assert {f["token"] for f in found} == {6, 8}
    assert fill(text, targets="cat")[0]["score"] == pytest.approx(
        scores(fill, text, 2)[6], rel=1e-5
    )


def test_several_texts(fill):
    texts = ["the [MASK] sleep , cats sleep", "[MASK]"]
    for one, text in zip(fill(texts, batch_size=2), texts, strict=True):
        alone = fill(text)
        assert [f["token"] for f in one] == [f["token"] for f in alone]
        np.testing.assert_allclose(
            [f["score"] for f in one], [f["score"] for f in alone], rtol=1e-4
        )


def test_refuses(fill):
    with pytest.raises(ShapeError, match=r"no \[MASK\] among the 4 tokens"):
        fill("the cat")
    with pytest.raises(UnknownNameError, match="has no token"):
        fill("the [MASK]", targets=[""])
    with pytest.raises(UnknownNameError, match="targets is empty"):
        fill("the [MASK]", targets=[])
    bare = Tokenizer(word_piece_backend({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}))
    with pytest.raises(UnknownNameError, match="no token for a gap"):
        FillMask(fill.model, bare)


def test_a_token_of_another_name(fill):
    own = Tokenizer(fill.tokenizer.backend, special={"mask_token": "cat"})
    assert FillMask(fill.model, own).mask_token == "cat"


def test_vectors_of_tokens(fill):
    encode = FeatureExtraction(fill.model.bert, fill.tokenizer)
    texts = ["the cats sleep", "cat"]
    rows = encode(texts)
    assert [row.shape for row in rows] == [(6, 12), (3, 12)]
    for row, text in zip(rows, texts, strict=True):
        with tp.no_grad():
            wanted = fill.model.bert(**fill.tokenizer([text])).last_hidden_state[0].numpy()
        np.testing.assert_allclose(row, wanted, atol=1e-5)
        np.testing.assert_allclose(encode(text), wanted, atol=1e-5)
    with pytest.raises(DTypeError, match="wanted a model Model, got a BertForMaskedLM"):
        FeatureExtraction(fill.model, fill.tokenizer)

"""Classes of whole texts."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError
from triptych_text.models import from_config
from triptych_text.pipelines import TextClassification
from triptych_text.tokenizers import Tokenizer

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cat", "dog", "sleeps", "runs"]
SMALL = {
    "vocab_size": len(WORDS),
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 8,
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    return tmp_path


def pipeline(folder, kind="Bert", **settings):
    tp.manual_seed(0)
    config = {"architectures": [f"{kind}ForSequenceClassification"], **SMALL, **settings}
    return TextClassification(
        from_config(config).eval(), Tokenizer.from_vocab_file(folder / "vocab.txt")
    )


NAMES = {"0": "still", "1": "moving", "2": "other"}


def test_classes_of_one_and_of_several(folder):
    classify = pipeline(folder, id2label=NAMES)
    texts = ["cat sleeps", "dog runs runs", "cat"]
    with tp.inference_mode():
        want = classify.model(**classify.tokenizer(texts)).logits.softmax(1).numpy()
    for batch_size in 1, 2, 32:
        found = classify(texts, batch_size=batch_size)
        assert [f["label"] for f in found] == [NAMES[str(i)] for i in want.argmax(1)]
        np.testing.assert_allclose([f["score"] for f in found], want.max(1), rtol=1e-5)
    assert classify(texts[0])["label"] == found[0]["label"]
    ranked = classify(texts[0], top_k=None)
    np.testing.assert_allclose([r["score"] for r in ranked], np.sort(want[0])[::-1], rtol=1e-5)
    assert [r["label"] for r in classify(texts, top_k=2)[0]] == [r["label"] for r in ranked[:2]]


def test_a_single_score_is_a_probability_of_its_own(folder):
    classify = pipeline(folder, num_labels=1)
    with tp.inference_mode():
        want = classify.model(**classify.tokenizer(["cat"])).logits.sigmoid().item()
    assert classify("cat") == {"label": "LABEL_0", "score": pytest.approx(want)}


@pytest.mark.parametrize("kind", ["Bert", "Roberta", "DistilBert", "Electra"])
def test_long_texts_are_cut_to_what_the_model_reads(kind, folder):
    own = {"max_position_embeddings": 10} if kind == "Roberta" else {}
    classify = pipeline(folder, kind, **own)
    assert classify("cat runs " * 20)["score"] > 0


def test_folder_round_trip(folder):
    classify = pipeline(folder, id2label=NAMES)
    classify.model.save_pretrained(folder)
    classify.tokenizer.save(folder / "tokenizer.json")
    assert TextClassification.from_pretrained(folder)("dog runs") == classify("dog runs")


def test_other_models_and_numbers_are_refused(folder):
    with pytest.raises(DTypeError, match="got a BertModel"):
        TextClassification(from_config({"architectures": ["BertModel"], **SMALL}), None)
    with pytest.raises(ValueError, match="1 or more, got 0"):
        pipeline(folder)("cat", batch_size=0)


@pytest.mark.parametrize("kind", ["Bert", "Roberta", "DistilBert", "Electra", "DebertaV2", "Llama"])
def test_padding_changes_nothing(kind, folder):
    own = {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 16, "pad_token_id": 0}
    classify = pipeline(folder, kind, initializer_range=1.0, **own)
    alone = classify("cat", top_k=None)
    beside = classify(["cat", "dog runs dog sleeps"], top_k=None)[0]
    assert [r["label"] for r in alone] == [r["label"] for r in beside]
    np.testing.assert_allclose([r["score"] for r in alone], [r["score"] for r in beside], rtol=1e-4)


def test_scores_follow_the_kind_of_problem(folder):
    for problem, function in (
        ("multi_label_classification", lambda x: 1 / (1 + np.exp(-x))),
        ("regression", lambda x: x),
        (None, lambda x: np.exp(x) / np.exp(x).sum()),
    ):
        classify = pipeline(folder, id2label=NAMES, problem_type=problem)
        with tp.inference_mode():
            logits = classify.model(**classify.tokenizer(["cat"])).logits.numpy()[0]
        got = [r["score"] for r in classify("cat", top_k=None)]
        np.testing.assert_allclose(got, np.sort(function(logits))[::-1], rtol=1e-5)
        raw = classify("cat", function_to_apply="none", top_k=None)
        np.testing.assert_allclose([r["score"] for r in raw], np.sort(logits)[::-1], rtol=1e-5)

"""ROUGE, SQuAD, spans, GLUE and perplexity by hand, and by SciPy."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, DTypeError, ShapeError, UnknownNameError
from triptych_text import metrics as M


def test_rouge_by_hand():
    # 3 words of 4 against 5; pairs: "the cat" only, of 3 and 4.
    one = M.rouge_n("the cat sat down", "The cat, he sat up!", 1)
    assert (one.precision, one.recall) == (3 / 4, 3 / 5)
    assert one.fmeasure == pytest.approx(2 / 3)
    two = M.rouge_n("the cat sat down", "the cat he sat up", 2)
    assert (two.precision, two.recall) == (1 / 3, 1 / 4)
    longest = M.rouge_l("police kill the gunman", "police killed the gunman")
    assert longest.fmeasure == 0.75  # Lin 2004, section 3.1
    assert M.rouge_l("the gunman kill police", "police killed the gunman").fmeasure == 0.5
    assert M.rouge_n("", "a", 1) == (0, 0, 0)
    assert M.rouge_n("running quickly", "runs quick", 1).fmeasure == 0
    assert M.rouge_n("connected cars", "connection car", 1, stemmer=True).recall == 1


def test_rouge_lsum_by_hand():
    # Lin 2004, section 3.2: the union of "w1 w2" and "w1 w3 w5" covers 4 of 5 words.
    score = M.rouge_lsum("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", "w1 w2 w3 w4 w5")
    assert score.recall == 4 / 5
    assert score.precision == 4 / 10
    # A word counts no more often than it occurs in the prediction.
    assert M.rouge_lsum("a b", "a b\na b").recall == 0.5


def test_rouge_of_many():
    scores = M.rouge(["a b", "x"], ["a b", "y"])
    assert scores == {"rouge1": 0.5, "rouge2": 0.5, "rougeL": 0.5, "rougeLsum": 0.5}
    with pytest.raises(UnknownNameError, match="no kind 'rouge9'"):
        M.rouge(["a"], ["a"], kinds=["rouge9"])
    with pytest.raises(ShapeError, match="2 predictions"):
        M.rouge(["a", "b"], ["a"])
    for texts in (("a b", ["a b"]), (["a"], "a")):
        with pytest.raises(DTypeError, match="rouge: wanted a list of texts"):
            M.rouge(*texts)
    with pytest.raises(DomainError, match="rouge_n: wanted n of 1 or more, got 0"):
        M.rouge_n("a", "a", 0)


def test_squad():
    got = {"1": "The Tower!", "2": "red house"}
    wanted = {"1": ["tower", "x"], "2": ["a big red house"]}
    assert M.squad_em_f1(got, wanted) == {"exact_match": 50, "f1": pytest.approx(90)}
    assert M.squad_em_f1({}, {}) == {"exact_match": 0, "f1": 0}
    with pytest.raises(UnknownNameError, match=r"1 questions: \['2'\]"):
        M.squad_em_f1({"1": "x"}, wanted)
    for metric in (M.squad_em_f1, M.squad_v2):
        with pytest.raises(DTypeError, match="1: wanted a list of answers"):
            metric({"1": "x"}, {"1": "x"})


@pytest.mark.parametrize(
    ("answer", "wanted", "exact", "f1"),
    [
        ("", "", 100, 100),
        ("the", "An", 100, 100),  # nothing is left of either
        ("", "x", 0, 0),
        ("x", "", 0, 0),
        ("x", "the X.", 100, 100),
        ("x", "y", 0, 0),
        ("x x", "x", 0, 200 / 3),
    ],
)
def test_squad_of_no_word_and_one(answer, wanted, exact, f1):
    scores = M.squad_em_f1({"q": answer}, {"q": [wanted]})
    assert scores == {"exact_match": exact, "f1": pytest.approx(f1)}


def test_squad_without_answers():
    got = {"1": "tower", "2": "", "3": "guess", "4": "wrong"}
    wanted = {"1": ["tower"], "2": [], "3": [], "4": ["right"]}
    plain = M.squad_v2(got, wanted)
    assert (plain["exact"], plain["HasAns_exact"], plain["NoAns_f1"]) == (50, 50, 50)
    assert (plain["total"], plain["HasAns_total"], plain["NoAns_total"]) == (4, 2, 2)
    assert "best_f1" not in plain
    probs = {"1": 0.1, "2": 0.9, "3": 0.8, "4": 0.3}
    tuned = M.squad_v2(got, wanted, probs, no_answer_threshold=0.5)
    assert tuned["exact"] == 75  # "guess" counts as no answer
    assert (tuned["best_exact"], tuned["best_exact_thresh"]) == (75, 0.1)
    assert "NoAns_total" not in M.squad_v2({"1": "tower"}, {"1": ["tower"]})


TAGS = ["B-PER", "I-PER", "I-PER", "O", "I-LOC", "B-LOC", "I-ORG", "O", "S-X", "B-Y", "E-Y", "I-Y"]


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ("lenient", [("PER", 0, 3), ("LOC", 4, 5), ("LOC", 5, 6), ("ORG", 6, 7), ("X", 8, 9),
                     ("Y", 9, 11), ("Y", 11, 12)]),
        ("IOB1", [("PER", 0, 3), ("LOC", 4, 5), ("LOC", 5, 6), ("ORG", 6, 7)]),
        ("IOB2", [("PER", 0, 3), ("LOC", 5, 6)]),
        ("IOBES", [("X", 8, 9), ("Y", 9, 11)]),
    ],
)  # fmt: skip
def test_spans(scheme, expected):
    found = M.get_spans(TAGS[:8] if scheme in ("IOB1", "IOB2") else TAGS, scheme)
    assert found == expected


def test_spans_of_other_marks():
    bilou = ["B-A", "I-A", "L-A", "U-B", "O", "B-C"]
    assert M.get_spans(bilou, "IOBES") == [("A", 0, 3), ("B", 3, 4)]
    assert M.get_spans([], "IOB2") == []
    with pytest.raises(UnknownNameError, match="no scheme"):
        M.get_spans([], "IOB9")


@pytest.mark.parametrize("scheme", ["lenient", "IOB1", "IOB2", "IOBES"])
def test_what_is_no_mark_is_no_span(scheme):
    assert M.get_spans(["", "-A", "BE-A", "IB-A", "BES", "X-A"], scheme) == []


def test_span_scores():
    got = [["B-A", "I-A", "O", "B-B"], ["B-A"]]
    wanted = [["B-A", "I-A", "O", "O"], ["B-B"]]
    scores = M.seqeval_f1(got, wanted)
    assert scores["A"] == (0.5, 1.0, pytest.approx(2 / 3), 1)
    assert scores["B"] == (0, 0, 0, 1)
    assert scores["micro"] == (pytest.approx(1 / 3), 0.5, pytest.approx(0.4), 2)
    assert scores["macro"] == scores["weighted"] == (0.25, 0.5, pytest.approx(1 / 3), 2)
    assert M.seqeval_f1([["O"]], [["O"]])["micro"] == (0, 0, 0, 0)
    with pytest.raises(ShapeError, match="numbers of tags"):
        M.seqeval_f1([["O"]], [["O", "O"]])


def test_glue_by_hand():
    got, wanted = [1, 1, 0, 0, 1], [1, 0, 0, 1, 1]  # 2 right of 3 said, of 3 there
    assert M.accuracy(tp.tensor(got), np.array(wanted)) == 0.6
    assert M.f1_score(got, wanted) == pytest.approx(2 / 3)
    assert M.f1_score(got, wanted, pos_label=0) == 0.5
    assert M.f1_score(got, wanted, "micro") == 0.6
    assert M.f1_score(got, wanted, "macro") == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert M.f1_score(got, wanted, "weighted") == pytest.approx(0.6 * 2 / 3 + 0.4 / 2)
    assert M.matthews_corrcoef(got, wanted) == pytest.approx((2 * 1 - 1) / math.sqrt(36))
    assert M.matthews_corrcoef([1, 1], [0, 1]) == 0
    assert M.matthews_corrcoef([0, 1, 2], [0, 1, 2]) == pytest.approx(1)
    assert M.glue("cola", [0, 1], [0, 1]) == {"matthews_correlation": pytest.approx(1)}
    assert sorted(M.GLUE_METRICS) == sorted(
        ["cola", "mnli", "mrpc", "qnli", "qqp", "rte", "sst2", "stsb", "wnli"]
    )
    for wrong in (lambda: M.f1_score([1], [1], "x"), lambda: M.glue("x", [1], [1])):
        with pytest.raises(UnknownNameError):
            wrong()
    with pytest.raises(ShapeError, match="accuracy"):
        M.accuracy([1, 2], [1])


def test_correlations_against_scipy():
    stats = pytest.importorskip("scipy.stats")
    draw = np.random.default_rng(0)
    x, y = draw.integers(0, 5, 40).astype(float), draw.normal(size=40)
    assert M.pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic)
    assert M.spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)
    assert math.isnan(M.pearson([1.0, 1.0], [1.0, 2.0]))


def test_perplexity():
    draw = np.random.default_rng(0)
    logits = tp.from_numpy(draw.normal(size=(2, 4, 5)).astype(np.float32))
    labels = tp.tensor([[0, 1, 2, -100], [3, 4, 0, 1]])
    scores = logits.numpy() - np.log(np.exp(logits.numpy()).sum(-1, keepdims=True))
    chosen = [scores[i, j, k] for i, row in enumerate(labels.tolist())
              for j, k in enumerate(row) if k >= 0]  # fmt: skip
    assert M.perplexity(logits, labels) == pytest.approx(math.exp(-np.mean(chosen)), rel=1e-5)
    metric = M.Perplexity()
    metric.update(logits[:1], labels[:1])
    metric.update(logits[1:], labels[1:])
    assert metric.compute() == pytest.approx(M.perplexity(logits, labels))
    assert metric.bits_per_byte(10) == pytest.approx(-np.sum(chosen) / math.log(2) / 10, rel=1e-5)
    shifted = M.perplexity(logits, labels, shift=True)
    assert shifted == pytest.approx(M.perplexity(logits[:, :-1], labels[:, 1:]))
    metric.reset()
    with pytest.raises(ShapeError, match="no label counts"):
        metric.compute()
    with pytest.raises(ShapeError, match="wanted logits"):
        metric.update(logits, labels[:, 1:])


def test_perplexity_at_its_ends():
    sure_and_wrong = M.perplexity(tp.tensor([[0.0, 1000.0]]), tp.tensor([0]))
    assert sure_and_wrong == math.inf
    with pytest.raises(DomainError, match="bits_per_byte: wanted 1 byte or more, got 0"):
        M.Perplexity().bits_per_byte(0)

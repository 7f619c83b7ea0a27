"""BLEU, chrF and TER against sacrebleu, and against hand computation where it is not installed."""

import math
import random

import pytest

from triptych.errors import DomainError, DTypeError, ShapeError, UnknownNameError
from triptych_text.metrics import (
    bleu_score,
    corpus_bleu,
    corpus_chrf,
    corpus_ter,
    edit_distance,
    sentence_bleu,
    sentence_chrf,
    sentence_ter,
    word_error_rate,
)
from triptych_text.metrics.edits import character_error_rate

WORDS = (
    'the a cat dog sat on mat, and. 3.5 2-3 Hello! (ok) "x" &amp; na\u00efve \u65e5\u672c \u20ac5'
)


def corpora(seed, texts=3):
    draw = random.Random(seed)
    words = WORDS.split()
    got = [" ".join(draw.choices(words, k=draw.randint(0, 14))) for _ in range(texts)]
    wanted = [
        [" ".join(draw.sample([*text.split(), *draw.choices(words, k=2)], k=2)) + " " +
         " ".join(draw.sample(text.split(), k=len(text.split()))) for text in got]
        for _ in range(draw.randint(1, 3))
    ]  # fmt: skip
    return got, wanted


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("tokenize", ["13a", "intl", "char", "none"])
def test_bleu_against_sacrebleu(seed, tokenize):
    metrics = pytest.importorskip("sacrebleu.metrics")
    got, wanted = corpora(seed)
    for method in ("exp", "floor", "add-k", "none"):
        for effective in (False, True):
            reference = metrics.BLEU(
                tokenize=tokenize, smooth_method=method, effective_order=effective, lowercase=True
            ).corpus_score(got, wanted)
            own = corpus_bleu(
                got, wanted, tokenize=tokenize, smooth_method=method,
                use_effective_order=effective, lowercase=True,
            )  # fmt: skip
            assert own.score == pytest.approx(reference.score, abs=1e-9)
            assert own.precisions == pytest.approx(reference.precisions)
            assert (own.bp, own.sys_len, own.ref_len) == (
                reference.bp, reference.sys_len, reference.ref_len,
            )  # fmt: skip


@pytest.mark.parametrize("seed", range(30))
def test_chrf_and_ter_against_sacrebleu(seed):
    metrics = pytest.importorskip("sacrebleu.metrics")
    got, wanted = corpora(seed)
    for word_order in (0, 2):
        for whitespace in (False, True):
            reference = metrics.CHRF(word_order=word_order, whitespace=whitespace)
            own = corpus_chrf(got, wanted, word_order=word_order, whitespace=whitespace)
            assert own.score == pytest.approx(reference.corpus_score(got, wanted).score, abs=1e-9)
    for sensitive in (False, True):
        reference = metrics.TER(case_sensitive=sensitive).corpus_score(got, wanted)
        own = corpus_ter(got, wanted, case_sensitive=sensitive)
        assert own.score == pytest.approx(reference.score, abs=1e-9)
        assert own.num_edits == reference.num_edits


def test_single_texts():
    assert sentence_bleu("a b c d", ["a b c d", "x"]).score == pytest.approx(100)
    assert sentence_bleu("a b", ["a b"]).score == pytest.approx(100)  # up to bigrams only
    assert sentence_chrf("abc", ["x", "abc"]).score == pytest.approx(100)
    assert sentence_ter("b c a", ["a b c"]).num_edits == 1  # one shift
    assert sentence_ter("", ["a b"]).score == 100
    assert sentence_ter("a", [""]).score == 100
    assert sentence_ter("", [""]).score == 0


def test_bleu_of_tokens_by_hand():
    # 6 of 7 words, 4 of 6 pairs; the reference is as long.
    got = [list("abcdefg")]
    wanted = [[list("abcdexg"), list("zz")]]
    expected = math.exp(0.5 * math.log(6 / 7) + 0.5 * math.log(4 / 6))
    assert bleu_score(got, wanted, max_n=2, weights=[0.5, 0.5]) == pytest.approx(expected)
    short = [list("abcd")]
    assert bleu_score(short, [[list("abcdef")]]) == pytest.approx(math.exp(1 - 6 / 4))
    assert bleu_score([["x"]], [[["y"]]]) == 0
    # A tie between lengths goes to the first reference: 3 rather than 5 words, so no penalty.
    assert bleu_score([list("abcd")], [[list("xyz"), list("abcde")]]) == pytest.approx(1)
    assert bleu_score([list("abcd")], [[list("abcde"), list("xyz")]]) == pytest.approx(
        math.exp(-1 / 4)
    )


def test_errors():
    with pytest.raises(ShapeError, match="weights"):
        bleu_score([["a"]], [[["a"]]], max_n=2)
    with pytest.raises(ShapeError, match="1 candidates"):
        bleu_score([["a"]], [])
    with pytest.raises(ShapeError, match="references number"):
        corpus_bleu(["a", "b"], ["a"])
    with pytest.raises(ShapeError, match="has no reference"):
        corpus_chrf(["a"], [[None]])
    with pytest.raises(DTypeError, match="put it in a list"):
        corpus_ter("a", ["a"])
    with pytest.raises(UnknownNameError, match="smoothing"):
        corpus_bleu(["a"], ["a"], smooth_method="x")
    with pytest.raises(UnknownNameError, match="BLEU tokenizer"):
        corpus_bleu(["a"], ["a"], tokenize="x")
    with pytest.raises(ShapeError, match="candidate 1 has no reference"):
        bleu_score([["a"], ["b"]], [[["a"]], []])


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: corpus_bleu(["a"], "a"), "corpus_bleu"),
        (lambda: sentence_bleu("a b", "a b"), "sentence_bleu"),
        (lambda: sentence_chrf("a b", "a b"), "sentence_chrf"),
        (lambda: sentence_ter("a b", "a b"), "sentence_ter"),
    ],
)
def test_one_text_is_no_list(call, what):
    with pytest.raises(DTypeError, match=f"{what}: wanted a list of texts"):
        call()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: bleu_score([["a"]], [[["a"]]], 0, []), "bleu_score: wanted max_n"),
        (lambda: corpus_bleu(["a"], ["a"], max_ngram_order=0), "corpus_bleu: wanted max_ngram"),
        (lambda: corpus_chrf(["a"], ["a"], char_order=0), "corpus_chrf: wanted char_order"),
    ],
)
def test_runs_have_a_length(call, told):
    with pytest.raises(DomainError, match=f"{told}.* of 1 or more, got 0"):
        call()


def naive(a, b):
    if not a or not b:
        return len(a) + len(b)
    return min(naive(a[1:], b) + 1, naive(a, b[1:]) + 1, naive(a[1:], b[1:]) + (a[0] != b[0]))


@pytest.mark.parametrize("seed", range(20))
def test_edit_distance_against_the_definition(seed):
    draw = random.Random(seed)
    a, b = ("".join(draw.choices("abc", k=draw.randint(0, 6))) for _ in range(2))
    assert edit_distance(a, b) == naive(a, b)


def test_error_rates():
    assert word_error_rate(["a b", "c"], ["a x", "c d"]) == pytest.approx(2 / 3)
    assert character_error_rate("ab", "b") == 0.5
    with pytest.raises(ShapeError, match="2 references, 1 hypotheses"):
        word_error_rate(["a", "b"], ["a"])
    with pytest.raises(ShapeError, match="no rate"):
        word_error_rate("", "a")

"""Stems, sentences, stop words, TF-IDF and near-duplicates."""

import math
from pathlib import Path

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, DTypeError, ShapeError, UnknownNameError
from triptych_text.analysis import (
    STOPWORDS,
    MinHashDedup,
    SentenceSplitter,
    Stemmer,
    TfidfVectorizer,
    remove_stopwords,
    split_sentences,
    stem,
)

SNOWBALL = Path("/usr/share/snowball/data/english")  # Debian's package snowball-data

# Worked by hand from the steps of the algorithm.
STEMS = {
    "caresses": "caress", "ties": "tie", "cries": "cri", "gaps": "gap", "gas": "gas",
    "agreed": "agre", "feed": "feed", "luxuriated": "luxuri", "hopping": "hop",
    "hoping": "hope", "by": "by", "say": "say", "cry": "cri", "sensational": "sensat",
    "valenci": "valenc", "digitizer": "digit", "analogi": "analog", "quickly": "quick",
    "formative": "format", "adjustment": "adjust", "adoption": "adopt", "controll": "control",
    "rate": "rate", "skies": "sky", "inning": "inning", "generous": "generous",
    "'tis": "tis", "dog's": "dog", "youth": "youth", "arsenal": "arsenal", "is": "is",
}  # fmt: skip


@pytest.mark.parametrize("word", sorted(STEMS))
def test_stems_by_hand(word):
    assert stem(word) == STEMS[word]
    assert stem(word.upper()) == STEMS[word]


def test_stems_of_snowball_s_list():
    if not SNOWBALL.is_dir():
        pytest.skip("the Debian package snowball-data is not installed")
    words, stems = (
        (SNOWBALL / name).read_text(encoding="utf-8").splitlines()
        for name in ("voc.txt", "output.txt")
    )
    assert len(words) == len(stems) > 29_000
    assert [stem(word) for word in words] == stems


def test_stemmer():
    made = Stemmer()
    assert made("cats") == made.stem("cats") == "cat"
    assert made(["cats", "dogs"]) == ["cat", "dog"]
    with pytest.raises(UnknownNameError, match="no language 'latin'"):
        Stemmer("latin")


def test_stopwords():
    assert {"the", "and", "not", "yourselves"} <= STOPWORDS
    assert remove_stopwords(["The", "cat"]) == ["cat"]
    assert remove_stopwords(["The", "cat"], {"cat"}) == ["The"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("One", ["One"]),
        ("It cost $3.50. Cheap!", ["It cost $3.50.", "Cheap!"]),
        ('He said "Go." Then he left.', ['He said "Go."', "Then he left."]),
        ("Mr. J. R. Smith came at 5 p.m. today.", ["Mr. J. R. Smith came at 5 p.m. today."]),
        ("e.g. this. (Or that.) Yes", ["e.g. this.", "(Or that.)", "Yes"]),
        ("Was it I. No.", ["Was it I.", "No."]),
        ("Wait... what? Yes!! no", ["Wait... what?", "Yes!! no"]),
        ("A title\n\nA text\nof lines.", ["A title", "A text\nof lines."]),
        ("\u4eca\u3002\u6674\u308c\uff01", ["\u4eca\u3002", "\u6674\u308c\uff01"]),
    ],
)  # fmt: skip
def test_sentences(text, expected):
    assert split_sentences(text) == expected
    assert [text[s:e] for s, e in SentenceSplitter().spans(text)] == expected


def test_own_abbreviations():
    assert SentenceSplitter({"foo"})("Foo. Bar. Dr. X.") == ["Foo. Bar.", "Dr.", "X."]


TEXTS = ["The cat sat.", "The dog sat on the cat", "birds"]


def test_tfidf_by_hand():
    made = TfidfVectorizer()
    rows = made.fit_transform(TEXTS)
    assert made.get_feature_names() == ["birds", "cat", "dog", "on", "sat", "the"]
    weights = {"cat": math.log(4 / 3) + 1, "birds": math.log(4 / 2) + 1}
    assert made.idf_[1] == pytest.approx(weights["cat"])
    assert made.idf_[0] == pytest.approx(weights["birds"])
    first = np.array([0, 1, 0, 0, 1, 1]) / math.sqrt(3)  # three words of one weight
    np.testing.assert_allclose(rows.dense().numpy()[0], first, rtol=1e-6)
    dense = rows.dense().numpy()
    np.testing.assert_allclose((dense**2).sum(1), 1, rtol=1e-6)
    # Published numbers of this formula: the word "the" comes twice in the second text.
    assert dense[1, 5] / dense[1, 1] == pytest.approx(2)
    np.testing.assert_allclose(rows.similarity(), dense @ dense.T)
    right = tp.randn(6, 2)
    np.testing.assert_allclose(rows.dot(right).numpy(), dense @ right.numpy(), rtol=1e-5)
    assert made.transform(["unseen"]).dense().tolist() == [[0] * 6]
    with pytest.raises(ShapeError, match="wanted \\(6, d\\)"):
        rows.dot(tp.ones(5, 2))


def test_tfidf_choices():
    def counts(**kwargs):
        made = TfidfVectorizer(norm=None, use_idf=False, **kwargs)
        rows = made.fit_transform(TEXTS).dense().tolist()
        return made.get_feature_names(), rows

    assert counts(min_df=2) == (["cat", "sat", "the"], [[1, 1, 1], [1, 1, 2], [0, 0, 0]])
    assert counts(max_df=0.5)[0] == ["birds", "dog", "on"]
    assert counts(max_features=1)[0] == ["the"]
    assert counts(binary=True, min_df=2)[1][1] == [1, 1, 1]
    assert counts(stop_words=STOPWORDS)[0] == ["birds", "cat", "dog", "sat"]
    assert counts(ngram_range=(2, 2))[0] == [
        "cat sat", "dog sat", "on the", "sat on", "the cat", "the dog",
    ]  # fmt: skip
    assert counts(lowercase=False, tokenizer=str.split)[0][:2] == ["The", "birds"]
    assert counts(sublinear_tf=True, min_df=2)[1][1] == pytest.approx([1, 1, 1 + math.log(2)])
    one = TfidfVectorizer(norm="l1", smooth_idf=False).fit(TEXTS)
    assert one.idf_[1] == pytest.approx(math.log(3 / 2) + 1)
    assert float(one.transform(TEXTS).dense().sum()) == pytest.approx(3)


def test_tfidf_errors():
    for wrong in ({"norm": "l3"}, {"ngram_range": (2, 1)}):
        with pytest.raises(DomainError):
            TfidfVectorizer(**wrong)
    with pytest.raises(ShapeError, match="no token is left"):
        TfidfVectorizer().fit(["a"])
    with pytest.raises(ShapeError, match="call fit first"):
        TfidfVectorizer().transform(["a"])
    with pytest.raises(DTypeError, match="got one text"):
        TfidfVectorizer().fit("a text")


def _text(start, n=60):
    return " ".join(f"w{i}" for i in range(start, start + n))


def test_minhash_estimates_jaccard():
    made = MinHashDedup(num_perm=512, shingle=1)
    for shift in (0, 6, 20, 60):
        jaccard = (60 - shift) / (60 + shift)
        assert made.similarity(_text(0), _text(shift)) == pytest.approx(jaccard, abs=0.08)


def test_dedup():
    texts = [_text(0), _text(500), _text(1), "", _text(0).upper() + "!", _text(502), ""]
    made = MinHashDedup(threshold=0.7, shingle=2)
    assert made.groups(texts) == [[0, 2, 4], [1, 5], [3, 6]]
    assert made(texts) == [0, 1, 3]
    assert MinHashDedup(threshold=1.0)(["a b c", "a b c", "a b d"]) == [0, 2]
    other = MinHashDedup(generator=tp.Generator().manual_seed(5))
    assert (other.signature("a b c") != made.signature("a b c")).any()


@pytest.mark.parametrize("wrong", [{"threshold": 0}, {"num_perm": 0}, {"bands": 7}])
def test_dedup_errors(wrong):
    with pytest.raises(DomainError, match="MinHashDedup"):
        MinHashDedup(**wrong)

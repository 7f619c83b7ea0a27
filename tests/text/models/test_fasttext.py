"""The classifier over hashed n-grams."""

import zlib

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych.nn import functional as F
from triptych_text.models.fasttext import FastTextClassifier


def test_ngrams_of_words_and_letters():
    model = FastTextClassifier(2, buckets=50, words=(1, 2), characters=(3, 4))
    assert list(model.ngrams("No go!")) == [
        *("<s>", "no", "go", "!", "<s> no", "no go", "go !"),
        *("# no", "#no ", "#o g", "# go", "#go ", "#o !", "# ! "),
        *("# no ", "#no g", "#o go", "# go ", "#go !", "#o ! "),
    ]


def test_every_ngram_counts_once_and_rows_are_crc32():
    model = FastTextClassifier(2, buckets=1000, words=(1, 1), characters=None)
    rows, starts = model.encode(["go go go", "", "stop"])
    hashed = [zlib.crc32(w.encode()) % 1000 for w in ("<s>", "go", "stop")]
    assert starts.tolist() == [0, 2, 3]
    assert rows.tolist() == [*sorted(hashed[:2]), hashed[0], *sorted([hashed[0], hashed[2]])]


@pytest.mark.parametrize(("scale", "power"), [("mean", 1), ("root", 0.5)])
@pytest.mark.parametrize("dim", [None, 5])
def test_scores_are_scaled_sums_of_rows(scale, power, dim):
    tp.manual_seed(0)
    model = FastTextClassifier(3, buckets=100, embedding_dim=dim, scale=scale)
    texts = ["plain words here", "", "ünïcode 12"]
    table = model.table.weight.detach().numpy()
    for text, score in zip(texts, model(texts).detach().numpy(), strict=True):
        rows = sorted({zlib.crc32(g.encode()) % 100 for g in model.ngrams(text)})
        want = table[rows].sum(0) / len(rows) ** power
        want = model.classifier(tp.tensor(want)).detach().numpy()
        np.testing.assert_allclose(score, want, rtol=1e-4, atol=1e-6)


def test_encoded_texts_give_the_same():
    model = FastTextClassifier(2, buckets=100)
    texts = ["one text", "another"]
    assert np.array_equal(model(*model.encode(texts)).detach(), model(texts).detach())


def test_rows_need_their_starts():
    model = FastTextClassifier(2, buckets=10)
    with pytest.raises(ShapeError, match="with their starts"):
        model(model.encode(["one"])[0])


def test_it_learns():
    tp.manual_seed(0)
    model = FastTextClassifier(2, buckets=500, embedding_dim=4)
    texts = ["good soup", "good tea", "bad soup", "bad tea"]
    labels = tp.tensor([1, 1, 0, 0])
    optimizer = tp.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(20):
        optimizer.zero_grad()
        F.cross_entropy(model(texts), labels).backward()
        optimizer.step()
    assert model(["good bread", "bad bread"]).argmax(1).tolist() == [1, 0]


@pytest.mark.parametrize("texts", ["one text", []])
def test_wants_a_list_of_texts(texts):
    with pytest.raises(ShapeError, match=r"write \[text\] for one"):
        FastTextClassifier(2, buckets=10)(texts)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"words": (2, 1)}, "fewest <= most words"),
        ({"characters": (0, 3)}, "fewest <= most characters"),
        ({"scale": "median"}, 'wanted scale "mean" or "root"'),
    ],
)
def test_settings_that_make_no_sense(options, message):
    with pytest.raises(ShapeError, match=message):
        FastTextClassifier(2, **options)

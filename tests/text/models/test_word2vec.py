"""word2vec: its loss in plain NumPy, the examples it draws, and what it learns."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, DTypeError, UnknownNameError
from triptych_text.models import Word2Vec, train_word2vec
from triptych_text.models.word2vec import _examples, _kept_share


def seeded(seed=0):
    return tp.Generator().manual_seed(seed)


def sentences(count=300):
    """Two topics that share their grammar."""
    drawn = np.random.default_rng(0)
    topics = (
        (["cat", "dog", "cow"], ["eats", "sleeps"]),
        (["car", "bus", "van"], ["honks", "stops"]),
    )
    rows = []
    for _ in range(count):
        nouns, verbs = topics[drawn.integers(2)]
        rows.append(["the", drawn.choice(nouns), drawn.choice(verbs), drawn.choice(verbs)])
    return [[str(word) for word in row] for row in rows]


@pytest.mark.parametrize("kind", ["skip-gram", "cbow"])
def test_words_of_one_topic_are_alike(kind):
    model = train_word2vec(
        sentences(), embedding_dim=12, kind=kind, window=2, sample=0, epochs=10, batch_size=128,
        lr=0.03, generator=seeded(),
    )  # fmt: skip
    assert not model.training
    assert model.words[0] == "the"
    similar = dict(model.most_similar("cat", 20))
    assert min(similar["dog"], similar["cow"]) > max(similar[w] for w in ("car", "bus", "van"))
    assert len(model.most_similar("cat", 2)) == 2


def test_draws_come_from_the_generator():
    options = {"embedding_dim": 4, "epochs": 1}
    one, same, other = (
        train_word2vec(sentences(50), generator=seeded(seed), **options) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one["cat"].numpy(), same["cat"].numpy())
    assert not np.array_equal(one["cat"].numpy(), other["cat"].numpy())


def test_loss():
    tp.manual_seed(0)
    model = Word2Vec(list("abcdef"), 3)
    tp.nn.init.normal_(model.company.weight)
    given, mask = np.array([[0, 1], [2, 3]]), np.array([[1.0, 1.0], [1.0, 0.0]], np.float32)
    right, wrong = np.array([4, 5]), np.array([[1, 4], [0, 2]])
    got = model.loss(*(tp.tensor(x) for x in (given, mask, right, wrong))).item()
    v, c = model.vectors.weight.detach().numpy(), model.company.weight.detach().numpy()
    total = 0.0
    for i, centre in enumerate(((v[0] + v[1]) / 2, v[2])):
        total += np.log1p(np.exp(-c[right[i]] @ centre))
        total += sum(np.log1p(np.exp(c[w] @ centre)) for w in wrong[i] if w != right[i])
    assert got == pytest.approx(total / 2, rel=1e-5)


def test_examples_are_neighbours_in_one_text():
    rows = [np.array([0, 1, 2]), np.array([3, 4]), np.array([5])]
    keep = np.ones(6)
    given, mask, right = _examples(rows, keep, "skip-gram", 1, seeded())
    pairs = sorted(zip(given[:, 0].tolist(), right.tolist(), strict=True))
    assert pairs == [(0, 1), (1, 0), (1, 2), (2, 1), (3, 4), (4, 3)]
    assert mask.all()
    given, mask, right = _examples(rows, keep, "cbow", 1, seeded())
    company = {r: sorted(g[m > 0].tolist()) for g, m, r in zip(given, mask, right, strict=True)}
    assert company == {0: [1], 1: [0, 2], 2: [1], 3: [4], 4: [3]}


def test_windows_are_drawn():
    rows = [np.arange(2000)]
    given, _, right = _examples(rows, np.ones(2000), "skip-gram", 4, seeded())
    far = np.bincount(np.abs(given[:, 0] - right), minlength=5)[1:] / 4000
    np.testing.assert_allclose(far, [1.0, 0.75, 0.5, 0.25], atol=0.05)


def test_frequent_words_are_left_out():
    share = _kept_share(np.array([9000.0, 900.0, 1.0]), 1e-2)
    ratio = 9000 / (1e-2 * 9901)
    assert share[0] == pytest.approx((np.sqrt(ratio) + 1) / ratio)
    assert share[0] < share[1] < share[2] == 1
    rows = [np.arange(4000) % 2]
    given, _, right = _examples(rows, np.array([0.0, 1.0]), "skip-gram", 1, seeded())
    assert set(given.ravel()) == set(right) == {1}


def test_refuses():
    with pytest.raises(UnknownNameError, match='"skip-gram" or "cbow", got \'glove\''):
        train_word2vec([["a", "b"]], kind="glove")
    with pytest.raises(DomainError, match="window is 1 or more, got 0"):
        train_word2vec([["a", "b"]], window=0)
    for name in "negative", "min_count", "epochs", "batch_size", "embedding_dim":
        with pytest.raises(DomainError, match=f"{name} is 1 or more, got 0"):
            train_word2vec([["a", "b"]], **{name: 0})
    with pytest.raises(DTypeError, match="sequence of words, got 'the cat'"):
        train_word2vec(["the cat", "the dog"])
    with pytest.raises(DomainError, match="0 of 2 words occur 5 times"):
        train_word2vec([["a", "b"]])
    with pytest.raises(DomainError, match="no two words stand beside"):
        train_word2vec([["a"], ["b"]], min_count=1)
    model = Word2Vec(["a", "b"], 2)
    with pytest.raises(UnknownNameError, match="'c' is none of the 2 words"):
        model["c"]
    assert "a" in model
    assert "c" not in model

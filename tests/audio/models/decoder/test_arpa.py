"""The n-gram model against probabilities added up by hand."""

import gzip

import numpy as np
import pytest

from triptych_audio.models.decoder.arpa import ArpaModel
from triptych_audio.models.decoder.dictionary import Dictionary
from triptych_audio.models.decoder.language_models import NGramLM

# text: what its words cost, and the end of the sentence
SENTENCES = {
    "ab c": [-0.2, -0.05, -0.15],
    "ab": [-0.2, -0.1 - 0.25],  # no "<s> ab </s>"
    "c": [-0.5 - 0.8, -0.55],  # no "<s> c"
    "ab ab": [-0.2, -0.1 - 0.3 - 0.7, -0.25],
    "c ab c": [-0.5 - 0.8, -0.35, -0.6, -0.15],  # no "c ab c", and "c ab" has no back-off
    "zebra c": [-0.5 - 1.5, -0.8, -0.55],
    "a": [-0.5 - 1.1, -0.9],
}


@pytest.mark.parametrize("text", SENTENCES)
def test_sentences(arpa, text):
    model = ArpaModel(arpa)
    context = model.context(["<s>"])[None]
    for word, want in zip([*text.split(), "</s>"], SENTENCES[text], strict=True):
        score, context = model.follow(context, np.array([model.index(word)]))
        assert score[0] == pytest.approx(want)


def test_many_at_once(arpa):
    model = ArpaModel(arpa)
    contexts = np.stack([model.context(t.split()) for t in ("<s>", "<s> ab", "c", "")])
    words = np.array([model.index(w) for w in ("ab", "c", "</s>", "c")])
    scores, after = model.follow(contexts, words)
    np.testing.assert_allclose(scores, [-0.2, -0.05, -0.55, -0.8])
    np.testing.assert_array_equal(after[0], model.context(["<s>", "ab"]))


def test_language_model(arpa):
    lm = NGramLM(arpa, Dictionary(["c", "ab", "other"]))
    state = lm.start(False)
    state, score = lm.score(state, 1)
    assert score == pytest.approx(-0.2)
    assert lm.score(state, 0)[1] == pytest.approx(-0.05)
    assert lm.score(state, 0)[0] is state.child(0)
    assert lm.finish(state)[1] == pytest.approx(-0.35)
    assert lm.score(lm.start(True), 1)[1] == pytest.approx(-0.7)


def test_gzip(arpa, tmp_path):
    packed = tmp_path / "toy.arpa.gz"
    packed.write_bytes(gzip.compress(arpa.read_bytes()))
    assert ArpaModel(packed).order == 3


def test_without_unknown_and_higher_orders(tmp_path):
    path = tmp_path / "one.arpa"
    path.write_text(
        "\\data\\\nngram 1=2\nngram 2=0\n\n\\1-grams:\n-1\ta\n-2\tb\n\n\\2-grams:\n\n\\end\\\n"
    )
    model = ArpaModel(path)
    score, _ = model.follow(
        model.context(["a"])[None].repeat(2, 0), np.array([0, model.index("z")])
    )
    np.testing.assert_allclose(score, [-1.0, -100.0])
    path.write_text("\\data\\\nngram 1=1\n\n\\1-grams:\n-1\ta\n\n\\end\\\n")
    model = ArpaModel(path)
    score, after = model.follow(model.context(["a"])[None], np.array([0]))
    assert score[0] == -1.0 and after.shape == (1, 0)


DAMAGE = [
    (lambda t: "nothing", "is it an ARPA file"),
    (lambda t: t.replace("ngram 2=5", "ngram 3=5"), "wanted 'ngram 2=COUNT'"),
    (lambda t: t.replace("ngram 2=5", "ngram 2=4"), "wanted '.*3-grams:'"),
    (lambda t: t.replace("ngram 2=5", "ngram 2=6"), "wanted a score, 2 word"),
    (lambda t: t.replace("-0.6\tab c", "x\tab c"), "line 19: wanted a score"),
    (lambda t: t.replace("-0.6\tab c\t-0.4", "-0.6\tab"), "wanted a score"),
    (lambda t: t.replace("c ab\n", "c zebra\n"), "'zebra', which is no 1-gram"),
    (lambda t: t.replace("<s> ab c", "c a c"), "begins with no 2-gram"),
    (lambda t: t.replace("-1.1\ta", "-1.1\tc"), "occurs twice"),
    (lambda t: t.replace("\\end\\", ""), "no line"),
    (lambda t: "\\data\\\n\n", "counts no n-grams"),
]


@pytest.mark.parametrize(("damage", "text"), DAMAGE)
def test_damaged_files(arpa, damage, text):
    arpa.write_text(damage(arpa.read_text()))
    with pytest.raises(ValueError, match=text):
        ArpaModel(arpa)


def test_kenlm_binary(tmp_path):
    path = tmp_path / "lm.bin"
    path.write_bytes(b"mmap lm http://kheafield.com/code format version 5\n\0" + bytes(100))
    with pytest.raises(ValueError, match=r"give the ARPA file"):
        ArpaModel(path)

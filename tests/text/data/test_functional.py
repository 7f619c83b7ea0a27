import io

import pytest

import triptych as tp
from triptych.errors import BoundsError, DTypeError, FileFormatError, MissingDependencyError
from triptych_text.data import functional as F
from triptych_text.data import get_tokenizer, interleave_keys, metrics, ngrams_iterator
from triptych_text.data.utils import RandomShuffler, dtype_to_attr, is_tokenizer_serializable
from triptych_text.metrics import bleu_score
from triptych_text.vocab import Vocab


def test_sentencepiece(tmp_path):
    library = pytest.importorskip("sentencepiece")
    text = tmp_path / "text.txt"
    text.write_text("the cat sat on the mat\na dog ran to the cat\n" * 30, encoding="utf-8")
    prefix = tmp_path / "own"
    F.generate_sp_model(text, vocab_size=25, model_type="bpe", model_prefix=str(prefix))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["own.model", "own.vocab", "text.txt"]
    direct = library.SentencePieceProcessor(model_file=f"{prefix}.model")
    assert direct.get_piece_size() == 25
    model = F.load_sp_model(f"{prefix}.model")
    with open(f"{prefix}.model", "rb") as file:
        again = F.load_sp_model(file)
    lines = ["the cat", "a dog"]
    assert list(F.sentencepiece_numericalizer(model)(lines)) == direct.encode(lines)
    assert list(F.sentencepiece_tokenizer(again)(lines)) == direct.encode(lines, out_type=str)
    with pytest.raises(FileFormatError, match="no sentencepiece model"):
        F.load_sp_model(io.BytesIO(b"x"))
    with pytest.raises(DTypeError, match="wanted a path"):
        F.load_sp_model(3)


def test_sentencepiece_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sentencepiece", None)
    with pytest.raises(MissingDependencyError, match=r"triptych-text\[sentencepiece\]"):
        F.load_sp_model("x.model")


def test_replace_and_split():
    clean = F.custom_replace([(r"S", "s"), (r"\s+", " ")])
    assert list(clean(["Sentencepiece encode  aS  pieces", "exampleS to   try!"])) == [
        "sentencepiece encode as pieces",
        "examples to try!",
    ]
    assert list(F.simple_space_split(["a  b\tc", ""])) == [["a", "b", "c"], []]


def test_numericalize():
    vocab = Vocab(["a", "b", "c"])
    rows = F.numericalize_tokens_from_iterator(vocab, [["a", "c"], ["b"]])
    assert [list(row) for row in rows] == [[0, 2], [1]]
    rows = F.numericalize_tokens_from_iterator(vocab, iter([["a", "c", "x"]]), {"a", "x"})
    assert [list(row) for row in rows] == [[2]]


def test_wikipedia():
    lines = [
        "<revision>",
        "#REDIRECT [[Other]]",
        "In 1908, [[Category:Kings]] {{cite}} he &amp; [[Fr\u00e9d|Fred]] won &quot;x&quot;.",
        "[[image:a.png|thumb|Text]] [http://x.org page]",
    ]
    assert list(F.filter_wikipedia_xml(lines)) == [
        "in one nine zero eight category kings he x",
        "text page",
    ]
    with pytest.raises(DTypeError, match="iterate"):
        F.filter_wikipedia_xml(3)


def test_map_style():
    rows = F.to_map_style_dataset(iter("abc"))
    assert (len(rows), rows[2]) == (3, "c")
    assert isinstance(rows, tp.utils.data.Dataset)


def test_keys():
    assert interleave_keys(0b101, 0b011) == 0b100111
    assert interleave_keys(65535, 65535) == 2**32 - 1
    with pytest.raises(BoundsError):
        interleave_keys(65536, 0)


def test_ngrams():
    assert list(ngrams_iterator("abc", 3)) == ["a", "b", "c", "a b", "b c", "a b c"]
    assert list(ngrams_iterator([], 2)) == []


def test_names():
    assert dtype_to_attr(tp.float32) == "float32"
    assert not is_tokenizer_serializable("spacy", "en")
    assert is_tokenizer_serializable("basic_english", "en")
    assert metrics.bleu_score is bleu_score


def test_shuffler():
    shuffle = RandomShuffler(generator=tp.Generator().manual_seed(1))
    state = shuffle.random_state
    first, second = shuffle(range(30)), shuffle(range(30))
    assert sorted(first) == list(range(30)) and first != second
    shuffle.random_state = state
    assert shuffle(range(30)) == first
    assert RandomShuffler(state)(range(30)) == first
    shuffle.random_state = state
    with shuffle.use_internal_state() as generator:
        assert tp.randperm(30, generator=generator).tolist() == first


@pytest.mark.parametrize("name", ["spacy", "moses", "toktok", "revtok", "subword"])
def test_missing_libraries(monkeypatch, name):
    for module in ("spacy", "sacremoses", "nltk.tokenize.toktok", "revtok"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingDependencyError, match="pip install"):
        get_tokenizer(name)


def test_libraries(monkeypatch):
    from types import SimpleNamespace as Space

    def load(language):
        raise OSError(language)

    def blank(language):
        return Space(tokenizer=lambda text: [Space(text=t) for t in text.split("-")])

    def moses():
        return Space(tokenize=lambda text: ["moses", text])

    def toktok():
        return Space(tokenize=lambda text: ["toktok", text])

    def revtok(text, decap=False):
        return ["revtok", text, decap]

    fakes = {
        "spacy": Space(load=load, blank=blank),
        "sacremoses": Space(MosesTokenizer=moses),
        "nltk.tokenize.toktok": Space(ToktokTokenizer=toktok),
        "revtok": Space(tokenize=revtok),
    }
    for module, fake in fakes.items():
        monkeypatch.setitem(__import__("sys").modules, module, fake)
    monkeypatch.setitem(__import__("sys").modules, "nltk", Space())
    monkeypatch.setitem(__import__("sys").modules, "nltk.tokenize", Space())
    assert get_tokenizer("spacy")("a-b") == ["a", "b"]
    assert get_tokenizer("moses")("x") == ["moses", "x"]
    assert get_tokenizer("toktok")("x") == ["toktok", "x"]
    assert get_tokenizer("revtok")("x") == ["revtok", "x", False]
    assert get_tokenizer("subword")("x") == ["revtok", "x", True]

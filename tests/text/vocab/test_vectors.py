import gzip
import math
import pickle
import zipfile

import pytest

import triptych as tp
from triptych.errors import FileFormatError, ShapeError, UnknownNameError, UnsafeFileError
from triptych.safetensors import save_file
from triptych_datasets import UnsafeArchive
from triptych_text.vocab import (
    CharNGram,
    FastText,
    GloVe,
    Vectors,
    Vocab,
    pretrained_aliases,
    read_torch_vocab,
)

ROWS = {"king": (1, 1), "queen": (-1, 1), "man": (1, 0), "woman": (-1, 0), "caf\u00e9": (0, -2)}


@pytest.fixture
def file(tmp_path):
    lines = ["5 2", *(f"{word} {x:.1f} {y}" for word, (x, y) in ROWS.items())]
    path = tmp_path / "tiny.vec"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def vectors(file, tmp_path):
    return Vectors(file, cache=tmp_path / "cache")


def test_read(vectors):
    assert vectors.itos == list(ROWS)
    assert (len(vectors), vectors.dim) == (5, 2)
    assert vectors["king"].tolist() == [1, 1]
    assert vectors["nobody"].tolist() == [0, 0]
    assert "king" in vectors and "King" not in vectors
    assert vectors.get_vecs_by_tokens("man").tolist() == [1, 0]
    rows = vectors.get_vecs_by_tokens(["KING", "man", "nobody"])
    assert rows.tolist() == [[0, 0], [1, 0], [0, 0]]
    assert vectors.get_vecs_by_tokens(["KING"], lower_case_backup=True).tolist() == [[1, 1]]


def test_cache_is_read_in_place_of_the_file(file, tmp_path):
    first = Vectors(file, cache=tmp_path / "cache")
    file.write_text("other 9 9\n", encoding="utf-8")
    again = Vectors(file, cache=tmp_path / "cache")
    assert again.itos == first.itos and again.stoi == first.stoi
    assert again.vectors.tolist() == first.vectors.tolist()
    assert [p.name for p in (tmp_path / "cache").iterdir()] == ["tiny.vec.safetensors"]


def test_limit_and_unknown(file, tmp_path):
    made = Vectors(
        file, cache=tmp_path / "cache", max_vectors=2, unk_init=lambda x: tp.ones_like(x)
    )
    assert made.itos == ["king", "queen"]
    assert made["man"].tolist() == [1, 1]
    assert (tmp_path / "cache" / "tiny.vec_2.safetensors").is_file()


def test_most_similar(vectors):
    best = vectors.most_similar("king", topn=2)
    assert best[0][0] == "man"
    assert best[0][1] == pytest.approx(math.sqrt(0.5))
    assert vectors.analogy("man", "king", "woman", topn=1)[0][0] == "queen"
    assert vectors.most_similar(tp.tensor([0.0, -1.0]), topn=1) == [("caf\u00e9", 1.0)]
    assert len(vectors.most_similar(["king"], ["man"], topn=99)) == 3
    assert vectors.similarity("man", "woman") == -1
    with pytest.raises(UnknownNameError, match="'nobody'"):
        vectors.most_similar("nobody")
    with pytest.raises(ShapeError, match="wanted a vector of 2"):
        vectors.most_similar(tp.ones(3))
    with pytest.raises(ValueError, match="at least one"):
        vectors.most_similar([])


def test_gzip_and_broken_bytes(tmp_path):
    path = tmp_path / "a.vec.gz"
    path.write_bytes(gzip.compress(b"a 1 2\n\xff 3 4\nb\xc2\xa0c 5 6\n"))
    made = Vectors(path, cache=tmp_path / "cache")
    assert made.itos == ["a", "b\u00a0c"]
    assert made.vectors.tolist() == [[1, 2], [5, 6]]


@pytest.mark.parametrize(
    ("content", "text"),
    [("a 1 2\nb 1 2 3\n", "3 numbers"), ("a 1 x\n", "could not"), ("\n", "no vectors")],
)
def test_broken(tmp_path, content, text):
    path = tmp_path / "a.vec"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FileFormatError, match=text):
        Vectors(path, cache=tmp_path / "cache")


PACKED = gzip.compress(b"".join(b"w%d %d 2\n" % (i, i * 7919 % 1000) for i in range(5000)))


@pytest.mark.parametrize(
    "content", [PACKED[: len(PACKED) // 2], PACKED[:50] + bytes(4) + PACKED[54:]]
)
def test_damaged_gzip_leaves_nothing(tmp_path, content):
    path = tmp_path / "a.vec.gz"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"a\.vec\.gz: damaged, or cut short"):
        Vectors(path, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_mark_at_the_start_and_line_ends(tmp_path):
    path = tmp_path / "a.vec"
    path.write_bytes("\ufeffa 1 2\r\nb 3 4\r\n".encode())
    made = Vectors(path, cache=tmp_path / "cache")
    assert (made.itos, made.vectors.tolist()) == (["a", "b"], [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("tensors", "metadata"),
    [
        ({"x": tp.zeros(1, 2)}, {"itos": '["a"]'}),
        ({"vectors": tp.zeros(1, 2)}, None),
        ({"vectors": tp.zeros(2, 2)}, {"itos": '["a"]'}),
        ({"vectors": tp.zeros(2, 2)}, {"itos": "7"}),
    ],
)
def test_cache_of_something_else(file, tmp_path, tensors, metadata):
    save_file(tensors, tmp_path / "tiny.vec.safetensors", metadata=metadata)
    with pytest.raises(FileFormatError, match="delete it"):
        Vectors(file, cache=tmp_path)


def test_no_tokens_have_no_rows(vectors):
    assert vectors.get_vecs_by_tokens([]).shape == (0, 2)


def test_missing(tmp_path):
    with pytest.raises(RuntimeError, match=r"no vectors found.*pass url"):
        Vectors("none.vec", cache=tmp_path)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("other.vec", "a 1 2")
    with pytest.raises(RuntimeError, match=r"a\.zip does not hold them"):
        Vectors("none.vec", cache=tmp_path, url="https://nowhere.invalid/a.zip")


def test_archive_that_leads_outside(tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    with zipfile.ZipFile(cache / "a.zip", "w") as made:
        made.writestr("../evil.txt", "x")
        made.writestr("a.vec", "a 1 2")
    with pytest.raises(UnsafeArchive, match="outside of the folder"):
        Vectors("a.vec", cache=cache, url="https://nowhere.invalid/a.zip")
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["a.zip"]


def test_fetched_archive(tmp_path, file):
    archive = tmp_path / "tiny.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.write(file, "tiny.vec")
    cache = tmp_path / "cache"
    cache.mkdir()
    archive.rename(cache / "tiny.zip")  # as if put there by hand
    found = Vectors("tiny.vec", cache=cache, url="https://nowhere.invalid/tiny.zip")
    assert found.itos == list(ROWS)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("glove.6B.50d.txt", lambda c: GloVe("6B", 50, cache=c)),
        ("glove.6B.50d.txt", lambda c: pretrained_aliases["glove.6B.50d"](cache=c)),
        ("wiki.simple.vec", lambda c: FastText("simple", cache=c)),
        ("wiki.en.vec", lambda c: pretrained_aliases["fasttext.en.300d"](cache=c)),
    ],
)
def test_names(file, tmp_path, name, make):
    file.rename(tmp_path / name)
    assert make(tmp_path).itos == list(ROWS)


def test_aliases():
    assert len(pretrained_aliases) == 13
    with pytest.raises(UnknownNameError, match="no corpus '7B'"):
        GloVe("7B")


def test_char_ngrams(tmp_path):
    lines = ["2gram-#BEGIN#a 1 0", "3gram-#BEGIN#ab 3 0", "2gram-b#END# 0 6", "2gram-zz 9 9"]
    (tmp_path / "charNgram.txt").write_text("\n".join(lines), encoding="utf-8")
    made = CharNGram(cache=tmp_path)
    assert made["ab"].tolist() == [[pytest.approx(4 / 3), 2.0]]
    assert made["q"].tolist() == made["<unk>"].tolist() == [[0, 0]]
    assert made.get_vecs_by_tokens(["ab", "q"]).shape == (2, 2)


def test_vocab_file(tmp_path):
    path = tmp_path / "v.json"
    for tokens in (["<unk>", "\u00e9"], ["<unk>", "a\ud800\n", "\\ud800", "\U0001f600"]):
        Vocab(tokens, 0).save(path)
        assert Vocab.load(path) == Vocab(tokens, 0)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())  # as some editors save it
    assert len(Vocab.load(path)) == 4
    for content, text in (
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "no list"),
        ('{"tokens": [1]}', "no list"),
        ('{"tokens": ["a"], "default_index": "a"}', "default index is 'a'"),
    ):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(FileFormatError, match=text):
            Vocab.load(path)


def _saved(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", content)
    return path


def test_torch_vocab_of_nested_records(tmp_path):
    # A module whose state holds the inner vocabulary, and a storage by a persistent id.
    inner = b"\x80\x02ctorchtext.vocab.vocab\nVocab\n)\x81}(X\x05\x00\x00\x00vocab"
    inner += b"ctorchtext._torchtext\nVocab\n)\x81(X\x03\x00\x00\x00v01](](X\x01\x00\x00\x00aX"
    inner += b"\x01\x00\x00\x00bee(ttbX\x01\x00\x00\x00sX\x01\x00\x00\x000Qub."
    assert read_torch_vocab(_saved(tmp_path / "v.pt", inner)).get_itos() == ["a", "b"]


def test_torch_vocab_refuses(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("no",))

    with pytest.raises(UnsafeFileError, match=r"builtins\.print"):
        read_torch_vocab(_saved(tmp_path / "evil.pt", pickle.dumps(Evil())))
    with pytest.raises(FileFormatError, match="no list of tokens"):
        read_torch_vocab(_saved(tmp_path / "empty.pt", pickle.dumps({"a": (1, [])})))
    with pytest.raises(FileFormatError, match=r"no file of torch\.save"):
        read_torch_vocab(_saved(tmp_path / "cut.pt", b""))
    (tmp_path / "text.pt").write_text("x", encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"no file of torch\.save"):
        read_torch_vocab(tmp_path / "text.pt")


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02X\x02\x00\x00\x00\xff\xfe.",  # a text that is not UTF-8
        b"\x80\x02h\x05.",  # what was never stored
        b"\x80\x02ctorch\nload\n(X\x01\x00\x00\x00aX\x01\x00\x00\x00bs.",  # no dict
        b"\x80\x02]q\x00h\x00a.",  # a list in itself
    ],
)
def test_torch_vocab_of_damaged_pickles(tmp_path, content):
    with pytest.raises(FileFormatError, match=r"no file of torch\.save"):
        read_torch_vocab(_saved(tmp_path / "damaged.pt", content))

import pytest

from triptych.errors import DomainError, DTypeError, UnknownNameError
from triptych_text.tokenizers import Tokenizer, train_tokenizer

CORPUS = ["the cat sat on the mat", "a cat and a dog, unrelated", "the dogs sat; cats sat"] * 20


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram", "wordlevel"])
def test_learns_and_saves(kind, tmp_path):
    tokenizer = train_tokenizer(CORPUS, kind, vocab_size=300, progress=False)
    text = "the cat sat"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text
    assert len(tokenizer) <= 300
    assert len(tokenizer.encode(text, add_special_tokens=False)) <= len(text)
    tokenizer.save(tmp_path / "tokenizer.json")
    assert Tokenizer.from_file(tmp_path / "tokenizer.json").encode(text) == tokenizer.encode(text)


def test_merges_are_by_frequency():
    tokenizer = train_tokenizer(["abab abab abab xy"] * 3, "bpe", vocab_size=259, progress=False)
    assert {"ab", "abab"} <= set(tokenizer.vocab)
    assert "xy" not in tokenizer.vocab
    for text in ("日本 \x00é", ""):  # bytes reach every text
        assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_options():
    tokenizer = train_tokenizer(
        (text.upper() for text in CORPUS),
        "wordpiece",
        vocab_size=80,
        lowercase=True,
        special_tokens=["[UNK]", "[CLS]", "[SEP]", "[X]"],
        limit_alphabet=30,
        progress=False,
    )
    assert tokenizer.token_to_id("[X]") == 3
    assert tokenizer.encode("The CAT").tokens[0] == "[CLS]"
    for kind in ("bpe", "unigram", "wordlevel"):
        lower = train_tokenizer(CORPUS, kind, vocab_size=300, lowercase=True, progress=False)
        assert lower.encode("THE CAT").ids == lower.encode("the cat").ids


def test_progress(capsys):
    train_tokenizer(CORPUS, "wordlevel", progress=True, length=len(CORPUS))
    assert "60/60" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("texts", "options", "error", "match"),
    [
        ("abc", {}, DTypeError, "a single str"),
        (["a", 3], {}, DTypeError, "text 1 is a int"),
        ([], {}, DomainError, "no text"),
        (["a"], {"vocab_size": 256}, DomainError, "below the 257"),
        (["a"], {"kind": "magic"}, UnknownNameError, "magic"),
    ],
)
def test_refuses(texts, options, error, match):
    with pytest.raises(error, match=match):
        train_tokenizer(texts, progress=False, **options)

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import triptych as tp
from triptych.errors import (
    BoundsError,
    DomainError,
    DTypeError,
    FileFormatError,
    MissingDependencyError,
    ShapeError,
    UnknownNameError,
)
from triptych_text.tokenizers import Tokenizer, word_piece_backend

TEXT = "the cats sleep"  # [CLS] the cat ##s sleep [SEP]


def test_encode(tokenizer):
    encoding = tokenizer.encode(TEXT)
    assert encoding.tokens == ["[CLS]", "the", "cat", "##s", "sleep", "[SEP]"]
    assert encoding.ids == [2, 5, 6, 7, 8, 3]
    assert encoding.attention_mask == [1] * 6
    assert encoding.special_tokens_mask == [1, 0, 0, 0, 0, 1]
    assert encoding.type_ids == [0] * 6
    assert tokenizer.encode(TEXT, add_special_tokens=False).ids == [5, 6, 7, 8]


def test_pair(tokenizer):
    encoding = tokenizer.encode("cat", "the cat")
    assert encoding.tokens == ["[CLS]", "cat", "[SEP]", "the", "cat", "[SEP]"]
    assert encoding.type_ids == [0, 0, 0, 1, 1, 1]


def test_batch_padding(tokenizer):
    short, long = tokenizer.encode_batch(["cat", TEXT], padding="longest")
    assert short.ids == [2, 6, 3, 0, 0, 0]
    assert short.tokens[3:] == ["[PAD]"] * 3
    assert short.attention_mask == [1, 1, 1, 0, 0, 0]
    assert len(long) == 6
    assert [len(e) for e in tokenizer.encode_batch(["cat", TEXT])] == [3, 6]
    assert [len(e) for e in tokenizer.encode_batch(["cat", TEXT], padding=8)] == [8, 8]


@pytest.mark.parametrize("max_length", [2, 3, 4, 5, 6, 9])
def test_truncation_keeps_the_frame(tokenizer, max_length):
    encoding = tokenizer.encode(TEXT, truncation=True, max_length=max_length)
    full = tokenizer.encode(TEXT).ids
    kept = min(max_length, len(full)) - 2
    assert encoding.ids == [full[0], *full[1 : 1 + kept], full[-1]]


def test_truncation_of_pairs(tokenizer):
    def tokens(truncation):
        e = tokenizer.encode("cat", TEXT, truncation=truncation, max_length=6)
        return e.tokens

    assert tokens(True) == ["[CLS]", "cat", "[SEP]", "the", "cat", "[SEP]"]
    assert tokens("only_second") == tokens(True)
    assert tokenizer.encode(TEXT, "cat", truncation="only_first", max_length=5).tokens == [
        "[CLS]", "the", "[SEP]", "cat", "[SEP]",
    ]  # fmt: skip


def test_stride_gives_overlapping_pieces(tokenizer):
    first = tokenizer.encode(TEXT, truncation=True, max_length=4, stride=1)
    pieces = [first, *first.overflowing]
    assert [p.tokens[1:-1] for p in pieces] == [["the", "cat"], ["cat", "##s"], ["##s", "sleep"]]


def test_one_call_leaves_no_setting_behind(tokenizer):
    tokenizer.encode(TEXT, truncation=True, max_length=3, padding=30)
    assert len(tokenizer.encode(TEXT)) == 6


def test_call(tokenizer):
    batch = tokenizer(["cat", TEXT], ["the cat", "cat"])
    assert list(batch) == ["input_ids", "token_type_ids", "attention_mask"]
    assert all(t.dtype == tp.int64 and t.shape == (2, 8) for t in batch.values())
    for row, encoding in enumerate(
        tokenizer.encode_batch(["cat", TEXT], ["the cat", "cat"], padding=True)
    ):
        assert batch["input_ids"][row].tolist() == encoding.ids
        assert batch["token_type_ids"][row].tolist() == encoding.type_ids
        assert batch["attention_mask"][row].tolist() == encoding.attention_mask
    assert tokenizer("cat", "the")["input_ids"].shape == (1, 5)
    assert tokenizer([])["input_ids"].shape == (0, 0)
    assert tokenizer(["cat", TEXT], truncation=True, max_length=4)["input_ids"].shape == (2, 4)
    with pytest.raises(ShapeError):
        tokenizer(["cat", TEXT], padding=None)


def test_padding_on_the_left(words):
    backend = word_piece_backend({word: i for i, word in enumerate(words)})
    tokenizer = Tokenizer(backend, padding_side="left")
    assert tokenizer(["cat", TEXT])["input_ids"][0].tolist() == [0, 0, 0, 2, 6, 3]
    assert tokenizer.encode("cat", padding=5).ids == [0, 0, 2, 6, 3]


def test_truncation_on_the_left(words):
    backend = word_piece_backend({word: i for i, word in enumerate(words)})
    whole = Tokenizer(backend).encode(TEXT)
    cut = Tokenizer(backend, truncation_side="left").encode(TEXT, truncation=True, max_length=4)
    assert cut.ids == [whole.ids[0], *whole.ids[-3:]]
    assert cut.offsets[1:3] == whole.offsets[-3:-1]


def test_decode(tokenizer):
    ids = tokenizer.encode(TEXT, padding=9).ids
    assert tokenizer.decode(ids) == TEXT
    assert tokenizer.decode(tp.tensor(ids)) == TEXT
    framed = "[CLS] the cats sleep [SEP] [PAD] [PAD] [PAD]"
    assert tokenizer.decode(ids, skip_special_tokens=False) == framed
    assert tokenizer.decode_batch(tokenizer(["cat", TEXT])["input_ids"]) == ["cat", TEXT]
    assert tokenizer.decode([]) == ""
    with pytest.raises(DTypeError, match="decode_batch"):
        tokenizer.decode([[1]])


@settings(max_examples=40)
@given(st.lists(st.sampled_from(["the", "cat", "sleep", "cats"]), min_size=1, max_size=12))
def test_round_trip(names):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "##s", "sleep"]
    tokenizer = Tokenizer(word_piece_backend({word: i for i, word in enumerate(words)}))
    text = " ".join(names)
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_vocabulary(tokenizer, words):
    assert len(tokenizer) == len(words)
    assert tokenizer.vocab == {word: i for i, word in enumerate(words)}
    assert tokenizer.token_to_id("cat") == 6
    assert tokenizer.id_to_token(6) == "cat"
    assert tokenizer.token_to_id("dog") is None
    assert tokenizer.id_to_token(99) is None
    assert "cat" in tokenizer
    assert "dog" not in tokenizer
    assert tokenizer.special_tokens == {word: i for i, word in enumerate(words[:5])}
    assert (tokenizer.pad_token, tokenizer.pad_id) == ("[PAD]", 0)
    assert (tokenizer.num_special_tokens(), tokenizer.num_special_tokens(pair=True)) == (2, 3)


def test_no_padding_token():
    tokenizer = Tokenizer(word_piece_backend({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}))
    assert tokenizer("a", padding=None)["input_ids"].tolist() == [[1, 0, 2]]
    with pytest.raises(UnknownNameError, match="no padding token"):
        tokenizer(["a", "a b"])
    with pytest.raises(UnknownNameError, match=r"'\[NONE\]' is not in the vocabulary"):
        Tokenizer(word_piece_backend({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}), pad_token="[NONE]")


def test_file_round_trip(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.json"
    tokenizer.encode(TEXT, truncation=True, max_length=3)
    tokenizer.save(path)
    again = Tokenizer.from_file(path)
    assert again.max_length is None
    assert again.encode(TEXT) == tokenizer.encode(TEXT)


def test_settings_of_the_file_become_defaults(words, tmp_path):
    backend = word_piece_backend({word: i for i, word in enumerate(words)})
    backend.enable_truncation(4)
    backend.enable_padding(direction="left", pad_id=4, pad_token="[MASK]", length=50)
    path = tmp_path / "tokenizer.json"
    backend.save(str(path))
    tokenizer = Tokenizer.from_file(path)
    assert (tokenizer.max_length, tokenizer.padding_side, tokenizer.pad_id) == (4, "left", 4)
    assert len(tokenizer.encode(TEXT)) == 6  # but nothing is cut or filled up unasked
    assert len(tokenizer.encode(TEXT, truncation=True)) == 4
    assert Tokenizer.from_file(path, max_length=5).max_length == 5


def test_folder(tokenizer, vocab_file):
    folder = vocab_file.parent
    (folder / "tokenizer_config.json").write_text(
        '{"do_lower_case": false, "model_max_length": 7, "pad_token": {"content": "[MASK]"}}'
    )
    from_vocab = Tokenizer.from_pretrained(folder)
    assert from_vocab.encode("Cat").tokens[1] == "[UNK]"
    assert (from_vocab.max_length, from_vocab.pad_token) == (7, "[MASK]")
    tokenizer.save(folder / "tokenizer.json")
    assert Tokenizer.from_pretrained(folder).encode("Cat").tokens[1] == "cat"


@pytest.mark.parametrize("number", [-1, -100, 1 << 32, 1 << 40])
def test_numbers_that_are_no_ids(tokenizer, number):
    with pytest.raises(BoundsError, match=f"decode: {number} is no id"):
        tokenizer.decode([2, number])
    with pytest.raises(BoundsError, match=f"decode: {number} is no id"):
        tokenizer.decode_batch([[2], [number]])
    assert tokenizer.id_to_token(number) is None


@pytest.mark.parametrize("rows", [3, None, [3]])
def test_rows_that_are_none(tokenizer, rows):
    with pytest.raises(DTypeError, match=r"Tokenizer\.decode"):
        tokenizer.decode_batch(rows)


@pytest.mark.parametrize(
    ("name", "method"),
    [("a.txt", "from_vocab_file"), ("a.tiktoken", "from_ranks"), ("a.model", "from_sentencepiece")],
)
def test_another_kind_of_file_names_its_method(tmp_path, name, method):
    (tmp_path / name).write_text("a b", encoding="utf-8")
    with pytest.raises(FileFormatError, match=f"is it one for Tokenizer.{method}"):
        Tokenizer.from_file(tmp_path / name)


def test_mark_at_the_start_of_a_file(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert Tokenizer.from_file(path).encode(TEXT).ids == tokenizer.encode(TEXT).ids


def test_bad_sources(tmp_path):
    bad = tmp_path / "tokenizer.json"
    bad.write_text('{"model": 3}')
    with pytest.raises(FileFormatError, match=r"tokenizer\.json is not a tokenizer\.json"):
        Tokenizer.from_file(bad)
    bad.unlink()
    with pytest.raises(FileNotFoundError, match=r"vocab\.txt.*has nothing in it"):
        Tokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"texts": ["a", 3]}, DTypeError, "int"),
        ({"texts": ["a"], "pairs": ["a", "b"]}, ValueError, "1 texts and 2 pairs"),
        ({"texts": ["a"], "truncation": True}, ValueError, "no max_length"),
        ({"texts": ["a"], "truncation": True, "max_length": 1}, ValueError, "no room for the 2"),
        ({"texts": ["a"], "truncation": "left", "max_length": 9}, ValueError, "'left'"),
        ({"texts": ["a"], "truncation": True, "max_length": 4, "stride": 4}, ValueError, "stride"),
        (
            {"texts": [TEXT], "truncation": True, "max_length": 4, "stride": 2},
            DomainError,
            "stride 2 must be below the 2 tokens",
        ),
        (
            {"texts": [TEXT], "pairs": [TEXT], "truncation": True, "max_length": 7, "stride": 3},
            DomainError,
            "cannot cut to max_length 7 by 'longest_first' with stride 3",
        ),
        (
            {"texts": [TEXT], "truncation": "only_second", "max_length": 4},
            DomainError,
            "cannot cut to max_length 4 by 'only_second'",
        ),
        ({"texts": ["a"], "truncation": True, "max_length": "9"}, DTypeError, "max_length is a"),
        (
            {"texts": ["a"], "truncation": True, "max_length": 9, "stride": 0.5},
            DTypeError,
            "stride is a number of tokens",
        ),
    ],
)
def test_refuses(tokenizer, arguments, error, match):
    with pytest.raises(error, match=match):
        tokenizer.encode_batch(**arguments)


def test_a_single_text_is_no_batch(tokenizer):
    with pytest.raises(DTypeError, match="a single str"):
        tokenizer.encode_batch("cat")


def test_library_missing(monkeypatch, vocab_file):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingDependencyError, match="pip install tokenizers"):
        Tokenizer.from_vocab_file(vocab_file)


def test_threads_do_not_disturb_each_other(tokenizer):
    def length(limit):
        return [len(tokenizer.encode(TEXT, truncation=True, max_length=limit)) for _ in range(50)]

    with ThreadPoolExecutor(4) as pool:
        for limit, lengths in zip((2, 3, 4, 5), pool.map(length, (2, 3, 4, 5)), strict=True):
            assert set(lengths) == {limit}

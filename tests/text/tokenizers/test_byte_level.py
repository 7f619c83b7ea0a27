import gzip
import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.errors import FileFormatError, UnknownNameError
from triptych_text.tokenizers import Tokenizer, byte_level_backend, read_merges
from triptych_text.tokenizers import byte_level as module
from triptych_text.tokenizers.byte_pairs import byte_alphabet

LETTERS = list(byte_alphabet().values())
MERGES = [("a", "b"), ("Ġ", "ab"), ("ab", "c")]
NAMES = [*LETTERS, *("".join(pair) for pair in MERGES)]
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


@pytest.fixture
def files(tmp_path):
    def write(names=NAMES, merges=MERGES):
        (tmp_path / "vocab.json").write_text(json.dumps({n: i for i, n in enumerate(names)}))
        rows = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
        (tmp_path / "merges.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
        return tmp_path / "vocab.json", tmp_path / "merges.txt"

    return write


def test_gpt2(files):
    tokenizer = Tokenizer.from_merges(*files([*NAMES, "<|endoftext|>"]))
    encoding = tokenizer.encode("abc ab é<|endoftext|>")
    assert encoding.tokens == ["abc", "Ġab", "Ġ", "Ã", "©", "<|endoftext|>"]
    assert encoding.offsets[2:5] == [(6, 7), (7, 8), (7, 8)]
    assert tokenizer.pad_token == "<|endoftext|>"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_gpt2_loses_nothing(text):
    backend = byte_level_backend({n: i for i, n in enumerate(NAMES)}, MERGES)
    tokenizer = Tokenizer(backend)
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_roberta(files):
    tokenizer = Tokenizer.from_merges(*files([*SPECIAL, *NAMES]), family="roberta")
    assert tokenizer.encode("ab", " ab").tokens == ["<s>", "ab", "</s>", "</s>", "Ġab", "</s>"]
    assert tokenizer.encode("ab <mask>").ids == [0, tokenizer.vocab["ab"], 4, 2]
    assert tokenizer.encode("ab").type_ids == [0, 0, 0]
    with pytest.raises(FileFormatError, match="RoBERTa needs <s>, </s>"):
        Tokenizer.from_merges(*files(), family="roberta")


def test_folder_chooses_the_family(files):
    vocab, _ = files([*SPECIAL, *NAMES])
    assert Tokenizer.from_pretrained(vocab.parent).encode("ab").tokens == ["<s>", "ab", "</s>"]
    config = {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True}
    (vocab.parent / "tokenizer_config.json").write_text(json.dumps(config))
    assert Tokenizer.from_pretrained(vocab.parent).encode("ab").tokens == ["<s>", "Ġab", "</s>"]
    files()
    assert Tokenizer.from_pretrained(vocab.parent).encode("ab").tokens == ["Ġab"]
    (vocab.parent / "merges.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"merges\.txt"):
        Tokenizer.from_pretrained(vocab.parent)


def naive_clip(text, ids):
    """CLIP's encoding, word by word, by the definition."""
    import regex

    alphabet = byte_alphabet()
    ranks = {pair: i for i, pair in enumerate(CLIP_MERGES)}
    out = []
    for word in regex.findall(module.CLIP_PATTERN, " ".join(text.split()).strip().lower()):
        parts = [alphabet[byte] for byte in word.encode()]
        parts[-1] += "</w>"
        while True:
            pairs = [(ranks.get(pair, 999), i) for i, pair in enumerate(pairwise(parts))]
            rank, i = min(pairs, default=(999, 0))
            if rank == 999:
                break
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        out += [ids[part] for part in parts]
    return out


CLIP_MERGES = [("a", "b"), ("ab", "c</w>"), ("c", "ab</w>"), ("a", "b</w>")]


@pytest.fixture
def clip(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CLIP_MERGES", len(CLIP_MERGES))
    rows = ['"bpe_simple_vocab_16e6.txt#version: 0.2', *(" ".join(p) for p in CLIP_MERGES), "x y"]
    path = tmp_path / "merges.txt.gz"
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    return path


def test_clip(clip):
    tokenizer = Tokenizer.from_clip_merges(clip)
    assert tokenizer.max_length == 77
    encoding = tokenizer.encode("ABC  cab's é")
    assert encoding.tokens[:3] == ["<|startoftext|>", "abc</w>", "cab</w>"]
    assert encoding.tokens[-1] == "<|endoftext|>"
    for text in ("abc cab ab a'll 12", "Ab\ncé!! cab", "aabbcc"):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert ids == naive_clip(text, tokenizer.vocab)
    assert tokenizer.decode(encoding.ids) == "abc cab 's é"
    clip.write_bytes(clip.read_bytes()[:40])
    with pytest.raises(FileFormatError, match="damaged"):
        Tokenizer.from_clip_merges(clip)
    clip.write_bytes(b"")
    with pytest.raises(FileFormatError, match="holds no merges"):
        Tokenizer.from_clip_merges(clip)


def test_damaged_files(files, tmp_path):
    vocab, merges = files()
    with pytest.raises(UnknownNameError, match="family"):
        Tokenizer.from_merges(vocab, merges, family="elmo")
    with pytest.raises(FileFormatError, match="which the vocabulary of 256 lacks"):
        Tokenizer.from_merges(*files(LETTERS))
    with pytest.raises(FileFormatError, match="CLIP needs"):
        byte_level_backend({n: i for i, n in enumerate(NAMES)}, MERGES, "clip")
    for content in ("[1]", "{", '{"a": "b"}', "[" * 100_000):
        vocab.write_text(content)
        with pytest.raises(FileFormatError, match=r"vocab\.json"):
            Tokenizer.from_merges(vocab, merges)
    merges.write_text("a b\nabc\n")
    with pytest.raises(FileFormatError, match="line 2: wanted two parts"):
        read_merges(merges)
    merges.write_bytes(b"\xff\xff")
    with pytest.raises(FileFormatError, match="UTF-8"):
        read_merges(merges)
    with pytest.raises(FileNotFoundError):
        Tokenizer.from_merges(tmp_path / "none.json", merges)

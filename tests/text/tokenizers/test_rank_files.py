import base64
import json

import pytest

from triptych.errors import FileFormatError
from triptych_text.tokenizers import Tokenizer, read_gpt2_ranks, read_ranks, write_ranks
from triptych_text.tokenizers.byte_pairs import byte_alphabet

RANKS = {bytes([i]): i for i in range(256)} | {b"ab": 256, b"abc": 257}


def test_round_trip(tmp_path):
    path = tmp_path / "toy.tiktoken"
    write_ranks(RANKS, path)
    path.write_bytes(path.read_bytes() + b"\n")
    assert read_ranks(path) == RANKS
    tokenizer = Tokenizer.from_ranks(path, "gpt2", {"<|end|>": 300}, pad_token="<|end|>")
    assert tokenizer.encode("abcab<|end|>").ids == [257, 256, 300]
    assert tokenizer.pad_id == 300


@pytest.mark.parametrize(
    ("line", "match"),
    [
        (b"YQ==", "line 1: wanted a token in base64"),
        (b"Y!== 3", "line 1"),
        (b"YQ== x", "line 1"),
        (b"YQ== 1\nYQ== 2", "line 2: b'a' is there twice"),
        (base64.b64encode(b"a") + b" 1", "255 of the 256"),
    ],
)
def test_damaged(tmp_path, line, match):
    path = tmp_path / "toy.tiktoken"
    path.write_bytes(line)
    with pytest.raises(FileFormatError, match=match):
        read_ranks(path)


def _gpt2_files(folder, tokens, merges):
    (folder / "encoder.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}))
    (folder / "vocab.bpe").write_text("\n".join(["#version: 0.2", *merges, ""]))
    return folder / "encoder.json", folder / "vocab.bpe"


def test_gpt2_files(tmp_path):
    letters = list(byte_alphabet().values())
    files = _gpt2_files(tmp_path, [*letters, "ab", "abc", "<|endoftext|>"], ["a b", "ab c"])
    ranks = read_gpt2_ranks(*files)
    assert ranks[b"abc"] == 257
    assert len(ranks) == 258
    with pytest.raises(FileFormatError, match="a token that"):
        read_gpt2_ranks(*_gpt2_files(tmp_path, letters, ["a b"]))
    with pytest.raises(FileFormatError, match="do not grow"):
        read_gpt2_ranks(*_gpt2_files(tmp_path, [*letters, "abc", "ab"], ["a b", "ab c"]))
    files[0].write_text("{")
    with pytest.raises(FileFormatError, match=r"encoder\.json"):
        read_gpt2_ranks(*files)

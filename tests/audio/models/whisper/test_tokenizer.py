"""Ids, languages, words; files of ranks and folders."""

import base64
import sys

import pytest

from triptych.errors import FileFormatError, MissingDependencyError, UnknownNameError
from triptych_audio.models.whisper import tokenizer as module
from triptych_audio.models.whisper.tokenizer import (
    Tokenizer,
    Vocabulary,
    get_tokenizer,
    read_folder_vocabulary,
    read_ranks,
    special_tokens,
)


def test_round_trip(tokenizer):
    text = "hello a ab ünder"
    ids = tokenizer.encode(text)
    assert ids[0] == tokenizer.vocabulary.ranks[b"hello"]
    zero = tokenizer.timestamp_begin
    assert tokenizer.decode([zero, *ids, zero + 54]) == text
    assert tokenizer.decode_with_timestamps([zero + 54, *ids]) == f"<|1.08|>{text}"
    assert tokenizer.decode(tokenizer.encode("<|endoftext|>")) == "<|endoftext|>"


def test_special_ids(tokenizer):
    first = len(tokenizer.vocabulary.ranks)
    assert (tokenizer.eot, tokenizer.sot) == (first, first + 1)
    assert tokenizer.sot_sequence == (first + 1, first + 2, first + 2 + 99 + 1)
    assert tokenizer.sot_sequence_including_notimestamps[-1] == tokenizer.timestamp_begin - 1
    assert tokenizer.language_token == first + 2
    assert tokenizer.all_language_tokens == tuple(range(first + 2, first + 101))
    assert tokenizer.all_language_codes[:3] == ("en", "zh", "de")
    assert len(special_tokens(0, 99)) == 1608  # 51865 - 50257


def test_non_speech_tokens(tokenizer):
    found = tokenizer.non_speech_tokens
    assert {tokenizer.encode(sign)[0] for sign in ('"', "[", "♪", " -", " '")} <= set(found)
    assert not {tokenizer.encode(sign)[0] for sign in ("a", ",", "-", "'")} & set(found)


def test_words(vocabulary, tokenizer):
    ids = [*tokenizer.encode(" ab hello, ü!"), tokenizer.eot]
    words, groups = tokenizer.split_to_word_tokens(ids)
    assert words == [" ab", " hello", ",", " ü", "!", "<|endoftext|>"]
    assert [i for group in groups for i in group] == ids
    chinese = Tokenizer(vocabulary, 99, "zh", "transcribe")
    words, groups = chinese.split_to_word_tokens(chinese.encode("你好"))
    assert words == ["你", "好"]
    assert [len(group) for group in groups] == [3, 3]


def test_ids_that_are_no_letter_stay(tokenizer):
    words, groups = tokenizer.split_to_word_tokens([0x41, 0xFF, 0x42])
    assert "".join(words) == "A\ufffdB"
    assert groups[0][0] == 0x41


def test_refusals(vocabulary):
    with pytest.raises(UnknownNameError, match="klingon"):
        Tokenizer(vocabulary, 99, "klingon")
    with pytest.raises(UnknownNameError, match="sing"):
        Tokenizer(vocabulary, 99, "en", "sing")
    with pytest.raises(UnknownNameError, match="one language"):
        Tokenizer(vocabulary, 99).language_token  # noqa: B018


def write_ranks(path, vocabulary):
    lines = (f"{base64.b64encode(k).decode()} {v}" for k, v in vocabulary.ranks.items())
    path.write_text("\n".join(lines) + "\n")
    return path


def test_rank_file(vocabulary, tmp_path, monkeypatch):
    path = write_ranks(tmp_path / "a.tiktoken", vocabulary)
    found = read_ranks(path)
    assert found.ranks == vocabulary.ranks
    assert found.specials == vocabulary.specials
    monkeypatch.setattr(module, "fetch", lambda artifact: path)
    module._published.cache_clear()
    german = get_tokenizer(True, language="German")
    assert (german.language, german.task) == ("de", "transcribe")
    assert get_tokenizer(False).sot_sequence == (german.sot,)
    module._published.cache_clear()
    with pytest.raises(UnknownNameError, match="no language 'x'"):
        get_tokenizer(True, language="x")
    path.write_text("abc\n")
    with pytest.raises(FileFormatError, match="base 64"):
        read_ranks(path)


def test_folder(write_folder, vocabulary, tokenizer, tmp_path):
    found = get_tokenizer(True, folder=write_folder(tmp_path))
    assert found.vocabulary.ranks == vocabulary.ranks
    assert found.no_speech == tokenizer.no_speech
    assert found.timestamp_begin == tokenizer.timestamp_begin
    ids = [found.timestamp_begin + 50, *found.encode(" a hello"), found.timestamp_begin + 100]
    assert found.decode_with_timestamps(ids) == "<|1.00|> a hello<|2.00|>"
    assert found.decode(ids) == " a hello"


def test_bad_folders(write_folder, vocabulary, tmp_path):
    for change, text in (
        ({"type": "Unigram"}, "BPE"),
        ({"vocab": {"日": 0}}, "stands for a byte"),
        ({"merges": ["h e", "l l"]}, "order of the merges"),
    ):
        with pytest.raises(FileFormatError, match=text):
            read_folder_vocabulary(write_folder(tmp_path, **change))


def test_missing_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    with pytest.raises(MissingDependencyError, match=r"triptych-audio\[whisper\]"):
        Vocabulary({}, {}).encoding  # noqa: B018

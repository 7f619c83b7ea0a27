"""Dictionaries and lexica from lists and files."""

import pytest

from triptych_audio.models.decoder.dictionary import Dictionary, load_words


def test_entries():
    words = Dictionary(["a", "b"], default="b")
    assert len(words) == words.index_size() == 2 and "a" in words
    assert words.get_index("zebra") == 1 and words.get_entry(0) == "a"
    with pytest.raises(ValueError, match="from 0 to 1, got 2"):
        words.get_entry(2)
    with pytest.raises(ValueError, match="'a' occurs twice"):
        Dictionary(["a", "a"])
    with pytest.raises(KeyError, match=r"'z' is not among the 9 entries .* \.\.\."):
        Dictionary(list("abcdefghi")).get_index("z")


def test_files(tmp_path):
    path = tmp_path / "tokens.txt"
    path.write_text("-\n| <space>\na\n\n")
    tokens = Dictionary(path)
    assert tokens.get_index("<space>") == tokens.get_index("|") == 1
    assert tokens.get_entry(1) == "|" and len(Dictionary(str(path))) == 3
    path.write_text("ab a b |\n\nab a b b |\nc\tc |\n")
    assert load_words(path) == {"ab": [["a", "b", "|"], ["a", "b", "b", "|"]], "c": [["c", "|"]]}
    path.write_text("ab a b\nlonely\n")
    with pytest.raises(ValueError, match="line 2: the word 'lonely'"):
        load_words(path)

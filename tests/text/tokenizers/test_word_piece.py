import pytest

from triptych.errors import FileFormatError
from triptych_text.tokenizers import Tokenizer, read_vocab_file, word_piece_backend


def naive_word_piece(word, vocab):
    """Longest match first, as the BERT paper's code describes it."""
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocab:
                pieces.append(piece)
                start = end
                break
        else:
            return ["[UNK]"]
    return pieces


@pytest.mark.parametrize("word", ["cat", "cats", "unrelated", "uncat", "sleeps", "zebra", "catss"])
def test_pieces_against_the_naive_twin(word, words, tokenizer):
    assert tokenizer.encode(word, add_special_tokens=False).tokens == naive_word_piece(word, words)


def test_vocab_file(vocab_file, words):
    assert read_vocab_file(vocab_file) == {word: i for i, word in enumerate(words)}
    vocab_file.write_bytes("\r\n".join(words).encode())
    assert list(read_vocab_file(vocab_file)) == words


def test_capitals_and_accents(vocab_file, words):
    assert Tokenizer.from_vocab_file(vocab_file).encode("CÂT").tokens[1:-1] == ["cat"]
    cased = Tokenizer.from_vocab_file(vocab_file, lowercase=False)
    assert cased.encode("Cat cat").tokens[1:-1] == ["[UNK]", "cat"]
    kept = Tokenizer.from_vocab_file(vocab_file, strip_accents=False)
    assert kept.encode("CÂT").tokens[1:-1] == ["[UNK]"]


def test_bad_vocabularies(tmp_path):
    twice = tmp_path / "twice.txt"
    twice.write_text("[UNK]\ncat\ncat\n")
    with pytest.raises(FileFormatError, match=r"'cat' stands on line 2 and again on line 3"):
        read_vocab_file(twice)
    binary = tmp_path / "binary.txt"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileFormatError, match="not UTF-8"):
        read_vocab_file(binary)
    with pytest.raises(FileFormatError, match=r"lacks \[CLS\], \[SEP\]"):
        word_piece_backend({"[UNK]": 0, "cat": 1})
    with pytest.raises(FileNotFoundError):
        read_vocab_file(tmp_path / "none.txt")

import json

import pytest

from triptych.errors import FileFormatError
from triptych_text.tokenizers import AddedToken, Tokenizer
from triptych_text.tokenizers import __dict__ as names
from triptych_text.tokenizers.loading import sentence_piece_backend, special_tokens_of


def test_special_tokens():
    found = special_tokens_of({"bos_token": "<s>", "x_token": "y"}, {"bos_token": None})
    assert found == {"bos_token": "<s>"}


def test_folder_of_words(vocab_file):
    folder = vocab_file.parent
    config = {"do_lower_case": False, "chat_template": [{"name": "default", "template": "hi"}]}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "special_tokens_map.json").write_text('{"pad_token": {"content": "[MASK]"}}')
    tokenizer = Tokenizer.from_pretrained(folder)
    assert tokenizer.pad_token == "[MASK]"
    assert tokenizer.special_tokens_map == {"pad_token": "[MASK]"}
    assert tokenizer.apply_chat_template([]) == "hi"
    (folder / "tokenizer_config.json").write_text("{")
    with pytest.raises(FileFormatError, match=r"tokenizer_config\.json is not JSON"):
        Tokenizer.from_pretrained(folder)


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(FileFormatError, match="not UTF-8"):
        Tokenizer.from_file(path)
    with pytest.raises(FileNotFoundError):
        Tokenizer.from_file(tmp_path / "none.json")


def test_a_model_without_the_piece_that_is_asked_for(tmp_path):
    import io

    sentencepiece = pytest.importorskip("sentencepiece")
    content = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c d"] * 9),
        model_writer=content,
        vocab_size=9,
        hard_vocab_limit=False,
        bos_id=-1,
        minloglevel=2,
    )
    (tmp_path / "x.model").write_bytes(content.getvalue())
    with pytest.raises(FileFormatError, match="no bos piece"):
        sentence_piece_backend(tmp_path / "x.model", add_bos=True)


def test_added_tokens(tokenizer):
    assert tokenizer.add_tokens(["<new>", AddedToken("<strip>", lstrip=True)]) == 2
    assert tokenizer.add_tokens(["<s>"], special=True) == 1
    encoding = tokenizer.encode("cat <strip><new><s>", add_special_tokens=False)
    assert [tokenizer.id_to_token(i) for i in encoding.ids] == ["cat", "<strip>", "<new>", "<s>"]
    assert tokenizer.decode(encoding.ids) == "cat <strip> <new>"
    assert len(tokenizer) == 15


def test_parts_of_the_library_are_at_hand():
    import tokenizers as library

    import triptych_text.tokenizers as package

    for name in ("models", "trainers", "normalizers", "pre_tokenizers", "processors", "decoders"):
        assert getattr(package, name) is getattr(library, name)
        assert name not in names  # looked up when asked for
    assert set(package.__all__) <= {*dir(package), *package._OF_LIBRARY}
    with pytest.raises(AttributeError, match="nothing"):
        package.nothing  # noqa: B018

"""Tokenizers of torchtext on small files; the expected numbers are worked out by hand."""

import json
import zipfile

import numpy as np
import pytest
import tokenizers as backend

from triptych.errors import DomainError, DTypeError, FileFormatError, UnknownNameError
from triptych_text import transforms as T
from triptych_text.transforms.per_text import PerText

LINES = ["the cat sat on the mat", "the dog ran to the cat", "Hello World, how are you?"] * 20


@pytest.fixture(scope="module")
def gpt2_files(tmp_path_factory):
    """A byte-level vocabulary trained by the library, in GPT-2's two files."""
    folder = tmp_path_factory.mktemp("gpt2")
    trained = backend.ByteLevelBPETokenizer()
    trained.train_from_iterator(LINES, vocab_size=300, min_frequency=2, show_progress=False)
    trained.save_model(str(folder))
    return str(folder / "vocab.json"), str(folder / "merges.txt"), trained


TEXTS = ["Hello World!, how are you?", "multi      space", "\u00e9t\u00e9 \U0001f600\t1", ""]


@pytest.mark.parametrize("text", TEXTS)
def test_gpt2_agrees_with_the_library(gpt2_files, text):
    table, merges, trained = gpt2_files
    encoding = trained.encode(text)
    assert T.GPT2BPETokenizer(table, merges, return_tokens=True)(text) == encoding.tokens
    made = T.GPT2BPETokenizer(table, merges)
    ids = made(text)
    assert ids == [str(i) for i in encoding.ids]
    assert made.decode(ids) == text
    assert made([text, "cat"]) == [ids, made("cat")]


def test_lone_surrogates(gpt2_files):
    made = T.GPT2BPETokenizer(*gpt2_files[:2])
    assert made(["a\ud800"]) == [made("a\ufffd")] == [made("a\udfff")]


def test_base_needs_a_method():
    with pytest.raises(NotImplementedError, match="encode_one"):
        PerText()("text")


def test_gpt2_special_tokens(gpt2_files):
    table, merges, _ = gpt2_files
    made = T.GPT2BPETokenizer(table, merges, return_tokens=True)
    roles = {"unk_token": "<unk>", "additional_special_tokens": ["ACCEPT", "<r>"]}
    assert made.add_special_tokens(roles) == 3
    assert made.add_special_tokens({**roles, "sep_token": "[SEP]"}) == 1
    # Spaces beside special tokens go away.
    assert made("the cat ACCEPT the <unk>") == [*made("the cat"), "ACCEPT", *made("the"), "<unk>"]
    with pytest.raises(UnknownNameError, match="no role 'odd_token'"):
        made.add_special_tokens({"odd_token": "x"})


@pytest.fixture
def clip_merges(tmp_path):
    path = tmp_path / "merges.bpe"
    path.write_text("#version\nt h\nth e</w>\nc a\nca t</w>", encoding="utf-8")
    return str(path)


def test_clip(clip_merges, tmp_path):
    made = T.CLIPTokenizer(clip_merges, return_tokens=True)
    expected = ["<|startoftext|>", "the</w>", "cat</w>", "'s</w>", "1</w>", "2</w>", "c", "ar</w>"]
    text = "  <|startoftext|> The CAT's 12 car"
    # "'s" and "ar" have no merges: their characters stay apart.
    expected[3:4] = ["'", "s</w>"]
    expected[-2:] = ["ca", "r</w>"]
    assert made(text) == expected
    ids = T.CLIPTokenizer(clip_merges)
    # 256 bytes, 256 at ends of words, then the merges in order, then the two special tokens.
    assert ids("the cat") == ["513", "515"]
    assert ids("<|startoftext|><|endoftext|>") == ["516", "517"]
    assert ids.decode(ids("the cat")) == "the cat "
    table = tmp_path / "table.json"
    table.write_text(json.dumps(ids._pipeline.get_vocab()), encoding="utf-8")
    assert T.CLIPTokenizer(clip_merges, str(table))("the cat") == ["513", "515"]
    assert T.CLIPTokenizer(clip_merges, num_merges=2, return_tokens=True)("cat") == [
        "c",
        "a",
        "t</w>",
    ]


def test_broken_pair_files(tmp_path, clip_merges):
    bad = tmp_path / "bad"
    bad.write_text("{", encoding="utf-8")
    with pytest.raises(FileFormatError, match="no JSON"):
        T.GPT2BPETokenizer(str(bad), clip_merges)
    bad.write_text("[]", encoding="utf-8")
    with pytest.raises(FileFormatError, match="no table"):
        T.GPT2BPETokenizer(str(bad), clip_merges)
    bad.write_text("{}", encoding="utf-8")
    with pytest.raises(FileFormatError, match="do not fit"):
        T.GPT2BPETokenizer(str(bad), clip_merges)
    bad.write_text("#v\na b c\n", encoding="utf-8")
    with pytest.raises(FileFormatError, match="two parts"):
        T.CLIPTokenizer(str(bad))
    with pytest.raises(FileNotFoundError, match="neither a file nor an address"):
        T.CLIPTokenizer(str(tmp_path / "none"))


def test_bert(vocab_file, words):
    made = T.BERTTokenizer(str(vocab_file), return_tokens=True)
    assert made(" The cats, unrelated zebra ") == [
        "the", "cat", "##s", ",", "un", "##related", "[UNK]",
    ]  # fmt: skip
    ids = T.BERTTokenizer(str(vocab_file))
    assert ids(["the cats", "cat"]) == [["5", "6", "7"], ["6"]]
    assert made("the[MASK]cat") == ["the", "[UNK]", "[UNK]", "[UNK]", "cat"]
    whole = T.BERTTokenizer(str(vocab_file), return_tokens=True, never_split=["[MASK]", "THE"])
    assert whole("the[MASK] cat THE") == ["the", "[MASK]", "cat", "[UNK]"]
    cased = T.BERTTokenizer(str(vocab_file), do_lower_case=False, return_tokens=True)
    assert cased("The the") == ["[UNK]", "the"]


def test_bert_needs_unk(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("a\nb\n", encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"no token \[UNK\]"):
        T.BERTTokenizer(str(path))


def test_regex_tokenizer():
    made = T.RegexTokenizer([(r"'", " '  "), (r'"', ""), (r"([a-z])\.", r"\1 .")])
    assert made('it\'s "so".') == ["it", "'", "s", "so", "."]
    assert made(["a. b\tc"]) == [["a", ".", "b\tc"]]
    with pytest.raises(DomainError, match="no pattern"):
        T.RegexTokenizer([("(", "")])
    for replacement in (r"\1", r"\g<name>"):
        with pytest.raises(DomainError, match="no pattern or replacement"):
            T.RegexTokenizer([("a", replacement)])
    with pytest.raises(DTypeError, match="RegexTokenizer"):
        made(3)


@pytest.fixture
def char_files(tmp_path):
    tokens = ["l", "o", "w", "e", "r", "lo", "low", "low</w>", "r</w>", "er</w>", "<unk>", "w</w>"]
    table, merges = tmp_path / "encoder.json", tmp_path / "merges.txt"
    table.write_text(json.dumps({t: i for i, t in enumerate(tokens)}), encoding="utf-8")
    merges.write_text("#v\nl o\nlo w</w>\ne r</w>\n", encoding="utf-8")
    return str(table), str(merges)


def test_char_pairs(char_files):
    made = T.CharBPETokenizer(*char_files, suffix="</w>", unk_token="<unk>", return_tokens=True)
    assert made("low lower x") == ["low</w>", "lo", "w", "er</w>", "x</w>"]
    ids = T.CharBPETokenizer(*char_files, suffix="</w>", unk_token="<unk>")
    assert ids(["low lower x"]) == [[7, 5, 2, 9, 10]]
    assert ids.decode([7, 5, 2, 9]) == "low lower "
    assert ids.vocab_size == 12
    assert ids.decode([99]) == "<unk>"
    plain = T.CharBPETokenizer(*char_files)
    assert plain.encode("low") == [5, 2]
    assert plain.decode([5, 2]) == "lo w"
    with pytest.raises(UnknownNameError, match="no token 'x'"):
        plain("x")
    with pytest.raises(UnknownNameError, match="no token 99"):
        plain.decode([99])
    special = T.CharBPETokenizer(*char_files, special_tokens=["<unk>"], return_tokens=True)
    assert special("<unk> lo") == ["<unk>", "lo"]


@pytest.mark.parametrize("lacking", [{"unk_token": "?"}, {"special_tokens": ["?"]}])
def test_char_pairs_lack_a_token(char_files, lacking):
    with pytest.raises(RuntimeError, match="lacks '\\?'"):
        T.CharBPETokenizer(*char_files, **lacking)


def test_char_pairs_broken(char_files):
    with pytest.raises(FileFormatError, match="no table in JSON"):
        T.CharBPETokenizer(char_files[1], char_files[1])


@pytest.fixture(scope="module")
def sp_model(tmp_path_factory):
    sentencepiece = pytest.importorskip("sentencepiece")
    folder = tmp_path_factory.mktemp("sp")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES), model_prefix=str(folder / "m"), vocab_size=27, minloglevel=2
    )
    return str(folder / "m.model")


def test_sentencepiece(sp_model):
    import sentencepiece

    direct = sentencepiece.SentencePieceProcessor(model_file=sp_model)
    made = T.SentencePieceTokenizer(sp_model)
    assert made("the cat") == direct.encode("the cat", out_type=str)
    assert made(["the cat", ""]) == [made("the cat"), []]


def test_xlmr(sp_model):
    import sentencepiece

    direct = sentencepiece.SentencePieceProcessor(model_file=sp_model)
    made = T.xlmr_transform(4, sp_model_path=sp_model)
    ids = direct.encode("the cat sat on")
    assert made("the cat sat on") == [0, *(i + 1 for i in ids[:4]), 2]
    assert made(["\u4e00"])[0][-2] == 3  # an unknown piece
    vocab = made[1].vocab
    assert vocab["<mask>"] == len(vocab) - 1 == direct.get_piece_size() + 1


def _torch_vocab(path, tokens):
    """A file of torch.save's layout that names classes of torchtext."""
    strings = b"".join(b"X" + np.uint32(len(t.encode())).tobytes() + t.encode() for t in tokens)
    state = b"((](e" + b"(" + strings + b"lttR"  # a class applied to ([], [tokens])
    head = b"\x80\x02ctorchtext._torchtext\nVocab\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vocab/data.pkl", head + state + b".")


def test_roberta(gpt2_files, tmp_path):
    table, merges, trained = gpt2_files
    ids = [str(i) for i in dict.fromkeys(trained.encode("the cat sat").ids)]
    path = tmp_path / "roberta.vocab.pt"
    _torch_vocab(path, ["<s>", "<pad>", "</s>", "<unk>", *ids])
    made = T.roberta_transform(
        2, encoder_json_path=table, vocab_bpe_path=merges, vocab_path=str(path)
    )
    assert made("the cat sat") == [0, 4, 5, 2]

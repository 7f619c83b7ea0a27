import io
import json
import pickle
import sys

import pytest

import triptych as tp
from triptych.errors import (
    DomainError,
    FileFormatError,
    MissingDependencyError,
    UnknownNameError,
)
from triptych_text.tokenizers import SentencePieceModel, Tokenizer

TEXTS = ["the cat sat on the mat", "Ｔｈｅ  cats ½ 日本", "", " <s> é\x00", "a\ud800b"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A unigram and a BPE model learnt from a few lines."""
    sentencepiece = pytest.importorskip("sentencepiece")
    folder = tmp_path_factory.mktemp("pieces")
    paths = {}
    for kind, size in (("unigram", 60), ("bpe", 330)):
        content = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["the cat sat on the mat", "the dogs sat", "cats and mats"] * 9),
            model_writer=content,
            vocab_size=size,
            model_type=kind,
            byte_fallback=kind == "bpe",
            hard_vocab_limit=False,
            pad_id=3,
            minloglevel=2,
        )
        paths[kind] = folder / f"{kind}.model"
        paths[kind].write_bytes(content.getvalue())
    return paths


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_same_as_the_library(models, kind):
    import sentencepiece

    peer = sentencepiece.SentencePieceProcessor(model_file=str(models[kind]))
    ours = Tokenizer.from_sentencepiece(models[kind])
    for text in TEXTS:
        shown = text.replace("\ud800", "\ufffd")
        expected = peer.encode(shown, return_type="offset_mapping")
        encoding = ours.encode(text, allowed_special=())
        assert encoding.ids == expected["ids"]
        assert encoding.offsets == expected["offsets"]
        pairs = zip(encoding.tokens, expected["pieces"], strict=True)
        assert all(mine in (piece, "<unk>") for mine, piece in pairs)
        assert ours.decode(encoding.ids) == peer.decode(expected["ids"])
    assert ours.encode("the cat").word_ids[0] == 0
    assert max(ours.encode("the cat").word_ids) == 1


def test_frame(models):
    tokenizer = Tokenizer.from_sentencepiece(
        models["bpe"], add_bos=True, add_eos=True, special_tokens={"<x>": 999}, pad_token="<pad>"
    )
    encoding = tokenizer.encode("cat", "the")
    assert encoding.tokens[0] == "<s>"
    assert encoding.tokens[-1] == "</s>"
    assert encoding.type_ids[-1] == 1
    assert tokenizer.pad_id == 3
    assert tokenizer.encode("cat<x>", add_special_tokens=False).ids[-1] == 999
    assert tokenizer.decode([1, *tokenizer.encode("cat").ids, 999]) == "cat"
    assert tokenizer.decode([1, 999], skip_special_tokens=False) == "<s><x>"
    assert "".join(tokenizer.decode_stream().stream(tokenizer.encode("cat é mat").ids)) == (
        "cat é mat"
    )


def test_folder(models, tmp_path):
    (tmp_path / "tokenizer.model").write_bytes(models["bpe"].read_bytes())
    (tmp_path / "special_tokens_map.json").write_text(json.dumps({"bos_token": "<s>"}))
    config = {"tokenizer_class": "LlamaTokenizer", "chat_template": "old", "pad_token": "<none>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    (tmp_path / "chat_template.jinja").write_text("{{ bos_token }}{{ messages[0].content }}")
    tokenizer = Tokenizer.from_pretrained(tmp_path)
    assert tokenizer.encode("cat").tokens[0] == "<s>"
    assert tokenizer.pad_token == "<pad>"
    talk = [{"role": "user", "content": "cat"}]
    assert tokenizer.apply_chat_template(talk) == "<s>cat"
    assert tokenizer.apply_chat_template(talk, tokenize=True).ids == tokenizer.encode("cat").ids
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "T5Tokenizer"}')
    assert Tokenizer.from_pretrained(tmp_path).encode("cat").tokens[-1] == "</s>"


def test_sampling(models):
    model = SentencePieceModel(models["unigram"])
    text = "the cats sat on the mats"
    runs = [[model.sample(text, generator=tp.Generator().manual_seed(7)) for _ in range(2)]]
    runs += [[model.sample(text, alpha=0.2) for _ in range(20)]]
    assert runs[0][0] == runs[0][1]
    assert len({tuple(ids) for ids in runs[1]}) > 1
    assert all(model.decode(ids) == text for ids in runs[1])
    assert model.sample(text, nbest_size=1) == model.encode(text) == model.nbest(text, 3)[0]
    assert len(model.nbest(text, 3)) == 3
    for wrong in ({"nbest_size": 0}, {"alpha": -1.0}):
        with pytest.raises(DomainError, match="sample"):
            model.sample(text, **wrong)
    with pytest.raises(DomainError, match="at least 1"):
        model.nbest(text, 0)
    with pytest.raises(DomainError, match="no list of ways"):
        SentencePieceModel(models["bpe"]).nbest(text, 3)


def test_model(models, tmp_path):
    model = SentencePieceModel(models["unigram"])
    copy = pickle.loads(pickle.dumps(model))
    assert copy.encode_batch(["the cat"]) == [model.encode("the cat")]
    assert copy.encode_as_pieces("the")[0].startswith("\N{LOWER ONE EIGHTH BLOCK}")
    assert model.piece_to_id("nothing") == model.unk_id == 0
    assert model.id_to_piece(1) == "<s>"
    assert model.frame == {"bos": 1, "eos": 2, "pad": 3}
    model.save(tmp_path / "copy.model")
    assert (tmp_path / "copy.model").read_bytes() == models["unigram"].read_bytes()
    with pytest.raises(UnknownNameError, match="id 9999"):
        model.decode([9999])


def test_refuses(models, tmp_path, monkeypatch):
    for content in (b"", b"no model"):
        (tmp_path / "bad.model").write_bytes(content)
        with pytest.raises(FileFormatError, match=r"bad\.model is no sentencepiece"):
            Tokenizer.from_sentencepiece(tmp_path / "bad.model")
    with pytest.raises(FileNotFoundError):
        Tokenizer.from_sentencepiece(tmp_path / "none.model")
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(MissingDependencyError, match="sentencepiece"):
        SentencePieceModel(models["bpe"])

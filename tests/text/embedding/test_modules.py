"""Folders as sentence-transformers writes them: modules.json and what it lists."""

import json

import numpy as np
import pytest

import triptych as tp
from triptych.errors import FileFormatError, UnknownNameError
from triptych.serialization import save_file
from triptych_text.embedding import SentenceEncoder
from triptych_text.models import BertModel

TEXTS = ["the cat", "cats sleep, unrelated"]
KINDS = {"": "Transformer", "1_Pooling": "Pooling", "2_Dense": "Dense", "3_Normalize": "Normalize"}


@pytest.fixture
def model(bert_config):
    tp.manual_seed(0)
    return BertModel(bert_config).eval()


@pytest.fixture
def write(model, tokenizer, tmp_path):
    """Writes a folder with the parts that are asked for."""

    def write(parts, main="", **dense):
        listed = [
            {"idx": i, "name": str(i), "path": part, "type": f"sentence_transformers.models.{kind}"}
            for i, (part, kind) in enumerate(parts.items())
        ]
        (tmp_path / "modules.json").write_text(json.dumps(listed))
        model.save_pretrained(tmp_path / main)
        tokenizer.save(tmp_path / main / "tokenizer.json")
        settings = json.dumps({"max_seq_length": 9})
        (tmp_path / main / "sentence_bert_config.json").write_text(settings)
        for part in ("1_Pooling", "2_Dense"):
            (tmp_path / part).mkdir(exist_ok=True)
        pooling = {"word_embedding_dimension": 12, "pooling_mode_cls_token": True}
        (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
        tensors = {"linear.weight": tp.randn(5, 12), "linear.bias": tp.randn(5)}
        values = {"in_features": 12, "out_features": 5, "bias": True,
                  "activation_function": "torch.nn.modules.activation.Tanh", **dense}  # fmt: skip
        (tmp_path / "2_Dense" / "config.json").write_text(json.dumps(values))
        save_file(tensors, tmp_path / "2_Dense" / "model.safetensors")
        return tmp_path, tensors

    return write


def first_tokens(model, tokenizer):
    with tp.no_grad():
        return model(**tokenizer(TEXTS)).last_hidden_state[:, 0].numpy()


@pytest.mark.parametrize("main", ["", "0_Transformer"])
def test_all_parts(model, tokenizer, write, main):
    folder, tensors = write({main: "Transformer", **dict(list(KINDS.items())[1:])}, main)
    encoder = SentenceEncoder.from_pretrained(folder)
    x = first_tokens(model, tokenizer) @ tensors["linear.weight"].numpy().T
    x = np.tanh(x + tensors["linear.bias"].numpy())
    wanted = x / np.linalg.norm(x, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode(TEXTS, normalize=False).numpy(), wanted, atol=1e-5)
    assert encoder.max_length == 9


def test_without_the_last_parts(model, tokenizer, write):
    folder, tensors = write(
        dict(list(KINDS.items())[:3]), activation_function="torch.nn.modules.linear.Identity"
    )
    got = SentenceEncoder.from_pretrained(folder).encode(TEXTS, normalize=False).numpy()
    wanted = first_tokens(model, tokenizer) @ tensors["linear.weight"].numpy().T
    np.testing.assert_allclose(got, wanted + tensors["linear.bias"].numpy(), atol=1e-5)


def test_refuses(write):
    folder, _ = write({"": "Transformer"})
    with pytest.raises(FileFormatError, match="lists Transformer"):
        SentenceEncoder.from_pretrained(folder)
    write({"": "Transformer", "1_Pooling": "Pooling", "2_X": "WeightedLayerPooling"})
    with pytest.raises(UnknownNameError, match="WeightedLayerPooling"):
        SentenceEncoder.from_pretrained(folder)
    write({"": "Transformer", "1_Pooling": "Pooling", "../2": "Dense"})
    with pytest.raises(FileFormatError, match="outside the model's"):
        SentenceEncoder.from_pretrained(folder)
    write(dict(list(KINDS.items())[:3]), out_features=6)
    with pytest.raises(FileFormatError, match="do not fit"):
        SentenceEncoder.from_pretrained(folder)
    (folder / "2_Dense" / "config.json").write_text('{"in_features": 12}')
    with pytest.raises(FileFormatError, match="lack 'out_features'"):
        SentenceEncoder.from_pretrained(folder)
    (folder / "modules.json").write_text('[{"path": ""}]')
    with pytest.raises(FileFormatError, match="without type"):
        SentenceEncoder.from_pretrained(folder)
    (folder / "modules.json").write_text("{}")
    with pytest.raises(FileFormatError, match="wanted a list"):
        SentenceEncoder.from_pretrained(folder)
    (folder / "1_Pooling" / "config.json").unlink()
    write_modules = [{"type": "Transformer", "path": ""}, {"type": "Pooling", "path": "9_Pooling"}]
    (folder / "modules.json").write_text(json.dumps(write_modules))
    with pytest.raises(FileNotFoundError, match="9_Pooling of the folder"):
        SentenceEncoder.from_pretrained(folder)

"""Checkpoints in all the shapes in which they are found."""

import json
import re

import numpy as np
import pytest

import triptych as tp
from triptych.errors import FileFormatError, UnknownNameError
from triptych.serialization import save_file
from triptych_text import models
from triptych_text.models import (
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    from_pretrained,
)

IDS = tp.tensor([[3, 7, 11, 2]])


@pytest.fixture
def model(bert_config):
    tp.manual_seed(0)
    return BertModel(bert_config).eval()


@pytest.fixture
def write(model, tmp_path):
    """Writes a folder with the model's settings and given weights."""

    def write(tensors, **settings):
        values = {"architectures": ["BertModel"], **model.config.to_dict(), **settings}
        (tmp_path / "config.json").write_text(json.dumps(values))
        save_file(tensors, tmp_path / "model.safetensors")
        return tmp_path

    return write


def assert_same(one, other):
    with tp.no_grad():
        ids = IDS[:, None] if type(one).__name__.endswith("MultipleChoice") else IDS
        np.testing.assert_array_equal(one(ids)[0].numpy(), other(ids)[0].numpy())


@pytest.mark.parametrize(
    "name",
    [n for n in models.ARCHITECTURES.names("*Bert*") if not n.startswith("XLM")]
    + ["RobertaForMaskedLM", "XLMRobertaForSequenceClassification"],
)
def test_save_and_load(name, tmp_path):
    small = {"vocab_size": 20, "hidden_size": 8, "dim": 8, "n_layers": 1, "n_heads": 2}
    small |= {"hidden_dim": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    saved = models.from_config({"architectures": [name], **small, "intermediate_size": 8}).eval()
    saved.save_pretrained(tmp_path / "new" / "folder")
    loaded = from_pretrained(tmp_path / "new" / "folder")
    assert type(loaded) is type(saved)
    assert not loaded.training
    assert loaded.config == saved.config
    assert_same(loaded, saved)
    for tied, source in loaded.ties().items():
        assert loaded.get_parameter(tied) is loaded.get_parameter(source)
    assert all(p.requires_grad for p in loaded.parameters())


def test_names_with_and_without_the_prefix(model, write):
    plain = model.state_dict()
    counters = {"embeddings.position_ids": tp.arange(10)[None]}
    assert_same(from_pretrained(write({**plain, **counters})), model)
    prefixed = {f"bert.{name}": t for name, t in {**plain, **counters}.items()}
    head = {"cls.predictions.bias": tp.zeros(20)}
    assert_same(from_pretrained(write({**prefixed, **head})), model)


def test_old_names(model, write):
    old = {
        re.sub("LayerNorm.bias$", "LayerNorm.beta", re.sub("Norm.weight$", "Norm.gamma", name)): t
        for name, t in model.state_dict().items()
    }
    assert any(name.endswith("gamma") for name in old)
    assert_same(from_pretrained(write(old)), model)


def test_encoder_weights_under_a_new_head(model, write):
    folder = write(model.state_dict())
    with pytest.raises(FileFormatError, match=r"lacks: classifier\.weight.*strict=False"):
        BertForSequenceClassification.from_pretrained(folder)
    with pytest.warns(
        UserWarning, match=r"classifier\.weight, classifier\.bias, which start fresh"
    ):
        fresh = BertForSequenceClassification.from_pretrained(folder, strict=False)
    assert_same(fresh.bert, model)
    assert 0 < fresh.classifier.weight.std().item() < 0.1


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_an_encoder_does_without_a_pooler_that_a_checkpoint_lacks(model, write, prefix):
    """As those for masked words do."""
    kept = {f"{prefix}{k}": t for k, t in model.state_dict().items() if not k.startswith("pooler")}
    folder = write({**kept, "cls.predictions.bias": tp.zeros(20)} if prefix else kept)
    loaded = from_pretrained(folder)
    assert loaded.pooler is None
    assert loaded(IDS).pooler_output is None
    assert_same(model, loaded)
    with pytest.warns(UserWarning, match=r"lacks pooler\.dense\.weight"):
        fresh = from_pretrained(folder, strict=False)
    assert fresh(IDS).pooler_output.shape == (1, 12)
    kept[f"{prefix}pooler.dense.bias"] = model.pooler.dense.bias
    with pytest.raises(FileFormatError, match=r"1 weights .* lacks: pooler\.dense\.weight"):
        from_pretrained(write(kept))
    with pytest.raises(FileFormatError, match="pooler"):  # classes of texts want it
        BertForSequenceClassification.from_pretrained(folder)


def test_what_has_no_place_is_named(model, write):
    folder = write({**model.state_dict(), "adapter.weight": tp.zeros(1)})
    with pytest.warns(UserWarning, match=r"no place for adapter\.weight"):
        assert_same(from_pretrained(folder), model)


def test_tied_weights_may_be_left_out(bert_config, write):
    full = BertForMaskedLM(bert_config).eval()
    tensors = full.state_dict()
    for name in full.ties():
        del tensors[name]
    assert_same(from_pretrained(write(tensors, architectures=["BertForMaskedLM"])), full)
    tensors = full.state_dict()  # or only the output's name is there
    del tensors["bert.embeddings.word_embeddings.weight"]
    assert_same(from_pretrained(write(tensors), architecture="BertForMaskedLM"), full)


def test_biases_that_differ(bert_config, write):
    full = BertForMaskedLM(bert_config).eval()
    tensors = {**full.state_dict(), "cls.predictions.decoder.bias": tp.arange(1.0, 21.0)}
    folder = write(tensors, architectures=["BertForMaskedLM"], tie_word_embeddings=False)
    assert from_pretrained(folder).cls.predictions.decoder.bias[1].item() == 2
    del tensors["cls.predictions.decoder.bias"]
    folder = write(tensors, architectures=["BertForMaskedLM"], tie_word_embeddings=False)
    assert_same(from_pretrained(folder), full)


def test_parts_with_an_index(model, write):
    weights = model.state_dict()
    names = list(weights)
    folder = write(weights)
    (folder / "model.safetensors").unlink()
    places = {}
    for i, chunk in enumerate((names[:7], names[7:]), 1):
        part = f"model-0000{i}-of-00002.safetensors"
        save_file({name: weights[name] for name in chunk}, folder / part)
        places |= dict.fromkeys(chunk, part)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    assert_same(from_pretrained(folder), model)

    index.write_text(json.dumps({"weight_map": {**places, "more": places[names[0]]}}))
    with pytest.raises(FileFormatError, match="the parts lack more"):
        from_pretrained(folder)
    index.write_text(json.dumps({"weight_map": {**places, "more": "gone.safetensors"}}))
    with pytest.raises(FileNotFoundError, match=r"wanted gone\.safetensors \(a part"):
        from_pretrained(folder)
    for part in ("../gone.safetensors", "/gone.safetensors"):
        index.write_text(json.dumps({"weight_map": {names[0]: part}}))
        with pytest.raises(FileFormatError, match="outside the folder"):
            from_pretrained(folder)
    index.write_text("{}")
    with pytest.raises(FileFormatError, match="no weight_map"):
        from_pretrained(folder)


def test_half_precision_becomes_the_models_own(model, write):
    folder = write({name: t.half() for name, t in model.state_dict().items()})
    loaded = from_pretrained(folder)
    assert {p.dtype for p in loaded.parameters()} == {tp.float32}
    with tp.no_grad():
        np.testing.assert_allclose(loaded(IDS)[0].numpy(), model(IDS)[0].numpy(), atol=2e-2)


def test_shapes_that_do_not_fit(model, write):
    folder = write(model.state_dict(), vocab_size=21)
    with pytest.raises(FileFormatError, match=r"word_embeddings\.weight: wanted \(21, 12\)"):
        from_pretrained(folder)


def test_missing_files(model, write):
    folder = write(model.state_dict())
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"wanted model\.safetensors .* has config\.json"):
        from_pretrained(folder)
    (folder / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match=rf"wanted config\.json.*{folder.name}"):
        from_pretrained(folder)
    with pytest.raises(UnknownNameError, match="no pretrained model is named"):
        from_pretrained("no-such-model")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        from_pretrained(folder / "deeper")

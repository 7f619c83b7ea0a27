import pytest

from triptych.errors import FileFormatError, MissingDependencyError, UnknownNameError
from triptych_text import models
from triptych_text.models.architectures import ARCHITECTURES, BASE_MODELS, find_architecture

SMALL = {"vocab_size": 9, "hidden_size": 8, "dim": 8, "n_layers": 1, "n_heads": 2, "hidden_dim": 8}
SMALL |= {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
SMALL |= {"num_key_value_heads": 1, "pad_token_id": 0, "d_model": 8, "d_kv": 4, "d_ff": 8}
SMALL |= {"num_layers": 1, "num_heads": 2, "encoder_layers": 1, "decoder_layers": 1}
SMALL |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 8}
SMALL |= {"decoder_ffn_dim": 8, "max_position_embeddings": 16, "image_size": 8, "patch_size": 4}
SMALL |= {"text_config": dict(SMALL), "vision_config": dict(SMALL)}


@pytest.mark.parametrize("name", ARCHITECTURES.names())
def test_every_registered_name_builds_its_class(name):
    model = models.from_config({"architectures": [name], **SMALL})
    assert type(model) is find_architecture(name) is getattr(models, name)
    assert type(model).__name__ == name
    assert type(model.config) is model.config_class
    assert name in models.__all__
    assert model.config_class.__name__ in models.__all__


@pytest.mark.parametrize("model_type", BASE_MODELS.names())
def test_model_type_is_enough(model_type):
    model = models.from_config({"model_type": model_type, **SMALL})
    assert type(model).__name__ == BASE_MODELS[model_type]
    assert model.config.model_type == model_type


def test_refuses():
    with pytest.raises(UnknownNameError, match=r"did you mean .*BertModel"):
        models.from_config({"architectures": ["BertModell"]})
    with pytest.raises(UnknownNameError, match="no model type"):
        models.from_config({"model_type": "burt"})
    with pytest.raises(FileFormatError, match="architectures"):
        models.from_config(SMALL)
    with pytest.raises(FileFormatError, match=r'is a list, such as \["BertModel"\]; got'):
        models.from_config({"architectures": "BertModel"})
    with pytest.raises(AttributeError, match="BurtModel"):
        models.BurtModel  # noqa: B018


def test_model_of_a_package_that_is_missing(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="pip install triptych-audio"):
        find_architecture("WhisperModel")

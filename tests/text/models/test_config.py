import pytest

from triptych.errors import DTypeError, FileFormatError
from triptych_text.models import BertConfig, DistilBertConfig, RobertaConfig


def test_known_keys_are_read_and_others_left_out():
    values = {"hidden_size": 64, "layer_norm_eps": 0.5, "transformers_version": "4.8.2"}
    config = BertConfig.from_dict(values)
    assert (config.hidden_size, config.layer_norm_eps, config.num_attention_heads) == (64, 0.5, 12)


@pytest.mark.parametrize("cls", [BertConfig, DistilBertConfig, RobertaConfig])
def test_round_trip(cls):
    config = cls(vocab_size=7, id2label={0: "a", 1: "b", 2: "c"})
    assert cls.from_dict(config.to_dict()) == config
    assert config.to_dict()["model_type"] == cls.model_type


def test_labels():
    assert BertConfig().num_labels == 2
    named = BertConfig.from_dict({"id2label": {"0": "no", "1": "yes", "2": "perhaps"}})
    assert (named.num_labels, named.id2label[2]) == (3, "perhaps")
    assert BertConfig.from_dict({"num_labels": 5}).num_labels == 5
    with pytest.raises(DTypeError, match="id2label"):
        BertConfig.from_dict({"id2label": ["no", "yes"]})
    with pytest.raises(FileFormatError, match=r"numbers of classes to names, got .*'no'"):
        BertConfig.from_dict({"id2label": {"no": "0", "yes": "1"}})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("is_decoder", True),
        ("add_cross_attention", True),
        ("position_embedding_type", "relative_key"),
    ],
)
def test_other_mathematics_is_refused(name, value):
    with pytest.raises(FileFormatError, match=f"{name}={value!r} is not implemented"):
        BertConfig.from_dict({name: value})


@pytest.mark.parametrize("values", [{"hidden_size": "16"}, {"layer_norm_eps": [1]}])
def test_numbers_are_numbers(values):
    with pytest.raises(FileFormatError, match="is a number"):
        BertConfig.from_dict(values)
    assert BertConfig.from_dict({"layer_norm_eps": 1}).layer_norm_eps == 1

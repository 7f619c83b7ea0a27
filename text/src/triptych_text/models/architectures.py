"""Models by the names that config.json files use; a model's module loads when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from triptych import Registry
from triptych.errors import FileFormatError

from .base import PretrainedModel

__all__ = ["ARCHITECTURES", "BASE_MODELS", "architecture_of", "find_architecture", "from_config"]

_FAMILIES = {
    "bert": ["BertModel"],
    "bert_heads": [
        "BertForMaskedLM",
        "BertForQuestionAnswering",
        "BertForSequenceClassification",
        "BertForTokenClassification",
    ],
    "distilbert": [
        "DistilBertForMaskedLM",
        "DistilBertForQuestionAnswering",
        "DistilBertForSequenceClassification",
        "DistilBertForTokenClassification",
        "DistilBertModel",
    ],
    "roberta": [
        f"{family}{head}"
        for family in ("Roberta", "XLMRoberta")
        for head in (
            "ForMaskedLM",
            "ForQuestionAnswering",
            "ForSequenceClassification",
            "ForTokenClassification",
            "Model",
        )
    ],
}

ARCHITECTURES: Registry[str] = Registry("architecture")  # class name -> module of this package
for _module, _names in _FAMILIES.items():
    for _name in _names:
        ARCHITECTURES.register(_name, _module)

# model_type of a config.json that names no architecture -> class of the bare encoder
BASE_MODELS: Registry[str] = Registry("model type")
BASE_MODELS.register("bert", "BertModel")
BASE_MODELS.register("distilbert", "DistilBertModel")
BASE_MODELS.register("roberta", "RobertaModel")
BASE_MODELS.register("xlm-roberta", "XLMRobertaModel")


def find_architecture(name: str) -> type[PretrainedModel]:
    """Class of a model.

    Args:
        name: such as "BertModel".

    Raises:
        UnknownNameError: there is no such class here; the text holds the closest names.
    """
    module = importlib.import_module(f".{ARCHITECTURES[name]}", __package__)
    found: type[PretrainedModel] = getattr(module, name)
    return found


def architecture_of(config: Mapping[str, Any]) -> type[PretrainedModel]:
    """Class of the model that a config.json describes.

    Args:
        config: content of the file; "architectures" decides, else "model_type".

    Raises:
        FileFormatError: it names neither.
        UnknownNameError: what it names is not here.
    """
    names = config.get("architectures")
    if names:
        return find_architecture(names[0])
    if "model_type" not in config:
        raise FileFormatError(
            'from_config: the settings name neither "architectures" nor "model_type"; add one, '
            'such as "architectures": ["BertModel"]'
        )
    return find_architecture(BASE_MODELS[config["model_type"]])


def from_config(config: Mapping[str, Any]) -> PretrainedModel:
    """Model with fresh weights.

    Args:
        config: settings as in a Hugging Face config.json.

    Returns:
        A model of the class that "architectures" names, in training mode.

    Raises:
        FileFormatError, UnknownNameError: as in `architecture_of`, or a setting that is not
            implemented.

    Example:
        >>> settings = {"architectures": ["BertModel"], "hidden_size": 24, "num_hidden_layers": 1}
        >>> type(from_config(settings)).__name__
        'BertModel'
    """
    cls = architecture_of(config)
    return cls(cls.config_class.from_dict(config))

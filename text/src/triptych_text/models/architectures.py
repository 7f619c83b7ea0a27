"""Models by the names that config.json files use; a model's module loads when it is asked for."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

from triptych import Registry
from triptych.errors import FileFormatError, MissingDependencyError

from .base import PretrainedModel

__all__ = ["ARCHITECTURES", "BASE_MODELS", "architecture_of", "find_architecture", "from_config"]

_DECODER_HEADS = (
    "ForCausalLM",
    "ForSequenceClassification",
    "ForTokenClassification",
    "Model",
)
_ENCODER_HEADS = (
    "ForMaskedLM",
    "ForMultipleChoice",
    "ForQuestionAnswering",
    "ForSequenceClassification",
    "ForTokenClassification",
)
# Families that another package has: its module, and what to install.
_ELSEWHERE = {"triptych_audio.models.whisper": "triptych-audio"}
_FAMILIES = {
    "triptych_audio.models.whisper": ["WhisperForConditionalGeneration", "WhisperModel"],
    "bert": ["BertModel"],
    "bert_heads": [
        "BertForMaskedLM",
        "BertForMultipleChoice",
        "BertForNextSentencePrediction",
        "BertForPreTraining",
        "BertForQuestionAnswering",
        "BertForSequenceClassification",
        "BertForTokenClassification",
    ],
    "deberta_v2": ["DebertaV2Model"],
    "deberta_v2_heads": [f"DebertaV2{head}" for head in _ENCODER_HEADS],
    "electra": ["ElectraModel"],
    "electra_heads": [
        *(f"Electra{head}" for head in _ENCODER_HEADS),
        "ElectraForPreTraining",
    ],
    "distilbert": [
        "DistilBertForMaskedLM",
        "DistilBertForMultipleChoice",
        "DistilBertForQuestionAnswering",
        "DistilBertForSequenceClassification",
        "DistilBertForTokenClassification",
        "DistilBertModel",
    ],
    "roberta": [
        f"{family}{head}"
        for family in ("Roberta", "XLMRoberta")
        for head in (*_ENCODER_HEADS, "Model")
    ],
    "gpt2": [
        "GPT2ForSequenceClassification",
        "GPT2ForTokenClassification",
        "GPT2LMHeadModel",
        "GPT2Model",
    ],
    "llama": [f"Llama{head}" for head in _DECODER_HEADS],
    "mistral": [f"Mistral{head}" for head in _DECODER_HEADS],
    "qwen2": [f"Qwen2{head}" for head in _DECODER_HEADS],
    "qwen3": [f"Qwen3{head}" for head in _DECODER_HEADS],
    "gemma2": [f"Gemma2{head}" for head in _DECODER_HEADS],
    "t5": ["T5EncoderModel", "T5ForConditionalGeneration", "T5Model"],
    "bart": ["BartForConditionalGeneration", "BartForSequenceClassification", "BartModel"],
    "mbart": ["MBartForConditionalGeneration", "MBartForSequenceClassification", "MBartModel"],
    "marian": ["MarianMTModel", "MarianModel"],
    "clip": ["CLIPModel", "CLIPTextModel", "CLIPTextModelWithProjection", "CLIPVisionModel"],
}

# Class name -> module of this package, or one of those elsewhere.
ARCHITECTURES: Registry[str] = Registry("architecture")
for _module, _names in _FAMILIES.items():
    for _name in _names:
        ARCHITECTURES.register(_name, _module)

# model_type of a config.json that names no architecture -> class of the bare encoder
BASE_MODELS: Registry[str] = Registry("model type")
BASE_MODELS.register("bert", "BertModel")
BASE_MODELS.register("distilbert", "DistilBertModel")
BASE_MODELS.register("electra", "ElectraModel")
BASE_MODELS.register("deberta-v2", "DebertaV2Model")
BASE_MODELS.register("gpt2", "GPT2Model")
BASE_MODELS.register("llama", "LlamaModel")
BASE_MODELS.register("mistral", "MistralModel")
BASE_MODELS.register("qwen2", "Qwen2Model")
BASE_MODELS.register("qwen3", "Qwen3Model")
BASE_MODELS.register("gemma2", "Gemma2Model")
BASE_MODELS.register("t5", "T5Model")
BASE_MODELS.register("bart", "BartModel")
BASE_MODELS.register("mbart", "MBartModel")
BASE_MODELS.register("marian", "MarianModel")
BASE_MODELS.register("clip", "CLIPModel")
BASE_MODELS.register("clip_text_model", "CLIPTextModel")
BASE_MODELS.register("clip_vision_model", "CLIPVisionModel")
BASE_MODELS.register("roberta", "RobertaModel")
BASE_MODELS.register("xlm-roberta", "XLMRobertaModel")
BASE_MODELS.register("whisper", "WhisperModel")


def find_architecture(name: str) -> type[PretrainedModel]:
    """Class of a model.

    Args:
        name: such as "BertModel".

    Raises:
        MissingDependencyError: it belongs to a package that is not installed.
        UnknownNameError: there is no such class here; the text holds the closest names.
    """
    place = ARCHITECTURES[name]
    if place not in _ELSEWHERE:
        found: type[PretrainedModel] = getattr(
            importlib.import_module(f".{place}", __package__), name
        )
        return found
    package = place.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        raise MissingDependencyError(
            f"{name} is a model of {package}: pip install {_ELSEWHERE[place]}"
        )
    elsewhere: type[PretrainedModel] = getattr(importlib.import_module(place), name)
    return elsewhere


def architecture_of(config: Mapping[str, Any]) -> type[PretrainedModel]:
    """Class of the model that a config.json describes.

    Args:
        config: content of the file; "architectures" decides, else "model_type".

    Raises:
        FileFormatError: it names neither.
        UnknownNameError: what it names is not here.
    """
    names = config.get("architectures")
    if names is not None and not isinstance(names, list | tuple):
        raise FileFormatError(
            f'from_config: "architectures" is a list, such as ["BertModel"]; got {names!r}'
        )
    if names:
        return find_architecture(names[0])
    if config.get("model_type") is None:
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

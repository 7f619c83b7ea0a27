"""Models of the library transformers: wav2vec 2.0, XLS-R, HuBERT, UniSpeech and WavLM."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError, DTypeError, FileFormatError
from triptych_audio.models.wav2vec2.model import Wav2Vec2Model, wav2vec2_model, wavlm_model
from triptych_audio.models.wav2vec2.utils.checkpoint_folder import read_folder, tensors_of

__all__ = ["import_huggingface_model"]

# model_type in config.json: what the encoder's weights begin with where there is a head beside it
MODEL_TYPES = {
    "hubert": "hubert.",
    "unispeech": "unispeech.",
    "unispeech-sat": "unispeech_sat.",
    "wav2vec2": "wav2vec2.",
    "wavlm": "wavlm.",
}

# argument of wav2vec2_model: name in config.json, and transformers' default for it
SETTINGS: dict[str, tuple[str, Any]] = {
    "extractor_conv_bias": ("conv_bias", False),
    "encoder_embed_dim": ("hidden_size", 768),
    "encoder_projection_dropout": ("feat_proj_dropout", 0.0),
    "encoder_pos_conv_kernel": ("num_conv_pos_embeddings", 128),
    "encoder_pos_conv_groups": ("num_conv_pos_embedding_groups", 16),
    "encoder_num_layers": ("num_hidden_layers", 12),
    "encoder_num_heads": ("num_attention_heads", 12),
    "encoder_attention_dropout": ("attention_dropout", 0.1),
    "encoder_ff_interm_features": ("intermediate_size", 3072),
    "encoder_ff_interm_dropout": ("activation_dropout", 0.1),
    "encoder_dropout": ("hidden_dropout", 0.1),
    "encoder_layer_norm_first": ("do_stable_layer_norm", False),
    "encoder_layer_drop": ("layerdrop", 0.1),
}
WAVLM_SETTINGS: dict[str, tuple[str, Any]] = {
    "encoder_num_buckets": ("num_buckets", 320),
    "encoder_max_distance": ("max_bucket_distance", 800),
}
CONV_DIM, CONV_STRIDE = [512] * 7, [5, 2, 2, 2, 2, 2, 2]
CONV_KERNEL = [10, 3, 3, 3, 3, 2, 2]

# settings that change the computation in a way this model has no place for
UNSUPPORTED = {
    "add_adapter": False,
    "adapter_attn_dim": None,
    "conv_pos_batch_norm": False,
    "feat_proj_layer_norm": True,
    "hidden_act": "gelu",
    "feat_extract_activation": "gelu",
}


def import_huggingface_model(original: Any, config: Any = None) -> Wav2Vec2Model:
    """A model of the library transformers, or its files. The library itself is not needed.

    Args:
        original: an instance of Wav2Vec2Model, HubertModel, WavLMModel or one of their ForCTC,
            ForPreTraining or other forms; or the path of a folder with config.json and
            model.safetensors (or pytorch_model.bin); or a state_dict, with `config`.
        config: the contents of config.json, or an object with the same attributes; needed with a
            state_dict only.

    Returns:
        The model, in training mode as every new module. The last layer of ForCTC becomes `aux`;
        what else lies beside the encoder (masks, quantizers, other heads) is left out.

    Raises:
        DTypeError: original is something else, or a state_dict comes without config.
        DomainError: another architecture, or a setting that this model has no place for.
        FileFormatError: weights are missing.
        FileNotFoundError: a file of the folder is missing.

    Source: the names of both libraries; the mapping between them is torchaudio 2.8's.
    """
    settings, weights = _read(original, config)
    model_type = settings.get("model_type", "wav2vec2")
    if model_type not in MODEL_TYPES:
        raise DomainError(
            f"import_huggingface_model: wanted model_type {', '.join(MODEL_TYPES)}, got "
            f"{model_type!r}"
        )
    for name, wanted in UNSUPPORTED.items():
        if settings.get(name, wanted) != wanted:
            raise DomainError(
                f"import_huggingface_model: {name}={settings[name]!r} has no place in "
                f"Wav2Vec2Model, only {name}={wanted!r}"
            )
    named = _renamed(weights, model_type)
    head = named.get("aux.weight")
    arguments = {**_arguments(settings, model_type), "aux_num_out": None}
    if head is not None:
        arguments["aux_num_out"] = head.shape[0]
    with nn.init.skipped():  # the weights overwrite whatever would be drawn
        model = (wavlm_model if model_type == "wavlm" else wav2vec2_model)(**arguments)
    lacking = _lacking(model, named)
    if lacking:
        raise FileFormatError(
            f"import_huggingface_model: {len(lacking)} weights are missing, among them "
            f"{', '.join(lacking[:3])}"
        )
    model.load_state_dict(named)
    return model


def _read(original: Any, config: Any) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Settings and weights, whatever they come in."""
    if isinstance(original, str | os.PathLike):
        settings, weights = read_folder(original)
        return (settings if config is None else _mapping(config)), weights
    if isinstance(original, Mapping):
        if config is None:
            raise DTypeError(
                "import_huggingface_model: a state_dict does not say how many heads there are; "
                "give the contents of config.json as config="
            )
        return _mapping(config), tensors_of(original)
    if hasattr(original, "state_dict") and hasattr(original, "config"):
        given = original.config if config is None else config
        return _mapping(given), tensors_of(original.state_dict())
    raise DTypeError(
        "import_huggingface_model: wanted a model of transformers, a folder or a state_dict, got "
        f"{type(original).__name__}"
    )


def _mapping(config: Any) -> dict[str, Any]:
    if isinstance(config, Mapping):
        return dict(config)
    given = config.to_dict() if hasattr(config, "to_dict") else vars(config)
    return {"model_type": getattr(config, "model_type", "wav2vec2"), **given}


def _arguments(settings: Mapping[str, Any], model_type: str) -> dict[str, Any]:
    table = {**SETTINGS, **(WAVLM_SETTINGS if model_type == "wavlm" else {})}
    arguments = {key: settings.get(name, default) for key, (name, default) in table.items()}
    arguments["extractor_mode"] = f"{settings.get('feat_extract_norm', 'group')}_norm"
    arguments["extractor_conv_layer_config"] = list(
        zip(
            settings.get("conv_dim", CONV_DIM),
            settings.get("conv_kernel", CONV_KERNEL),
            settings.get("conv_stride", CONV_STRIDE),
            strict=True,
        )
    )
    return arguments


PLACES = {
    "feature_extractor.": "feature_extractor.",
    "feature_projection.": "encoder.feature_projection.",
    "encoder.": "encoder.transformer.",
    "lm_head.": "aux.",
}


def _renamed(weights: Mapping[str, Tensor], model_type: str) -> dict[str, Tensor]:
    """Weights under this model's names; what has none is left out."""
    prefix = MODEL_TYPES[model_type]
    named: dict[str, Tensor] = {}
    for name, value in weights.items():
        bare = name.removeprefix(prefix)
        place = next((old for old in PLACES if bare.startswith(old)), None)
        if place is not None:
            named[PLACES[place] + bare.removeprefix(place)] = value
    return _joined(named) if model_type == "wavlm" else named


def _joined(named: dict[str, Tensor]) -> dict[str, Tensor]:
    """WavLM's projections of query, key and value in one matrix, as MultiheadAttention has them."""
    joined = dict(named)
    for name in named:
        stem, found, kind = name.partition(".q_proj.")
        if found:
            parts = [joined.pop(f"{stem}.{letter}_proj.{kind}") for letter in "qkv"]
            joined[f"{stem}.attention.in_proj_{kind}"] = tp.cat(parts)
            joined[f"{stem}.attention.out_proj.{kind}"] = joined.pop(f"{stem}.out_proj.{kind}")
    return joined


def _lacking(model: nn.Module, named: Mapping[str, Tensor]) -> list[str]:
    """Names of the model that are missing; weight_norm has two spellings."""
    spelt = {
        name.replace("conv.weight_g", "conv.parametrizations.weight.original0").replace(
            "conv.weight_v", "conv.parametrizations.weight.original1"
        )
        for name in named
    }
    return sorted(set(model.state_dict()) - spelt)

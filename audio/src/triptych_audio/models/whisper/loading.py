"""Published weights of Whisper: OpenAI's checkpoints, and folders as Hugging Face keeps them."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import FileFormatError, UnknownNameError
from triptych.nn import init
from triptych_audio.models.wav2vec2.utils.checkpoint_folder import read_folder
from triptych_audio.models.whisper.config import SIZES, WhisperConfig
from triptych_audio.models.whisper.model import WhisperForConditionalGeneration
from triptych_audio.whisper_weights import WHISPER
from triptych_datasets import fetch

__all__ = ["available_models", "huggingface_name", "load_folder", "load_model"]

M = TypeVar("M", bound=nn.Module)

# OpenAI's names and those of Hugging Face; applied in this order.
RENAMES: tuple[tuple[str, str], ...] = (
    (r"^(encoder|decoder)\.blocks\.", r"model.\1.layers."),
    (r"^(encoder|decoder)\.", r"model.\1."),
    (r"\.mlp_ln\.", ".final_layer_norm."),
    (r"\.mlp\.0\.", ".fc1."),
    (r"\.mlp\.2\.", ".fc2."),
    (r"\.attn_ln\.", ".self_attn_layer_norm."),
    (r"\.attn\.", ".self_attn."),
    (r"\.cross_attn_ln\.", ".encoder_attn_layer_norm."),
    (r"\.cross_attn\.", ".encoder_attn."),
    (r"_attn\.query\.", "_attn.q_proj."),
    (r"_attn\.key\.", "_attn.k_proj."),
    (r"_attn\.value\.", "_attn.v_proj."),
    (r"_attn\.out\.", "_attn.out_proj."),
    (r"\.token_embedding\.", ".embed_tokens."),
    (r"\.positional_embedding$", ".embed_positions.weight"),
    (r"\.ln_post\.", ".layer_norm."),
    (r"decoder\.ln\.", "decoder.layer_norm."),
)
PROJECTION, EMBEDDING = "proj_out.weight", "model.decoder.embed_tokens.weight"

# Heads of the decoder that look at what is being said: bits, layer by layer, gzip, base 85.
# Source: openai/whisper, whisper/__init__.py.
ALIGNMENT_HEADS: dict[str, str] = {
    "tiny.en": "ABzY8J1N>@0{>%R00Bk>$p{7v037`oCl~+#00",
    "tiny": "ABzY8bu8Lr0{>%RKn9Fp%m@SkK7Kt=7ytkO",
    "base.en": "ABzY8;40c<0{>%RzzG;p*o+Vo09|#PsxSZm00",
    "base": "ABzY8KQ!870{>%RzyTQH3`Q^yNP!>##QT-<FaQ7m",
    "small.en": "ABzY8>?_)10{>%RpeA61k&I|OI3I$65C{;;pbCHh0B{qLQ;+}v00",
    "small": "ABzY8DmU6=0{>%Rpa?J`kvJ6qF(V^F86#Xh7JUGMK}P<N0000",
    "medium.en": "ABzY8usPae0{>%R7<zz_OvQ{)4kMa0BMw6u5rT}kRKX;$NfYBv00*Hl@qhsU00",
    "medium": "ABzY8B0Jh+0{>%R7}kK1fFL7w6%<-Pf*t^=N)Qr&0RR9",
    "large-v1": "ABzY8r9j$a0{>%R7#4sLmoOs{s)o3~84-RPdcFk!JR<kSfC2yj",
    "large-v2": "ABzY8zd+h!0{>%R7=D0pU<_bnWW*tkYAhobTNnu$jnkEkXqp)j;w1Tzk)UH3X%SZd&fFZ2fC2yj",
    "large-v3": "ABzY8gWO1E0{>%R7(9S+Kn!D~%ngiGaR?*L!iJG9p-nab0JQ=-{D1-g00",
    "large-v3-turbo": "ABzY8j^C+e0{>%RARaKHP%t(lGR*)0g!tONPyhe`",
}
SAME = {"large": "large-v3", "turbo": "large-v3-turbo"}


def available_models() -> list[str]:
    """Names of the published models."""
    return list(SIZES)


def huggingface_name(name: str) -> str:
    """Name of a tensor in Hugging Face's checkpoints.

    Args:
        name: in OpenAI's.

    Example:
        >>> huggingface_name("decoder.blocks.3.cross_attn.query.bias")
        'model.decoder.layers.3.encoder_attn.q_proj.bias'
    """
    for pattern, new in RENAMES:
        name = re.sub(pattern, new, name)
    return name


def load_model(
    name: str | os.PathLike[str],
    *,
    dtype: tp.dtype | None = None,
    device: str | tp.device | None = None,
    progress: bool | None = None,
) -> WhisperForConditionalGeneration:
    """Whisper with published weights, in evaluation mode.

    Args:
        name: one of `available_models()`, fetched on first use; or one of OpenAI's files (.pt); or
            a folder with config.json and model.safetensors.
        dtype: of the weights; default float32.
        device: where they go.
        progress: show a bar while fetching; None shows it on a terminal only.

    Returns:
        The model.

    Raises:
        FileFormatError: the file holds something else, or is damaged.
        FileNotFoundError: the folder lacks a file.
        UnknownNameError: neither a name nor a file.
        triptych_datasets.FetchError: no source gave the file.
    """
    size = SAME.get(str(name), str(name))
    if size in WHISPER:
        model = _of_checkpoint(fetch(WHISPER[size], progress), dtype)
        heads = _unpacked(ALIGNMENT_HEADS[size], model.config.decoder_attention_heads)
        model.config.alignment_heads = heads
    elif Path(name).is_dir():
        model = load_folder(WhisperForConditionalGeneration, name, dtype=dtype)
    elif Path(name).is_file():
        model = _of_checkpoint(Path(name), dtype)
    else:
        raise UnknownNameError(
            f"whisper.load_model: {name} is no file or folder, and none of "
            f"{', '.join(available_models())}"
        )
    return model if device is None else model.to(device)


def _unpacked(packed: str, num_heads: int) -> list[list[int]]:
    """(layer, head) pairs."""
    bits = np.frombuffer(gzip.decompress(base64.b85decode(packed)), dtype=bool)
    pairs: list[list[int]] = np.argwhere(bits.reshape(-1, num_heads)).tolist()
    return pairs


def _of_checkpoint(path: Path, dtype: tp.dtype | None) -> WhisperForConditionalGeneration:
    """Of one of OpenAI's files, which hold sizes and weights."""
    found: Any = tp.load(path)
    if not isinstance(found, Mapping) or not {"dims", "model_state_dict"} <= set(found):
        raise FileFormatError(
            f"whisper.load_model: {path} is no checkpoint of OpenAI's Whisper, which holds dims "
            "and model_state_dict; of a Hugging Face checkpoint, give the folder"
        )
    weights = {huggingface_name(k): v for k, v in found["model_state_dict"].items()}
    config = WhisperConfig.from_dims(found["dims"])
    return _filled(WhisperForConditionalGeneration, config, weights, dtype, path)


def load_folder(
    cls: type[M], folder: str | os.PathLike[str], *, dtype: tp.dtype | str | None = None
) -> M:
    """Model of a class with the weights of a folder, in evaluation mode.

    Args:
        cls: `WhisperForConditionalGeneration` or `WhisperModel`.
        folder: with config.json and model.safetensors or pytorch_model.bin, whole or in parts; of
            generation_config.json, the alignment heads and is_multilingual are taken, and
            tokenizer.json is what `transcribe` writes with.
        dtype: of the weights; "auto" keeps what the file has; default float32.

    Raises:
        FileFormatError: the weights are not those of the settings, or of another architecture.
        FileNotFoundError: a file is missing.
    """
    values, weights = read_folder(folder)
    if values.get("model_type", "whisper") != "whisper":
        raise FileFormatError(
            f"{cls.__name__}: {folder} holds a model of type {values['model_type']!r}, wanted "
            "'whisper'; triptych_audio.models.wav2vec2.utils.import_huggingface_model reads "
            "wav2vec 2.0, HuBERT and WavLM"
        )
    config = WhisperConfig.from_dict(values)
    extra = Path(folder) / "generation_config.json"
    if extra.exists():
        found = json.loads(extra.read_text(encoding="utf-8"))
        if config.alignment_heads is None:
            config.alignment_heads = found.get("alignment_heads")
        if config.multilingual is None:
            config.multilingual = found.get("is_multilingual")
    if dtype == "auto":
        dtype = next(iter(weights.values())).dtype
    model = _filled(cls, config, weights, dtype, Path(folder))
    if (Path(folder) / "tokenizer.json").exists():
        model.vocabulary_folder = Path(folder)
    return model


def _filled(
    cls: type[M],
    config: WhisperConfig,
    weights: Mapping[str, Tensor],
    dtype: Any,
    source: Path,
) -> M:
    with init.skipped():  # the file overwrites whatever would be drawn
        model: Any = cast(Any, cls)(config)
    own = set(model.state_dict())
    given = _fitting(dict(weights), own)
    lacking, spare = sorted(own - set(given)), sorted(set(given) - own)
    if lacking or spare:
        raise FileFormatError(
            f"{cls.__name__}: {source} lacks {lacking[:3] or 'nothing'} and has "
            f"{spare[:3] or 'nothing'} beyond what the settings say"
        )
    dtype = tp.float32 if dtype is None else dtype
    model.load_state_dict({name: tensor.to(dtype) for name, tensor in given.items()}, assign=True)
    if config.tie_word_embeddings and hasattr(model, "tie_weights"):
        model.tie_weights()
    model.model_source = source
    result: M = model.eval()
    return result


def _fitting(weights: dict[str, Tensor], own: set[str]) -> dict[str, Tensor]:
    """Under the model's names: with or without the prefix, tied tensors filled in."""
    if PROJECTION not in own:  # the bare model
        weights.pop(PROJECTION, None)
        return {name.removeprefix("model."): tensor for name, tensor in weights.items()}
    if not any(name.startswith("model.") for name in weights):
        weights = {f"model.{k}" if k != PROJECTION else k: v for k, v in weights.items()}
    if PROJECTION not in weights and EMBEDDING in weights:
        weights[PROJECTION] = weights[EMBEDDING]
    return weights

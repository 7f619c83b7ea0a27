"""Records what Hugging Face's transformers computes with small models that write text, and CLIP.

    python tools/record_generation.py tests/text/generation/recorded.json

Needs torch and transformers, which the project itself does not. Weights are filled from the names
of the parameters, as the tests fill them, so that none are stored.
"""

from __future__ import annotations

import json
import sys
import zlib
from typing import Any

import numpy as np

DECODER = {
    "vocab_size": 90,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "pad_token_id": 3,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
SEQ2SEQ = {
    "vocab_size": 90,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 40,
    "max_position_embeddings": 64,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
    "forced_eos_token_id": 2,
}
T5 = {
    "vocab_size": 90,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "num_layers": 2,
    "num_heads": 4,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 12,
    "pad_token_id": 3,
    "eos_token_id": 1,
    "decoder_start_token_id": 3,
}
GPT2 = {
    "vocab_size": 90,
    "n_positions": 64,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "pad_token_id": 3,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def _rope(kind: str, **settings: Any) -> dict[str, Any]:
    return {**DECODER, "rope_parameters": {"rope_type": kind, "rope_theta": 1e4, **settings}}


LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}
LONG = {"short_factor": [1.0, 1.1, 1.2, 1.3], "long_factor": [1.0, 2.0, 3.0, 4.0]}
LONG |= {"original_max_position_embeddings": 16}
GEMMA2 = {"head_dim": 16, "sliding_window": 5, "query_pre_attn_scalar": 16}
GEMMA2 |= {"attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0}
WINDOWED = {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1}
# name -> architecture, settings
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("GPT2LMHeadModel", GPT2),
    "gpt2_scaled": (
        "GPT2LMHeadModel",
        {**GPT2, "scale_attn_by_inverse_layer_idx": True, "n_inner": 40},
    ),
    "llama": ("LlamaForCausalLM", DECODER),
    "llama_biased": (
        "LlamaForCausalLM",
        {**DECODER, "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True},
    ),
    "llama3": ("LlamaForCausalLM", _rope("llama3", factor=8.0, **LLAMA3)),
    "llama_linear": ("LlamaForCausalLM", _rope("linear", factor=4.0)),
    "llama_dynamic": (
        "LlamaForCausalLM",
        {**_rope("dynamic", factor=4.0), "max_position_embeddings": 8},
    ),
    "llama_yarn": (
        "LlamaForCausalLM",
        _rope("yarn", factor=4.0, original_max_position_embeddings=32),
    ),
    "llama_longrope": ("LlamaForCausalLM", _rope("longrope", factor=4.0, **LONG)),
    "mistral": ("MistralForCausalLM", {**DECODER, "sliding_window": 5}),
    "qwen2": ("Qwen2ForCausalLM", DECODER),
    "qwen2_windowed": ("Qwen2ForCausalLM", {**DECODER, **WINDOWED}),
    "qwen3": ("Qwen3ForCausalLM", {**DECODER, "head_dim": 16}),
    "gemma2": ("Gemma2ForCausalLM", {**DECODER, **GEMMA2}),
    "t5": ("T5ForConditionalGeneration", T5),
    "flan_t5": (
        "T5ForConditionalGeneration",
        {**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    ),
    "bart": ("BartForConditionalGeneration", {**SEQ2SEQ, "scale_embedding": True}),
    "mbart": ("MBartForConditionalGeneration", SEQ2SEQ),
    "marian": (
        "MarianMTModel",
        {**SEQ2SEQ, "decoder_vocab_size": 90, "activation_function": "swish"},
    ),
    "gpt2_texts": ("GPT2ForSequenceClassification", GPT2),
    "gpt2_tokens": ("GPT2ForTokenClassification", GPT2),
    "llama_texts": ("LlamaForSequenceClassification", DECODER),
    "qwen3_tokens": ("Qwen3ForTokenClassification", DECODER),
    "bart_texts": ("BartForSequenceClassification", SEQ2SEQ),
    "t5_encoder": ("T5EncoderModel", T5),
}
SEARCHES: dict[str, dict[str, Any]] = {
    "greedy": {"max_new_tokens": 14},
    "processed": {
        "max_new_tokens": 12,
        "repetition_penalty": 1.3,
        "no_repeat_ngram_size": 2,
        "min_new_tokens": 8,
        "bad_words_ids": [[5], [7, 8]],
        "suppress_tokens": [11, 12],
        "begin_suppress_tokens": [13],
    },
    "beams": {"max_new_tokens": 10, "num_beams": 3, "num_return_sequences": 2},
    "short_beams": {
        "max_new_tokens": 10,
        "num_beams": 3,
        "length_penalty": -0.5,
        "early_stopping": True,
        "eos_token_id": [2, *range(20, 60)],
    },
    "all_beams": {
        "max_new_tokens": 10,
        "num_beams": 2,
        "length_penalty": 2.0,
        "early_stopping": "never",
        "eos_token_id": [2, *range(30, 60)],
    },
}
KEPT = 60  # numbers of a result that are recorded


def fill(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers for a parameter, drawn by its name; large enough that attention is not flat."""
    drawn = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape)
    if len(shape) < 2:
        return np.asarray(0.1 * drawn + float("norm" in name or ".ln_" in name), np.float32)
    return (2 * drawn / np.sqrt(shape[-1])).astype(np.float32)


def record(architecture: str, settings: dict[str, Any]) -> dict[str, Any]:
    """What one model gives on three prompts, two of them padded."""
    import torch
    import transformers

    cls = getattr(transformers, architecture)
    model = cls(cls.config_class(**settings)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "Marian" not in architecture or "embed_positions" not in name:
                parameter.copy_(torch.from_numpy(fill(name, tuple(parameter.shape))))
    behind = bool(getattr(model.config, "is_encoder_decoder", False))
    ids = np.random.default_rng(0).integers(14, 88, (3, 7))
    mask = np.ones((3, 7), np.int64)
    mask[1, :3] = mask[2, :1] = 0
    mask = mask[:, ::-1].copy() if behind else mask  # encoders are padded on the right
    padded = np.where(mask, ids, settings["pad_token_id"])
    if architecture == "BartForSequenceClassification":
        padded[:, 3] = settings["eos_token_id"]
    inputs = {"input_ids": torch.from_numpy(padded), "attention_mask": torch.from_numpy(mask)}
    found: dict[str, Any] = {"architecture": architecture, "settings": settings}
    found |= {"input_ids": padded.tolist(), "attention_mask": mask.tolist()}
    generative = hasattr(model, "lm_head")
    if generative and behind:
        inputs["decoder_input_ids"] = torch.from_numpy(ids[:, :5].copy())
        found["decoder_input_ids"] = ids[:, :5].tolist()
    with torch.no_grad():
        out = model(**inputs)
        result = out.logits if "logits" in out else out.last_hidden_state
        if result.ndim == 3 and not (generative and behind):
            result = result * inputs["attention_mask"][..., None]  # places of padding mean nothing
        flat = result.flatten().numpy()
        found["shape"] = list(result.shape)
        found["result"] = [float(f"{x:.6g}") for x in flat[:: max(1, flat.size // KEPT)]]
        if generative:
            found |= _searches(model, inputs, ids)
    return found


def _searches(model: Any, inputs: dict[str, Any], ids: np.ndarray) -> dict[str, Any]:
    import torch

    inputs = {k: v for k, v in inputs.items() if k != "decoder_input_ids"}
    labels = torch.from_numpy(np.where(ids % 5 == 0, -100, ids))
    read = inputs if model.config.is_encoder_decoder else {"input_ids": torch.from_numpy(ids)}
    found: dict[str, Any] = {"labels": labels.tolist(), "read": read["input_ids"].tolist()}
    found["loss"] = model(**read, labels=labels).loss.item()
    for name, settings in SEARCHES.items():
        out = model.generate(**inputs, **settings, do_sample=False, return_dict_in_generate=True)
        found[name] = {"settings": settings, "sequences": out.sequences.tolist()}
        if "num_beams" in settings:
            scored = model.generate(
                **inputs, **settings, do_sample=False, return_dict_in_generate=True,
                output_scores=True,
            )  # fmt: skip
            found[name]["scores"] = [float(f"{x:.6g}") for x in scored.sequences_scores]
    return found


CLIP = {
    "text_config": {
        "vocab_size": 40,
        "hidden_size": 16,
        "intermediate_size": 24,
        "projection_dim": 12,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 10,
        "bos_token_id": 38,
        "eos_token_id": 39,
    },
    "vision_config": {
        "hidden_size": 24,
        "intermediate_size": 32,
        "projection_dim": 12,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "image_size": 12,
        "patch_size": 4,
    },
    "projection_dim": 12,
}


def record_clip() -> dict[str, Any]:
    """What CLIP makes of two texts, one padded, and two images."""
    import torch
    import transformers

    model = transformers.CLIPModel(transformers.CLIPConfig(**CLIP)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(fill(name, tuple(parameter.shape))))
    ids = [[38, 5, 6, 7, 39, 0], [38, 8, 39, 0, 0, 0]]
    mask = [[1, 1, 1, 1, 1, 0], [1, 1, 1, 0, 0, 0]]
    pixels = np.random.default_rng(0).standard_normal((2, 3, 12, 12)).astype(np.float32)
    with torch.no_grad():
        out = model(
            input_ids=torch.tensor(ids),
            attention_mask=torch.tensor(mask),
            pixel_values=torch.from_numpy(pixels),
            return_loss=True,
        )
    found: dict[str, Any] = {"settings": CLIP, "input_ids": ids, "attention_mask": mask}
    for name in ("loss", "logits_per_image", "text_embeds", "image_embeds"):
        found[name] = np.round(getattr(out, name).numpy(), 6).tolist()
    return found


def main() -> None:
    """Write the records, and those of CLIP beside them."""
    records: dict[str, Any] = {name: record(*case) for name, case in CASES.items()}
    records["clip"] = record_clip()
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(records, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()

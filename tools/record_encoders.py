"""Record what transformers computes for encoders and their heads.

Usage: python tools/record_encoders.py, where torch and transformers are installed. Writes
tests/text/models/encoders_recorded.json. Weights are drawn by name, so none are stored.
"""

from __future__ import annotations

import json
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parents[1] / "tests" / "text" / "models"
BERT = {
    "vocab_size": 30,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 20,
    "max_position_embeddings": 24,
}
ELECTRA = {**BERT, "embedding_size": 10, "summary_type": "mean", "summary_activation": "tanh"}
DEBERTA = {
    **BERT,
    "type_vocab_size": 0,
    "relative_attention": True,
    "position_buckets": 4,
    "position_biased_input": False,
    "pos_att_type": ["p2c", "c2p"],
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
}
DEBERTA_WITH_CONVOLUTION = {
    **BERT,
    "type_vocab_size": 2,
    "relative_attention": True,
    "max_relative_positions": 3,
    "pos_att_type": ["c2p"],
    "conv_kernel_size": 3,
    "conv_act": "gelu",
    "embedding_size": 12,
}
DEBERTA_AS_PUBLISHED = {
    **BERT,
    "type_vocab_size": 2,
    "relative_attention": True,
    "position_buckets": 6,
    "pos_att_type": ["p2c", "c2p"],
    "legacy": False,
    "conv_kernel_size": 3,
    "conv_groups": 2,
}
DISTIL = {
    "vocab_size": 30,
    "dim": 16,
    "n_layers": 2,
    "n_heads": 4,
    "hidden_dim": 20,
    "max_position_embeddings": 24,
}
HEADS = (
    "Model",
    "ForMaskedLM",
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForQuestionAnswering",
    "ForMultipleChoice",
)
CASES: list[tuple[str, str, dict[str, Any]]] = [
    *(("Electra", head, ELECTRA) for head in (*HEADS, "ForPreTraining")),
    *(("DebertaV2", head, DEBERTA) for head in HEADS),
    *(("DebertaV2", head, DEBERTA_WITH_CONVOLUTION) for head in HEADS[:2]),
    *(("DebertaV2", head, DEBERTA_AS_PUBLISHED) for head in HEADS[:2]),
    ("DebertaV2", "Model", {**BERT, "pos_att_type": ["c2p"]}),
    ("DebertaV2", HEADS[2], {**DEBERTA, "problem_type": "multi_label_classification"}),
    ("DebertaV2", HEADS[2], {**DEBERTA, "problem_type": "single_label_classification"}),
    ("Bert", "ForMultipleChoice", BERT),
    ("Bert", "ForNextSentencePrediction", BERT),
    ("Bert", "ForPreTraining", BERT),
    ("Roberta", "ForMultipleChoice", {**BERT, "pad_token_id": 1}),
    ("DistilBert", "ForMultipleChoice", DISTIL),
]
WORDS = [[-100, -100, -100, 9, 23, 4, 29], [1, 7, 15, -100, 28, 2, 6]]
LABELS: dict[str, dict[str, Any]] = {
    "BertForPreTraining": {"labels": WORDS, "next_sentence_label": [0, 1]},
    "ElectraForPreTraining": {"labels": [[0, 1, 1, 0, 0, 1, 0], [1, 0, 0, 0, 1, 1, 1]]},
    "ForMaskedLM": {"labels": WORDS},
    "ForMultipleChoice": {"labels": [2, 0]},
    "ForNextSentencePrediction": {"labels": [1, 0]},
    "ForQuestionAnswering": {"start_positions": [1, 9], "end_positions": [3, 4]},
    "ForSequenceClassification": {"labels": [1, 2]},
    "ForTokenClassification": {"labels": [[-100, 1, 2, 0, 2, 1, 1], [0, 0, 1, 2, -100, 2, 1]]},
    "multi_label_classification": {"labels": [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]},
}


def fill(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers that depend on a name only."""
    drawn = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape)
    if len(shape) < 2:
        return np.asarray(0.1 * drawn + float(name.endswith("weight")), np.float32)
    return np.asarray(drawn / math.sqrt(math.prod(shape[1:])), np.float32)


def inputs(family: str, head: str, config: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a model, as lists."""
    shape = (2, 3, 7) if head == "ForMultipleChoice" else (2, 7)
    ids = np.random.default_rng(len(shape)).integers(5, 30, shape)
    mask = np.ones(shape, int)
    mask[-1, ..., 5:] = 0
    labels = LABELS.get(config.get("problem_type", "")) or LABELS.get(family + head)
    given = {"input_ids": ids.tolist(), "attention_mask": mask.tolist()}
    return {**given, **(labels or LABELS.get(head, {}))}


def record(family: str, head: str, config: dict[str, Any]) -> dict[str, Any]:
    """Settings, inputs, and some numbers of every output."""
    import torch
    import transformers

    labelled = head in ("ForSequenceClassification", "ForTokenClassification")
    config = {**config, "num_labels": 3} if labelled else config
    settings = getattr(transformers, f"{family}Config")(**config)
    settings._attn_implementation = "eager"
    model = getattr(transformers, family + head)(settings).eval()
    state = {
        name: torch.tensor(fill(name, tuple(t.shape))) if t.is_floating_point() else t
        for name, t in model.state_dict().items()
    }
    model.load_state_dict(state)
    model.tie_weights()
    given = inputs(family, head, config)
    out = model(**{name: torch.tensor(value) for name, value in given.items()})
    found: dict[str, Any] = {}
    for name, value in out.items():
        if isinstance(value, torch.Tensor):
            flat = value.detach().numpy().ravel()
            found[name] = [round(float(x), 6) for x in flat[:: max(1, len(flat) // 6)]]
    return {"name": family + head, "config": config, "inputs": given, "outputs": found}


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(record(*case)) for case in CASES)
    (FOLDER / "encoders_recorded.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")

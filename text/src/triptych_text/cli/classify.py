"""`triptych-text classify`: which class texts belong to."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from triptych_datasets.tables import print_table

from ..pipelines import SENTIMENT
from .texts import texts_of

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Print the likeliest class of each text.

    Args:
        arguments: `texts`, `model` and `json`.

    Returns:
        0.

    Raises:
        FileFormatError, FileNotFoundError, UnknownNameError: there is no such model.
    """
    texts = texts_of(arguments)
    answers = _classified(texts, arguments.model)
    if arguments.json:
        for text, answer in zip(texts, answers, strict=True):
            print(json.dumps({"text": text, **answer}, ensure_ascii=False))
        return 0
    rows = [(a["label"], f"{a['score']:.3f}", t) for t, a in zip(texts, answers, strict=True)]
    print_table([("LABEL", "SCORE", "TEXT"), *rows], numbers=[1])
    return 0


def _classified(texts: Sequence[str], model: str | None) -> list[dict[str, Any]]:
    if model is None:
        return SENTIMENT.classify(texts)
    from ..pipelines.text_classification import TextClassification

    return list(TextClassification.from_pretrained(model)(texts))

"""Pretrained models together with what belongs to them: labels, tokenizers, what to do next."""

from __future__ import annotations

from triptych_text.pipelines.austen import AUSTEN_LM, LanguageModelBundle
from triptych_text.pipelines.sentiment import SENTIMENT, SentimentBundle
from triptych_text.pipelines.text_classification import TextClassification
from triptych_text.pipelines.text_generation import TextGeneration

__all__ = [
    "AUSTEN_LM",
    "SENTIMENT",
    "LanguageModelBundle",
    "SentimentBundle",
    "TextClassification",
    "TextGeneration",
]

"""Pretrained models together with what belongs to them: labels, tokenizers, what to do next."""

from __future__ import annotations

from triptych_text.pipelines.austen import AUSTEN_LM, LanguageModelBundle
from triptych_text.pipelines.feature_extraction import FeatureExtraction
from triptych_text.pipelines.fill_mask import FillMask
from triptych_text.pipelines.question_answering import QuestionAnswering
from triptych_text.pipelines.sentiment import SENTIMENT, SentimentBundle
from triptych_text.pipelines.text_classification import TextClassification
from triptych_text.pipelines.text_generation import TextGeneration
from triptych_text.pipelines.token_classification import TokenClassification

__all__ = [
    "AUSTEN_LM",
    "SENTIMENT",
    "FeatureExtraction",
    "FillMask",
    "LanguageModelBundle",
    "QuestionAnswering",
    "SentimentBundle",
    "TextClassification",
    "TextGeneration",
    "TokenClassification",
]

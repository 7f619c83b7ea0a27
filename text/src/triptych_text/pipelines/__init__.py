"""Pretrained models together with what belongs to them: labels, tokenizers, what to do next."""

from __future__ import annotations

from triptych_text.pipelines.sentiment import SENTIMENT, SentimentBundle

__all__ = ["SENTIMENT", "SentimentBundle"]

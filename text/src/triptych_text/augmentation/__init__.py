"""Random variants of texts for training, and cleaning of texts."""

from .back_translation import BackTranslation
from .char_noise import KEYBOARD, OCR, CharNoise
from .cleaning import (
    Clean,
    lowercase,
    normalize_spaces,
    normalize_unicode,
    strip_emoji,
    strip_html,
    strip_urls,
)
from .eda import (
    EDA,
    RandomDeletion,
    RandomInsertion,
    RandomSwap,
    SynonymReplacement,
)

__all__ = [
    "BackTranslation",
    "CharNoise",
    "Clean",
    "EDA",
    "KEYBOARD",
    "OCR",
    "RandomDeletion",
    "RandomInsertion",
    "RandomSwap",
    "SynonymReplacement",
    "lowercase",
    "normalize_spaces",
    "normalize_unicode",
    "strip_emoji",
    "strip_html",
    "strip_urls",
]

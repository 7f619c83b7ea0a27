"""Tools for classic text data, under torchtext's names."""

from ..tokenizers.basic_english import get_tokenizer

__all__ = ["get_tokenizer"]

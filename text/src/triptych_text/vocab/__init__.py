"""Vocabularies and pretrained word vectors, with torchtext's names."""

from .pretrained import CharNGram, FastText, GloVe, pretrained_aliases
from .torch_files import read_torch_vocab
from .vectors import Vectors
from .vocab import Vocab, build_vocab_from_iterator, vocab

__all__ = [
    "CharNGram",
    "FastText",
    "GloVe",
    "Vectors",
    "Vocab",
    "build_vocab_from_iterator",
    "pretrained_aliases",
    "read_torch_vocab",
    "vocab",
]

"""Text to ids and back: pretrained tokenizers, WordPiece from a vocabulary, plain words."""

from .basic_english import basic_english_normalize, get_tokenizer
from .encoding import Encoding
from .tokenizer import Tokenizer
from .word_piece import read_vocab_file, word_piece_backend

__all__ = [
    "Encoding",
    "Tokenizer",
    "basic_english_normalize",
    "get_tokenizer",
    "read_vocab_file",
    "word_piece_backend",
]

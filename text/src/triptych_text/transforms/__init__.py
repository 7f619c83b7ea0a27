"""Transforms from texts to tokens and tensors, with torchtext's names."""

from .basic import (
    AddToken,
    LabelToIndex,
    PadTransform,
    Sequential,
    StrToIntTransform,
    ToTensor,
    Truncate,
    VocabTransform,
)
from .bert import BERTTokenizer
from .byte_pairs import CLIPTokenizer, GPT2BPETokenizer
from .char_pairs import CharBPETokenizer
from .masking import MaskTransform
from .pieces import SentencePieceTokenizer
from .presets import roberta_transform, xlmr_transform
from .regexes import RegexTokenizer

__all__ = [
    "AddToken",
    "BERTTokenizer",
    "CLIPTokenizer",
    "CharBPETokenizer",
    "GPT2BPETokenizer",
    "LabelToIndex",
    "MaskTransform",
    "PadTransform",
    "RegexTokenizer",
    "SentencePieceTokenizer",
    "Sequential",
    "StrToIntTransform",
    "ToTensor",
    "Truncate",
    "VocabTransform",
    "roberta_transform",
    "xlmr_transform",
]

"""Tools for classic text data, under torchtext's names; collators and samplers for batches."""

from .collators import (
    DataCollatorForLanguageModeling,
    DataCollatorForSeq2Seq,
    DataCollatorForWholeWordMask,
    DataCollatorWithPadding,
)
from .functional import (
    custom_replace,
    filter_wikipedia_xml,
    generate_sp_model,
    load_sp_model,
    numericalize_tokens_from_iterator,
    sentencepiece_numericalizer,
    sentencepiece_tokenizer,
    simple_space_split,
    to_map_style_dataset,
)
from .metrics import bleu_score
from .packing import ConcatChunks, PackedBlocks, document_mask, pack
from .samplers import BucketBatchSampler, TokenBatchSampler
from .span_corruption import SpanCorruption
from .utils import RandomShuffler, get_tokenizer, interleave_keys, ngrams_iterator

__all__ = [
    "BucketBatchSampler",
    "ConcatChunks",
    "DataCollatorForLanguageModeling",
    "DataCollatorForSeq2Seq",
    "DataCollatorForWholeWordMask",
    "DataCollatorWithPadding",
    "PackedBlocks",
    "RandomShuffler",
    "SpanCorruption",
    "TokenBatchSampler",
    "bleu_score",
    "custom_replace",
    "document_mask",
    "filter_wikipedia_xml",
    "generate_sp_model",
    "get_tokenizer",
    "interleave_keys",
    "load_sp_model",
    "ngrams_iterator",
    "numericalize_tokens_from_iterator",
    "pack",
    "sentencepiece_numericalizer",
    "sentencepiece_tokenizer",
    "simple_space_split",
    "to_map_style_dataset",
]

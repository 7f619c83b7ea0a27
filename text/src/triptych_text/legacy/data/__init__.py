"""Fields, datasets of examples and iterators that make batches of them, as torchtext 0.8 had."""

from .batch import Batch
from .dataset import Dataset, TabularDataset
from .example import Example
from .field import Field, LabelField, LegacyVocab, RawField
from .iterator import BPTTIterator, BucketIterator, Iterator, batch, pool
from .nested import NestedField

__all__ = [
    "BPTTIterator",
    "Batch",
    "BucketIterator",
    "Dataset",
    "Example",
    "Field",
    "Iterator",
    "LabelField",
    "LegacyVocab",
    "NestedField",
    "RawField",
    "TabularDataset",
    "batch",
    "pool",
]

"""Sentence embeddings: texts to vectors whose angle says how alike they are."""

from .pooling import Pooling
from .search import SearchResult, semantic_search, similarity
from .sentence_encoder import SentenceEncoder

__all__ = ["Pooling", "SearchResult", "SentenceEncoder", "semantic_search", "similarity"]

"""Classic tools for texts: sentences, stems, stop words, weights of words, near-duplicates."""

from .dedup import MinHashDedup
from .sentences import SentenceSplitter, split_sentences
from .stemming import Stemmer, stem
from .stopwords import STOPWORDS, remove_stopwords
from .tfidf import SparseRows, TfidfVectorizer

__all__ = [
    "MinHashDedup",
    "STOPWORDS",
    "SentenceSplitter",
    "SparseRows",
    "Stemmer",
    "TfidfVectorizer",
    "remove_stopwords",
    "split_sentences",
    "stem",
]

"""Metrics of translation, summaries, answers, tags, labels and language models."""

from .bleu import BLEUScore, bleu_score, corpus_bleu, sentence_bleu
from .chrf import CHRFScore, corpus_chrf, sentence_chrf
from .edits import character_error_rate, edit_distance, word_error_rate
from .glue import (
    GLUE_METRICS,
    accuracy,
    f1_score,
    glue,
    matthews_corrcoef,
    pearson,
    spearman,
)
from .perplexity import Perplexity, perplexity
from .rouge import ROUGEScore, rouge, rouge_l, rouge_lsum, rouge_n
from .spans import SpanScore, get_spans, seqeval_f1
from .squad import normalize_answer, squad_em_f1, squad_v2
from .ter import TERScore, corpus_ter, sentence_ter

__all__ = [
    "BLEUScore",
    "CHRFScore",
    "GLUE_METRICS",
    "Perplexity",
    "ROUGEScore",
    "SpanScore",
    "TERScore",
    "accuracy",
    "bleu_score",
    "character_error_rate",
    "corpus_bleu",
    "corpus_chrf",
    "corpus_ter",
    "edit_distance",
    "f1_score",
    "get_spans",
    "glue",
    "matthews_corrcoef",
    "normalize_answer",
    "pearson",
    "perplexity",
    "rouge",
    "rouge_l",
    "rouge_lsum",
    "rouge_n",
    "sentence_bleu",
    "sentence_chrf",
    "sentence_ter",
    "seqeval_f1",
    "spearman",
    "squad_em_f1",
    "squad_v2",
    "word_error_rate",
]

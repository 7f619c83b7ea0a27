"""torchtext's address of `triptych_text.metrics.bleu_score`."""

from ..metrics.bleu import bleu_score

__all__ = ["bleu_score"]

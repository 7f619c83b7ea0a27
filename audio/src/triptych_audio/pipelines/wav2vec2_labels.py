"""Letters that the fine-tuned models score, in the order of the scores.

The order is that of how often each came in the training text. | stands between words.
Source: the dictionaries of fairseq and VoxPopuli, as torchaudio 2.8 gives them.
"""

from __future__ import annotations

__all__ = ["LABELS"]

LABELS: dict[str, tuple[str, ...]] = {
    "english": tuple("|ETAONIHSRDLUMWCFGYPBVK'XJQZ"),
    "voxpopuli_de": tuple("|enirstadhulgcmobwfkzpvüäöjßyxq"),
    "voxpopuli_en": tuple("|etoiansrhldcumpfgwybvkxjqz"),
    "voxpopuli_es": tuple("|eaosnrildctupmbqygvhófíájzñéxúkwü"),
    "voxpopuli_fr": tuple("|esnitraouldcpmévqfgbhxàjèyêzôkçœûùîâwïëüæ"),
    "voxpopuli_it": tuple("|eiaontrlscdupmgvhzfbqàèùéòìkyxwjóíï"),
    "mms": tuple("aienoutsrmkldghybpwcvjzf'qx"),
}
"""The letters by the models that have them, without the blank before them."""

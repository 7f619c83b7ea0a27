"""Exact match and F1 of answers, as the SQuAD scripts count them."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from triptych.errors import DTypeError, UnknownNameError

__all__ = ["normalize_answer", "squad_em_f1", "squad_v2"]

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)

Answers = Mapping[str, Sequence[str]]


def normalize_answer(text: str) -> str:
    """An answer without case, punctuation, articles and further spaces.

    Args:
        text: an answer.

    Example:
        >>> normalize_answer("The  Eiffel Tower!")
        'eiffel tower'
    """
    return " ".join(ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split())


def _exact(answer: str, wanted: str) -> float:
    return float(normalize_answer(answer) == normalize_answer(wanted))


def _f1(answer: str, wanted: str) -> float:
    """F1 over words; where one of the two is empty, whether both are."""
    own, other = normalize_answer(answer).split(), normalize_answer(wanted).split()
    if not own or not other:
        return float(own == other)
    hits = (Counter(own) & Counter(other)).total()
    return 2 * hits / (len(own) + len(other))


def _scores(
    what: str, predictions: Mapping[str, str], references: Answers
) -> tuple[dict[str, float], dict[str, float]]:
    """Question -> best exact match and best F1 over its answers; no answer is the empty one."""
    for key, answers in references.items():
        if isinstance(answers, str):
            raise DTypeError(
                f"{what}: {key}: wanted a list of answers, got the text {answers!r:.60}; put it in "
                "a list"
            )
    lacking = [key for key in references if key not in predictions]
    if lacking:
        raise UnknownNameError(f"{what}: no prediction for {len(lacking)} questions: {lacking[:3]}")
    wanted = {
        key: [answer for answer in answers if normalize_answer(answer)] or [""]
        for key, answers in references.items()
    }
    exact = {key: max(_exact(predictions[key], a) for a in wanted[key]) for key in wanted}
    return exact, {key: max(_f1(predictions[key], a) for a in wanted[key]) for key in wanted}


def _percent(values: Any) -> float:
    values = list(values)
    return 100 * sum(values) / len(values) if values else 0.0


def squad_em_f1(predictions: Mapping[str, str], references: Answers) -> dict[str, float]:
    """Exact match and F1 for SQuAD 1.1, where every question has an answer.

    Args:
        predictions: question -> answer.
        references: question -> the answers that are right.

    Returns:
        "exact_match" and "f1", in per cent.

    Raises:
        UnknownNameError: a question has no prediction.
        DTypeError: one text in place of a list of answers.

    Example:
        >>> squad_em_f1({"q": "the big tower"}, {"q": ["Tower", "a tower hill"]})
        {'exact_match': 0.0, 'f1': 66.66666666666666}

    Source: Rajpurkar et al. 2016, evaluate-v1.1.py, except that two answers without a word, such
    as "the" and "a", have an F1 of 1 rather than 0, as in evaluate-v2.0.py.
    """
    exact, f1 = _scores("squad_em_f1", predictions, references)
    return {"exact_match": _percent(exact.values()), "f1": _percent(f1.values())}


def squad_v2(
    predictions: Mapping[str, str],
    references: Answers,
    no_answer_probs: Mapping[str, float] | None = None,
    no_answer_threshold: float = 1.0,
) -> dict[str, float]:
    """Exact match and F1 for SQuAD 2.0, where questions may have no answer.

    Args:
        predictions: question -> answer; "" says that there is none.
        references: question -> the answers that are right; an empty list says there is none.
        no_answer_probs: question -> probability that there is none; default 0 for all.
        no_answer_threshold: above this, the answer counts as "".

    Returns:
        "exact", "f1" and "total"; the same with "HasAns_" and "NoAns_" in front for questions with
        and without an answer, where there are any; with no_answer_probs also "best_exact",
        "best_exact_thresh", "best_f1" and "best_f1_thresh". In per cent, except totals and
        thresholds.

    Raises:
        UnknownNameError: a question has no prediction.
        DTypeError: one text in place of a list of answers.

    Source: Rajpurkar et al. 2018, evaluate-v2.0.py.
    """
    scores = dict(zip(("exact", "f1"), _scores("squad_v2", predictions, references), strict=True))
    probs = no_answer_probs or {}
    has_answer = {key: any(map(normalize_answer, answers)) for key, answers in references.items()}
    kept = {
        name: {
            key: float(not has_answer[key]) if probs.get(key, 0) > no_answer_threshold else value
            for key, value in column.items()
        }
        for name, column in scores.items()
    }
    out: dict[str, float] = {}
    groups = {"": list(has_answer), "HasAns_": [k for k, has in has_answer.items() if has]}
    groups["NoAns_"] = [k for k, has in has_answer.items() if not has]
    for prefix, keys in groups.items():
        if keys:
            for name, column in kept.items():
                out[prefix + name] = _percent(column[key] for key in keys)
            out[f"{prefix}total"] = len(keys)
    if no_answer_probs:
        for name, column in scores.items():
            best = _best_threshold(predictions, column, probs, has_answer)
            out[f"best_{name}"], out[f"best_{name}_thresh"] = best
    return out


def _best_threshold(
    predictions: Mapping[str, str],
    scores: Mapping[str, float],
    probs: Mapping[str, float],
    has_answer: Mapping[str, bool],
) -> tuple[float, float]:
    """Best score in per cent, and the threshold with which it is reached."""
    current = best = float(sum(not has for has in has_answer.values()))
    threshold = 0.0
    for key in sorted(scores, key=lambda k: probs.get(k, 0.0)):
        if has_answer[key]:
            current += scores[key]
        else:
            current -= 1.0 if predictions[key] else 0.0
        if current > best:
            best, threshold = current, probs.get(key, 0.0)
    return 100 * best / max(len(scores), 1), threshold

"""Where the labels of a sample are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .kinds import is_array

__all__ = ["LabelsGetter", "labels_getter"]

LabelsGetter = Callable[[Any], Any] | str | None


def labels_getter(wanted: LabelsGetter) -> Callable[[Any], Any]:
    """The function that finds the labels of a sample.

    Args:
        wanted: "default", which takes the second of a tuple if it is a tensor, else looks in it,
            or in the sample, for a key "labels" or one with "label" in it, in either case of
            letters; or a function of the sample; or None for no labels.

    Returns:
        Called with a sample, gives its labels.

    Raises:
        ValueError: another word.
    """
    if wanted is None:
        return lambda sample: None
    if callable(wanted):
        return wanted
    if wanted != "default":
        raise ValueError(f"labels_getter is 'default', a function or None, got {wanted!r}")
    return _default_labels


def _default_labels(sample: Any) -> Any:
    where = sample[1] if isinstance(sample, tuple | list) and len(sample) > 1 else sample
    if is_array(where) and where is not sample:
        return where
    if isinstance(where, Mapping):
        keys = [key for key in where if isinstance(key, str) and "label" in key.lower()]
        exact = [key for key in keys if key.lower() == "labels"]
        if keys:
            return where[(exact or keys)[0]]
    raise ValueError(
        "labels_getter: found no labels in the sample; wanted a tuple with labels second, or a "
        "dict with a key 'labels'; pass a function of the sample, or None if there are none"
    )

"""The 1,000 classes of ImageNet-1k, ILSVRC 2012."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["imagenet_categories"]


@cache
def imagenet_categories() -> tuple[str, ...]:
    """Names of the classes, in the order of a classifier's outputs.

    Returns:
        1,000 names, each once, in the order of the sorted WordNet numbers, as torchvision
        spells them.

    Example:
        >>> imagenet_categories()[285]
        'Egyptian cat'
    """
    path = Path(__file__).with_name("imagenet_categories.txt")
    return tuple(path.read_text(encoding="utf-8").splitlines())

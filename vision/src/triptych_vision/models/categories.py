"""The names of the classes that published weights tell apart, in the order of the outputs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["CATEGORY_SETS", "categories", "imagenet_categories"]

CATEGORY_SETS = ("coco", "imagenet", "kinetics", "person", "voc")


@cache
def categories(name: str) -> tuple[str, ...]:
    """Names of the classes of a data set, as torchvision spells and orders them.

    Args:
        name: "imagenet" (ImageNet-1k, 1,000), "kinetics" (Kinetics-400), "voc" (Pascal VOC, 20
            and the background), "coco" (90 numbers of COCO and the background; a number that COCO
            leaves out is "N/A"), or "person" (with or without one).

    Returns:
        The names.

    Example:
        >>> categories("voc")[:3]
        ('__background__', 'aeroplane', 'bicycle')
    """
    path = Path(__file__).with_name(f"{name}_categories.txt")
    return tuple(path.read_text(encoding="utf-8").splitlines())


def imagenet_categories() -> tuple[str, ...]:
    """Names of the 1,000 classes of ImageNet-1k, ILSVRC 2012, each once.

    Returns:
        The names in the order of the sorted WordNet numbers.

    Example:
        >>> imagenet_categories()[285]
        'Egyptian cat'
    """
    return categories("imagenet")

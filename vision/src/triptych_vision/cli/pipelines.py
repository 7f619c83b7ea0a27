"""Pipelines of transforms by name, or as text, which is read and never run as a program."""

from __future__ import annotations

import ast
from typing import Any

import triptych as tp
from triptych import Registry
from triptych.errors import UnknownNameError

from .. import transforms
from ..transforms import Compose, Transform

__all__ = ["PIPELINES", "pipeline"]

DTYPES = {str(d).rpartition(".")[2]: d for d in (tp.uint8, tp.float16, tp.float32, tp.float64)}
# The usual ways to train classifiers and detectors, as they would be written on the command line.
PIPELINES: Registry[str] = Registry("pipeline")
for _name, _text in {
    "train": "RandomResizedCrop(224), RandomHorizontalFlip()",
    "flip": "RandomHorizontalFlip(), RandomVerticalFlip()",
    "color": "ColorJitter(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)",
    "affine": "RandomAffine(degrees=30, translate=(0.1, 0.1), scale=(0.8, 1.2), shear=10)",
    "perspective": "RandomPerspective(distortion_scale=0.5, p=1.0)",
    "elastic": "ElasticTransform(alpha=150.0)",
    "photometric": "RandomPhotometricDistort(p=0.5), RandomHorizontalFlip()",
    "autoaugment": "RandomResizedCrop(224), RandomHorizontalFlip(), AutoAugment()",
    "randaugment": "RandomResizedCrop(224), RandomHorizontalFlip(), RandAugment()",
    "trivialaugment": "RandomResizedCrop(224), RandomHorizontalFlip(), TrivialAugmentWide()",
    "augmix": "RandomResizedCrop(224), RandomHorizontalFlip(), AugMix()",
    "simclr": "RandomResizedCrop(224), RandomHorizontalFlip(), "
    "RandomApply([ColorJitter(0.8, 0.8, 0.8, 0.2)], p=0.8), RandomGrayscale(p=0.2), "
    "GaussianBlur(23)",
}.items():
    PIPELINES.register(_name, _text)


def pipeline(text: str) -> Transform:
    """A pipeline from its name or its text.

    Args:
        text: a name of `PIPELINES`, or transforms with their arguments, as in Python, with commas
            between: "RandomCrop(200), RandomApply([ColorJitter(0.5)], p=0.3)". Arguments are
            numbers, strings, lists, tuples, dicts, dtypes, and transforms again.

    Returns:
        The transforms in a row.

    Raises:
        UnknownNameError: no pipeline, or no transform, is called so.
        ValueError: the text is not of this form.

    Example:
        >>> [type(step).__name__ for step in pipeline("RandomCrop(8), Grayscale()").transforms]
        ['RandomCrop', 'Grayscale']
    """
    if text.isidentifier() and text not in PIPELINES and text not in transforms.__all__:
        names = ", ".join(PIPELINES)
        raise UnknownNameError(f"no pipeline or transform is named {text!r}; there are {names}")
    if text in PIPELINES:
        text = PIPELINES[text]
    try:
        tree = ast.parse(f"[{text}]", mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"pipeline: {text!r} cannot be read: {error.msg}") from None
    steps = _value(tree)
    if not steps or not all(isinstance(step, Transform) for step in steps):
        raise ValueError(f"pipeline: wanted transforms with commas between, got {text!r}")
    return Compose(steps)


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Name):
        return DTYPES.get(node.id) or _built(node.id, node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _built(node.func.id, node)
    if isinstance(node, ast.List | ast.Tuple):
        items = [_value(item) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise ValueError(
            f"pipeline: {ast.unparse(node)!r} is neither a number, a string nor a transform"
        ) from None


def _built(name: str, node: ast.expr) -> Any:
    """A transform with its arguments, or without any where only its name is given."""
    kind, args, options = _transform(name), [], {}
    if isinstance(node, ast.Call):
        args = [_value(arg) for arg in node.args]
        options = {word.arg: _value(word.value) for word in node.keywords if word.arg}
    try:
        return kind(*args, **options)
    except TypeError as error:
        raise ValueError(f"pipeline: {ast.unparse(node)}: {error}") from None


def _transform(name: str) -> Any:
    known: Registry[Any] = Registry("transform")
    for public in transforms.__all__:
        thing = getattr(transforms, public)
        if isinstance(thing, type) and issubclass(thing, Transform):
            known.register(public, thing)
    return known[name]

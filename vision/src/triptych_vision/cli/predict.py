"""`triptych-vision predict`: what a model sees in pictures, as a table and drawn on them."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import triptych as tp
from triptych.errors import FileFormatError, ShapeError
from triptych_datasets.tables import print_table

from ..io import read_image
from ..models import get_model, get_model_builder, get_model_weights
from ..utils import draw_detections, draw_segmentation_masks, save_image
from ..utils.colors import distinct_colors
from .scores import with_scores

__all__ = ["run"]


class Model(NamedTuple):
    """A model, what prepares pictures for it, and the names of its classes."""

    call: Callable[[Any], Any]
    prepare: Callable[[Any], Any]
    categories: Sequence[str]


def run(arguments: argparse.Namespace) -> int:
    """Print a table of all pictures; save them if asked to.

    Args:
        arguments: `images`, `model`, `weights`, `top`, `threshold` and `output`.

    Returns:
        0, or 1 when a picture could not be read; the others are still looked at.
    """
    model = load_model(arguments.model, arguments.weights, arguments.num_classes)
    rows: list[tuple[str, ...]] = []
    failed = False
    for place, path in enumerate(arguments.images):
        try:
            image = read_image(path, mode="RGB", apply_exif_orientation=True)
            if image.ndim == 4:
                image = image[0]  # the first frame of an animation
            found, picture = look(model, image, arguments)
        except (FileFormatError, ShapeError, OSError) as error:
            print(f"triptych-vision: {error}", file=sys.stderr)
            failed = True
            continue
        rows += [(path, *cells) for cells in found]
        if arguments.output:
            save_image(picture, _target(arguments, place))
    if rows:
        print_table([("PICTURE", "WHAT", "SCORE", "WHERE"), *rows], numbers=[2])
    return int(failed)


def load_model(name: str, weights: str, num_classes: int | None = None) -> Model:
    """A model ready to predict.

    Args:
        name: as in `list_models`.
        weights: the name of published weights, or the path of a checkpoint.
        num_classes: that a checkpoint was trained for; default those of the published weights.

    Returns:
        The model with what belongs to the weights; for a checkpoint, to the published ones.

    Raises:
        UnknownNameError: no model, or no weights, are called so.
        ValueError: nothing is published for the model, and no file was given.
    """
    published: Any = get_model_weights(name)
    if Path(weights).is_file():
        model = _empty(name, num_classes)
        model.load_state_dict(_state(weights))
        member = published["DEFAULT"] if len(published) else None
    else:
        if not len(published):
            raise ValueError(f"no weights are published for {name}; give a file of yours")
        member = published.verify(weights)
        model = get_model(name, weights=member)
    if member is None:
        raise ValueError(f"it is not known how pictures are prepared for {name}")
    known = member.meta.get("categories") or ()
    names = known if num_classes in (None, len(known)) else ()
    return Model(model.eval(), member.transforms(), names)


def _empty(name: str, num_classes: int | None) -> Any:
    """The model without any weights, not even those of a backbone."""
    config: dict[str, Any] = {} if num_classes is None else {"num_classes": num_classes}
    if "weights_backbone" in inspect.signature(get_model_builder(name)).parameters:
        config["weights_backbone"] = None
    return get_model(name, **config)


def _state(path: str) -> dict[str, tp.Tensor]:
    """The tensors of a checkpoint, also where they lie under a name of their own."""
    held: Any = tp.load(path)
    for name in ("model", "state_dict", "model_state_dict"):
        if isinstance(held, Mapping) and isinstance(held.get(name), Mapping):
            held = held[name]
    if not isinstance(held, Mapping) or not held:
        raise FileFormatError(f"{path}: wanted tensors by name, got {type(held).__name__}")
    return dict(held)


def look(
    model: Model, image: tp.Tensor, arguments: argparse.Namespace
) -> tuple[list[tuple[str, str, str]], tp.Tensor]:
    """What a model sees in one picture.

    Args:
        model: of `load_model`.
        image: (3, h, w) uint8.
        arguments: `top` and `threshold`.

    Returns:
        Rows of what, how sure and where, and the picture (3, h, w) with that drawn on it.
    """
    with tp.inference_mode():
        out = model.call(model.prepare(image)[None])
    if isinstance(out, list):
        return _boxes(out[0], image, model, arguments)
    if isinstance(out, Mapping):
        return _areas(out["out"][0], image, model, arguments)
    return _classes(out[0], image, model, arguments)


def _name(model: Model, label: int) -> str:
    return model.categories[label] if label < len(model.categories) else f"class {label}"


def _classes(
    scores: tp.Tensor, image: tp.Tensor, model: Model, arguments: argparse.Namespace
) -> tuple[list[tuple[str, str, str]], tp.Tensor]:
    shares, labels = scores.softmax(0).topk(min(arguments.top, len(scores)))
    named = [
        (_name(model, label), share)
        for label, share in zip(labels.tolist(), shares.tolist(), strict=True)
    ]
    return [(name, f"{share:.3f}", "") for name, share in named], with_scores(image, named)


def _boxes(
    found: Mapping[str, tp.Tensor], image: tp.Tensor, model: Model, arguments: argparse.Namespace
) -> tuple[list[tuple[str, str, str]], tp.Tensor]:
    order = found["scores"].argsort(descending=True)[: arguments.top]
    best = {name: values[order] for name, values in found.items()}
    rows = [
        (_name(model, label), f"{score:.3f}", " ".join(f"{side:.0f}" for side in box))
        for label, score, box in zip(
            best["labels"].tolist(), best["scores"].tolist(), best["boxes"].tolist(), strict=True
        )
        if score >= arguments.threshold
    ] or [("nothing", "", "")]
    return rows, draw_detections(image, best, model.categories, arguments.threshold)


def _areas(
    scores: tp.Tensor, image: tp.Tensor, model: Model, arguments: argparse.Namespace
) -> tuple[list[tuple[str, str, str]], tp.Tensor]:
    """Shares of the picture that each class covers; `scores` is (classes, h, w)."""
    resized = tp.nn.functional.interpolate(scores[None], tuple(image.shape[1:]), mode="bilinear")[0]
    labels = resized.argmax(0)
    shares = tp.bincount(labels.flatten(), minlength=len(scores)) / labels.numel()
    covered, order = shares.topk(min(arguments.top, len(scores)))
    rows = [
        (_name(model, label), f"{share:.3f}", "of the picture")
        for label, share in zip(order.tolist(), covered.tolist(), strict=True)
        if share > 0
    ]
    things = tp.arange(1, len(scores))[:, None, None]  # class 0 is what is none of them
    colors = distinct_colors(len(scores) - 1)
    return rows, draw_segmentation_masks(image, labels == things, 0.5, colors)


def _target(arguments: argparse.Namespace, place: int) -> Path:
    """The file given, or one of the picture's name in the folder given."""
    output = Path(arguments.output)
    if len(arguments.images) == 1 and not output.is_dir():
        return output
    output.mkdir(parents=True, exist_ok=True)
    stem = Path(arguments.images[place]).stem
    taken = [Path(path).stem for path in arguments.images[:place]].count(stem)
    return output / f"{stem}{f'-{taken + 1}' if taken else ''}.png"

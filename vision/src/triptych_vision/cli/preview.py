"""`triptych-vision transform-preview`: a contact sheet of what a random pipeline draws."""

from __future__ import annotations

import argparse
import math
from typing import Any

import triptych as tp
from triptych.errors import DTypeError

from ..io import read_image
from ..transforms.functional import to_dtype, to_pil_image
from .pipelines import pipeline

__all__ = ["contact_sheet", "run"]

CELL, CAPTION, GAP = (
    200,
    16,
    6,
)  # pixels: side of a picture, height of the line below, space between
PAPER, INK = (245, 245, 245), (40, 40, 40)


def run(arguments: argparse.Namespace) -> int:
    """Draw the sheet and print where it is.

    Args:
        arguments: `image`, `pipeline`, `draws`, `seed` and `output`.

    Returns:
        0.
    """
    steps = pipeline(arguments.pipeline)
    image = read_image(arguments.image, mode="RGB", apply_exif_orientation=True)
    pictures = [("original", to_pil_image(image))]
    for seed in range(arguments.seed, arguments.seed + arguments.draws):
        tp.manual_seed(seed)
        pictures.append((f"seed {seed}", _picture(steps(image))))
    contact_sheet(pictures).save(arguments.output)
    print(arguments.output)
    return 0


def _picture(drawn: Any) -> Any:
    if not isinstance(drawn, tp.Tensor) or drawn.ndim != 3 or drawn.shape[0] not in (1, 3):
        shape = tuple(drawn.shape) if isinstance(drawn, tp.Tensor) else type(drawn).__name__
        raise DTypeError(
            f"transform-preview: wanted a pipeline that gives one picture (c, h, w), got {shape}"
        )
    if drawn.dtype.is_floating_point:
        low, high = float(drawn.min()), float(drawn.max())
        if low < 0 or high > 1:  # normalised: shown from its least to its largest value
            drawn = (drawn - low) / max(high - low, 1e-6)
        drawn = to_dtype(drawn, tp.uint8, scale=True)
    return to_pil_image(drawn).convert("RGB")


def contact_sheet(pictures: list[tuple[str, Any]]) -> Any:
    """Pictures of any size in rows, none enlarged, each with a line below.

    Args:
        pictures: captions and PIL images.

    Returns:
        A PIL image.
    """
    from PIL import Image, ImageDraw

    columns = min(len(pictures), math.ceil(math.sqrt(len(pictures) * 1.3)))
    rows = math.ceil(len(pictures) / columns)
    wide, high = CELL + GAP, CELL + CAPTION + GAP
    sheet = Image.new("RGB", (columns * wide + GAP, rows * high + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    for place, (caption, picture) in enumerate(pictures):
        left, top = place % columns * wide + GAP, place // columns * high + GAP
        picture.thumbnail((CELL, CELL))
        corner = (left + (CELL - picture.width) // 2, top + (CELL - picture.height) // 2)
        sheet.paste(picture, corner)
        pen.text((left + CELL // 2, top + CELL + 2), caption, fill=INK, anchor="ma")
    return sheet

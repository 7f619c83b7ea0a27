"""A picture with the likeliest classes written below it."""

from __future__ import annotations

from collections.abc import Sequence

import triptych as tp

from ..transforms.functional import pil_to_tensor, to_pil_image

__all__ = ["with_scores"]

LEAST_WIDTH, LINE, MARGIN = 320, 22, 8  # pixels
PAPER, INK, BAR = (255, 255, 255), (30, 30, 30), (150, 195, 235)


def with_scores(image: tp.Tensor, named: Sequence[tuple[str, float]]) -> tp.Tensor:
    """Draw a bar and a line of text for each class below a picture.

    Args:
        image: (3, h, w) uint8; a narrow one is put in the middle.
        named: names and shares from 0 to 1, the best first.

    Returns:
        (3, more than h, at least w) uint8.
    """
    from PIL import Image, ImageDraw, ImageFont

    picture = to_pil_image(image)
    width = max(picture.width, LEAST_WIDTH)
    height = picture.height + len(named) * LINE + 2 * MARGIN
    sheet = Image.new("RGB", (width, height), PAPER)
    sheet.paste(picture, ((width - picture.width) // 2, 0))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for place, (name, share) in enumerate(named):
        top = picture.height + MARGIN + place * LINE
        right = MARGIN + round((width - 2 * MARGIN) * share)
        pen.rectangle((MARGIN, top + 1, max(right, MARGIN + 1), top + LINE - 2), fill=BAR)
        pen.text((MARGIN + 4, top + LINE // 2), name, fill=INK, font=font, anchor="lm")
        score = (width - MARGIN - 4, top + LINE // 2)
        pen.text(score, f"{share:.1%}", fill=INK, font=font, anchor="rm")
    return pil_to_tensor(sheet)

"""What a detector found, drawn in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import triptych as tp
from triptych.errors import UnknownNameError

from .boxes import draw_bounding_boxes
from .colors import RGB, distinct_colors
from .keypoints import draw_keypoints
from .masks import draw_segmentation_masks

__all__ = ["draw_detections"]


def draw_detections(
    image: tp.Tensor,
    detections: Mapping[str, tp.Tensor],
    categories: Sequence[str] | None = None,
    score_threshold: float = 0.5,
    connectivity: Sequence[tuple[int, int]] | None = None,
    width: int = 2,
    font_size: int = 12,
) -> tp.Tensor:
    """Draw boxes with names and scores, masks and keypoints; each class has its colour.

    Args:
        image: (3, h, w), uint8 or floats from 0 to 1.
        detections: what a detection model returns for the image: "boxes" (n, 4) in pixels, and, as
            far as there are, "labels" (n,), "scores" (n,), "masks" (n, 1, h, w) from 0 to 1 and
            "keypoints" (n, k, 3). A target of training has the same form.
        categories: name of each label; default its number.
        score_threshold: what is less sure is left out.
        connectivity: pairs of keypoints to join.
        width: of lines, in pixels.
        font_size: in points.

    Returns:
        (3, h, w), a new tensor of the image's dtype.

    Raises:
        UnknownNameError: there are no boxes among the detections.
    """
    if "boxes" not in detections:
        raise UnknownNameError(f"draw_detections: no 'boxes' among {sorted(detections)}")
    found = dict(detections)
    if "scores" in found:
        sure = found["scores"] >= score_threshold
        found = {name: values[sure] for name, values in found.items()}
    labels = found["labels"].tolist() if "labels" in found else [0] * len(found["boxes"])
    palette = distinct_colors(max([*labels, 0]) + 1)
    colors = [palette[label] for label in labels]
    if "masks" in found and labels:
        masks = found["masks"].reshape(-1, *image.shape[1:])
        for mask, color in zip(masks, colors, strict=True):  # one by one: overlaps are not black
            image = draw_segmentation_masks(image, mask >= 0.5, 0.5, [color])
    captions = _captions(found, labels, categories) if "labels" in found else None
    image = draw_bounding_boxes(
        image,
        found["boxes"],
        captions,
        colors,
        width=width,
        font_size=font_size,
        label_colors=["black" if _luma(color) > 110 else "white" for color in colors],
        fill_labels=True,
    )
    if "keypoints" in found:
        points = found["keypoints"]
        image = draw_keypoints(
            image, points[..., :2], connectivity, colors, visibility=points[..., 2] > 0
        )
    return image


def _luma(color: RGB) -> float:
    """How bright a colour looks, 0 to 255; ITU-R BT.601."""
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]


def _captions(
    found: Mapping[str, tp.Tensor], labels: list[int], categories: Sequence[str] | None
) -> list[str | None]:
    names = [
        categories[label] if categories is not None and label < len(categories) else str(label)
        for label in labels
    ]
    if "scores" not in found:
        return [*names]
    return [f"{n} {s:.2f}" for n, s in zip(names, found["scores"].tolist(), strict=True)]

"""Masks of boxes."""

import numpy as np
import pytest

import triptych as tp
from triptych_vision.models.detection.masks import (
    maskrcnn_inference,
    maskrcnn_loss,
    paste_masks_in_image,
    project_masks_on_boxes,
)


def test_the_mask_of_the_class_is_taken() -> None:
    logits = tp.randn(3, 4, 2, 2)
    one, two = maskrcnn_inference(logits, [tp.tensor([3]), tp.tensor([1, 2])])
    assert one.shape == (1, 1, 2, 2)
    np.testing.assert_allclose(two[1, 0].numpy(), logits[2, 2].sigmoid().numpy())


def test_project_and_paste_are_inverse() -> None:
    masks = tp.zeros(1, 30, 40)
    masks[0, 8:20, 10:30] = 1
    box = tp.tensor([[4.0, 4.0, 36.0, 28.0]])
    small = project_masks_on_boxes(masks, box, tp.tensor([0]), 24)
    assert small.shape == (1, 24, 24)
    back = paste_masks_in_image(small[:, None], box, (30, 40))[0, 0] > 0.5
    wrong = (back.numpy() != (masks[0].numpy() > 0.5)).mean()
    assert wrong < 0.05
    assert paste_masks_in_image(tp.zeros(0, 1, 4, 4), tp.zeros(0, 4), (5, 6)).shape == (0, 1, 5, 6)


def test_loss() -> None:
    masks = tp.ones(1, 10, 10)
    boxes, first = tp.tensor([[1.0, 1.0, 8.0, 8.0]]), tp.tensor([0])
    logits = tp.zeros(1, 3, 4, 4, requires_grad=True)
    loss = maskrcnn_loss(logits, [boxes], [masks], [tp.tensor([2])], [first])
    assert loss.item() == pytest.approx(np.log(2))
    loss.backward()
    assert logits.grad[0, 2].abs().sum() > 0
    assert logits.grad[0, :2].abs().sum() == 0
    empty = tp.zeros(0, 3, 4, 4)
    assert maskrcnn_loss(empty, [boxes[:0]], [masks], [tp.tensor([2])], [first[:0]]).item() == 0

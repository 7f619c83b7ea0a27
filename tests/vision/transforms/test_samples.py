"""Where labels are found."""

import pytest

import triptych as tp
from triptych_vision.transforms.samples import labels_getter

LABELS = tp.tensor([1, 2])
IMAGE = tp.zeros(2, 3, 4, 4)


@pytest.mark.parametrize(
    "sample",
    [
        (IMAGE, LABELS),
        {"img": IMAGE, "labels": LABELS},
        {"img": IMAGE, "a_label_too": IMAGE, "LABELS": LABELS},
        (IMAGE, {"boxes": IMAGE, "SomeLabel": LABELS}),
    ],
)
def test_default(sample: object) -> None:
    assert labels_getter("default")(sample) is LABELS


def test_others() -> None:
    assert labels_getter(None)((IMAGE, LABELS)) is None
    assert labels_getter(lambda sample: sample["x"])({"x": 5}) == 5
    with pytest.raises(ValueError, match="'default', a function or None, got 'labels'"):
        labels_getter("labels")
    for sample in (IMAGE, (IMAGE, 3), {"x": LABELS}):
        with pytest.raises(ValueError, match="found no labels"):
            labels_getter("default")(sample)

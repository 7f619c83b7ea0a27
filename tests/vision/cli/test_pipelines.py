"""Pipelines from text."""

import pytest

import triptych as tp
from triptych.errors import UnknownNameError
from triptych_vision import transforms as T
from triptych_vision.cli.pipelines import PIPELINES, pipeline


@pytest.mark.parametrize("name", PIPELINES)
def test_every_named_pipeline_works(name: str) -> None:
    tp.manual_seed(0)
    drawn = pipeline(name)(tp.zeros(3, 40, 50, dtype=tp.uint8))
    assert drawn.shape[0] == 3
    assert drawn.dtype is tp.uint8


def test_text_is_read_as_python_would() -> None:
    text = "RandomApply([ColorJitter(0.5, hue=(-0.1, 0.1))], p=0.3), Grayscale, ToDtype(float32)"
    apply, grey, dtype = pipeline(text).transforms
    assert isinstance(apply, T.RandomApply)
    assert apply.p == 0.3
    assert isinstance(apply.transforms[0], T.ColorJitter)
    assert isinstance(grey, T.Grayscale)
    assert dtype.dtype is tp.float32


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "(lambda: 0)()",
        "Resize(open('a'))",
        "Resize(10).forward",
        "Resize(10",
        "7",
        "RandomCrop",
        "RandomCrop()",
        "Resize(10, depth=3)",
        "",
    ],
)
def test_nothing_else_is_taken(text: str) -> None:
    with pytest.raises((ValueError, UnknownNameError), match=r"pipeline: |no transform is named"):
        pipeline(text)


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="there are train, flip"):
        pipeline("trian")
    with pytest.raises(UnknownNameError, match=r"did you mean .*Resize"):
        pipeline("Resise(10)")

"""Pipelines written down and read again."""

import json
from typing import Any

import pytest

import triptych as tp
from triptych.errors import DTypeError, FileFormatError, UnknownNameError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors

PIPELINES = [
    T.Compose(
        [
            T.Resize((8, 9), interpolation=T.InterpolationMode.BICUBIC),
            T.ToDtype(tp.float32, scale=True),
        ]
    ),
    T.OneOf([T.RandomErasing(1.0, value="random"), T.SomeOf([T.CLAHE(), T.D4()], n=(1, 2))], p=1),
    T.Compose([T.BBoxSafeRandomCrop()], T.BBoxParams(["labels"], min_visibility=0.25)),
    T.Pad(2, fill={tv_tensors.Mask: 3, "others": (1, 2, 3)}),
    T.RandomApply([T.Normalize([0.5] * 3, [0.1] * 3)], p=1),
    T.RandomRotation(float(10), fill=[0.5]),
]


@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda p: type(p).__name__)
def test_pipelines_go_through_json(pipeline: Any) -> None:
    again = T.from_dict(json.loads(json.dumps(T.to_dict(pipeline))))
    assert type(again) is type(pipeline)
    assert repr(again) == repr(pipeline)
    assert T.to_dict(again) == T.to_dict(pipeline)
    x = tp.rand(3, 16, 16)
    tp.manual_seed(0)
    wanted = pipeline(x)
    tp.manual_seed(0)
    assert again(x).equal(wanted)


class Mine(T.Transform):
    def __init__(self, n: int, scale: tp.Tensor) -> None:
        super().__init__()
        self.n, self.scale = n, scale


def test_own_classes_and_hostile_files() -> None:
    data = T.to_dict(Mine(3, scale=tp.tensor([1.0, float("inf")])))
    with pytest.raises(UnknownNameError, match="'Mine' is not known"):
        T.from_dict(data)
    again = T.from_dict(data, also={"Mine": Mine})
    assert again.n == 3
    assert again.scale.tolist() == [1.0, float("inf")]
    with pytest.raises(DTypeError, match="function"):
        T.to_dict(T.Lambda(lambda x: x))
    hostile: list[Any] = [
        {"class": "os.system", "args": ["true"], "kwargs": {}},
        {"class": "functional", "args": [], "kwargs": {}},
        {"class": ["Resize"], "args": []},
        {"enum": "InterpolationMode", "name": "__class__"},
        {"dtype": "load"},
        {"kind": "TVTensor"},
    ]
    for value in hostile:
        with pytest.raises(UnknownNameError):
            T.from_dict({"version": 1, "transform": value})
    for value in ({"class": "Resize", "args": 3}, {"what": 1}, 7, ["Resize"]):
        with pytest.raises(FileFormatError):
            T.from_dict({"version": 1, "transform": value})
    for whole in ({"version": 2, "transform": {}}, {}, [], None):
        with pytest.raises(FileFormatError, match="to_dict"):
            T.from_dict(whole)  # type: ignore[arg-type]


def test_copies_keep_their_arguments() -> None:
    import copy
    import pickle

    steps = T.Compose([T.Resize(8), T.RandomHorizontalFlip(p=0.3)])
    for again in (copy.deepcopy(steps), pickle.loads(pickle.dumps(steps))):
        assert T.to_dict(again) == T.to_dict(steps)

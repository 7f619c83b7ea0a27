"""Data sets for transforms v2: their targets as boxes, masks and films that say what they are."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import UnknownNameError

from ..tv_tensors import BoundingBoxes, Mask, Video
from .coco_masks import segmentation_mask
from .vision import StandardTransform, VisionDataset

__all__ = ["wrap_dataset_for_transforms_v2"]

Wrapper = Callable[[int, Any], Any]
Keys = Collection[str] | None
_VOC = (
    "__background__ aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse "
    "motorbike person pottedplant sheep sofa train tvmonitor"
)
VOC_INDEX = {name: index for index, name in enumerate(_VOC.split())}
_KITTI = "Car Van Truck Pedestrian Person_sitting Cyclist Tram Misc DontCare"
KITTI_INDEX = {name: index for index, name in enumerate(_KITTI.split())}


def wrap_dataset_for_transforms_v2(
    dataset: VisionDataset, target_keys: Collection[str] | None = None
) -> Any:
    """A data set whose samples transforms v2 understand, made from one of this package.

    Boxes become `BoundingBoxes` in XYXY, masks `Mask`, films `Video`; lists of objects become dicts
    with "boxes", "labels" and more. Sets for classification stay as they are. The transforms of the
    data set are applied after that. The data set itself is not changed.

    Args:
        dataset: of this package, or of a subclass.
        target_keys: of `CocoDetection`, `VOCDetection`, `Kitti` and `WIDERFace`: what the target
            has; default "boxes", "labels" and, of COCO, "image_id", or all of WIDER FACE; "all"
            for everything.

    Returns:
        The wrapped data set; also an instance of the data set's class.

    Raises:
        TypeError: no data set, or one that is not known.
        ValueError: target_keys of a data set without any, or keys that there are not; or a kind of
            target that transforms v2 have nothing for.

    Example:
        >>> from triptych_vision.datasets import FakeData
        >>> data = wrap_dataset_for_transforms_v2(FakeData(2))
        >>> type(data).__name__, len(data), isinstance(data, FakeData)
        ('WrappedFakeData', 2, True)
    """
    is_text = isinstance(target_keys, Collection) and all(isinstance(k, str) for k in target_keys)
    if target_keys is not None and not is_text:
        raise ValueError(
            f"wrap_dataset_for_transforms_v2: target_keys is None, 'all' or several names, got "
            f"{target_keys!r}"
        )
    if not isinstance(dataset, VisionDataset):
        raise TypeError(
            f"wrap_dataset_for_transforms_v2: wanted a data set of triptych_vision, got a "
            f"{type(dataset).__name__}; make its samples tv_tensors yourself"
        )
    kind = type(dataset)
    return type(f"Wrapped{kind.__name__}", (_Wrapped, kind), {})(dataset, target_keys)


class _Wrapped:
    """Before the data set's class among a wrapped one's bases: has the data set, is none itself."""

    def __init__(self, dataset: Any, target_keys: Keys) -> None:
        wrapper = _wrapper(dataset, target_keys)
        inner = copy.copy(dataset)
        vars(inner).update(transforms=None, _transform=None, _target_transform=None)
        vars(self).update(
            _dataset=inner,
            _target_keys=target_keys,
            _wrapper=wrapper,
            transforms=dataset.transforms,
            _transform=dataset.transform,
            _target_transform=dataset.target_transform,
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_dataset" not in vars(self):
            raise AttributeError(name)
        return getattr(vars(self)["_dataset"], name)

    def __getitem__(self, index: int) -> Any:
        own = vars(self)
        sample = own["_wrapper"](index, own["_dataset"][index])
        change = own["transforms"]
        if change is None:
            return sample
        if isinstance(change, StandardTransform) and len(sample) != 2:
            first = sample[0] if change.transform is None else change.transform(sample[0])
            return (first, *sample[1:])
        return change(*sample)

    def __len__(self) -> int:
        return len(vars(self)["_dataset"])

    def __reduce__(self) -> Any:
        own = vars(self)
        dataset = copy.copy(own["_dataset"])
        names = ("transforms", "_transform", "_target_transform")
        vars(dataset).update({name: own[name] for name in names})
        return wrap_dataset_for_transforms_v2, (dataset, own["_target_keys"])


def _wrapper(dataset: Any, target_keys: Keys) -> Wrapper:
    for kind in type(dataset).__mro__:
        if kind.__module__.startswith(__package__) and kind.__name__ in _FACTORIES:
            factory, keyed = _FACTORIES[kind.__name__]
            if target_keys is not None and not keyed:
                raise ValueError(
                    f"wrap_dataset_for_transforms_v2: {kind.__name__} has no target_keys; those "
                    "that do: CocoDetection, Kitti, VOCDetection, WIDERFace"
                )
            return factory(dataset, target_keys)
    raise TypeError(
        f"wrap_dataset_for_transforms_v2: nothing is known about targets of "
        f"{type(dataset).__name__}; make its samples tv_tensors yourself"
    )


def _refuse(dataset: Any, what: str) -> ValueError:
    return ValueError(
        f"wrap_dataset_for_transforms_v2: {type(dataset).__name__} with {what} has targets that "
        "transforms v2 know nothing of"
    )


def _unchanged(dataset: Any, target_keys: Keys) -> Wrapper:
    return lambda index, sample: sample


def _keys(target_keys: Keys, available: set[str], default: set[str]) -> set[str]:
    if target_keys is None:
        return default
    if target_keys == "all":
        return available
    unknown = set(target_keys) - available
    if unknown:
        raise ValueError(
            f"wrap_dataset_for_transforms_v2: there is no target key {sorted(unknown)}; there are "
            f"{sorted(available)}"
        )
    return set(target_keys)


def _boxes(rows: Any, format: str, image: Any) -> Any:
    data = (
        tp.as_tensor(np.asarray(rows).reshape(-1, 4)) if not isinstance(rows, tp.Tensor) else rows
    )
    boxes = BoundingBoxes(data, format=format, canvas_size=(image.height, image.width))
    if format == "XYXY":
        return boxes
    from ..transforms.v2.functional import convert_bounding_box_format

    return convert_bounding_box_format(boxes, new_format="XYXY")


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    columns = defaultdict(list)
    for row in rows:
        for key, value in row.items():
            columns[key].append(value)
    return dict(columns)


def _labels(values: Sequence[int]) -> tp.Tensor:
    return tp.tensor(list(values), dtype=tp.int64)


def _by_type(target: Any, kinds: Sequence[str], makers: Mapping[str, Callable[[Any], Any]]) -> Any:
    values = target if isinstance(target, tuple | list) and len(kinds) > 1 else [target]
    made = tuple(makers.get(k, lambda v: v)(v) for k, v in zip(kinds, values, strict=False))
    return made[0] if len(made) == 1 else made


def _segmentation(dataset: Any, target_keys: Keys) -> Wrapper:
    return lambda index, sample: (sample[0], Mask(sample[1]))


def _film(dataset: Any, target_keys: Keys) -> Wrapper:
    if dataset.video_clips.output_format != "TCHW":
        raise _refuse(dataset, "output_format='THWC' (make it with 'TCHW')")
    return lambda index, sample: (Video(sample[0]), *sample[1:])


def _caltech101(dataset: Any, target_keys: Keys) -> Wrapper:
    if "annotation" in dataset.target_type:
        raise _refuse(dataset, "target_type 'annotation'")
    return _unchanged(dataset, target_keys)


def _sbd(dataset: Any, target_keys: Keys) -> Wrapper:
    if dataset.mode == "boundaries":
        raise _refuse(dataset, "mode='boundaries'")
    return _segmentation(dataset, target_keys)


def _celeba(dataset: Any, target_keys: Keys) -> Wrapper:
    if {"attr", "landmarks"} & set(dataset.target_type):
        raise _refuse(dataset, "target_type 'attr' or 'landmarks'")

    def wrapper(index: int, sample: Any) -> Any:
        image, target = sample
        makers = {"bbox": lambda row: _boxes(row[None], "XYWH", image)}
        return image, _by_type(target, dataset.target_type, makers)

    return wrapper


def _pets(dataset: Any, target_keys: Keys) -> Wrapper:
    def wrapper(index: int, sample: Any) -> Any:
        image, target = sample
        if target is None:
            return sample
        return image, _by_type(target, dataset.target_types, {"segmentation": Mask})

    return wrapper


def _cityscapes(dataset: Any, target_keys: Keys) -> Wrapper:
    if {"polygon", "color"} & set(dataset.target_type):
        raise _refuse(dataset, "target_type 'polygon' or 'color'")
    makers: dict[str, Callable[[Any], Any]] = {"instance": _instances, "semantic": Mask}
    return lambda index, sample: (sample[0], _by_type(sample[1], dataset.target_type, makers))


def _instances(image: Any) -> dict[str, Any]:
    """One mask for each id; ids from 1,000 on are the label times 1,000 and a number."""
    pixels = np.asarray(image).astype(np.int64)
    ids = np.unique(pixels)
    masks = tp.from_numpy(pixels[None] == ids[:, None, None])
    return {
        "masks": Mask(masks),
        "labels": _labels(np.where(ids < 1000, ids, ids // 1000).tolist()),
    }


def _coco(dataset: Any, target_keys: Keys) -> Wrapper:
    native = {"segmentation", "area", "iscrowd", "image_id", "bbox", "category_id"}
    default = {"image_id", "boxes", "labels"}
    keys = _keys(target_keys, native | default | {"masks"}, default)

    def wrapper(index: int, sample: Any) -> Any:
        image, rows = sample
        number = dataset.ids[index]
        if not rows:
            return image, {"image_id": number}
        columns = _columns(rows)
        makers: dict[str, Callable[[], Any]] = {
            "image_id": lambda: number,
            "boxes": lambda: _boxes(columns["bbox"], "XYWH", image),
            "labels": lambda: _labels(columns["category_id"]),
            "masks": lambda: Mask(tp.from_numpy(_stacked(columns["segmentation"], image))),
        }
        return image, {k: makers[k]() if k in makers else columns[k] for k in sorted(keys)}

    return wrapper


def _stacked(segmentations: Sequence[Any], image: Any) -> np.ndarray:
    return np.stack([segmentation_mask(s, image.height, image.width) for s in segmentations])


def _voc(dataset: Any, target_keys: Keys) -> Wrapper:
    keys = _keys(target_keys, {"annotation", "boxes", "labels"}, {"boxes", "labels"})
    corners = ("xmin", "ymin", "xmax", "ymax")

    def wrapper(index: int, sample: Any) -> Any:
        image, annotation = sample
        objects = annotation["annotation"]["object"]
        target = annotation if "annotation" in keys else {}
        if "boxes" in keys:
            rows = [[int(float(item["bndbox"][side])) for side in corners] for item in objects]
            target["boxes"] = _boxes(np.array(rows, np.int64), "XYXY", image)
        if "labels" in keys:
            target["labels"] = _labels([_known(VOC_INDEX, item["name"]) for item in objects])
        return image, target

    return wrapper


def _known(table: Mapping[str, int], name: str) -> int:
    if name not in table:
        raise UnknownNameError(f"no category is called {name!r}; there are {', '.join(table)}")
    return table[name]


def _kitti(dataset: Any, target_keys: Keys) -> Wrapper:
    native = {
        "type",
        "truncated",
        "occluded",
        "alpha",
        "bbox",
        "dimensions",
        "location",
        "rotation_y",
    }
    keys = _keys(target_keys, native | {"boxes", "labels"}, {"boxes", "labels"})

    def wrapper(index: int, sample: Any) -> Any:
        image, rows = sample
        if rows is None:
            return sample
        columns = {**{key: [] for key in native}, **_columns(rows)}
        makers: dict[str, Callable[[], Any]] = {
            "boxes": lambda: _boxes(np.array(columns["bbox"], np.float32), "XYXY", image),
            "labels": lambda: _labels([_known(KITTI_INDEX, name) for name in columns["type"]]),
        }
        return image, {k: makers[k]() if k in makers else columns[k] for k in sorted(keys)}

    return wrapper


def _wider_face(dataset: Any, target_keys: Keys) -> Wrapper:
    fields = {"bbox", "blur", "expression", "illumination", "occlusion", "pose", "invalid"}
    keys = _keys(target_keys, fields, fields)

    def wrapper(index: int, sample: Any) -> Any:
        image, target = sample
        if target is None:
            return sample
        chosen = {key: target[key] for key in sorted(keys)}
        if "bbox" in keys:
            chosen["bbox"] = _boxes(chosen["bbox"], "XYWH", image)
        return image, chosen

    return wrapper


_CLASSIFICATION = """
ArrayDataset Caltech256 CocoCaptions DatasetFolder Digits FER2013 FakeData INaturalist LFWPeople
LSUN ListedDataset PCAM
"""
_FACTORIES: dict[str, tuple[Callable[[Any, Keys], Wrapper], bool]] = {  # and: has target_keys
    **dict.fromkeys(_CLASSIFICATION.split(), (_unchanged, False)),
    "ActionClips": (_film, False),
    "Caltech101": (_caltech101, False),
    "CelebA": (_celeba, False),
    "Cityscapes": (_cityscapes, False),
    "CocoDetection": (_coco, True),
    "Kitti": (_kitti, True),
    "OxfordIIITPet": (_pets, False),
    "SBDataset": (_sbd, False),
    "VOCDetection": (_voc, True),
    "VOCSegmentation": (_segmentation, False),
    "WIDERFace": (_wider_face, True),
}

"""Image transforms of training and evaluation, beside torchvision and Pillow."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from timing import Table, median_seconds

import triptych as tp
from triptych_vision.transforms import v2

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]  # what ImageNet's models were trained with
PHOTO, LARGE, CROP = (400, 500), (800, 1000), (224, 224)
PEERS = ("torchvision", "Pillow")
# torchvision resizes bytes with shorter weights than Pillow: a step of a byte, also after Normalize
TOLERANCE = {"u": 1.0, "f": 1 / 255 / min(STD) + 1e-6}

Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Library:
    """Tensors and their transforms; torchvision's names are ours."""

    tensors: Any
    v2: Any

    def image(self, size: tuple[int, ...]) -> Any:
        """(..., 3, h, w) bytes."""
        return self.tensors.from_numpy(_pixels(size))

    def floats(self, size: tuple[int, ...]) -> Any:
        """(..., 3, h, w) from 0 to 1."""
        return self.tensors.from_numpy(_pixels(size) / np.float32(255))

    def picture(self, size: tuple[int, ...]) -> Image.Image:
        """Pillow's own image, which both take."""
        return Image.fromarray(np.ascontiguousarray(_pixels(size).transpose(1, 2, 0)))


def _pixels(size: tuple[int, ...]) -> np.ndarray:
    """(..., 3, h, w) bytes for a size (..., h, w): waves of several lengths, with noise."""
    rows, columns = np.ogrid[: size[-2], : size[-1]]
    waves = 127 + 60 * np.sin(rows / 17 + columns / 41) + 40 * np.cos(columns / 5)
    noise = np.random.default_rng(0).normal(0, 8, (*size[:-2], 3, *size[-2:]))
    return np.clip(waves + noise, 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Workload:
    """One row.

    Args:
        name: of the row.
        kind: of the input, a method of `Library`.
        size: of the input.
        make: gives the function that is measured.
        pillow: what Pillow does in its place with a picture of that size.
        random: results cannot be compared.
    """

    name: str
    kind: str
    size: tuple[int, ...]
    make: Callable[[Library], Function]
    pillow: Function | None = None
    random: bool = False


def _resize(library: Library) -> Function:
    return lambda x: library.v2.functional.resize(x, CROP)


def _resize_plainly(library: Library) -> Function:
    return lambda x: library.v2.functional.resize(x, CROP, antialias=False)


def _crop(library: Library) -> Function:
    return lambda x: library.v2.functional.center_crop(x, CROP)


def _reflect(library: Library) -> Function:
    return lambda x: library.v2.functional.pad(x, 4, padding_mode="reflect")


def _rotate(library: Library) -> Function:
    mode = library.v2.InterpolationMode.BILINEAR
    return lambda x: library.v2.functional.rotate(x, 30, mode)


def _scale(library: Library) -> Function:
    return library.v2.ToDtype(library.tensors.float32, scale=True)


def _normalize(library: Library) -> Function:
    return lambda x: library.v2.functional.normalize(x, MEAN, STD)


def _pipeline(library: Library, *steps: Function) -> Function:
    ends = _scale(library), library.v2.Normalize(MEAN, STD)
    return library.v2.Compose([library.v2.ToImage(), *steps, *ends])


def _training(library: Library) -> Function:
    flip = library.v2.RandomHorizontalFlip()
    return _pipeline(library, library.v2.RandomResizedCrop(CROP), flip)


def _evaluation(library: Library) -> Function:
    return _pipeline(library, library.v2.Resize(256), library.v2.CenterCrop(CROP))


def _small(picture: Image.Image) -> Image.Image:
    return picture.resize(CROP, Image.Resampling.BILINEAR)


def _middle(picture: Image.Image) -> Image.Image:
    return picture.crop((138, 88, 362, 312))


def _mirrored(picture: Image.Image) -> Image.Image:
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _rotated(picture: Image.Image) -> Image.Image:
    return picture.rotate(30, Image.Resampling.BILINEAR)


WORKLOADS = (
    Workload("training, from PIL 400 x 500", "picture", PHOTO, _training, random=True),
    Workload("evaluation, from PIL 400 x 500", "picture", PHOTO, _evaluation),
    Workload("resize 400 x 500 uint8", "image", PHOTO, _resize, _small),
    Workload("resize 800 x 1000 uint8", "image", LARGE, _resize, _small),
    Workload("resize 8 x 400 x 500 uint8", "image", (8, *PHOTO), _resize),
    Workload("resize 400 x 500 uint8, no antialias", "image", PHOTO, _resize_plainly),
    Workload("resize 400 x 500 float32", "floats", PHOTO, _resize),
    Workload("resize 800 x 1000 float32", "floats", LARGE, _resize),
    Workload("resize 8 x 400 x 500 float32", "floats", (8, *PHOTO), _resize),
    Workload("to_image, from PIL 400 x 500", "picture", PHOTO, lambda lib: lib.v2.ToImage()),
    Workload("center_crop 400 x 500 uint8", "image", PHOTO, _crop, _middle),
    Workload(
        "horizontal_flip uint8", "image", CROP, lambda lib: lib.v2.functional.hflip, _mirrored
    ),
    Workload("pad uint8, reflected", "image", CROP, _reflect),
    Workload("to_dtype uint8 to float32", "image", CROP, _scale),
    Workload("normalize float32", "floats", CROP, _normalize),
    Workload("rotate uint8, bilinear", "image", CROP, _rotate, _rotated),
    Workload(
        "gaussian_noise uint8",
        "image",
        CROP,
        lambda lib: lib.v2.functional.gaussian_noise,
        random=True,
    ),
)


def run(quick: bool) -> list[Table]:
    """Milliseconds per call."""
    table = Table(
        "Image transforms, milliseconds per call; to 224 x 224, and from there if nothing is said",
        ("Triptych", "torchvision", "ratio", "Pillow", "ratio"),
        notes=[
            "ratio: Triptych's time, to that of a column before it; one thread each",
        ],
    )
    libraries = {"Triptych": Library(tp, v2)}
    if importlib.util.find_spec("torch") and importlib.util.find_spec("torchvision"):
        libraries["torchvision"] = _torchvision()
    else:
        table.notes.append("torchvision is left out: it is not installed")
    with _one_thread():
        for workload in WORKLOADS:
            seconds = _measured(workload, libraries, rounds=3 if quick else 30)
            table.add(workload.name, *_cells(seconds))
    return [table]


@contextmanager
def _one_thread() -> Iterator[None]:
    """As in a worker of a data loader; torch has its own setting."""
    before = tp.get_num_threads()
    tp.set_num_threads(1)
    try:
        yield
    finally:
        tp.set_num_threads(before)


def _torchvision() -> Library:
    import torch
    from torchvision.transforms import v2 as theirs

    torch.set_num_threads(1)
    return Library(torch, theirs)


def _measured(workload: Workload, libraries: dict[str, Library], rounds: int) -> dict[str, float]:
    calls = {}
    for name, library in libraries.items():
        x, function = getattr(library, workload.kind)(workload.size), workload.make(library)
        calls[name] = lambda function=function, x=x: function(x)
    if not workload.random:
        _check_agreement(workload.name, {name: np.asarray(call()) for name, call in calls.items()})
    if workload.pillow:
        function, picture = workload.pillow, libraries["Triptych"].picture(workload.size)
        calls["Pillow"] = lambda: function(picture)
    return median_seconds(calls, rounds=rounds, batch_s=0.005)


def _check_agreement(name: str, results: dict[str, np.ndarray]) -> None:
    """Times can be compared only where both compute the same.

    Raises:
        ValueError: a peer has another result than we have.
    """
    ours = results.pop("Triptych").astype(np.float64)
    for peer, theirs in results.items():
        error = np.abs(ours - theirs).max()
        if not error <= TOLERANCE[theirs.dtype.kind]:
            raise ValueError(f"{name}: our result differs from {peer}'s by {error:.1e}")


def _cells(seconds: dict[str, float]) -> Iterator[float | str | None]:
    yield 1e3 * seconds["Triptych"]
    for peer in PEERS:
        theirs = seconds.get(peer)
        yield None if theirs is None else 1e3 * theirs
        yield None if theirs is None else f"{seconds['Triptych'] / theirs:.2f}x"

"""Image pipelines, boxes and regions, beside torchvision, Pillow and albumentations."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from comparison import OURS, Make, Workload, compare, library
from timing import Call, Table

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]  # what ImageNet's models were trained with
PHOTO, CROP, FILES = (400, 500), 224, 16
NORMALIZED = 4 * 3 * CROP * CROP  # bytes of an image that goes into a network

GRID = 2 * 4 * 4 * 16 * 64 * 64  # bytes read and written


def run(quick: bool) -> list[Table]:
    """Milliseconds of a call."""
    photo = 3 * PHOTO[0] * PHOTO[1]
    workloads = [
        Workload(
            "training pipeline, from PIL 400 x 500",
            _pair(training) | {"albumentations": training_albumentations},
            bytes=photo + NORMALIZED,
        ),
        Workload(
            "evaluation pipeline, from PIL 400 x 500",
            _pair(evaluation) | {"Pillow": evaluation_pillow},
            bytes=photo + NORMALIZED,
            tolerance=2e-2,  # torchvision's weights of bytes are shorter than Pillow's
        ),
        Workload(
            f"{FILES} JPEG files to a normalised batch",
            _pair(files) | {"Pillow": files_pillow},
            bytes=FILES * (photo + NORMALIZED),
            tolerance=5e-2,  # decoders differ by a step of a byte as well
        ),
        Workload("colour jitter, 224 x 224 uint8", _pair(jitter)),
        Workload("colour jitter, 224 x 224 float32", _pair(jitter_floats)),
        Workload("rotate by 30 degrees, 224 x 224 uint8", _pair(rotate), tolerance=2e-2),
        Workload("gaussian blur 5 x 5, 224 x 224 uint8", _pair(blur), tolerance=1e-2),
        Workload("gaussian noise, 224 x 224 float32", _pair(noise), bytes=8 * 3 * CROP * CROP),
        Workload("grid_sample, 4 x 16 x 64 x 64", _pair(grid), bytes=GRID),
        Workload("grid_sample forward and backward", _pair(grid_training), bytes=4 * GRID),
        Workload("nms of 5,000 boxes", _pair(nms)),
        Workload("roi_align, 512 regions of 256 x 50 x 50", _pair(roi_align)),
        Workload("roi_pool, 128 regions of 256 x 50 x 50", _pair(roi_pool)),
        Workload(
            "DataLoader, 1,024 images of 32 x 32", _pair(loader), bytes=1024 * 3 * 32 * 32 * 5
        ),
    ]
    return compare("Images", workloads, quick)


def _pair(make: Callable[[str], Call]) -> dict[str, Make]:
    return {lib: partial(make, lib) for lib in (OURS, "torchvision")}


def _vision(lib: str) -> tuple[Any, Any]:
    """The tensors and the transforms of a library."""
    package = "triptych_vision" if lib == OURS else "torchvision"
    v2 = importlib.import_module(f"{package}.transforms.v2")
    return library(OURS if lib == OURS else "torch"), v2


def _pixels(height: int, width: int) -> np.ndarray:
    """(h, w, 3) bytes: waves of several lengths, with noise."""
    rows, columns = np.ogrid[:height, :width]
    waves = 127 + 60 * np.sin(rows / 17 + columns / 41) + 40 * np.cos(columns / 5)
    noise = np.random.default_rng(0).normal(0, 8, (height, width, 3))
    return np.clip(waves[..., None] + noise, 0, 255).astype(np.uint8)


def _picture() -> Any:
    from PIL import Image

    return Image.fromarray(_pixels(*PHOTO))


def _ends(tensors: Any, v2: Any) -> list[Any]:
    return [v2.ToDtype(tensors.float32, scale=True), v2.Normalize(MEAN, STD)]


def training(lib: str) -> Call:
    """Crop, resize and flip at random, normalise."""
    tensors, v2 = _vision(lib)
    steps = [v2.RandomResizedCrop(CROP), v2.RandomHorizontalFlip()]
    pipeline, picture = v2.Compose([v2.ToImage(), *steps, *_ends(tensors, v2)]), _picture()

    def call() -> None:  # random, so the result says nothing
        pipeline(picture)

    return call


def training_albumentations() -> Call:
    """The same by albumentations, over NumPy and OpenCV."""
    import albumentations as A

    steps = [A.RandomResizedCrop(size=(CROP, CROP)), A.HorizontalFlip(), A.Normalize(MEAN, STD)]
    pipeline, picture = A.Compose(steps), _picture()

    def call() -> None:
        np.ascontiguousarray(pipeline(image=np.asarray(picture))["image"].transpose(2, 0, 1))

    return call


def _evaluation(tensors: Any, v2: Any, first: list[Any]) -> Any:
    steps = [v2.Resize(256), v2.CenterCrop(CROP)]
    return v2.Compose([*first, *steps, *_ends(tensors, v2)])


def evaluation(lib: str) -> Call:
    """Resize, cut out the middle, normalise."""
    tensors, v2 = _vision(lib)
    pipeline, picture = _evaluation(tensors, v2, [v2.ToImage()]), _picture()
    return lambda: pipeline(picture).numpy()


def _by_pillow(picture: Any) -> np.ndarray:
    """The evaluation pipeline by Pillow and NumPy."""
    from PIL import Image

    width, height = picture.size
    short = min(width, height)
    small = picture.resize((256 * width // short, 256 * height // short), Image.Resampling.BILINEAR)
    left, top = round((small.width - CROP) / 2), round((small.height - CROP) / 2)
    middle = np.asarray(small.crop((left, top, left + CROP, top + CROP)))
    scaled = middle.transpose(2, 0, 1) * np.float32(1 / 255)
    scaled -= np.array(MEAN, np.float32)[:, None, None]
    scaled /= np.array(STD, np.float32)[:, None, None]
    return scaled


def evaluation_pillow() -> Call:
    """The same by Pillow and NumPy."""
    picture = _picture()
    return lambda: _by_pillow(picture)


def _files() -> list[str]:
    """JPEG files in a folder that goes with the process."""
    from PIL import Image

    folder = tempfile.TemporaryDirectory()
    _FOLDERS.append(folder)
    pixels, paths = _pixels(*PHOTO), []
    for number in range(FILES):
        path = Path(folder.name) / f"{number}.jpg"
        Image.fromarray(np.roll(pixels, 10 * number, 1)).save(path, quality=90)
        paths.append(str(path))
    return paths


_FOLDERS: list[Any] = []


def files(lib: str) -> Call:
    """Read, decode, evaluate and stack."""
    tensors, v2 = _vision(lib)
    io = importlib.import_module("triptych_vision.io" if lib == OURS else "torchvision.io")
    pipeline, paths = _evaluation(tensors, v2, []), _files()
    return lambda: tensors.stack([pipeline(io.read_image(path)) for path in paths]).numpy()


def files_pillow() -> Call:
    """The same by Pillow and NumPy."""
    from PIL import Image

    paths = _files()
    return lambda: np.stack([_by_pillow(Image.open(path).convert("RGB")) for path in paths])


def _bytes(tensors: Any) -> Any:
    return tensors.from_numpy(np.ascontiguousarray(_pixels(CROP, CROP).transpose(2, 0, 1)))


def jitter(lib: str) -> Call:
    """Brightness, contrast, saturation and hue, at random."""
    tensors, v2 = _vision(lib)
    transform, x = v2.ColorJitter(0.4, 0.4, 0.4, 0.1), _bytes(tensors)

    def call() -> None:
        transform(x)

    return call


def _floats(tensors: Any) -> Any:
    return _bytes(tensors).to(tensors.float32) / 255


def jitter_floats(lib: str) -> Call:
    """The same of floats."""
    tensors, v2 = _vision(lib)
    transform, x = v2.ColorJitter(0.4, 0.4, 0.4, 0.1), _floats(tensors)

    def call() -> None:
        transform(x)

    return call


def noise(lib: str) -> Call:
    """Add normal numbers."""
    tensors, v2 = _vision(lib)
    x = _floats(tensors)

    def call() -> None:
        v2.functional.gaussian_noise(x)

    return call


def _gridded(lib: str) -> tuple[Any, Any, Any]:
    """The functions of a library, images and grids that reach beyond them."""
    name, rng = OURS if lib == OURS else "torch", np.random.default_rng(0)
    tensors = library(name)
    x = tensors.from_numpy(rng.standard_normal((4, 16, 64, 64)).astype(np.float32))
    places = tensors.from_numpy(rng.uniform(-1.2, 1.2, (4, 64, 64, 2)).astype(np.float32))
    return importlib.import_module(f"{tensors.__name__}.nn.functional"), x, places


def grid(lib: str) -> Call:
    """Read images at places between their pixels."""
    functional, x, places = _gridded(lib)
    return lambda: functional.grid_sample(x, places, align_corners=False).numpy()


def grid_training(lib: str) -> Call:
    """The same with the gradients of images and places."""
    functional, x, places = _gridded(lib)
    x.requires_grad_(True), places.requires_grad_(True)

    def call() -> np.ndarray:
        x.grad = places.grad = None
        functional.grid_sample(x, places, align_corners=False).sum().backward()
        return x.grad.numpy()

    return call


def rotate(lib: str) -> Call:
    """Turn, reading between pixels."""
    tensors, v2 = _vision(lib)
    x, mode = _bytes(tensors), v2.InterpolationMode.BILINEAR
    return lambda: v2.functional.rotate(x, 30, mode).numpy().astype(np.float32)


def blur(lib: str) -> Call:
    """Mix each pixel with those around it."""
    tensors, v2 = _vision(lib)
    x = _bytes(tensors)
    return lambda: v2.functional.gaussian_blur(x, [5, 5], [1.2, 1.2]).numpy().astype(np.float32)


def _ops(lib: str) -> Any:
    return importlib.import_module("triptych_vision.ops" if lib == OURS else "torchvision.ops")


def nms(lib: str) -> Call:
    """Drop boxes that better ones overlap."""
    tensors, rng = library(OURS if lib == OURS else "torch"), np.random.default_rng(0)
    corner = rng.random((5000, 2)) * 1000
    boxes = np.concatenate((corner, corner + rng.random((5000, 2)) * 100 + 1), 1)
    given = tensors.from_numpy(boxes.astype(np.float32))
    scores, ops = tensors.from_numpy(rng.random(5000).astype(np.float32)), _ops(lib)
    return lambda: ops.nms(given, scores, 0.5).numpy()


def roi_align(lib: str) -> Call:
    """Cut regions out of feature maps."""
    tensors, rng = library(OURS if lib == OURS else "torch"), np.random.default_rng(0)
    maps = tensors.from_numpy(rng.standard_normal((1, 256, 50, 50)).astype(np.float32))
    corner = rng.random((512, 2)) * 600
    boxes = np.concatenate((corner, corner + rng.random((512, 2)) * 190 + 10), 1)
    given, ops = tensors.from_numpy(boxes.astype(np.float32)), _ops(lib)
    return lambda: ops.roi_align(maps, [given], 7, 1 / 16, 2).numpy()


def roi_pool(lib: str) -> Call:
    """The largest values in the bins of regions."""
    tensors, rng = library(OURS if lib == OURS else "torch"), np.random.default_rng(0)
    maps = tensors.from_numpy(rng.standard_normal((1, 256, 50, 50)).astype(np.float32))
    corner = rng.random((128, 2)) * 600
    boxes = np.concatenate((corner, corner + rng.random((128, 2)) * 190 + 10), 1)
    given, ops = tensors.from_numpy(boxes.astype(np.float32)), _ops(lib)
    return lambda: ops.roi_pool(maps, [given], 7, 1 / 16).numpy()


def loader(lib: str) -> Call:
    """An epoch over small images in batches of 128."""
    tensors, v2 = _vision(lib)
    pixels = np.random.default_rng(0).integers(0, 256, (1024, 3, 32, 32), dtype=np.uint8)
    images, transform = tensors.from_numpy(pixels), v2.Compose(_ends(tensors, v2))
    data = importlib.import_module(f"{tensors.__name__}.utils.data")

    class Small(data.Dataset):
        """Images and labels."""

        def __len__(self) -> int:
            return len(images)

        def __getitem__(self, place: int) -> tuple[Any, int]:
            return transform(images[place]), place % 10

    batches = data.DataLoader(Small(), batch_size=128)
    return lambda: np.concatenate([x.numpy() for x, _ in batches])

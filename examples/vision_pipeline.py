"""A training pipeline of ten torchvision transforms, ported by its imports, and what it draws.

Usage: python examples/vision_pipeline.py [--sheet FILE.png] [--draws N] [PHOTO]
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

from command import exit_code
from PIL import Image

# The imports were: import torch; from torchvision.transforms import v2
import triptych as torch
from triptych_datasets import fetch
from triptych_vision.transforms import v2
from triptych_vision.utils import make_grid, save_image

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PHOTO = "chelsea.png"


def training(**options: Any) -> v2.Compose:
    """The pipeline as it was written for torchvision.

    Args:
        **options: of each random transform; torchvision has none. `per_sample=True` gives each
            image of a batch draws of its own, `generator=` says where the draws come from.

    Returns:
        From PIL images, NumPy arrays or tensors of bytes to normalised (..., 3, 224, 224).
    """
    return v2.Compose(
        [
            v2.RandomResizedCrop(224, scale=(0.3, 1.0), antialias=True, **options),
            v2.RandomHorizontalFlip(p=0.5, **options),
            v2.RandomRotation(15, interpolation=v2.InterpolationMode.BILINEAR, **options),
            v2.ColorJitter(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, **options),
            v2.RandomGrayscale(p=0.1, **options),
            v2.GaussianBlur(kernel_size=9, sigma=(0.1, 2.0), **options),
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(mean=MEAN, std=STD),
            v2.RandomErasing(p=0.5, scale=(0.02, 0.2), **options),
        ]
    )


def contact_sheet(photo: Any, count: int, path: Path) -> float:
    """Draw several times from one photograph and save the pictures side by side.

    Args:
        photo: a PIL image in mode RGB.
        count: how many pictures.
        path: of the image file.

    Returns:
        Seconds for all draws.
    """
    pipeline = training(generator=torch.Generator().manual_seed(2))
    start = time.perf_counter()
    draws = torch.stack([pipeline(photo) for _ in range(count)])
    seconds = time.perf_counter() - start
    std, mean = (torch.tensor(values)[:, None, None] for values in (STD, MEAN))
    save_image(make_grid((draws * std + mean).clamp(0, 1), nrow=4), path)
    return seconds


def show_batch(photo: Any) -> None:
    """A batch of bytes, each image with draws of its own."""
    batch = torch.stack([v2.functional.pil_to_tensor(photo)] * 8)
    pictures = training(per_sample=True)(batch)
    different = len({picture.numpy().tobytes() for picture in pictures})
    print(f"batch: {tuple(batch.shape)} to {tuple(pictures.shape)}, {different} different")


def show_torch(photo: Any) -> None:
    """Tensors of torch, in and out through DLPack."""
    if importlib.util.find_spec("torch") is None:
        print("torch: not installed, left out")
        return
    from torch.utils.dlpack import from_dlpack

    image = from_dlpack(v2.functional.pil_to_tensor(photo))
    out = training()(image)
    print(f"torch: {type(out).__module__}.{type(out).__name__} {tuple(out.shape)}, {out.dtype}")


def main() -> None:
    """Draw from the photograph on the command line, or from the cat that scikit-image has."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photo", nargs="?", type=Path, help=f"default {PHOTO} of scikit-image")
    parser.add_argument("--sheet", type=Path, default=Path("draws.png"), help="default draws.png")
    parser.add_argument("--draws", type=int, default=12, help="pictures on the sheet, default 12")
    options = parser.parse_args()
    photo = Image.open(options.photo or fetch(PHOTO)).convert("RGB")
    seconds = contact_sheet(photo, options.draws, options.sheet)
    print(f"sheet: {options.draws} draws in {seconds:.2f} s, in {options.sheet}")
    show_batch(photo)
    show_torch(photo)


if __name__ == "__main__":
    sys.exit(exit_code(main))

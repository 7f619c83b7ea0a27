"""Say what is on a photograph, with MobileNetV2 and the official ImageNet weights.

Usage: python examples/classify_photos.py [PHOTO ...]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from command import exit_code
from finding import Finding, rendered
from PIL import Image

import triptych
from triptych_datasets import fetch
from triptych_vision.models import MobileNet_V2_Weights, mobilenet_v2

PHOTOS = ("chelsea.png", "coffee.png")
WEIGHTS = MobileNet_V2_Weights.IMAGENET1K_V1


@triptych.inference_mode()
def top5(model: Any, photo: Any) -> list[tuple[str, float]]:
    """The five likeliest categories and their probabilities."""
    scores = model(WEIGHTS.transforms()(photo).unsqueeze(0))[0].softmax(0)
    best = scores.topk(5)
    names = WEIGHTS.meta["categories"]
    return [(names[i], p) for p, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)]


def run() -> Finding:
    """Classify two photographs."""
    model = mobilenet_v2(weights=WEIGHTS).eval()
    photos = {Path(name).stem: Image.open(fetch(name)).convert("RGB") for name in PHOTOS}
    start = time.perf_counter()
    answers = {name: top5(model, photo) for name, photo in photos.items()}
    seconds = time.perf_counter() - start
    return Finding(
        "Classify two photographs",
        "; ".join(f"{name}: {best[0][0]} {best[0][1]:.3f}" for name, best in answers.items()),
        seconds,
        facts=[
            ("model", "MobileNetV2, ImageNet-1k, 3.5 M parameters"),
            ("photographs", "chelsea and coffee, from scikit-image"),
        ],
        pictures=[_bars(name, photos[name], best) for name, best in answers.items()],
    )


def _bars(name: str, photo: Any, best: list[tuple[str, float]]) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.4))
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.1))
    left.imshow(photo)
    left.axis("off")
    labels = [label for label, _ in reversed(best)]
    values = [p for _, p in reversed(best)]
    right.barh(labels, values, color="#2f6f4f")
    for i, p in enumerate(values):
        right.text(p + 0.01, i, f"{p:.3f}", va="center")
    right.set(xlim=(0, 1.12), xlabel="probability")
    right.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return rendered(figure, f"{name}, and what the model takes it for.")


def main() -> None:
    """Classify the photographs on the command line, or the two that come with scikit-image."""
    if not sys.argv[1:]:
        print(Finding.table([run()]))
        return
    model = mobilenet_v2(weights=WEIGHTS).eval()
    for path in sys.argv[1:]:
        print(path)
        for label, probability in top5(model, Image.open(path).convert("RGB")):
            print(f"  {probability:.3f}  {label}")


if __name__ == "__main__":
    sys.exit(exit_code(main))

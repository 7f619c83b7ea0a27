"""Train a small CNN on handwritten digits, save it, load it again, and test what was loaded.

Usage: python examples/train_digits.py [--epochs N] [--save FILE]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from command import exit_code
from finding import Finding, rendered
from tqdm import tqdm

import triptych
from triptych import nn, optim
from triptych.nn import functional as F
from triptych.utils.data import DataLoader
from triptych_vision import transforms
from triptych_vision.datasets import Digits

EPOCHS = 12
AS_TENSOR = [transforms.ToImage(), transforms.ToDtype(triptych.float32, scale=True)]


def make_model() -> nn.Module:
    """Images (n, 1, 8, 8) in [0, 1] to scores (n, 10)."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(64 * 4 * 4, 10),
    )


def make_loaders(batch_size: int = 64) -> tuple[Any, Any]:
    """Training batches in random order, moved about by a pixel, and test batches."""
    moved = transforms.Compose([transforms.RandomCrop(8, padding=1), *AS_TENSOR])
    train = Digits(train=True, transform=moved, download=True)
    test = Digits(train=False, transform=transforms.Compose(AS_TENSOR), download=True)
    return DataLoader(train, batch_size, shuffle=True), DataLoader(test, 256)


def train_epoch(model: nn.Module, loader: Any, optimizer: Any, scheduler: Any) -> float:
    """One pass over the training data; gives the mean loss."""
    model.train()
    total, count = 0.0, 0
    for images, labels in loader:
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        total, count = total + loss.item() * len(labels), count + len(labels)
    return total / count


@triptych.inference_mode()
def accuracy(model: nn.Module, loader: Any) -> float:
    """The share of labels that the model gets right."""
    model.eval()
    right = [(model(images).argmax(1) == labels).float() for images, labels in loader]
    return triptych.cat(right).mean().item()


def train(epochs: int, save_to: Path) -> tuple[float, list[float], list[float], float]:
    """Train, save, load into a new model. Gives the loaded model's accuracy on the test part, the
    loss and accuracy after each epoch, and the seconds it took.
    """
    triptych.manual_seed(0)
    train_loader, test_loader = make_loaders()
    model = make_model()
    optimizer = optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    steps = epochs * len(train_loader)
    scheduler = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=steps)
    losses, scores = [], []
    start = time.perf_counter()
    with tqdm(total=epochs, desc="training", unit="epoch", disable=None) as bar:
        for _ in range(epochs):
            losses.append(train_epoch(model, train_loader, optimizer, scheduler))
            scores.append(accuracy(model, test_loader))
            bar.set_postfix(loss=f"{losses[-1]:.3f}", accuracy=f"{scores[-1]:.3f}")
            bar.update()
    triptych.save(model.state_dict(), save_to)
    loaded = make_model()
    loaded.load_state_dict(triptych.load(save_to))
    return accuracy(loaded, test_loader), losses, scores, time.perf_counter() - start


def run(epochs: int = EPOCHS, save_to: Path | None = None) -> Finding:
    """Train and report."""
    with tempfile.TemporaryDirectory() as folder:
        target = save_to or Path(folder) / "digits.safetensors"
        score, losses, scores, seconds = train(epochs, target)
        size = target.stat().st_size
    return Finding(
        "Train a CNN on digits, save it, load it",
        f"{score:.3f} of the test digits right",
        seconds,
        facts=[
            ("data", "scikit-learn's digits: 1,437 to train, 360 others to test"),
            ("training", f"{epochs} epochs, AdamW, one cycle of the learning rate"),
            ("file", f"{size / 1000:.0f} kB of safetensors"),
        ],
        pictures=[_curve(losses, scores)],
    )


def _curve(losses: list[float], scores: list[float]) -> Any:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    epochs = range(1, len(losses) + 1)
    figure = Figure(figsize=(10, 3.2))
    left, right = figure.subplots(1, 2)
    left.plot(epochs, losses, color="#8a3b2a")
    left.set(xlabel="epoch", ylabel="training loss", yscale="log")
    right.plot(epochs, scores, color="#2f6f4f")
    right.set(xlabel="epoch", ylabel="test accuracy", ylim=(min(0.9, *scores), 1))
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    figure.tight_layout()
    return rendered(figure, "Loss on the training part and accuracy on the test part, by epoch.")


def main() -> None:
    """Train with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=EPOCHS, help=f"default {EPOCHS}")
    parser.add_argument("--save", type=Path, help="keep the weights in this .safetensors file")
    options = parser.parse_args()
    print(Finding.table([run(options.epochs, options.save)]))


if __name__ == "__main__":
    sys.exit(exit_code(main))

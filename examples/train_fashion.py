"""Train the classifier of clothes that triptych_vision ships, and test it on 10,000 pictures.

Usage: python examples/train_fashion.py [--epochs N] [--data FOLDER] [--save FILE]

The data is Fashion-MNIST: out of Debian's package dataset-fashion-mnist where that is installed,
else downloaded. With OPENBLAS_NUM_THREADS=1 and no options the shipped weights come out; with more
threads, or on another processor, sums round differently and so the weights differ a little.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from command import exit_code
from finding import Finding
from tqdm import tqdm

import triptych
from triptych import nn, optim
from triptych.nn import functional as F
from triptych_datasets import Artifact, extract, fetch, home
from triptych_vision.datasets.mnist import FashionMNIST
from triptych_vision.models import fashion_cnn
from triptych_vision.models.fashion import MEAN, STD

DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # where Debian's package puts the files
HASHES = {
    "train-images": "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    "train-labels": "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    "t10k-images": "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    "t10k-labels": "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
}
EPOCHS = 6
BATCH = 128
PEAK_RATE = 0.2  # of the one-cycle schedule, for batches of 128
EMA_DECAY = 0.99  # the average reaches back about a hundred steps


def unpack_debian(root: Path) -> None:
    """Put the files of Debian's package where FashionMNIST looks for them, checked by hash."""
    for name, digest in HASHES.items():
        packed = f"{name}-idx{3 if 'images' in name else 1}-ubyte.gz"
        source = (DEBIAN / packed).as_uri()
        unpacked = root / "FashionMNIST" / "raw" / packed.removesuffix(".gz")
        if not unpacked.is_file():
            extract(fetch(Artifact(packed, sources=(source,), sha256=digest)), unpacked.parent)


def load(root: Path) -> tuple[FashionMNIST, FashionMNIST]:
    """The pictures to train on and those to test with; without Debian's, they are downloaded."""
    if DEBIAN.is_dir():
        unpack_debian(root)
    train, test = (FashionMNIST(root, train=part, download=True) for part in (True, False))
    return train, test


def as_input(images: triptych.Tensor) -> triptych.Tensor:
    """(n, 28, 28) bytes to (n, 1, 28, 28) as the model takes them."""
    return ((images.float() / 255 - MEAN) / STD).unsqueeze(1)


def augment(images: triptych.Tensor, reach: int = 1) -> triptych.Tensor:
    """Pictures moved by up to `reach` pixels each way; about half of them mirrored."""
    n, size = len(images), images.shape[1]
    shift = triptych.randint(0, 2 * reach + 1, (2, n, 1))
    line = triptych.arange(size)
    mirrored = triptych.rand(n, 1) < 0.5
    rows = shift[0] + line
    columns = shift[1] + triptych.where(mirrored, size - 1 - line, line)
    padded = F.pad(images, (reach,) * 4)
    which = triptych.arange(n)[:, None, None]
    return padded[which, rows[:, :, None], columns[:, None, :]]


def make_optimizer(model: nn.Module, steps: int) -> tuple[Any, Any]:
    """SGD, and one cycle of its rate; biases and norms are not drawn towards zero."""
    kernels = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": kernels, "weight_decay": 5e-4}, {"params": others, "weight_decay": 0}]
    optimizer = optim.SGD(groups, lr=PEAK_RATE, momentum=0.9, nesterov=True)
    schedule = optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=PEAK_RATE, total_steps=steps, pct_start=0.25, cycle_momentum=False
    )
    return optimizer, schedule


def train(images: triptych.Tensor, labels: triptych.Tensor, epochs: int) -> nn.Module:
    """A trained model: the moving average over the last steps."""
    triptych.manual_seed(0)
    model = fashion_cnn()
    average = optim.swa_utils.AveragedModel(
        model, multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(EMA_DECAY), use_buffers=True
    )
    steps = len(images) // BATCH
    optimizer, schedule = make_optimizer(model, epochs * steps)
    with tqdm(total=epochs * steps, desc="training", unit="step", disable=None) as bar:
        for _ in range(epochs):
            order = triptych.randperm(len(images))
            for batch in order[: steps * BATCH].split(BATCH):
                x, y = as_input(augment(images[batch])), labels[batch]
                loss = F.cross_entropy(model(x), y, label_smoothing=0.1)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                average.update_parameters(model)
                bar.update()
            bar.set_postfix(loss=f"{loss.item():.3f}")
    return average.module.eval()


@triptych.inference_mode()
def predict(model: nn.Module, images: triptych.Tensor) -> triptych.Tensor:
    """(n,) labels."""
    return triptych.cat([model(as_input(part)).argmax(1) for part in images.split(500)])


def compact(state: dict[str, triptych.Tensor]) -> dict[str, triptych.Tensor]:
    """Kernels in half precision, which halves the file; the statistics of norms in single."""
    return {name: t.half() if t.ndim > 1 else t for name, t in state.items()}


def run(epochs: int, root: Path, save_to: Path | None = None) -> Finding:
    """Train, or take the shipped weights when there are no epochs, and test."""
    pictures, others = load(root)
    start = time.perf_counter()
    if epochs:
        model = train(pictures.data, pictures.targets, epochs)
        state = compact(model.state_dict())
        model.load_state_dict(state)  # test what the file will hold
        if save_to is not None:
            triptych.save(state, save_to)
    else:
        model = fashion_cnn(weights="DEFAULT").eval()
    seconds = time.perf_counter() - start
    right = (predict(model, others.data) == others.targets).float()
    found = [right[others.targets == place].mean() for place in range(len(others.classes))]
    return Finding(
        f"Train on Fashion-MNIST, {epochs} epochs" if epochs else "Test the shipped weights",
        f"{right.mean().item():.4f} of {len(others):,} test pictures right",
        seconds,
        facts=[(name, f"{x.item():.3f}") for name, x in zip(others.classes, found, strict=True)],
    )


def main() -> None:
    """Train with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--epochs", type=int, default=EPOCHS, help=f"default {EPOCHS}; 0: only test"
    )
    parser.add_argument("--data", type=Path, default=home() / "data", help="folder of data sets")
    parser.add_argument("--save", type=Path, help="keep the weights in this .safetensors file")
    options = parser.parse_args()
    finding = run(options.epochs, options.data, options.save)
    print(Finding.table([finding]))
    for name, share in finding.facts:
        print(f"  {name:<12} {share}")


if __name__ == "__main__":
    sys.exit(exit_code(main))

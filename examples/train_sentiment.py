"""Train the judge of reviews that triptych_text ships, and test it on a thousand reviews.

Usage: python examples/train_sentiment.py [--save FILE] [--cross-validate] [--test-only]

The data is in Debian's package r-cran-modeldata: 4,000 reviews of food to learn from and 1,000 to
test with. Reading R's files takes the package rdata from PyPI. No random numbers are drawn, so the
same weights come out wherever sums round alike.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from command import exit_code
from finding import Finding
from r_data import read_r_data
from tqdm import tqdm

import triptych
from triptych import Tensor, optim
from triptych.func import functional_call
from triptych.nn import functional as F
from triptych_text.models import FastTextClassifier
from triptych_text.pipelines import SENTIMENT

FILES = {  # of the R package modeldata, as Debian has it
    "Rdata.rdx": "c23e1be60f2730fb526ce158a307e154c91a953169fcb8e73350c4e032e14538",
    "Rdata.rdb": "2ecef5e8da0f782ae4e3f65d928fe769702accffd8981cc358a3097f6736f58f",
}
SMOOTHING = 1.0  # occurrences added to every n-gram in either kind of review
STRENGTH = 100.0  # of the data against the wish for small weights
STEPS = 60  # of L-BFGS at most
FOLDS = 5


def reviews(part: str) -> tuple[list[str], Tensor]:
    """Texts, and 1 for each whose writer gave the best score, else 0; part: training, testing."""
    (table,) = read_r_data("modeldata", FILES, f"{part}_data")
    labels = [int(score == "great") for score in table["score"]]
    return list(table["review"]), triptych.tensor(labels)


# Training


def telling(model: FastTextClassifier, rows: Tensor, starts: Tensor, labels: Tensor) -> Tensor:
    """(buckets,) logarithms of how much likelier an n-gram is in great reviews than in others."""
    ends = triptych.cat([starts[1:], triptych.tensor([len(rows)])])
    great = labels.repeat_interleave(ends - starts).bool()
    counts = [
        triptych.bincount(rows[kind], minlength=model.buckets) + SMOOTHING
        for kind in (great, ~great)
    ]
    return (counts[0] / counts[0].sum()).log() - (counts[1] / counts[1].sum()).log()


def state_of(weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
    """What the model holds: half of each weight for a great review, half against another."""
    return {
        "table.weight": triptych.stack([-weight, weight], 1) / 2,
        "classifier.bias": triptych.cat([-bias, bias]) / 2,
    }


def train(texts: list[str], labels: Tensor) -> FastTextClassifier:
    """Logistic regression on n-grams, each weighed by how telling it is.

    Source: Wang and Manning 2012, "Baselines and Bigrams", section 2.3.
    """
    model = FastTextClassifier(len(SENTIMENT.labels), embedding_dim=None, scale="root")
    rows, starts = model.encode(texts)
    ratio = telling(model, rows, starts, labels)
    weight = triptych.zeros(model.buckets, requires_grad=True)
    bias = triptych.zeros(1, requires_grad=True)
    optimizer = optim.LBFGS([weight, bias], max_iter=STEPS, line_search_fn="strong_wolfe")
    with tqdm(desc="training", unit="pass", disable=None) as bar:

        def cost() -> Tensor:
            optimizer.zero_grad()
            scores = functional_call(model, state_of(weight * ratio, bias), (rows, starts))
            wrong = F.cross_entropy(scores, labels, reduction="sum")
            total = STRENGTH * wrong + weight.square().sum() / 2
            total.backward()
            bar.update()
            return total

        optimizer.step(cost)
    model.load_state_dict(state_of(weight.detach() * ratio, bias.detach()))
    return model.eval()


def compact(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Everything in half precision."""
    return {name: t.half() for name, t in state.items()}


@triptych.inference_mode()
def right(model: FastTextClassifier, texts: list[str], labels: Tensor) -> Tensor:
    """(n,) 1 where the model's first answer is the label, else 0."""
    return (model(texts).argmax(1) == labels).float()


def cross_validated(texts: list[str], labels: Tensor) -> float:
    """Share of the reviews that a model trained on four fifths of the others judges right."""
    found = []
    for fold in range(FOLDS):
        inside = [i for i in range(len(texts)) if i % FOLDS != fold]
        outside = [i for i in range(len(texts)) if i % FOLDS == fold]
        model = train([texts[i] for i in inside], labels[inside])
        found.append(right(model, [texts[i] for i in outside], labels[outside]).mean().item())
    return sum(found) / FOLDS


def run(options: argparse.Namespace) -> Finding:
    """Train, or take the shipped weights, and test."""
    start = time.perf_counter()
    if options.test_only:
        model = SENTIMENT.get_model()
    else:
        model = train(*reviews("training"))
        state = compact(model.state_dict())
        model.load_state_dict(state)  # test what the file will hold
        if options.save is not None:
            triptych.save(state, options.save)
    seconds = time.perf_counter() - start
    texts, labels = reviews("testing")
    found = right(model, texts, labels)
    facts = [
        (name, f"{found[labels == i].mean().item():.3f}") for i, name in enumerate(SENTIMENT.labels)
    ]
    facts.append(
        (
            "always the commoner",
            f"{max(labels.float().mean().item(), 1 - labels.float().mean().item()):.3f}",
        )
    )
    if options.cross_validate:
        facts.append((f"{FOLDS} folds of training", f"{cross_validated(*reviews('training')):.4f}"))
    return Finding(
        "Test the shipped weights" if options.test_only else "Train a judge of reviews",
        f"{found.mean().item():.3f} of {len(texts):,} reviews right",
        seconds,
        facts=facts,
    )


def main() -> None:
    """Train with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--test-only", action="store_true", help="test the shipped weights")
    parser.add_argument(
        "--cross-validate", action="store_true", help="also train and test on parts of the data"
    )
    parser.add_argument("--save", type=Path, help="keep the weights in this .safetensors file")
    finding = run(parser.parse_args())
    print(Finding.table([finding]))
    for name, value in finding.facts:
        print(f"  {name:<20} {value}")


if __name__ == "__main__":
    sys.exit(exit_code(main))

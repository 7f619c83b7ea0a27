"""Find the sentences that mean the same, with all-MiniLM-L6-v2.

Usage: python examples/semantic_search.py ["a question of your own" ...]
"""

from __future__ import annotations

import sys
import time
from typing import Any

from command import exit_code
from finding import Finding, rendered

import triptych
from triptych_text import SentenceEncoder, semantic_search, similarity

# Neighbours in the list say the same thing in other words.
SENTENCES = [
    "A cat is sleeping on the warm window sill.",
    "The kitten naps beside the sunny window.",
    "Shares fell sharply after the central bank raised interest rates.",
    "The stock market dropped when borrowing costs went up.",
    "Simmer the tomatoes with garlic and basil for twenty minutes.",
    "Cook the tomato sauce gently, adding herbs and a clove of garlic.",
    "The spacecraft entered orbit around Mars on Thursday.",
    "A probe has arrived at the red planet and now circles it.",
    "How do I reset my password?",
    "I can't remember my login, what should I do?",
    "The orchestra played Dvořák's 9th symphony in a sold-out hall.",
    "Every seat was taken for the evening of classical music.",
]
QUERY = "My account is locked and I need a new passphrase."


def run() -> Finding:
    """Embed the sentences, check that each one's neighbour is its partner, and search."""
    encoder = SentenceEncoder.from_pretrained("all-MiniLM-L6-v2")
    start = time.perf_counter()
    vectors = encoder.encode(SENTENCES)
    scores = similarity(vectors, vectors)
    found = semantic_search(encoder.encode([QUERY]), vectors, k=1)
    seconds = time.perf_counter() - start
    nearest = (scores - 2 * triptych.eye(len(SENTENCES))).argmax(1).tolist()  # not itself
    hits = sum(nearest[i] == i ^ 1 for i in range(len(SENTENCES)))
    best = int(found.indices[0, 0])
    return Finding(
        "Compare sentences by meaning",
        f"{hits} of {len(SENTENCES)} sentences find their paraphrase",
        seconds,
        facts=[
            ("model", "all-MiniLM-L6-v2, 6 layers, 384 numbers per sentence"),
            ("question", QUERY),
            ("closest", f"{SENTENCES[best]} (cosine {found.scores[0, 0].item():.2f})"),
        ],
        pictures=[_heat_map(scores)],
    )


def _heat_map(scores: Any) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6))
    axes = figure.subplots()
    image = axes.imshow(scores.numpy(), vmin=0, vmax=1, cmap="viridis")
    axes.set_yticks(
        range(len(SENTENCES)), [f"{s}  {i}" for i, s in enumerate(SENTENCES)], fontsize=8
    )
    axes.set_xticks(range(len(SENTENCES)))
    figure.colorbar(image, label="cosine")
    return rendered(figure, "Cosine between all pairs of sentences; neighbours say the same thing.")


def main() -> None:
    """Answer the questions on the command line from the sentences, or show the pairs."""
    questions = sys.argv[1:]
    if not questions:
        print(Finding.table([run()]))
        return
    encoder = SentenceEncoder.from_pretrained("all-MiniLM-L6-v2")
    found = semantic_search(encoder.encode(questions), encoder.encode(SENTENCES), k=3)
    for question, scores, places in zip(questions, found.scores, found.indices, strict=True):
        print(question)
        for score, place in zip(scores.tolist(), places.tolist(), strict=True):
            print(f"  {score:.2f}  {SENTENCES[place]}")


if __name__ == "__main__":
    sys.exit(exit_code(main))

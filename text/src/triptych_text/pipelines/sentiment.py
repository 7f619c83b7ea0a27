"""The judge of reviews that lies in this package, ready to use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import triptych as tp
from triptych.serialization import load_file
from triptych_datasets import shipped_file
from triptych_text.models.fasttext import FastTextClassifier

__all__ = ["SENTIMENT", "SentimentBundle"]

FOLDER = Path(__file__).parents[1] / "models" / "shipped_weights"
SHA256 = "7c4b5f2c2f9273c86e826f0c3c4843013cd90577c92b45517c1bdd5686a2b2ed"


@dataclass(frozen=True)
class SentimentBundle:
    """A classifier of English reviews, and what belongs to it.

    Args:
        path: of the weights inside this package.
        sha256: 64 hexadecimal digits: what the file must hold.
        labels: in the order of the scores.
    """

    path: Path
    sha256: str
    labels: tuple[str, ...]

    @property
    def card(self) -> str:
        """The model card, in Markdown: data, training, results, limits."""
        name = self.path.name.partition("-")[0]
        return self.path.with_name(f"{name}.md").read_text(encoding="utf-8")

    def get_model(self) -> FastTextClassifier:
        """The trained model, in evaluation mode; a new one at every call.

        Raises:
            triptych_datasets.HashMismatch: the installed file was changed.
        """
        model = FastTextClassifier(len(self.labels), embedding_dim=None, scale="root")
        model.load_state_dict(load_file(shipped_file(self.path, self.sha256, "triptych-text")))
        return model.eval()

    def get_labels(self) -> tuple[str, ...]:
        """The labels, in the order of the scores."""
        return self.labels

    def classify(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """What the writers thought.

        Args:
            texts: reviews in English, at least one.

        Returns:
            For each a dict with "label", and "score" in [0.5, 1]: the label's probability.

        Raises:
            ShapeError: texts is one string, or empty.

        Example:
            >>> SENTIMENT.classify(["I love it, the best I ever had!"])[0]["label"]
            'great'
        """
        with tp.inference_mode():
            scores, places = _shared_model(self)(texts).softmax(1).max(1)
        return [
            {"label": self.labels[place], "score": score}
            for score, place in zip(scores.tolist(), places.tolist(), strict=True)
        ]


@cache
def _shared_model(bundle: SentimentBundle) -> FastTextClassifier:
    """One model per process: it holds no state."""
    return bundle.get_model()


SENTIMENT = SentimentBundle(FOLDER / "sentiment-7c4b5f2c.safetensors", SHA256, ("other", "great"))
"""Great review or other, from 131,072 hashed n-grams, trained on 4,000 reviews of food."""

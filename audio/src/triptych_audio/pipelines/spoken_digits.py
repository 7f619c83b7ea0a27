"""The classifier of spoken digits that lies in this package, ready to use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from triptych.serialization import load_file
from triptych_audio.models.spoken_digits import SpokenDigits
from triptych_datasets import shipped_file

__all__ = ["SPOKEN_DIGITS", "SpokenDigitsBundle"]

FOLDER = Path(__file__).parents[1] / "models" / "shipped_weights"
SHA256 = "cbf1ea8bae9ffee2f65c03dd7f29d85ac497669a07e8b8c424cc04132979e081"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class SpokenDigitsBundle:
    """A classifier of single words, and what belongs to it.

    Args:
        path: of the weights inside this package.
        sha256: 64 hexadecimal digits: what the file must hold.
        labels: the words, in the order of the scores.
    """

    path: Path
    sha256: str
    labels: tuple[str, ...]

    @property
    def sample_rate(self) -> int:
        """Rate of the waveforms that the model takes, in Hz."""
        return SpokenDigits.sample_rate

    @property
    def card(self) -> str:
        """The model card, in Markdown: data, training, results, limits."""
        name = self.path.name.partition("-")[0]
        return self.path.with_name(f"{name}.md").read_text(encoding="utf-8")

    def get_model(self) -> SpokenDigits:
        """The trained model, in evaluation mode; a new one at every call.

        Raises:
            triptych_datasets.HashMismatch: the installed file was changed.
        """
        model = SpokenDigits(len(self.labels))
        model.load_state_dict(load_file(shipped_file(self.path, self.sha256, "triptych-audio")))
        return model.eval()

    def get_labels(self) -> tuple[str, ...]:
        """The words, in the order of the scores."""
        return self.labels


SPOKEN_DIGITS = SpokenDigitsBundle(FOLDER / "spoken_digits-cbf1ea8b.safetensors", SHA256, WORDS)
"""Ten English digits at 8 kHz: 157,714 parameters, trained on synthesised speech only."""

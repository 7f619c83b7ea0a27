"""Common Voice: sentences read by volunteers, in more than a hundred languages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych_audio.io import load
from triptych_datasets import prepare

from .base import AudioDataset, Loader, PathLike, Transform, read_table

__all__ = ["COMMONVOICE"]

BY_HAND = "download a language at https://commonvoice.mozilla.org and unpack it"


class COMMONVOICE(AudioDataset):
    """Sentences read by volunteers, as mp3.

    Samples are (waveform, sample_rate, dict of the row): "client_id", "path", "sentence",
    "up_votes", "down_votes", "age", "gender", "accent" and what else the release has.

    Args:
        root: the folder of one language, with the tables and the folder `clips`.
        tsv: the table: "train.tsv", "dev.tsv", "test.tsv", "validated.tsv", "invalidated.tsv",
            "other.tsv".
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        MissingDataError: the table is missing.
        FileFormatError: it has no column "path".

    Source: R. Ardila et al. 2020, Common Voice.
    """

    def __init__(
        self,
        root: PathLike,
        tsv: str = "train.tsv",
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        prepare(type(self).__name__, self.root, {tsv: None}, by_hand=BY_HAND)
        self.rows = read_table(self.root / tsv, ("path",), "\t", quoted=False)

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its row."""
        name = self.rows[n]["path"]
        ending = "" if name.endswith(".mp3") else ".mp3"
        return [self.root / "clips" / f"{name}{ending}"], (dict(self.rows[n]),)

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.rows)

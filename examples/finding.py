"""What an example found: a line for the table, and pictures for the report."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Picture:
    """A PNG and what it shows; the caption is also its alternative text."""

    png: bytes
    caption: str

    @property
    def data_uri(self) -> str:
        """The picture as an address that needs no file."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")


@dataclass
class Finding:
    """The result of one example.

    Attributes:
        title: what was done.
        answer: what came out, in a few words.
        seconds: how long the work took, without fetching files.
        facts: (name, value) pairs worth a line each.
        pictures: for the report.
    """

    title: str
    answer: str
    seconds: float
    facts: list[tuple[str, str]] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)

    @classmethod
    def table(cls, findings: list[Finding]) -> str:
        """A plain-text table: what, answer, time."""
        rows = [("what", "answer", "time")]
        rows += [(f.title, f.answer, f"{f.seconds:.2f} s") for f in findings]
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        lines = [
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows
        ]
        lines.insert(1, "  ".join("-" * w for w in widths))
        return "\n".join(line.rstrip() for line in lines)


def rendered(figure: Any, caption: str) -> Picture:
    """A matplotlib figure as a picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    return Picture(buffer.getvalue(), caption)

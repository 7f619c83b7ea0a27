"""Find out when somebody speaks in a recording, with Silero VAD.

Usage: python examples/find_speech.py [RECORDING ...]
"""

from __future__ import annotations

import json
import math
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

from command import exit_code
from finding import Finding, rendered

import triptych_audio
from triptych_audio.pipelines import SILERO_VAD
from triptych_audio.transforms import AmplitudeToDB, MelSpectrogram

ASSETS = Path(__file__).parent / "assets"
LETTERS_ACROSS = 120  # of the captions' size, that fit beside each other into the spectrogram


def segments_of(path: Path) -> tuple[Any, int, list[tuple[float, float]]]:
    """The waveform, its sample rate, and (start, end) in seconds for each stretch of speech."""
    waveform, sample_rate = triptych_audio.load(path)
    mono = waveform.mean(0)
    found = SILERO_VAD.get_speech_timestamps(mono, sample_rate=sample_rate)
    return mono, sample_rate, [(s["start"] / sample_rate, s["end"] / sample_rate) for s in found]


def run() -> Finding:
    """Compare the segments found in the sample with the known ones."""
    known = json.loads((ASSETS / "speech.json").read_text(encoding="utf-8"))["segments"]
    SILERO_VAD.get_model()  # fetched and checked before the clock starts
    start = time.perf_counter()
    waveform, sample_rate, found = segments_of(ASSETS / "speech.flac")
    seconds = time.perf_counter() - start
    spans = ", ".join(f"{a:.2f} to {b:.2f} s" for a, b in found)
    return Finding(
        "Find speech in a recording",
        _answer(found, known),
        seconds,
        facts=[
            ("model", "Silero VAD, 16 kHz, 0.31 M parameters"),
            (
                "recording",
                f"{waveform.shape[-1] / sample_rate:.1f} s, synthesised for this project",
            ),
            ("found", spans or "no speech"),
            ("known", ", ".join(f"{k['start']:.2f} to {k['end']:.2f} s" for k in known)),
        ],
        pictures=[_spectrogram(waveform, sample_rate, found, known)],
    )


def _answer(found: list[tuple[float, float]], known: list[dict[str, Any]]) -> str:
    """How many sentences were found, and a bound on how far off their ends are."""
    if not found:
        return "no speech found"
    pairs = zip(found, known, strict=False)
    worst = max(max(abs(a - k["start"]), abs(b - k["end"])) for (a, b), k in pairs)
    bound = math.ceil(round(worst * 100, 6)) / 100  # rounded up, as every end is within it
    return f"{len(found)} of {len(known)} sentences, each end within {bound:.2f} s"


def _spectrogram(waveform: Any, sample_rate: int, found: Any, known: Any) -> Any:
    from matplotlib.figure import Figure

    mel = MelSpectrogram(sample_rate, n_fft=512, hop_length=160, n_mels=64)
    decibels = AmplitudeToDB(top_db=80)(mel(waveform))
    length = waveform.shape[-1] / sample_rate
    figure = Figure(figsize=(10, 3.6))
    axes = figure.subplots()
    axes.imshow(
        decibels.numpy(), origin="lower", aspect="auto", extent=(0, length, 0, 64), cmap="magma"
    )
    for i, (a, b) in enumerate(found):
        axes.axvspan(a, b, color="white", alpha=0.16, lw=0)
        axes.plot([a, a], [0, 64], [b, b], [0, 64], color="white", lw=1.4)
        if i < len(known):
            words = textwrap.fill(known[i]["text"], max(1, int((b - a) / length * LETTERS_ACROSS)))
            axes.text((a + b) / 2, 62, words, color="white", ha="center", va="top", fontsize=8)
    axes.set(xlabel="time (s)", ylabel="mel band", xlim=(0, length), ylim=(0, 64))
    return rendered(
        figure, "Mel spectrogram; the bright stretches between white lines are what was found."
    )


def main() -> None:
    """Print the segments of recordings, or the comparison with the sample."""
    if not sys.argv[1:]:
        print(Finding.table([run()]))
    for name in sys.argv[1:]:
        print(name)
        found = segments_of(Path(name))[2]
        for a, b in found:
            print(f"  {a:8.2f} s  to {b:8.2f} s")
        if not found:
            print("  no speech found")


if __name__ == "__main__":
    sys.exit(exit_code(main))

"""Find out when somebody speaks in a recording, with Silero VAD.

Usage: python examples/find_speech.py [RECORDING ...]
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from finding import Finding, rendered

import triptych_audio
from triptych_audio.pipelines import SILERO_VAD
from triptych_audio.transforms import AmplitudeToDB, MelSpectrogram

ASSETS = Path(__file__).parent / "assets"


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
    pairs = list(zip(found, known, strict=False))
    worst = max(max(abs(a - k["start"]), abs(b - k["end"])) for (a, b), k in pairs)
    spans = ", ".join(f"{a:.2f} to {b:.2f} s" for a, b in found)
    return Finding(
        "Find speech in a recording",
        f"{len(found)} of {len(known)} sentences, each end within {worst:.2f} s",
        seconds,
        facts=[
            ("model", "Silero VAD, 16 kHz, 0.31 M parameters"),
            (
                "recording",
                f"{waveform.shape[-1] / sample_rate:.1f} s, synthesised for this project",
            ),
            ("found", spans),
            ("known", ", ".join(f"{k['start']:.2f} to {k['end']:.2f} s" for k in known)),
        ],
        pictures=[_spectrogram(waveform, sample_rate, found, known)],
    )


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
            axes.text((a + b) / 2, 59, known[i]["text"], color="white", ha="center", fontsize=8)
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
        for a, b in segments_of(Path(name))[2]:
            print(f"  {a:8.2f} s  to {b:8.2f} s")


if __name__ == "__main__":
    main()

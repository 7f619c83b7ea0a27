"""Make the speech sample of the examples: three synthesised sentences at known times.

    python tools/make_speech_sample.py [--out examples/assets] [--flite flite]

writes ``speech.flac`` (16 kHz, mono, 16 bit) and ``speech.json`` (what is said and exactly when).
Needs NumPy, soundfile and the speech synthesiser Flite 2.2 (Debian package ``flite``).

Where a sentence begins and ends is measured on the clean synthesised signal, before the noise is
added and without any detector, by one rule (`active_span`): the signal is cut into frames of
10 ms; a frame is active when its root mean square is within 45 dB of the sentence's loudest frame;
the sentence lasts from the start of its first active frame to the end of its last.
"""

import argparse
import hashlib
import json
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

SAMPLE_RATE = 16000
FRAME_S = 0.01  # length of the frames the energy is measured in
RANGE_DB = 45.0  # quieter frames are not speech; the sample's README says what hangs on it
PEAK = 0.5  # every sentence is scaled to this largest absolute sample
NOISE_RMS = 2e-4  # white noise over the whole recording, 74 dB below full scale
SEED = 0
PAD_S = 0.4  # silence after the last sentence


class Utterance(NamedTuple):
    """One sentence: its onset in the recording, the Flite voice that says it, and the text."""

    start_s: float
    voice: str
    text: str


SCRIPT = (
    Utterance(0.47, "rms", "Rain fell all night long."),
    Utterance(3.11, "slt", "Each word has its own time."),
    Utterance(5.76, "rms", "We measure the error and make it smaller."),
)


def synthesise(text: str, voice: str, flite: str = "flite") -> np.ndarray:
    """Speak `text` with a Flite voice.

    Args:
        text: one English sentence.
        voice: a name that ``flite -lv`` lists; it must speak at 16 kHz.
        flite: the program's name or path.

    Returns:
        (t,) float64 samples, largest absolute value `PEAK`.

    Raises:
        RuntimeError: Flite is missing or failed, or the voice has another sample rate.
    """
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        try:
            subprocess.run([flite, "-voice", voice, "-t", text, "-o", str(wav)], check=True)
        except FileNotFoundError as error:
            raise RuntimeError(f"{flite} not found; try: apt-get install flite") from error
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"{flite} failed on voice {voice!r}: {error}") from error
        samples, sample_rate = soundfile.read(wav, dtype="float64")
    if sample_rate != SAMPLE_RATE:
        raise RuntimeError(f"voice {voice!r} speaks at {sample_rate} Hz, wanted {SAMPLE_RATE} Hz")
    return samples * (PEAK / np.abs(samples).max())


def active_span(samples: np.ndarray) -> tuple[int, int]:
    """Where a sentence is heard, by the energy rule in the module's docstring.

    Args:
        samples: (t,) the clean signal of one sentence.

    Returns:
        (start, end) in samples, end exclusive, both multiples of the frame length.

    Example:
        >>> silence = np.zeros(1600)
        >>> active_span(np.concatenate([silence, np.ones(800), silence]))
        (1600, 2400)
    """
    frame = round(FRAME_S * SAMPLE_RATE)
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)  # (frames, frame)
    rms = np.sqrt((frames**2).mean(axis=1))
    active = np.flatnonzero(rms >= rms.max() * 10 ** (-RANGE_DB / 20))
    return int(active[0]) * frame, int(active[-1] + 1) * frame


def make_sample(flite: str = "flite") -> tuple[np.ndarray, list[dict[str, object]]]:
    """Place every sentence of `SCRIPT` at its onset and add the noise.

    Returns:
        (t,) int16 samples, and one ``{"start", "end", "text", "voice"}`` a sentence, in seconds.
    """
    spoken = [synthesise(line.text, line.voice, flite) for line in SCRIPT]
    spans = [active_span(samples) for samples in spoken]
    onsets = [round(line.start_s * SAMPLE_RATE) for line in SCRIPT]
    ends = [onset + end - start for onset, (start, end) in zip(onsets, spans, strict=True)]

    recording = np.zeros(ends[-1] + round(PAD_S * SAMPLE_RATE))
    for samples, (start, _), onset in zip(spoken, spans, onsets, strict=True):
        first = onset - start  # the faint edges outside the span stay: no hard cut
        room = recording[first : first + len(samples)]  # a view
        room += samples[: len(room)]
    recording += np.random.default_rng(SEED).normal(0.0, NOISE_RMS, recording.shape)

    segments: list[dict[str, object]] = [
        {
            "start": onset / SAMPLE_RATE,
            "end": end / SAMPLE_RATE,
            "text": line.text,
            "voice": line.voice,
        }
        for line, onset, end in zip(SCRIPT, onsets, ends, strict=True)
    ]
    return np.rint(recording * 32767).astype(np.int16), segments


def write_sample(out: Path, samples: np.ndarray, segments: list[dict[str, object]]) -> None:
    """Write ``speech.flac`` and ``speech.json`` into the folder `out`."""
    soundfile.write(out / "speech.flac", samples, SAMPLE_RATE, subtype="PCM_16")
    card = {
        "file": "speech.flac",
        "sample_rate": SAMPLE_RATE,
        "num_samples": len(samples),
        "duration_s": len(samples) / SAMPLE_RATE,
        "samples_sha256": hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest(),
        "segments": segments,
    }
    (out / "speech.json").write_text(json.dumps(card, indent=2) + "\n")


def main() -> None:
    """Read the command line, make the sample, and print where each sentence is."""
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description="Make the speech sample of the examples.")
    parser.add_argument("--out", type=Path, default=root / "examples" / "assets")
    parser.add_argument("--flite", default="flite", help="the synthesiser's name or path")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    samples, segments = make_sample(options.flite)
    write_sample(options.out, samples, segments)
    for segment in segments:
        print(f"{segment['start']:7.3f} .. {segment['end']:7.3f} s  {segment['text']}")
    print(f"{len(samples) / SAMPLE_RATE:.3f} s in all, written to {options.out}")


if __name__ == "__main__":
    main()

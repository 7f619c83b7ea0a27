"""Train the spoken-digit classifier that triptych_audio ships on synthesised speech only.

Usage: python examples/train_spoken_digits.py [--epochs N] [--data FOLDER] [--save FILE]

Two speech synthesisers say the words: Debian's packages flite and espeak-ng, with many voices,
speeds and pitches. It is tested on voices that were kept out of the training and, where Debian's
asterisk-core-sounds-en-wav is installed, on ten recordings of a person. With OPENBLAS_NUM_THREADS=1
and no options the shipped weights come out; with more threads, or on another processor, sums round
differently and so the weights differ a little.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from command import exit_code
from finding import Finding
from tqdm import tqdm

import triptych
import triptych_audio
from triptych import Tensor, fft, nn, optim
from triptych.nn import functional as F
from triptych_audio.functional import resample
from triptych_audio.models import SpokenDigits
from triptych_audio.pipelines import SPOKEN_DIGITS
from triptych_datasets import DatasetsError, home

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
RECORDINGS = Path("/usr/share/asterisk/sounds/en_US_f_Allison/digits")  # of Debian's package
RATE = SpokenDigits.sample_rate
LENGTH = 9600  # samples of a clip in training: 1.2 s

ACCENTS = ("en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd")
VARIANTS = (  # of espeak-ng: other throats
    *("m1", "m2", "m3", "m4", "m5", "m6", "m8", "f1", "f2", "f3", "f4", "adam", "belinda"),
    *("benjamin", "david", "edward", "grandma", "john", "marco", "max", "michael", "mike", "paul"),
    *("rob", "robert", "steph", "travis", "zac", "Alicia", "Andrea", "Andy", "Annie", "Denis"),
    *("Gene", "Henrique", "Jacky", "Lee", "klatt2", "klatt4", "aunty", "ed", "shelby", "steph2"),
)
FLITE = ("slt", "awb", "kal", "kal16")
KEPT_OUT_VARIANTS = ("m7", "f5", "anika", "caleb", "grandpa", "linda", "victor", "Hugo")
KEPT_OUT_FLITE = ("rms",)
FLITE_SHARE = 0.35  # of the clips: its voices come from recordings of people

CLIPS_PER_WORD = {"training": 450, "kept-out voices": 50}
EPOCHS, BATCH = 12, 64
PEAK_RATE, EMA_DECAY = 0.1, 0.99


# Speech


@dataclass(frozen=True)
class Utterance:
    """One word, and how it is to be said: the program and its arguments without the file."""

    word: int
    command: tuple[str, ...]


def espeak(word: int, accent: str, variant: str, draw: random.Random) -> Utterance:
    """One of espeak-ng's voices, at a speed in words a minute and a pitch from 0 to 99."""
    speed, pitch = draw.randint(80, 220), draw.randint(20, 85)
    voice = f"{accent}+{variant}"
    arguments = ("espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), WORDS[word], "-w")
    return Utterance(word, arguments)


def flite(word: int, voice: str, draw: random.Random) -> Utterance:
    """One of flite's voices, slower or faster, at a mean pitch in Hz where it can be set."""
    stretch, pitch = draw.uniform(0.75, 2.0), draw.uniform(85, 230)
    how = ("--setf", f"duration_stretch={stretch:.2f}", "--setf", f"int_f0_target_mean={pitch:.0f}")
    return Utterance(word, ("flite", "-voice", voice, *how, "-t", WORDS[word], "-o"))


def utterances(part: str) -> Iterator[Utterance]:
    """What is to be said for a part of the data: the same at every run."""
    draw = random.Random(part)
    training = part == "training"
    voices = FLITE if training else KEPT_OUT_FLITE
    variants = VARIANTS if training else KEPT_OUT_VARIANTS
    for word in range(len(WORDS)):
        for _ in range(CLIPS_PER_WORD[part]):
            if draw.random() < FLITE_SHARE:
                yield flite(word, draw.choice(voices), draw)
            else:
                yield espeak(word, draw.choice(ACCENTS), draw.choice(variants), draw)


def trimmed(waveform: np.ndarray) -> np.ndarray:
    """(t,) samples from the first to the last that are louder than 2 % of the loudest."""
    loud = np.flatnonzero(np.abs(waveform) > 0.02 * np.abs(waveform).max())
    return waveform[loud[0] : loud[-1] + 1]


def clip(waveform: np.ndarray) -> np.ndarray:
    """(LENGTH,) samples with the word in the middle, its loudest sample at 0.5."""
    word = trimmed(waveform)[:LENGTH]
    before = (LENGTH - len(word)) // 2
    padded = np.pad(word, (before, LENGTH - len(word) - before))
    return (padded / np.abs(padded).max() * 0.5).astype(np.float32)


def read(path: Path) -> np.ndarray:
    """(t,) samples at 8 kHz."""
    waveform, rate = triptych_audio.load(path)
    return resample(waveform.mean(0), rate, RATE).numpy()


def say(utterance: Utterance) -> np.ndarray:
    """(LENGTH,) samples."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "word.wav"
        try:
            subprocess.run((*utterance.command, path), check=True, capture_output=True)
        except FileNotFoundError:
            program = utterance.command[0]
            raise DatasetsError(
                f"{program} is not installed: apt-get install flite espeak-ng"
            ) from None
        return clip(read(path))


def speech(part: str, folder: Path) -> tuple[Tensor, Tensor]:
    """(n, LENGTH) clips and (n,) words; kept in the folder, since saying them takes minutes."""
    path = folder / f"{part.replace(' ', '-')}.safetensors"
    if not path.is_file():
        todo = list(utterances(part))
        with ThreadPoolExecutor() as pool:
            bar = tqdm(pool.map(say, todo), total=len(todo), desc=part, unit="clip", disable=None)
            clips = np.stack(list(bar))
        words = np.array([u.word for u in todo])
        folder.mkdir(parents=True, exist_ok=True)
        triptych.save({"clips": triptych.tensor(clips), "words": triptych.tensor(words)}, path)
    data = triptych.load(path)
    return data["clips"], data["words"]


def recordings() -> tuple[Tensor, Tensor] | None:
    """A person's ten digits, 8 kHz; None where they are not installed."""
    paths = [RECORDINGS / f"{digit}.wav" for digit in range(10)]
    if not all(path.is_file() for path in paths):
        return None
    clips = np.stack([clip(read(path)) for path in paths])
    return triptych.tensor(clips), triptych.arange(10)


# Training


def moved(clips: Tensor) -> Tensor:
    """(n, t) clips, each a little earlier or later, all of them faster and higher, or slower."""
    factor = float(triptych.empty(()).uniform_(0.84, 1.2))
    resampled = F.interpolate(clips.unsqueeze(1), scale_factor=factor, mode="linear").squeeze(1)
    n, t = resampled.shape
    start = triptych.randint(0, 1600, (n, 1)) - 800 + (t - LENGTH) // 2
    place = start + triptych.arange(LENGTH)
    inside = (place >= 0) & (place < t)
    return resampled.gather(1, place.clamp(0, t - 1)) * inside


def coloured_noise(n: int) -> Tensor:
    """(n, LENGTH) noise of power one; its power falls with frequency, for each clip otherwise."""
    spectrum = fft.rfft(triptych.randn(n, LENGTH))
    frequency = triptych.linspace(0.02, 1, spectrum.shape[-1])
    slope = triptych.empty(n, 1).uniform_(0, 1)
    noise = fft.irfft(spectrum * frequency**-slope, LENGTH)
    return noise / noise.std(-1, keepdim=True)


def room(n: int) -> Tensor:
    """(n, 2000) impulse responses: the sound itself, then a decaying tail of echoes."""
    t = triptych.arange(2000) / RATE
    decay = triptych.empty(n, 1).uniform_(0.03, 0.12)  # seconds to fall to 1/e
    loudness = triptych.empty(n, 1).uniform_(0, 0.08)
    echoes = triptych.randn(n, 2000) * (-t / decay).exp() * loudness
    return triptych.cat([triptych.ones(n, 1), echoes[:, 1:]], 1)


def augmented(clips: Tensor) -> Tensor:
    """Clips as other voices, rooms, lines and microphones would give them."""
    n = len(clips)
    voice = moved(clips)
    size = LENGTH + 2000
    echoing = fft.irfft(fft.rfft(voice, size) * fft.rfft(room(n), size), size)[:, :LENGTH]
    level = echoing.square().mean(-1, keepdim=True).sqrt()
    snr = triptych.empty(n, 1).uniform_(5, 45)  # dB
    return echoing + coloured_noise(n) * level * 10 ** (-snr / 20)


def train(clips: Tensor, words: Tensor, epochs: int) -> nn.Module:
    """A trained model: the moving average over the last steps."""
    triptych.manual_seed(0)
    model = SpokenDigits()
    average = optim.swa_utils.AveragedModel(
        model, multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(EMA_DECAY), use_buffers=True
    )
    steps = len(clips) // BATCH
    optimizer = optim.SGD(
        model.parameters(), lr=PEAK_RATE, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    schedule = optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=PEAK_RATE,
        total_steps=epochs * steps,
        pct_start=0.25,
        cycle_momentum=False,
    )
    with tqdm(total=epochs * steps, desc="training", unit="step", disable=None) as bar:
        for _ in range(epochs):
            order = triptych.randperm(len(clips))
            for batch in order[: steps * BATCH].split(BATCH):
                scores = model(augmented(clips[batch]))
                loss = F.cross_entropy(scores, words[batch], label_smoothing=0.1)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                average.update_parameters(model)
                bar.update()
            bar.set_postfix(loss=f"{loss.item():.3f}")
    return average.module.eval()


def compact(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Kernels in half precision, which halves the file; the rest in single."""
    return {n: t.half() if n.endswith("weight") and t.ndim > 1 else t for n, t in state.items()}


@triptych.inference_mode()
def right(model: nn.Module, clips: Tensor, words: Tensor) -> Tensor:
    """(n,) 1 where the model hears the word that was said, else 0."""
    heard = triptych.cat([model(part).argmax(1) for part in clips.split(250)])
    return (heard == words).float()


def run(epochs: int, folder: Path, save_to: Path | None = None) -> Finding:
    """Train, or take the shipped weights when there are no epochs, and test."""
    others = speech("kept-out voices", folder)
    if epochs:
        clips, words = speech("training", folder)
        start = time.perf_counter()
        model = train(clips, words, epochs)
        state = compact(model.state_dict())
        model.load_state_dict(state)  # test what the file will hold
        if save_to is not None:
            triptych.save(state, save_to)
    else:
        start = time.perf_counter()
        model = SPOKEN_DIGITS.get_model()
    seconds = time.perf_counter() - start
    return Finding(
        f"Train on synthesised digits, {epochs} epochs" if epochs else "Test the shipped weights",
        f"{right(model, *others).mean().item():.4f} of {len(others[0])} clips right",
        seconds,
        facts=list(_facts(model, others)),
    )


def _facts(model: nn.Module, others: tuple[Tensor, Tensor]) -> Iterator[tuple[str, str]]:
    """Shares by word, in noise, and of a person's recordings."""
    clips, words = others
    found = right(model, clips, words)
    for digit, word in enumerate(WORDS):
        yield word, f"{found[words == digit].mean().item():.3f}"
    triptych.manual_seed(1)
    yield "with noise and echo", f"{right(model, augmented(clips), words).mean().item():.4f}"
    human = recordings()
    if human is None:
        yield "a person", "not tested: apt-get install asterisk-core-sounds-en-wav"
        return
    heard = right(model, *human)
    missed = [WORDS[i] for i in range(10) if not heard[i]]
    yield "a person", f"{int(heard.sum())} of 10 right" + f"; not: {missed}" * bool(missed)


def main() -> None:
    """Train with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--epochs", type=int, default=EPOCHS, help=f"default {EPOCHS}; 0: only test"
    )
    parser.add_argument(
        "--data", type=Path, default=home() / "data" / "spoken-digits", help="keeps the clips"
    )
    parser.add_argument("--save", type=Path, help="keep the weights in this .safetensors file")
    options: Any = parser.parse_args()
    finding = run(options.epochs, options.data, options.save)
    print(Finding.table([finding]))
    for name, share in finding.facts:
        print(f"  {name:<20} {share}")


if __name__ == "__main__":
    sys.exit(exit_code(main))

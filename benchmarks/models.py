"""Pretrained models on real input, and a training step, beside PyTorch and ONNX Runtime."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from timing import Call, Skipped, Table, median_seconds_apart

import triptych as tp
from triptych_datasets import Artifact, Offline, fetch

SPEECH = Path(__file__).parents[1] / "examples" / "assets" / "speech.flac"
THREADS = os.cpu_count() or 1  # NumPy's BLAS takes as many by itself
TOLERANCE = 1e-3  # relative, in norm: what two correct float32 programs stay within
PEERS = ("torch", "ONNX Runtime")

SENTENCES = [
    "A cat is sleeping on the warm window sill.",
    "Shares fell sharply after the central bank raised interest rates.",
    "Simmer the tomatoes with garlic and basil for twenty minutes.",
    "The spacecraft entered orbit around Mars on Thursday.",
    "How do I reset my password?",
    "Every seat was taken for the evening of classical music.",
    "Rain.",
    "When the ferry finally left the harbour, three hours late, the passengers who had waited on "
    "the windy quay all afternoon cheered and unpacked their sandwiches.",
]

# Silero VAD as an ONNX graph that takes all frames at once.
SILERO_GRAPH = Artifact(
    "silero_vad_16k_sequence.onnx",
    sources=("pypi:silero-vad==6.2.3#silero_vad/data/silero_vad_16k_sequence.onnx",),
    sha256="9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
    size=1_246_165,
    licence="MIT",
)


def run(quick: bool) -> list[Table]:
    """Milliseconds per call."""
    table = Table(
        f"Models on the CPU, milliseconds per call, {THREADS} threads",
        ("Triptych", "torch", "ratio", "ONNX Runtime", "ratio"),
        notes=["ratio: Triptych's time, to that of the column before it; a process for each"],
    )
    for name, (ours, peers) in WORKLOADS.items():
        makers = {"Triptych": ours}
        for peer, (needs, make) in peers.items():
            absent = [module for module in needs if not importlib.util.find_spec(module)]
            if absent:
                table.notes.append(f"{name}: {peer} is left out, no {', '.join(absent)} here")
            else:
                makers[peer] = make
        try:
            seconds, results = median_seconds_apart(makers, rounds=5 if quick else 15)
        except Skipped as reason:
            table.notes.append(f"{name} is left out: {reason}")
            continue
        _check_agreement(name, results)
        table.add(name, *_cells(seconds))
    return [table]


def _cells(seconds: dict[str, float]) -> Iterator[float | str | None]:
    yield 1e3 * seconds["Triptych"]
    for peer in PEERS:
        theirs = seconds.get(peer)
        yield None if theirs is None else 1e3 * theirs
        yield None if theirs is None else f"{seconds['Triptych'] / theirs:.2f}x"


def _check_agreement(name: str, results: dict[str, Any]) -> None:
    """Times can be compared only where both compute the same; None says nothing.

    Raises:
        ValueError: a peer has another result than we have.
    """
    got = results["Triptych"]
    for peer, want in results.items():
        if want is None or got is None:
            continue
        error = float(np.linalg.norm(got - want) / np.linalg.norm(want))
        if not error <= TOLERANCE:
            raise ValueError(f"{name}: our result differs from {peer}'s by {error:.1e}, relatively")


@contextmanager
def _fetching() -> Iterator[None]:
    try:
        yield
    except Offline as error:
        raise Skipped(str(error)) from error


# Makers of the calls: each runs in a process of its own and gives a call that returns an array.


def _pixels() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype(np.float32)


def mobilenet_ours() -> Call:
    """MobileNetV2 on one image."""
    from triptych_vision.models import mobilenet_v2

    with _fetching():
        model = mobilenet_v2(weights="IMAGENET1K_V1", progress=False).eval()
    x = tp.from_numpy(_pixels())
    return tp.inference_mode()(lambda: model(x).numpy())


def mobilenet_torch() -> Call:
    """torchvision's, with the same weights."""
    import torch
    import torchvision

    from triptych_vision.models import MobileNet_V2_Weights

    torch.set_num_threads(THREADS)
    model = torchvision.models.mobilenet_v2()
    with _fetching():
        state = MobileNet_V2_Weights.IMAGENET1K_V1.get_state_dict(progress=False)
    model.load_state_dict({key: torch.from_numpy(v.numpy()) for key, v in state.items()})
    model.eval()
    x = torch.from_numpy(_pixels())
    return torch.inference_mode()(lambda: model(x).numpy())


def minilm_ours() -> Call:
    """MiniLM: text to vectors, tokenizer included."""
    from triptych_text import SentenceEncoder

    with _fetching():
        encoder = SentenceEncoder.from_pretrained("all-MiniLM-L6-v2")
    return lambda: encoder.encode(SENTENCES, progress=False).numpy()


def minilm_torch() -> Call:
    """The same with transformers, as sentence-transformers does it."""
    import torch
    import transformers

    from triptych_text.pretrained import model_files

    torch.set_num_threads(THREADS)
    transformers.logging.disable_progress_bar()
    files = model_files("all-MiniLM-L6-v2")
    with _fetching(), tempfile.TemporaryDirectory() as folder:
        for name in ("config.json", "model.safetensors", "tokenizer.json"):
            (Path(folder) / name).symlink_to(files.path(name, "of the model"))
        tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
        model = transformers.BertModel.from_pretrained(folder).eval()
    tokenizer.pad_token = "[PAD]"

    @torch.inference_mode()
    def encode() -> Any:
        batch = tokenizer(SENTENCES, padding=True, return_tensors="pt")
        mask = batch["attention_mask"]
        hidden = model(batch["input_ids"], mask).last_hidden_state
        mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return torch.nn.functional.normalize(mean).numpy()

    return encode


def silero_ours() -> Call:
    """Silero VAD on the recording of the repository."""
    import triptych_audio as audio

    with _fetching():
        model = audio.pipelines.SILERO_VAD.get_model()
    waveform, _ = audio.load(SPEECH)

    @tp.inference_mode()
    def probabilities() -> None:
        model(waveform)  # the file for ONNX Runtime holds other weights: no result to compare

    return probabilities


def silero_onnx() -> Call:
    """The same network, on frames that are cut beforehand."""
    import onnxruntime

    import triptych_audio as audio

    with _fetching():
        graph = fetch(SILERO_GRAPH, progress=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    samples = audio.load(SPEECH)[0].numpy()[0]
    padded = np.zeros(64 + -(-len(samples) // 512) * 512, np.float32)  # 64 of context first
    padded[64 : 64 + len(samples)] = samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, 576)[::512].copy()
    state = np.zeros((1, 1, 128), np.float32)
    inputs = {"input": frames, "h": state, "c": state}
    return lambda: session.run(["speech_probs"], inputs) and None


def training_ours() -> Call:
    """Forward, backward and update of a small CNN on 64 images of digits."""
    return _training_step(tp)


def training_torch() -> Call:
    """The same program with torch under the same names."""
    import torch

    torch.set_num_threads(THREADS)
    return _training_step(torch)


def _training_step(lib: Any) -> Call:
    rng = np.random.default_rng(0)
    images = lib.from_numpy(rng.random((64, 1, 8, 8), np.float32))
    labels = lib.from_numpy(rng.integers(0, 10, 64))
    nn = lib.nn
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 4 * 4, 10),
    )
    optimizer = lib.optim.AdamW(model.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()

    return step


Maker = Callable[[], Call]
# name: our maker, and for each peer the modules that it needs and its maker
WORKLOADS: dict[str, tuple[Maker, dict[str, tuple[tuple[str, ...], Maker]]]] = {
    "MobileNetV2, 1 x 3 x 224 x 224": (
        mobilenet_ours,
        {"torch": (("torch", "torchvision"), mobilenet_torch)},
    ),
    f"MiniLM, {len(SENTENCES)} sentences": (
        minilm_ours,
        {"torch": (("torch", "transformers"), minilm_torch)},
    ),
    "Silero VAD, 8.7 s of speech": (
        silero_ours,
        {"ONNX Runtime": (("onnxruntime",), silero_onnx)},
    ),
    "CNN training step, 64 x 1 x 8 x 8": (
        training_ours,
        {"torch": (("torch",), training_torch)},
    ),
}

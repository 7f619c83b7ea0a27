"""Random pieces of files, and batches of them."""

import numpy as np
import pytest

import triptych as tp
import triptych_audio as audio
from triptych.errors import ShapeError
from triptych.utils.data import DataLoader
from triptych_audio.data import pad_collate
from triptych_audio.datasets import AudioFolder, ChunkLoader, VoiceBankDEMAND


@pytest.fixture
def ramp(tmp_path):
    """Two twins of 1000 samples, each sample its own number."""
    samples = np.arange(1000, dtype=np.float32)[None] / 1000
    for kind in ("noisy", "clean"):
        (tmp_path / f"{kind}_testset_wav").mkdir()
        audio.save(tmp_path / f"{kind}_testset_wav" / "p1_1.wav", samples, 8000)
    return tmp_path


def test_pieces_are_random_and_reproducible(ramp):
    path = ramp / "clean_testset_wav" / "p1_1.wav"
    whole = audio.load(path)[0].numpy()[0]
    starts = []
    for seed in (1, 1, 2, 3):
        loader = ChunkLoader(100, generator=tp.Generator().manual_seed(seed))
        waveform, rate = loader(path)
        assert (tuple(waveform.shape), rate) == ((1, 100), 8000)
        start = round(float(waveform[0, 0]) * 1000)
        np.testing.assert_array_equal(waveform.numpy()[0], whole[start : start + 100])
        starts.append(start)
    assert starts[0] == starts[1]
    assert len(set(starts)) == 3


def test_every_place_is_drawn(ramp):
    loader = ChunkLoader(998, generator=tp.Generator().manual_seed(0))
    path = ramp / "clean_testset_wav" / "p1_1.wav"
    firsts = {round(float(loader(path)[0][0, 0]) * 1000) for _ in range(40)}
    assert firsts == {0, 1, 2}


def test_twins_get_the_same_piece(ramp):
    data = VoiceBankDEMAND(ramp, "test", loader=ChunkLoader(50))
    noisy, clean, *_ = data[0]
    np.testing.assert_array_equal(noisy.numpy(), clean.numpy())
    assert noisy.shape == (1, 50)


@pytest.mark.parametrize(("pad", "length"), [(True, 1500), (False, 1000)])
def test_short_files(ramp, pad, length):
    waveform, _ = ChunkLoader(1500, pad=pad)(ramp / "clean_testset_wav" / "p1_1.wav")
    assert waveform.shape == (1, length)
    assert not waveform[0, 1000:].numpy().any()


def test_length_is_positive():
    with pytest.raises(ShapeError, match="num_frames above 0"):
        ChunkLoader(0)


# Through a loader


def test_batches_from_workers(tmp_path, files):
    tree = {f"{c}/{i}.wav": files.sound(i, frames=10 * i) for c in "ab" for i in (1, 2, 3)}
    data = AudioFolder(files.write(tmp_path, tree))
    loader = DataLoader(data, batch_size=3, collate_fn=pad_collate, num_workers=1)
    batches = list(loader)
    assert [waveforms.lengths.tolist() for waveforms, _, _ in batches] == [[10, 20, 30]] * 2
    assert [targets.tolist() for _, _, targets in batches] == [[0, 0, 0], [1, 1, 1]]

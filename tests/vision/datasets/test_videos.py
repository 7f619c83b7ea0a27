"""Clips of films, the data sets made of them, and their samplers."""

import csv
import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych as tp
from triptych_vision.datasets import HMDB51, UCF101, Kinetics, MissingDataError
from triptych_vision.datasets.samplers import (
    AspectRatioGroupBatchSampler,
    DistributedSampler,
    RandomClipSampler,
    RASampler,
    UniformClipSampler,
    WeightedClassSampler,
    class_weights,
)
from triptych_vision.datasets.video_utils import VideoClips, unfold
from triptych_vision.io import write_video

FPS = 5


def film(path: Path, count: int) -> Path:
    """Frames of one shade each, 16 times their number."""
    frames = np.broadcast_to(16 * np.arange(count)[:, None, None, None], (count, 16, 32, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, tp.from_numpy(frames.astype(np.uint8).copy()), FPS, "libx264", {"crf": "0"})
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Of 8, 3 and 12 frames."""
    base = tmp_path_factory.mktemp("films")
    return [str(film(base / f"{i}.avi", count)) for i, count in enumerate((8, 3, 12))]


def known(counts: list[int], fps: float = 30) -> dict[str, Any]:
    """What is known of films that there are not."""
    return {
        "video_paths": [f"{i}.mp4" for i in range(len(counts))],
        "video_pts": [tp.arange(count) for count in counts],
        "video_fps": [fps] * len(counts),
    }


def test_unfold_is_a_sliding_window() -> None:
    windows = unfold(tp.arange(7), 3, 2)
    assert windows.tolist() == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    assert unfold(tp.arange(2), 3, 1).shape == (0, 3)


def shades(frames: Any) -> list[int]:
    return [round(float(frame.to(tp.float32).mean()) / 16) for frame in frames]


@pytest.mark.filterwarnings("ignore:VideoClips")
def test_clips_are_what_the_films_show(films: list[str]) -> None:
    clips = VideoClips(films, 4, 2)
    assert [len(c) for c in clips.clips] == [3, 0, 5]
    assert (len(clips), clips.num_videos(), clips.cumulative_sizes) == (8, 3, [3, 3, 8])
    frames, sound, info, video = clips.get_clip(4)
    assert (frames.shape, sound.shape[1], info["video_fps"], video) == ((4, 16, 32, 3), 0, FPS, 2)
    assert shades(frames) == [2, 3, 4, 5]
    assert clips.get_clip_location(7) == (2, 4)
    with pytest.raises(IndexError, match="out of range for 8"):
        clips.get_clip(8)
    again = pickle.loads(pickle.dumps(clips))
    assert shades(again.get_clip(4)[0]) == [2, 3, 4, 5]
    part = clips.subset([2])
    assert shades(part.get_clip(0)[0]) == [0, 1, 2, 3]
    channels_first = VideoClips(films[:1], 2, output_format="tchw").get_clip(0)[0]
    assert channels_first.shape == (2, 3, 16, 32)


@pytest.mark.filterwarnings("ignore:VideoClips")
@pytest.mark.parametrize(
    ("rate", "wanted"), [(1, [0, 5, 10]), (2.5, [0, 2, 4]), (2, [0, 2, 5]), (10, [0, 0, 1])]
)
def test_another_frame_rate(films: list[str], rate: float, wanted: list[int]) -> None:
    clips = VideoClips(films, 3, 1, frame_rate=rate)
    first = next(i for i in range(len(clips)) if clips.get_clip_location(i)[0] == 2)
    if rate > FPS:  # frames would have to come twice: the ticks are there all the same
        assert clips.clips[2][0].tolist()[0] == clips.clips[2][0].tolist()[1]
        return
    frames, _, info, _ = clips.get_clip(first)
    assert shades(frames) == wanted
    assert info["video_fps"] == rate


def test_short_films_are_said() -> None:
    with pytest.warns(UserWarning, match="of 3 frames is too short for a clip of 4"):
        clips = VideoClips([], 4, _precomputed_metadata=known([3, 5]))
    assert len(clips) == 2
    assert clips.metadata["video_timebase"] == [Fraction(1)] * 2
    with pytest.raises(ValueError, match="2 video_paths and 1 video_fps"):
        VideoClips([], _precomputed_metadata=known([3, 5]) | {"video_fps": [1]})
    with pytest.raises(ValueError, match="THWC or TCHW"):
        VideoClips([], output_format="CTHW")


@pytest.fixture
def actions(tmp_path: Path) -> Path:
    for name in ("jump/a", "jump/b", "run/c"):
        film(tmp_path / "films" / f"{name}.avi", 4)
    lists = {
        "jump_test_split1.txt": "a.avi 1\nb.avi 2\n",
        "run_test_split1.txt": "c.avi 1\n",
        "trainlist02.txt": "jump/b.avi 1\nrun/c.avi 2\n",
    }
    (tmp_path / "lists").mkdir()
    for name, text in lists.items():
        (tmp_path / "lists" / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "more", "labels"),
    [(HMDB51, {}, [0, 1]), (HMDB51, {"train": False}, [0]), (UCF101, {"fold": 2}, [0, 1])],
)
def test_actions(actions: Path, kind: Any, more: Any, labels: list[int]) -> None:
    roots = (actions / "films", actions / "lists")
    data = kind(*roots, 4, num_workers=0, transform=lambda x: x.shape[0], **more)
    assert [data[i][2] for i in range(len(data))] == labels
    frames, sound, label = data[0]
    assert (frames, sound.shape[1], label) == (4, 0, labels[0])
    assert len(data.metadata["video_paths"]) == 3
    again = kind(*roots, 2, num_workers=0, _precomputed_metadata=data.metadata, **more)
    assert len(again) == 3 * len(labels)
    with pytest.raises(ValueError, match="fold is 1 to 3"):
        kind(*roots, 4, fold=4)
    with pytest.raises(MissingDataError, match="not found; get"):
        kind(*roots, 4, fold=3, num_workers=0)


def test_kinetics(actions: Path) -> None:
    (actions / "films").rename(actions / "val")
    data = Kinetics(actions, 4, split="val", num_workers=0)
    assert (len(data), data[2][0].shape, data[2][2]) == (3, (4, 3, 16, 32), 1)
    assert data.classes == ["jump", "run"]
    with pytest.raises(MissingDataError, match=r"train not found; download=True"):
        Kinetics(actions, 4)
    with pytest.raises(ValueError, match="valid values are"):
        Kinetics(actions, 4, num_classes="500")
    legacy = Kinetics(actions / "val", 4, num_workers=0, _legacy=True)
    assert legacy[0][0].shape == (4, 16, 32, 3)


@pytest.mark.filterwarnings("ignore::triptych_datasets.UnverifiedWarning")
def test_kinetics_download(actions: Path, publisher: Any, tmp_path: Path) -> None:
    root = tmp_path / "new"
    raw = (actions / "films" / "run" / "c.avi").read_bytes()
    rows = [["label", "youtube_id", "time_start", "time_end"], ["eat (it)", "xyz", "3", "13"]]
    with (tmp_path / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    publisher.publish(root, {"val/xyz_000003_000013.mp4": raw})
    publisher.archives["k400_val_path.txt"] = b"http://host/part 0.tar.gz\n"
    publisher.archives["val.csv"] = (tmp_path / "table.csv").read_bytes()
    data = Kinetics(root, 2, split="val", download=True, num_workers=0)
    assert data.classes == ["eat_it"]
    assert "http://host/part%200.tar.gz" in publisher.asked


def test_uniform_clips() -> None:
    with pytest.warns(UserWarning, match="too short"):
        clips = VideoClips([], 1, _precomputed_metadata=known([10, 0, 4]))
    sampler = UniformClipSampler(clips, 3)
    assert list(sampler) == [0, 4, 9, 10, 11, 13]
    assert len(sampler) == 6
    assert list(UniformClipSampler(clips, 1)) == [0, 10]
    with pytest.raises(TypeError, match="attribute video_clips"):
        UniformClipSampler([1, 2], 3)  # type: ignore[arg-type]


def test_random_clips() -> None:
    clips = VideoClips([], 1, _precomputed_metadata=known([10, 4]))
    draws = [
        list(RandomClipSampler(clips, 5, generator=tp.Generator().manual_seed(seed)))
        for seed in (1, 1, 2)
    ]
    assert draws[0] == draws[1] != draws[2]
    assert len(RandomClipSampler(clips, 5)) == 9
    for draw in draws:
        assert len(set(draw)) == 9
        assert set(range(10, 14)) <= set(draw) <= set(range(14))


def test_groups_stay_together() -> None:
    parts = [list(DistributedSampler(range(12), 2, rank, group_size=3)) for rank in range(2)]
    assert parts == [[0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11]]
    padded = [list(DistributedSampler(range(6), 2, rank, group_size=2)) for rank in range(2)]
    assert padded == [[0, 1, 4, 5], [2, 3, 0, 1]]
    clips = VideoClips([], 1, _precomputed_metadata=known([10, 4]))
    inner = UniformClipSampler(clips, 2)
    assert list(DistributedSampler(inner, 2, 1, group_size=2)) == [10, 13]
    shuffled = DistributedSampler(range(12), 1, 0, shuffle=True)
    first = list(shuffled)
    shuffled.set_epoch(1)
    assert sorted(first) == sorted(shuffled) == list(range(12))
    assert first != list(shuffled)
    with pytest.raises(ValueError, match="no whole number of groups"):
        DistributedSampler(range(5), 1, 0, group_size=2)


def test_batches_of_one_shape() -> None:
    ratios = [2.0, 0.5, 1.5, 0.6, 0.7]
    sampler = AspectRatioGroupBatchSampler(range(5), ratios, 2)
    assert list(sampler) == [[0, 2], [1, 3], [4]]
    assert len(sampler) == 3
    dropped = AspectRatioGroupBatchSampler(range(5), ratios, 2, drop_last=True)
    assert (list(dropped), len(dropped)) == ([[0, 2], [1, 3]], 2)
    finer = AspectRatioGroupBatchSampler(range(5), ratios, 2, num_bins=2)
    assert all(len({finer.groups[i] for i in batch}) == 1 for batch in finer)
    assert len(set(finer.groups)) > 2


def test_repeated_augmentation() -> None:
    parts = [list(RASampler(range(6), 2, rank, shuffle=False, repetitions=2)) for rank in range(2)]
    assert parts == [[0, 1, 2], [0, 1, 2]]
    assert len(RASampler(range(6), 2, 0)) == 3


def test_rare_classes_are_drawn_as_often_as_frequent_ones() -> None:
    sampler = WeightedClassSampler([0] * 90 + [1] * 10, generator=tp.Generator().manual_seed(0))
    assert len(sampler) == len(list(sampler)) == 100
    many = list(WeightedClassSampler([0] * 90 + [1] * 10, 4000))
    assert 0.45 < sum(index >= 90 for index in many) / 4000 < 0.55
    assert set(many) == set(range(100))


def test_class_weights() -> None:
    weights = class_weights([0, 2, 2, 2]).numpy()
    assert np.allclose(weights, [1, 1 / 3, 1 / 3, 1 / 3])

"""Shards of tar files as a stream."""

import io
import json
import pickle
import tarfile
import threading
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych as tp
from triptych.errors import FileFormatError, UnknownNameError
from triptych.utils.data import DataLoader
from triptych_vision.datasets import WebDataset, expand_shards

PER_SHARD = 5


def write_shard(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture
def shards(tmp_path: Path, files: Any) -> str:
    """Four shards of five samples, numbered through."""
    for shard in range(4):
        members = {}
        for i in range(PER_SHARD * shard, PER_SHARD * (shard + 1)):
            members[f"data/{i:03d}.jpg"] = files.image(shade=i)
            members[f"data/{i:03d}.cls"] = str(i).encode()
        write_shard(tmp_path / f"train-{shard:02d}.tar", members)
    return str(tmp_path / "train-{00..03}.tar")


def test_names() -> None:
    assert expand_shards(["a.tar", Path("b.tar")]) == ["a.tar", "b.tar"]
    assert expand_shards("{x,y}-{8..10}.tar")[:4] == ["x-8.tar", "x-9.tar", "x-10.tar", "y-8.tar"]
    with pytest.raises(ValueError, match="counts down"):
        expand_shards("{3..1}")


def test_samples_in_order(shards: str) -> None:
    samples = list(WebDataset(shards))
    assert [sample["cls"] for sample in samples] == list(range(20))
    assert samples[7]["__key__"] == "data/007"
    assert samples[7]["__url__"].endswith("train-01.tar")
    assert samples[7]["jpg"].mode == "RGB"
    pairs = list(WebDataset(shards, keys=("png;jpg", "cls"), transform=lambda s: (s[0].size, s[1])))
    assert pairs[3] == ((6, 4), 3)
    assert "4 shards" in repr(WebDataset(shards))


def test_every_kind_is_decoded(tmp_path: Path, files: Any) -> None:
    array = io.BytesIO()
    np.save(array, np.arange(3))
    members = {
        "a.JSON": json.dumps({"x": 1}).encode(),
        "a.txt": "Bär".encode(),
        "a.npy": array.getvalue(),
        "a.seg.png": files.grey(shade=7),
        "a.bin": b"\xff",
        "a.pickle": pickle.dumps(1),
        "__skipped__.x": b"",
        "nodot": b"",
    }
    path = write_shard(tmp_path / "x.tar.gz", members, "w:gz")
    (sample,) = WebDataset(path)
    assert sample.keys() - {"__key__", "__url__"} == {
        "json", "txt", "npy", "seg.png", "bin", "pickle",
    }  # fmt: skip
    assert (sample["json"], sample["txt"], sample["bin"]) == ({"x": 1}, "Bär", b"\xff")
    assert sample["npy"].tolist() == [0, 1, 2]
    assert sample["seg.png"].getpixel((0, 0)) == (7, 7, 7)
    assert sample["pickle"] == members["a.pickle"]  # bytes: nobody runs it
    (raw,) = WebDataset(path, decode=False)
    assert raw["txt"] == members["a.txt"]
    (own,) = WebDataset(path, decode={"seg.png": len})
    assert own["seg.png"] == len(members["a.seg.png"])


def test_shuffling_is_a_permutation_that_can_be_repeated(shards: str) -> None:
    def draw(seed: int, **more: Any) -> list[int]:
        generator = tp.Generator().manual_seed(seed)
        data = WebDataset(shards, keys=("cls",), shuffle=6, generator=generator, **more)
        return [label for (label,) in data]

    first = draw(1)
    assert sorted(first) == list(range(20))
    assert first != list(range(20))
    assert first == draw(1) != draw(2)
    parts = [draw(3, rank=rank, num_replicas=3) for rank in range(3)]
    assert sorted(label for part in parts for label in part) == list(range(20))
    data = WebDataset(shards, keys=("cls",), shuffle=6, generator=tp.Generator().manual_seed(1))
    assert list(data) != list(data)  # another order each time


@pytest.mark.parametrize("shuffle", [0, 8])
def test_workers_share_the_shards(shards: str, shuffle: int) -> None:
    data = WebDataset(shards, keys=("cls",), shuffle=shuffle)
    loader = DataLoader(data, batch_size=2, num_workers=2, collate_fn=partial(sum, start=()))
    labels = [label for batch in loader for label in batch]
    assert Counter(labels) == Counter(range(20))


def test_processes_share_the_shards(shards: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    labels = [label for (label,) in WebDataset(shards, keys=("cls",))]
    assert labels == [*range(5, 10), *range(15, 20)]
    with pytest.raises(ValueError, match="rank 2 of 2"):
        WebDataset(shards, rank=2)


def test_what_is_wrong_is_said(shards: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"data/000 has no json; it has jpg, cls"):
        next(iter(WebDataset(shards, keys=("json",))))
    with pytest.raises(FileNotFoundError):
        next(iter(WebDataset(tmp_path / "none.tar")))
    with pytest.raises(FileFormatError, match="more than max_bytes=3"):
        next(iter(WebDataset(shards, max_bytes=3)))
    bad = write_shard(tmp_path / "bad.tar", {"a.cls": b"seven"})
    with pytest.raises(FileFormatError, match=r"bad\.tar: a\.cls cannot be decoded"):
        list(WebDataset(bad))
    hostile = io.BytesIO()
    np.save(hostile, np.array([{}], object), allow_pickle=True)
    npy = write_shard(tmp_path / "npy.tar", {"a.npy": hostile.getvalue()})
    with pytest.raises(FileFormatError, match="cannot be decoded"):
        list(WebDataset(npy))
    with tarfile.open(tmp_path / "two.tar", "w") as tar:
        for _ in range(2):
            tar.addfile(tarfile.TarInfo("a.txt"))
    with pytest.raises(FileFormatError, match=r"a\.txt comes twice"):
        list(WebDataset(tmp_path / "two.tar"))


@pytest.mark.parametrize("raw", [b"no tar at all" * 50, None])
def test_damaged_shards_are_named(shards: str, tmp_path: Path, raw: bytes | None) -> None:
    path = tmp_path / "damaged.tar"
    whole = Path(expand_shards(shards)[0]).read_bytes()
    path.write_bytes(raw or whole[:700])
    with pytest.raises(FileFormatError, match=r"damaged\.tar: "):
        list(WebDataset(path))


def test_over_http(shards: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Say nothing."""

    handler = partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/train-02.tar"
        labels = [label for (label,) in WebDataset(url, keys=("cls",))]
        server.shutdown()
        thread.join()
    assert labels == list(range(10, 15))

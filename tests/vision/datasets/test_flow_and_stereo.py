"""Optical flow and stereo on tiny trees, and the files they are kept in."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych_vision.datasets as datasets
from triptych.errors import FileFormatError
from triptych_vision.datasets import MissingDataError
from triptych_vision.datasets.flow_files import read_flo, read_flow_png, read_pfm

SHAPE = (4, 6)
FLOW = np.random.default_rng(0).normal(size=(2, *SHAPE)).astype(np.float32)
DISPARITY = np.arange(24, dtype=np.float32).reshape(1, *SHAPE)


def flo(flow: np.ndarray = FLOW) -> bytes:
    height, width = flow.shape[1:]
    head = b"PIEH" + struct.pack("<ii", width, height)
    return head + flow.transpose(1, 2, 0).astype("<f4").tobytes()


def pfm(array: np.ndarray, little: bool = True) -> bytes:
    channels, height, width = array.shape
    head = f"{'PF' if channels == 3 else 'Pf'}\n{width} {height}\n{'-' if little else ''}1.0\n"
    rows = array.transpose(1, 2, 0)[::-1].astype("<f4" if little else ">f4")
    return head.encode() + rows.tobytes()


def png(array: np.ndarray) -> bytes:
    """(h, w) or (h, w, 3) uint16, big-endian, without filters."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    height, width = array.shape[:2]
    color = 2 if array.ndim == 3 else 0
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, color, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def flow_png(flow: np.ndarray, mask: np.ndarray) -> bytes:
    coded = np.stack([*(flow * 64 + 2**15), mask]).round().astype(np.uint16)
    return png(coded.transpose(1, 2, 0))


def test_files_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(flo())
    assert np.array_equal(read_flo(path), FLOW)
    three = np.concatenate([FLOW, FLOW[:1]])
    for little in (True, False):
        path.write_bytes(pfm(three, little))
        assert np.array_equal(read_pfm(path), FLOW)
        assert np.array_equal(read_pfm(path, 3), three)
    whole = np.round(FLOW * 64) / 64
    path.write_bytes(flow_png(whole, FLOW[0] > 0))
    flow, mask = read_flow_png(path)
    assert np.array_equal(flow, whole)
    assert np.array_equal(mask, FLOW[0] > 0)


@pytest.mark.parametrize("read", [read_flo, read_pfm])
@pytest.mark.parametrize("raw", [b"", b"PIEH", flo()[:-1], pfm(FLOW[:1])[:-1], b"Pf\n1 x\n"])
def test_damage_is_named(read: Any, raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(raw)
    with pytest.raises(FileFormatError, match="x: "):
        read(tmp_path / "x")


def sintel(f: Any) -> dict[str, bytes]:
    return {
        **{
            f"Sintel/training/{p}/{s}/frame_{i}.png": f.image("png", shade=i)
            for p in ("clean", "final")
            for s in ("alley", "bamboo")
            for i in (1, 2, 3)
        },
        **{f"Sintel/training/flow/{s}/{i}.flo": flo() for s in ("alley", "bamboo") for i in (1, 2)},
        **{f"Sintel/test/clean/cave/{i}.png": f.image("png") for i in (1, 2)},
    }


def kitti(f: Any) -> dict[str, bytes]:
    return {
        **{
            f"KittiFlow/{p}ing/image_2/0_{k}.png": f.image("png")
            for p in ("train", "test")
            for k in (10, 11)
        },
        "KittiFlow/training/flow_occ/0_10.png": flow_png(FLOW, FLOW[0] > 0),
    }


def chairs(f: Any) -> dict[str, bytes]:
    return {
        **{
            f"FlyingChairs/data/{i}_img{k}.ppm": f.image("ppm", shade=10 * i + k)
            for i in (1, 2, 3)
            for k in (1, 2)
        },
        **{f"FlyingChairs/data/{i}_flow.flo": flo() for i in (1, 2, 3)},
        "FlyingChairs/FlyingChairs_train_val.txt": b"1\n2\n1\n",
    }


def things(f: Any) -> dict[str, bytes]:
    base = "FlyingThings3D"
    return {
        **{
            f"{base}/frames_cleanpass/TRAIN/A/0/left/{i}.png": f.image("png", shade=i)
            for i in (1, 2, 3)
        },
        **{
            f"{base}/optical_flow/TRAIN/A/0/{d}/left/{i}.pfm": pfm(
                np.concatenate([FLOW + i, FLOW[:1]])
            )
            for d in ("into_future", "into_past")
            for i in (1, 2, 3)
        },
    }


def hd1k(f: Any) -> dict[str, bytes]:
    names = ("000000_0001", "000000_0002", "000005_0001", "000005_0002")
    return {
        **{f"hd1k/hd1k_input/image_2/{n}.png": f.image("png") for n in names},
        **{f"hd1k/hd1k_flow_gt/flow_occ/{n}.png": flow_png(FLOW, FLOW[0] > 0) for n in names},
        **{f"hd1k/hd1k_challenge/image_2/1_00{k}.png": f.image("png") for k in (10, 11)},
    }


FLOWS = [  # tree, name, arguments, samples, parts of a sample, with flow, wrong arguments
    (sintel, "Sintel", {}, 4, 3, True, {"split": "val"}),
    (sintel, "Sintel", {"pass_name": "both"}, 8, 3, True, {"pass_name": "dirty"}),
    (sintel, "Sintel", {"split": "test"}, 1, 3, False, {"split": "testing"}),
    (kitti, "KittiFlow", {}, 1, 4, True, {"split": "val"}),
    (kitti, "KittiFlow", {"split": "test"}, 1, 4, False, {"split": "x"}),
    (chairs, "FlyingChairs", {}, 2, 3, True, {"split": "test"}),
    (chairs, "FlyingChairs", {"split": "val"}, 1, 3, True, {"split": "x"}),
    (things, "FlyingThings3D", {}, 4, 3, True, {"camera": "middle"}),
    (hd1k, "HD1K", {}, 2, 4, True, {"split": "val"}),
    (hd1k, "HD1K", {"split": "test"}, 1, 4, False, {"split": "x"}),
]


@pytest.mark.parametrize(("tree", "name", "kwargs", "count", "parts", "flow", "wrong"), FLOWS)
def test_flow(
    tree: Any,
    name: str,
    kwargs: Any,
    count: int,
    parts: int,
    flow: bool,
    wrong: Any,
    files: Any,
    tmp_path: Path,
) -> None:
    make = getattr(datasets, name)
    with pytest.raises(MissingDataError, match=rf"{name}: in .*not found; get"):
        make(tmp_path, **kwargs)
    files.write(tmp_path, tree(files))
    data = make(tmp_path, **kwargs)
    assert len(data) == count
    first, second, found, *mask = data[0]
    assert (first.size, second.mode, len(data[0])) == ((6, 4), "RGB", parts)
    assert (found.shape, found.dtype) == ((2, *SHAPE), np.float32) if flow else found is None
    if mask and flow:
        assert np.array_equal(mask[0], FLOW[0] > 0)
    mixed = make(tmp_path, **kwargs, transforms=lambda a, b, f, m: (a, b, f, "mask"))
    assert mixed[0][3] == "mask"
    assert len(2 * data) == 2 * count
    with pytest.raises(ValueError, match="valid values"):
        make(tmp_path, **wrong)


def test_things_go_backwards_in_time(files: Any, tmp_path: Path) -> None:
    files.write(tmp_path, things(files))
    data = datasets.FlyingThings3D(tmp_path)
    shades = [tuple(int(np.asarray(image)[0, 0, 0]) for image in sample[:2]) for sample in data]
    assert shades == [(1, 2), (2, 3), (2, 1), (3, 2)]
    assert [round(float((s[2] - FLOW).mean())) for s in data] == [1, 2, 2, 3]


def carla(f: Any) -> dict[str, bytes]:
    base = "carla-highres/trainingF/s"
    return {f"{base}/im{k}.png": f.image("png") for k in (0, 1)} | {
        f"{base}/disp{k}GT.pfm": pfm(-DISPARITY) for k in (0, 1)
    }


def grey16(scale: float) -> bytes:
    return png((DISPARITY[0] * scale).astype(np.uint16))


def kitti2012(f: Any) -> dict[str, bytes]:
    return {f"Kitti2012/training/colored_{k}/0_10.png": f.image("png") for k in (0, 1)} | {
        "Kitti2012/training/disp_noc/0.png": grey16(256),
        **{f"Kitti2012/testing/colored_{k}/0_10.png": f.image("png") for k in (0, 1)},
    }


def kitti2015(f: Any) -> dict[str, bytes]:
    return {f"Kitti2015/training/image_{k}/0.png": f.image("png") for k in (2, 3)} | {
        f"Kitti2015/training/disp_occ_{k}/0.png": grey16(256) for k in (0, 1)
    }


def middlebury(f: Any) -> dict[str, bytes]:
    holes = np.where(DISPARITY == 3, np.inf, DISPARITY).astype(np.float32)
    base = "Middlebury2014/train/Piano-perfect"
    return {f"{base}/im{k}.png": f.image("png") for k in (0, 1)} | {
        **{f"{base}/disp{k}.pfm": pfm(holes) for k in (0, 1)},
        **{f"Middlebury2014/test/Plants/im{k}.png": f.image("png") for k in (0, 1)},
    }


def cre(f: Any) -> dict[str, bytes]:
    tree = {}
    for kind in ("shapenet", "reflective", "tree", "hole"):
        for side in ("left", "right"):
            tree[f"CREStereo/{kind}/1_{side}.jpg"] = f.image()
            tree[f"CREStereo/{kind}/1_{side}.disp.png"] = grey16(32)
    return tree


def falling(f: Any) -> dict[str, bytes]:
    settings = b'{"camera_settings": [{"intrinsic_settings": {"fx": 10.0}}]}'
    base = "FallingThings/single/cup/kitchen"
    depth = png(np.round(6000 / np.maximum(DISPARITY[0], 0.5)).astype(np.uint16))
    return {f"{base}/0.{s}.jpg": f.image() for s in ("left", "right")} | {
        **{f"{base}/0.{s}.depth.png": depth for s in ("left", "right")},
        f"{base}/_camera_settings.json": settings,
    }


def scene_flow(f: Any) -> dict[str, bytes]:
    tree = {}
    for side in ("left", "right"):
        tree[f"SceneFlow/Monkaa/frames_cleanpass/a/{side}/0.png"] = f.image("png")
        tree[f"SceneFlow/Monkaa/disparity/a/{side}/0.pfm"] = pfm(-DISPARITY)
    return tree


def sintel_stereo(f: Any) -> dict[str, bytes]:
    from io import BytesIO

    from PIL import Image

    base = "Sintel/training"
    coded = np.stack([DISPARITY[0] // 4, DISPARITY[0] % 4 * 64, 0 * DISPARITY[0]], -1)
    file = BytesIO()
    Image.fromarray(coded.astype(np.uint8)).save(file, "PNG")
    return {f"{base}/final_{s}/alley/0.png": f.image("png") for s in ("left", "right")} | {
        f"{base}/disparities/alley/0.png": file.getvalue(),
        f"{base}/occlusions/alley/0.png": f.grey(shade=0),
        f"{base}/outofframe/alley/0.png": f.grey(shade=0),
    }


def in_stereo(f: Any) -> dict[str, bytes]:
    base = "InStereo2k/train/0"
    return {f"{base}/{s}.png": f.image("png") for s in ("left", "right")} | {
        f"{base}/{s}_disp.png": grey16(1024) for s in ("left", "right")
    }


def eth3d(f: Any) -> dict[str, bytes]:
    gt = "ETH3D/two_view_training_gt/s"
    return {f"ETH3D/two_view_training/s/im{k}.png": f.grey() for k in (0, 1)} | {
        f"{gt}/disp0GT.pfm": pfm(DISPARITY),
        f"{gt}/mask0nocc.png": f.grey(shade=255),
    }


STEREO = [  # tree, name, arguments, samples, parts of a sample, mask, wrong arguments
    (carla, "CarlaStereo", {}, 1, 3, None, None),
    (kitti2012, "Kitti2012Stereo", {}, 1, 4, None, {"split": "val"}),
    (kitti2015, "Kitti2015Stereo", {}, 1, 4, None, {"split": "val"}),
    (cre, "CREStereo", {}, 4, 4, None, None),
    (scene_flow, "SceneFlowStereo", {"variant": "Monkaa"}, 1, 3, None, {"variant": "Shrek"}),
    (sintel_stereo, "SintelStereo", {}, 1, 4, np.ones(SHAPE, bool), {"pass_name": "x"}),
    (in_stereo, "InStereo2k", {}, 1, 3, None, {"split": "val"}),
    (eth3d, "ETH3DStereo", {}, 1, 4, np.ones(SHAPE, bool), {"split": "val"}),
]


@pytest.mark.parametrize(("tree", "name", "kwargs", "count", "parts", "mask", "wrong"), STEREO)
def test_stereo(
    tree: Any,
    name: str,
    kwargs: Any,
    count: int,
    parts: int,
    mask: Any,
    wrong: Any,
    files: Any,
    tmp_path: Path,
) -> None:
    make = getattr(datasets, name)
    with pytest.raises(MissingDataError, match=rf"{name}: in .*nothing matches .*get"):
        make(tmp_path, **kwargs)
    files.write(tmp_path, tree(files))
    data = make(tmp_path, **kwargs)
    assert (len(data), len(data[0])) == (count, parts)
    left, right, disparity, *masks = data[0]
    assert (left.mode, right.size) == ("RGB", (6, 4))
    assert disparity.dtype == np.float32
    assert np.array_equal(disparity, DISPARITY)
    if masks:
        assert np.array_equal(masks[0], mask) if mask is not None else masks[0] is None
    both = make(tmp_path, **kwargs, transforms=lambda i, d, m: (i, d, ("mask", None)))
    assert both[0][3] == "mask"
    if wrong:
        with pytest.raises(ValueError, match="valid values"):
            make(tmp_path, **wrong)


def test_falling_things_from_depth(files: Any, tmp_path: Path) -> None:
    files.write(tmp_path, falling(files))
    disparity = datasets.FallingThingsStereo(tmp_path)[0][2]
    assert np.allclose(disparity[0, 0, 1:], DISPARITY[0, 0, 1:], rtol=1e-3)


def test_middlebury(files: Any, tmp_path: Path) -> None:
    files.write(tmp_path, middlebury(files))
    _, _, disparity, mask = datasets.Middlebury2014Stereo(tmp_path)[0]
    assert disparity[0, 0, 3] == 0
    assert np.array_equal(mask, (DISPARITY[0] > 0) & (DISPARITY[0] != 3))
    assert datasets.Middlebury2014Stereo(tmp_path, "test", None)[0][2:] == (None, None)
    with pytest.raises(ValueError, match="calibration is None for the test part"):
        datasets.Middlebury2014Stereo(tmp_path, "test")
    with pytest.raises(MissingDataError, match="imperfect"):
        datasets.Middlebury2014Stereo(tmp_path, calibration="both")


def test_test_parts_have_no_disparity(files: Any, tmp_path: Path) -> None:
    files.write(tmp_path, kitti2012(files))
    assert datasets.Kitti2012Stereo(tmp_path, "test")[0][2:] == (None, None)


def test_counts_that_differ_are_refused(files: Any, tmp_path: Path) -> None:
    tree = kitti2015(files)
    tree["Kitti2015/training/image_2/1.png"] = files.image("png")
    files.write(tmp_path, tree)
    with pytest.raises(MissingDataError, match=r"different numbers of files, \[1, 2\]"):
        datasets.Kitti2015Stereo(tmp_path)

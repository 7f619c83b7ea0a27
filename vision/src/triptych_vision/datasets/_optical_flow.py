"""Optical flow: pairs of frames, and how far each pixel moves between them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np

from triptych.utils.data import ConcatDataset

from .flow_files import read_flo, read_flow_png, read_pfm
from .folder import default_loader
from .listed import Loader
from .preparing import prepare
from .utils import verify_str_arg
from .vision import MissingDataError, PathLike, VisionDataset

__all__ = ["FlowDataset", "FlyingChairs", "FlyingThings3D", "HD1K", "KittiFlow", "Sintel"]

_PASSES = {"clean": ("clean",), "final": ("final",), "both": ("clean", "final")}
_CAMERAS = {"left": ("left",), "right": ("right",), "both": ("left", "right")}


class FlowDataset(VisionDataset):
    """Base: samples are (image, image, flow), with a mask of known flow where the files have one.

    A number times a data set is that many copies of it in one, to mix sets in proportion.

    Args:
        root: folder of the files.
        transforms: called with image, image, flow and mask, gives all four; the last two may be
            None. Where it makes a mask, samples have four parts.
        loader: called with a path, gives the image; default a PIL image in mode RGB.
    """

    _has_mask = False
    by_hand = ""

    def __init__(
        self, root: PathLike, transforms: Any = None, loader: Loader = default_loader
    ) -> None:
        super().__init__(root, transforms)
        self.loader = loader
        self._images: list[tuple[str, str]] = []
        self._flows: list[str] = []

    def _need(self, *names: str) -> None:
        prepare(type(self).__name__, self.folder, dict.fromkeys(names), by_hand=self.by_hand)

    def _add(self, frames: Iterable[tuple[Path, Path]], flows: Iterable[Path] = ()) -> None:
        self._images += [(str(first), str(second)) for first, second in frames]
        self._flows += [str(path) for path in flows]

    def _check(self) -> None:
        """Refuse a folder without frames, or with other numbers of frames and flows."""
        if not self._images or (self._flows and len(self._flows) != len(self._images)):
            raise MissingDataError(
                f"{type(self).__name__}: in {self.root}, found {len(self._images)} pairs of frames "
                f"and {len(self._flows)} flows; {self.by_hand}"
            )

    def _flow(self, path: str) -> tuple[np.ndarray, np.ndarray | None]:
        return read_flo(path), None

    def __getitem__(self, index: int) -> Any:
        """(image, image, flow), or with the mask as the fourth."""
        first, second = (self.loader(path) for path in self._images[index])
        flow, mask = self._flow(self._flows[index]) if self._flows else (None, None)
        sample: Any = (first, second, flow, mask)
        if self.transforms is not None:
            change: Any = self.transforms
            sample = change(*sample)
        return tuple(sample) if self._has_mask or sample[3] is not None else tuple(sample[:3])

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._images)

    def __rmul__(self, times: int) -> ConcatDataset[Any]:
        return ConcatDataset([self] * times)


class Sintel(FlowDataset):
    """Frames of the film "Sintel", 1024 x 436 pixels.

    Args:
        root: the files lie in `root/Sintel`.
        split: "train" or "test"; the flow of the latter is None.
        pass_name: "clean", "final" with blur and mist, or "both".
        transforms: as for `FlowDataset`.
        loader: as for `FlowDataset`.

    Raises:
        MissingDataError: files are missing.

    Source: D. Butler et al. 2012, "A naturalistic open source movie for optical flow evaluation".
    """

    by_hand = "get MPI-Sintel-complete.zip from http://sintel.is.tue.mpg.de and unpack it there"

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        pass_name: str = "clean",
        transforms: Any = None,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transforms, loader)
        train = verify_str_arg(split, "split", ("train", "test")) == "train"
        passes = _PASSES[verify_str_arg(pass_name, "pass_name", tuple(_PASSES))]
        base = f"Sintel/{'training' if train else 'test'}"
        self._need(*(f"{base}/{name}" for name in passes), *([f"{base}/flow"] * train))
        for name in passes:
            for scene in sorted((self.folder / base / name).iterdir()):
                flows = (self.folder / base / "flow" / scene.name).glob("*.flo") if train else []
                self._add(pairwise(sorted(scene.glob("*.png"))), sorted(flows))
        self._check()


class KittiFlow(FlowDataset):
    """Streets of KITTI 2015; samples have a mask, for flow is known where the laser measured.

    Args:
        root: the files lie in `root/KittiFlow`.
        split: "train" or "test"; flow and mask of the latter are None.
        transforms: as for `FlowDataset`.
        loader: as for `FlowDataset`.

    Raises:
        MissingDataError: files are missing.

    Source: M. Menze and A. Geiger 2015, "Object Scene Flow for Autonomous Vehicles".
    """

    _has_mask = True
    by_hand = (
        "get data_scene_flow.zip from http://www.cvlibs.net/datasets/kitti/eval_scene_flow.php "
        "and unpack it there"
    )

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transforms: Any = None,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transforms, loader)
        verify_str_arg(split, "split", ("train", "test"))
        base = f"KittiFlow/{split}ing"
        self._need(f"{base}/image_2", *([f"{base}/flow_occ"] * (split == "train")))
        folder = self.folder / base
        first, second = (sorted((folder / "image_2").glob(f"*_{k}.png")) for k in (10, 11))
        flows = sorted((folder / "flow_occ").glob("*_10.png")) if split == "train" else []
        self._add(zip(first, second, strict=False), flows)
        self._check()

    def _flow(self, path: str) -> tuple[np.ndarray, np.ndarray | None]:
        return read_flow_png(path)


class FlyingChairs(FlowDataset):
    """Rendered chairs that fly over photographs, 512 x 384 pixels.

    Args:
        root: the files lie in `root/FlyingChairs`, with FlyingChairs_train_val.txt, which is a file
            of its own on the publisher's page.
        split: "train" with 22,232 pairs or "val" with 640.
        transforms: as for `FlowDataset`.

    Raises:
        MissingDataError: files are missing.

    Source: A. Dosovitskiy et al. 2015, arXiv:1504.06852.
    """

    by_hand = (
        "get FlyingChairs.zip and FlyingChairs_train_val.txt from "
        "https://lmb.informatik.uni-freiburg.de/resources/datasets/FlyingChairs.en.html"
    )

    def __init__(self, root: PathLike, split: str = "train", transforms: Any = None) -> None:
        super().__init__(root, transforms)
        verify_str_arg(split, "split", ("train", "val"))
        listed = "FlyingChairs/FlyingChairs_train_val.txt"
        self._need("FlyingChairs/data", listed)
        data = self.folder / "FlyingChairs" / "data"
        parts = np.loadtxt(self.folder / listed, np.int64, ndmin=1)  # 1 to train, 2 to validate
        wanted = 1 if split == "train" else 2
        images, flows = sorted(data.glob("*.ppm")), sorted(data.glob("*.flo"))
        pairs = list(zip(images[::2], images[1::2], strict=False))
        rows = [row for row in range(len(flows)) if parts[row] == wanted]
        self._add((pairs[row] for row in rows), (flows[row] for row in rows))
        self._check()


class FlyingThings3D(FlowDataset):
    """Rendered things that fly about, 960 x 540 pixels, forwards and backwards in time.

    Args:
        root: the files lie in `root/FlyingThings3D`.
        split: "train" or "test".
        pass_name: "clean", "final" with blur, or "both".
        camera: "left", "right" or "both".
        transforms: as for `FlowDataset`.
        loader: as for `FlowDataset`.

    Raises:
        MissingDataError: files are missing.

    Source: N. Mayer et al. 2016, arXiv:1512.02134.
    """

    by_hand = (
        "get them from https://lmb.informatik.uni-freiburg.de/resources/datasets/"
        "SceneFlowDatasets.en.html"
    )

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        pass_name: str = "clean",
        camera: str = "left",
        transforms: Any = None,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transforms, loader)
        part = verify_str_arg(split, "split", ("train", "test")).upper()
        passes = _PASSES[verify_str_arg(pass_name, "pass_name", tuple(_PASSES))]
        cameras = _CAMERAS[verify_str_arg(camera, "camera", tuple(_CAMERAS))]
        base = "FlyingThings3D"
        folders = [f"{base}/frames_{name}pass/{part}" for name in passes]
        self._need(*folders, f"{base}/optical_flow/{part}")
        flows = self.folder / base / "optical_flow" / part
        for frames, side, direction in product(folders, cameras, ("into_future", "into_past")):
            for scene in sorted((self.folder / frames).glob("*/*")):
                there = flows / scene.parent.name / scene.name / direction / side
                self._scene(scene / side, there, direction)
        self._check()

    def _scene(self, frames: Path, flows: Path, direction: str) -> None:
        images, found = sorted(frames.glob("*.png")), sorted(flows.glob("*.pfm"))
        pairs = list(pairwise(images))[: max(0, len(found) - 1)]
        if direction == "into_past":
            self._add(((after, before) for before, after in pairs), found[1:])
        else:
            self._add(pairs, found[:-1])

    def _flow(self, path: str) -> tuple[np.ndarray, np.ndarray | None]:
        return read_pfm(path), None


class HD1K(FlowDataset):
    """Streets in 36 sequences, 2560 x 1080 pixels; samples have a mask.

    Args:
        root: the files lie in `root/hd1k`.
        split: "train" or "test"; flow and mask of the latter are None.
        transforms: as for `FlowDataset`.
        loader: as for `FlowDataset`.

    Raises:
        MissingDataError: files are missing.

    Source: D. Kondermann et al. 2016, "The HCI Benchmark Suite".
    """

    _has_mask = True
    by_hand = "get them from http://hci-benchmark.iwr.uni-heidelberg.de and unpack them there"

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transforms: Any = None,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transforms, loader)
        if verify_str_arg(split, "split", ("train", "test")) == "train":
            self._need("hd1k/hd1k_flow_gt/flow_occ", "hd1k/hd1k_input/image_2")
            self._train(self.folder / "hd1k")
        else:
            self._need("hd1k/hd1k_challenge/image_2")
            images = self.folder / "hd1k" / "hd1k_challenge" / "image_2"
            first, second = (sorted(images.glob(f"*{k}.png")) for k in (10, 11))
            self._add(zip(first, second, strict=False))
        self._check()

    def _train(self, base: Path) -> None:
        """Frames pair up within a sequence, the six digits that a name starts with."""
        flows = sorted((base / "hd1k_flow_gt" / "flow_occ").glob("*.png"))
        images = base / "hd1k_input" / "image_2"
        for sequence in sorted({path.name[:6] for path in flows}):
            found = [path for path in flows if path.name.startswith(f"{sequence}_")]
            pairs = list(pairwise(sorted(images.glob(f"{sequence}_*.png"))))[: len(found) - 1]
            self._add(pairs, found[:-1])

    def _flow(self, path: str) -> tuple[np.ndarray, np.ndarray | None]:
        return read_flow_png(path)

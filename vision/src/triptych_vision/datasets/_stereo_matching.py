"""Stereo: pairs of images side by side, and how far each pixel moves between them."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from .flow_files import read_pfm
from .listed import opened
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import MissingDataError, PathLike, VisionDataset

__all__ = [
    "CREStereo",
    "CarlaStereo",
    "ETH3DStereo",
    "FallingThingsStereo",
    "InStereo2k",
    "Kitti2012Stereo",
    "Kitti2015Stereo",
    "Middlebury2014Stereo",
    "SceneFlowStereo",
    "SintelStereo",
    "StereoMatchingDataset",
]

Disparity = tuple[np.ndarray | None, np.ndarray | None]
_PASSES = {"clean": ("clean",), "final": ("final",), "both": ("clean", "final")}
_SPLITS = ("train", "test")


class StereoMatchingDataset(VisionDataset):
    """Base: samples are (left, right, disparity), with a mask where the data set has one.

    Images are PIL images in mode RGB; the disparity of the left one is (1, h, w), in pixels, and
    None where the publisher keeps it; the mask is (h, w) bool, where it is known.

    Args:
        root: folder of the files.
        transforms: called with (images, disparities, masks), each a pair for left and right, gives
            all three. Where it makes a mask, samples have four parts.
    """

    _has_mask = False
    by_hand = ""

    def __init__(self, root: PathLike, transforms: Any = None) -> None:
        super().__init__(root, transforms)
        self._images: list[tuple[str, str]] = []
        self._disparities: list[tuple[str | None, str | None]] = []

    def _found(self, pattern: str) -> list[str]:
        paths = sorted(str(path) for path in self.folder.glob(pattern))
        if not paths:
            raise MissingDataError(
                f"{type(self).__name__}: in {self.root}, nothing matches {pattern}"
                + (f"; {self.by_hand}" if self.by_hand else "")
            )
        return paths

    def _add(
        self, left: str, right: str, disparity: str | None = None, other: str | None = None
    ) -> None:
        """Add the files that match the patterns: two images, and disparity of left and right."""
        pairs = list(zip(self._found(left), self._found(right), strict=False))
        count = len(pairs)
        maps: list[Any] = [
            [None] * count if pattern is None else self._found(pattern)
            for pattern in (disparity, other)
        ]
        counts = {len(self._found(left)), len(self._found(right)), *map(len, maps)}
        if len(counts) > 1:
            raise MissingDataError(
                f"{type(self).__name__}: in {self.root}, {left}, {right}, {disparity} and {other} "
                f"match different numbers of files, {sorted(counts)}"
            )
        self._images += pairs
        self._disparities += list(zip(*maps, strict=True))

    def _image(self, path: str) -> Any:
        return opened(path, "RGB")

    def _disparity(self, path: str) -> Disparity:
        return np.abs(read_pfm(path, 1)), None

    def __getitem__(self, index: int) -> Any:
        """(left, right, disparity), or with the mask as the fourth."""
        images: Any = tuple(self._image(path) for path in self._images[index])
        both = [
            (None, None) if path is None else self._disparity(path)
            for path in self._disparities[index]
        ]
        disparities: Any = tuple(disparity for disparity, _ in both)
        masks: Any = tuple(mask for _, mask in both)
        if self.transforms is not None:
            change: Any = self.transforms
            images, disparities, masks = change(images, disparities, masks)
        sample = (images[0], images[1], disparities[0])
        return (*sample, masks[0]) if self._has_mask or masks[0] is not None else sample

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._images)


def _png(path: str, scale: float) -> np.ndarray:
    """(1, h, w) of a grey PNG, divided by scale."""
    return np.asarray(opened(path), np.float32)[None] / np.float32(scale)


class CarlaStereo(StereoMatchingDataset):
    """Streets of the CARLA simulator, in `root/carla-highres/trainingF`.

    Args:
        root: folder of the files.
        transforms: as for `StereoMatchingDataset`.

    Source: G. Yang et al. 2019, arXiv:1912.06704.
    """

    by_hand = "get carla-highres through https://github.com/megvii-research/CREStereo"

    def __init__(self, root: PathLike, transforms: Any = None) -> None:
        super().__init__(root, transforms)
        names = ("im0.png", "im1.png", "disp0GT.pfm", "disp1GT.pfm")
        self._add(*(f"carla-highres/trainingF/*/{name}" for name in names))


class Kitti2012Stereo(StereoMatchingDataset):
    """Streets of KITTI 2012, in colour, in `root/Kitti2012`.

    Samples have four parts, the last of which is None unless transforms makes a mask. A disparity
    of 0 is unknown.

    Args:
        root: folder of the files.
        split: "train" or "test"; disparities of the latter are None.
        transforms: as for `StereoMatchingDataset`.

    Source: A. Geiger, P. Lenz and R. Urtasun 2012.
    """

    _has_mask = True
    by_hand = "get them from http://www.cvlibs.net/datasets/kitti/eval_stereo_flow.php"

    def __init__(self, root: PathLike, split: str = "train", transforms: Any = None) -> None:
        super().__init__(root, transforms)
        base = f"Kitti2012/{verify_str_arg(split, 'split', _SPLITS)}ing"
        truth = f"{base}/disp_noc/*.png" if split == "train" else None
        self._add(f"{base}/colored_0/*_10.png", f"{base}/colored_1/*_10.png", truth)

    def _disparity(self, path: str) -> Disparity:
        return _png(path, 256), None


class Kitti2015Stereo(StereoMatchingDataset):
    """Streets of KITTI 2015, in `root/Kitti2015`.

    Samples have four parts, the last of which is None unless transforms makes a mask. A disparity
    of 0 is unknown.

    Args:
        root: folder of the files.
        split: "train" or "test"; disparities of the latter are None.
        transforms: as for `StereoMatchingDataset`.

    Source: M. Menze and A. Geiger 2015, "Object Scene Flow for Autonomous Vehicles".
    """

    _has_mask = True
    by_hand = "get them from http://www.cvlibs.net/datasets/kitti/eval_scene_flow.php"

    def __init__(self, root: PathLike, split: str = "train", transforms: Any = None) -> None:
        super().__init__(root, transforms)
        base = f"Kitti2015/{verify_str_arg(split, 'split', _SPLITS)}ing"
        truth = [f"{base}/disp_occ_{side}/*.png" for side in (0, 1) if split == "train"]
        self._add(f"{base}/image_2/*.png", f"{base}/image_3/*.png", *truth)

    def _disparity(self, path: str) -> Disparity:
        return _png(path, 256), None


_MIDDLEBURY = "https://vision.middlebury.edu/stereo/"


class Middlebury2014Stereo(StereoMatchingDataset):
    """Rooms with things, in high resolution, in `root/Middlebury2014`.

    Args:
        root: folder of the files.
        split: "train", "additional" or "test"; disparities of the last are None.
        calibration: "perfect", "imperfect" or "both"; None for the test part.
        use_ambient_views: take the right image in another light at times, if there is one.
        transforms: as for `StereoMatchingDataset`.
        download: fetch the files when they are missing. The publisher gives no hashes of the
            archives, so they are not checked.

    Source: D. Scharstein et al. 2014, "High-resolution stereo datasets with subpixel-accurate
    ground truth".
    """

    _has_mask = True
    splits = {
        "train": [
            "Adirondack",
            "Jadeplant",
            "Motorcycle",
            "Piano",
            "Pipes",
            "Playroom",
            "Playtable",
            "Recycle",
            "Shelves",
            "Vintage",
        ],
        "additional": [
            "Backpack",
            "Bicycle1",
            "Cable",
            "Classroom1",
            "Couch",
            "Flowers",
            "Mask",
            "Shopvac",
            "Sticks",
            "Storage",
            "Sword1",
            "Sword2",
            "Umbrella",
        ],
        "test": [
            "Plants",
            "Classroom2E",
            "Classroom2",
            "Australia",
            "DjembeL",
            "CrusadeP",
            "Crusade",
            "Hoops",
            "Bicycle2",
            "Staircase",
            "Newkuba",
            "AustraliaP",
            "Djembe",
            "Livingroom",
            "Computer",
        ],
    }
    _SUFFIXES = {
        None: ("",),
        "perfect": ("-perfect",),
        "imperfect": ("-imperfect",),
        "both": ("-perfect", "-imperfect"),
    }
    by_hand = "download=True fetches them"
    base_url = f"{_MIDDLEBURY}data/scenes2014/zip/"
    test_url = f"{_MIDDLEBURY}submit3/zip/MiddEval3-data-F.zip"

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        calibration: str | None = "perfect",
        use_ambient_views: bool = False,
        transforms: Any = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transforms)
        self.split = verify_str_arg(split, "split", tuple(self.splits))
        if calibration is not None:
            verify_str_arg(calibration, "calibration", ("perfect", "imperfect", "both"))
        if (split == "test") is not (calibration is None):
            raise ValueError(
                f"Middlebury2014Stereo: calibration is None for the test part and for no other, "
                f"got {calibration!r} for {split!r}"
            )
        self.use_ambient_views = use_ambient_views
        if download:
            self.download()
        prepare("Middlebury2014Stereo", self.folder, {f"Middlebury2014/{split}": None})
        for suffix in self._SUFFIXES[calibration]:
            base = f"Middlebury2014/{split}/*{suffix}"
            truth = [f"{base}/disp{side}.pfm" for side in (0, 1) if split != "test"]
            self._add(f"{base}/im0.png", f"{base}/im1.png", *truth)

    def download(self) -> None:
        """Fetch the scenes that lack."""
        base = self.folder / "Middlebury2014"
        target = base / self.split
        if self.split == "test":
            if not target.is_dir():
                Remote(self.test_url).get(base)
                (base / "MiddEval3" / "testF").rename(target)
                shutil.rmtree(base / "MiddEval3")
            return
        for scene in self.splits[self.split]:
            for calibration in ("perfect", "imperfect"):
                name = f"{scene}-{calibration}"
                if not (target / name).is_dir():
                    Remote(f"{self.base_url}{name}.zip").get(target)

    def _image(self, path: str) -> Any:
        views = [Path(path)]
        if self.use_ambient_views and views[0].name == "im1.png":
            others = (views[0].with_name(name) for name in ("im1E.png", "im1L.png"))
            views += [view for view in others if view.is_file()]
        return super()._image(str(random.choice(views)))

    def _disparity(self, path: str) -> Disparity:
        disparity = np.abs(read_pfm(path, 1))
        disparity[np.isinf(disparity)] = 0  # not known
        return disparity, disparity[0] > 0


class CREStereo(StereoMatchingDataset):
    """Rendered things, holes, trees and mirrors, in `root/CREStereo`.

    Samples have four parts, the last of which is None unless transforms makes a mask.

    Args:
        root: folder of the files.
        transforms: as for `StereoMatchingDataset`.

    Source: J. Li et al. 2022, arXiv:2203.11483.
    """

    _has_mask = True
    by_hand = "get them with https://github.com/megvii-research/CREStereo"

    def __init__(self, root: PathLike, transforms: Any = None) -> None:
        super().__init__(root, transforms)
        names = ("left.jpg", "right.jpg", "left.disp.png", "right.disp.png")
        for kind in ("shapenet", "reflective", "tree", "hole"):
            self._add(*(f"CREStereo/{kind}/*_{name}" for name in names))

    def _disparity(self, path: str) -> Disparity:
        return _png(path, 32), None


class FallingThingsStereo(StereoMatchingDataset):
    """Rendered things of a household, in `root/FallingThings`.

    Args:
        root: folder of the files.
        variant: "single", one thing at a time, "mixed" or "both".
        transforms: as for `StereoMatchingDataset`.

    Source: J. Tremblay, T. To and S. Birchfield 2018, arXiv:1804.06534.
    """

    by_hand = "get fat.zip from https://research.nvidia.com/publication/2018-06_Falling-Things"
    _DEPTHS = {"single": "*/*", "mixed": "*"}  # folders between variant and files

    def __init__(self, root: PathLike, variant: str = "single", transforms: Any = None) -> None:
        super().__init__(root, transforms)
        verify_str_arg(variant, "variant", ("single", "mixed", "both"))
        names = ("left.jpg", "right.jpg", "left.depth.png", "right.depth.png")
        for part, depth in self._DEPTHS.items():
            if variant in (part, "both"):
                self._add(*(f"FallingThings/{part}/{depth}/*.{name}" for name in names))

    def _disparity(self, path: str) -> Disparity:
        """From the depth: cameras are 6 cm apart, and depth is in tenths of a millimetre."""
        settings = json.loads(Path(path).with_name("_camera_settings.json").read_bytes())
        focal = settings["camera_settings"][0]["intrinsic_settings"]["fx"]
        baseline, units = 6, 100
        with np.errstate(divide="ignore"):
            return (np.float32(baseline * focal * units) / _png(path, 1)), None


class SceneFlowStereo(StereoMatchingDataset):
    """Rendered films, in `root/SceneFlow`.

    Args:
        root: folder of the files.
        variant: "FlyingThings3D", "Driving" or "Monkaa".
        pass_name: "clean", "final" with blur, or "both".
        transforms: as for `StereoMatchingDataset`.

    Source: N. Mayer et al. 2016, arXiv:1512.02134.
    """

    by_hand = (
        "get them from https://lmb.informatik.uni-freiburg.de/resources/datasets/"
        "SceneFlowDatasets.en.html"
    )
    _DEPTHS = {"FlyingThings3D": "*/*/*", "Driving": "*/*/*", "Monkaa": "*"}

    def __init__(
        self,
        root: PathLike,
        variant: str = "FlyingThings3D",
        pass_name: str = "clean",
        transforms: Any = None,
    ) -> None:
        super().__init__(root, transforms)
        depth = self._DEPTHS[verify_str_arg(variant, "variant", tuple(self._DEPTHS))]
        verify_str_arg(pass_name, "pass_name", tuple(_PASSES))
        for name in _PASSES[pass_name]:
            images = f"SceneFlow/{variant}/frames_{name}pass/{depth}"
            truth = f"SceneFlow/{variant}/disparity/{depth}"
            self._add(
                f"{images}/left/*.png",
                f"{images}/right/*.png",
                f"{truth}/left/*.pfm",
                f"{truth}/right/*.pfm",
            )


class SintelStereo(StereoMatchingDataset):
    """Frames of the film "Sintel", in `root/Sintel`; the mask is what both cameras see.

    Args:
        root: folder of the files.
        pass_name: "final" with blur and mist, "clean" or "both".
        transforms: as for `StereoMatchingDataset`.

    Source: D. Butler et al. 2012, "A naturalistic open source movie for optical flow evaluation".
    """

    _has_mask = True
    by_hand = "get MPI-Sintel-stereo-training from http://sintel.is.tue.mpg.de"

    def __init__(self, root: PathLike, pass_name: str = "final", transforms: Any = None) -> None:
        super().__init__(root, transforms)
        verify_str_arg(pass_name, "pass_name", tuple(_PASSES))
        base = "Sintel/training"
        for name in reversed(_PASSES[pass_name]):
            left, right = (f"{base}/{name}_{side}/*/*.png" for side in ("left", "right"))
            self._add(left, right, f"{base}/disparities/*/*.png")

    def _disparity(self, path: str) -> Disparity:
        """Red in steps of 4 pixels, green of 1/64, blue of 1/16384."""
        red, green, blue = np.moveaxis(np.asarray(opened(path), np.float32), -1, 0)
        file = Path(path)
        base, name = file.parents[2], f"{file.parent.name}/{file.name}"
        hidden, outside = (
            np.asarray(opened(base / folder / name)) for folder in ("occlusions", "outofframe")
        )
        disparity = red * 4 + green / 2**6 + blue / 2**14
        return disparity[None], (hidden == 0) & (outside == 0)


class InStereo2k(StereoMatchingDataset):
    """Rooms, measured with structured light, in `root/InStereo2k`.

    Args:
        root: folder of the files.
        split: "train" or "test".
        transforms: as for `StereoMatchingDataset`.

    Source: W. Bao et al. 2020, "InStereo2K".
    """

    by_hand = "get them through https://github.com/YuhuaXu/StereoDataset"

    def __init__(self, root: PathLike, split: str = "train", transforms: Any = None) -> None:
        super().__init__(root, transforms)
        verify_str_arg(split, "split", _SPLITS)
        names = ("left.png", "right.png", "left_disp.png", "right_disp.png")
        self._add(*(f"InStereo2k/{split}/*/{name}" for name in names))

    def _disparity(self, path: str) -> Disparity:
        return _png(path, 1024), None


class ETH3DStereo(StereoMatchingDataset):
    """Rooms and streets in grey, measured with a laser, in `root/ETH3D`.

    Args:
        root: folder of the files.
        split: "train" or "test"; disparities and masks of the latter are None.
        transforms: as for `StereoMatchingDataset`.

    Source: T. Schöps et al. 2017, "A Multi-View Stereo Benchmark".
    """

    _has_mask = True
    by_hand = "get the low-res two-view files from https://www.eth3d.net/datasets"

    def __init__(self, root: PathLike, split: str = "train", transforms: Any = None) -> None:
        super().__init__(root, transforms)
        train = verify_str_arg(split, "split", _SPLITS) == "train"
        base = f"ETH3D/two_view_{'training' if train else 'test'}"
        truth = "ETH3D/two_view_training_gt/*/disp0GT.pfm" if train else None
        self._add(f"{base}/*/im0.png", f"{base}/*/im1.png", truth)

    def _disparity(self, path: str) -> Disparity:
        mask = np.asarray(opened(Path(path).with_name("mask0nocc.png"))).astype(bool)
        return np.abs(read_pfm(path, 1)), mask

"""MNIST and its relatives: one layout, idx files in `root/<name>/raw`."""

from __future__ import annotations

import shutil
import string
import struct
from pathlib import Path
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import FileFormatError
from triptych_datasets.placing import bring, name_in, unpack

from .listed import ArrayDataset, index_of
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = [
    "EMNIST",
    "FashionMNIST",
    "KMNIST",
    "MNIST",
    "QMNIST",
    "read_image_file",
    "read_label_file",
    "read_sn3_pascalvincent_tensor",
]

_NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_IDX_DTYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_sn3_pascalvincent_tensor(path: PathLike, strict: bool = True) -> tp.Tensor:
    """The array in an idx file: two zeros, a code of the type, the number of axes, lengths, data.

    Args:
        path: the file, unpacked.
        strict: refuse a file with bytes beyond the array.

    Returns:
        The array, in the machine's byte order.

    Raises:
        FileFormatError: the file is no idx file, or cut short.

    Source: the page of the MNIST database, "the idx file format".
    """
    raw = Path(path).read_bytes()
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _IDX_DTYPES or not 1 <= raw[3] <= 3:
        raise FileFormatError(f"{path}: is no idx file (it starts with {raw[:4].hex()})")
    start = 4 + 4 * raw[3]
    if len(raw) < start:
        raise FileFormatError(f"{path}: is cut short in its head; download it again")
    shape = struct.unpack(f">{raw[3]}I", raw[4:start])
    dtype = np.dtype(_IDX_DTYPES[raw[2]])
    count = int(np.prod(shape, dtype=np.int64))
    wanted, got = count * dtype.itemsize, len(raw) - start
    if got < wanted or (strict and got != wanted):
        raise FileFormatError(
            f"{path}: an array of shape {shape} has {wanted} bytes, the file has {got}; "
            "download it again"
        )
    flat = np.frombuffer(raw, dtype, count, start).astype(dtype.newbyteorder("="))
    return tp.from_numpy(flat.reshape(shape))


def _read(path: PathLike, ndim: int, what: str) -> tp.Tensor:
    x = read_sn3_pascalvincent_tensor(path, strict=False)
    if x.dtype is not tp.uint8 or x.ndim != ndim:
        raise FileFormatError(
            f"{path}: {what} are uint8 with {ndim} axes, the file has {x.dtype} of shape "
            f"{tuple(x.shape)}"
        )
    return x


def read_image_file(path: PathLike) -> tp.Tensor:
    """Images of an idx file, (n, h, w) uint8."""
    return _read(path, 3, "images")


def read_label_file(path: PathLike) -> tp.Tensor:
    """Labels of an idx file, (n,) int64."""
    return _read(path, 1, "labels").long()


class MNIST(ArrayDataset):
    """Handwritten digits, 28 x 28 grey pixels; 60,000 to train and 10,000 to test.

    Args:
        root: the files lie in `root/MNIST/raw`.
        train: the training part or the test part.
        transform: called with the image, a PIL image in mode L.
        target_transform: called with the label.
        download: fetch the files when they are missing.

    Attributes:
        data: (n, 28, 28) uint8.
        targets: (n,) int64 labels.
        classes: names of the labels.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner 1998.
    """

    mirrors: list[str] = [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ]
    resources: Any = [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    classes = [f"{digit} - {name}" for digit, name in enumerate(_NAMES)]

    def __init__(
        self,
        root: PathLike,
        train: bool = True,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        files = {f"{name}": None for name in self._files()}
        prepare(type(self).__name__, self.raw_folder, files)
        self.data, self.targets = self._load()

    @property
    def labels(self) -> Any:
        """The targets."""
        return self.targets

    @property
    def raw_folder(self) -> Path:
        """Where the files lie."""
        return self.folder / type(self).__name__ / "raw"

    @property
    def class_to_idx(self) -> dict[str, int]:
        """Index of each class."""
        return index_of(self.classes)

    def _files(self) -> list[str]:
        """Names of the two files to read: images and labels."""
        part = "train" if self.train else "t10k"
        return [f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"]

    def _load(self) -> tuple[tp.Tensor, tp.Tensor]:
        images, labels = self._files()
        return read_image_file(self.raw_folder / images), read_label_file(self.raw_folder / labels)

    def _missing(self) -> bool:
        return not all((self.raw_folder / name).is_file() for name in self._files())

    def download(self) -> None:
        """Fetch the files, unless they are there."""
        if self._missing():
            for name, md5 in self.resources:
                urls = tuple(mirror + name for mirror in self.mirrors)
                Remote(urls, md5).get(self.raw_folder)

    def extra_repr(self) -> str:
        """The split."""
        return f"Split: {'Train' if self.train else 'Test'}"


class FashionMNIST(MNIST):
    """Pieces of clothing, 28 x 28 grey pixels, in MNIST's layout below `root/FashionMNIST/raw`.

    Source: H. Xiao, K. Rasul and R. Vollgraf 2017, arXiv:1708.07747.
    """

    mirrors = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]


class KMNIST(MNIST):
    """Japanese syllables in old script, 28 x 28 grey pixels, below `root/KMNIST/raw`.

    Source: T. Clanuwat et al. 2018, arXiv:1812.01718.
    """

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


# Letters whose upper and lower case are one class in the merged splits.
_UNMERGED = sorted(set(string.digits + string.ascii_letters) - set("cijklmopsuvwxyz"))


class EMNIST(MNIST):
    """Handwritten digits and letters in six selections, below `root/EMNIST/raw`.

    Images lie on their side and mirrored, as in the files: transpose them to read.

    Args:
        root: the files lie in `root/EMNIST/raw`.
        split: "byclass", "bymerge", "balanced", "letters", "digits" or "mnist".
        **kwargs: as for `MNIST`.

    Source: G. Cohen, S. Afshar, J. Tapson and A. van Schaik 2017, arXiv:1702.05373.
    """

    url = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    md5 = "58c8d27c78d21e728a6bc7b3cc06412e"
    classes_split_dict: dict[str, list[str]] = {
        "byclass": sorted(string.digits + string.ascii_letters),
        "bymerge": _UNMERGED,
        "balanced": _UNMERGED,
        "letters": ["N/A", *string.ascii_lowercase],
        "digits": list(string.digits),
        "mnist": list(string.digits),
    }
    splits = tuple(classes_split_dict)

    def __init__(self, root: PathLike, split: str, **kwargs: Any) -> None:
        self.split = verify_str_arg(split, "split", self.splits)
        super().__init__(root, **kwargs)
        self.classes = self.classes_split_dict[self.split]

    def _files(self) -> list[str]:
        start = f"emnist-{self.split}-{'train' if self.train else 'test'}"
        return [f"{start}-images-idx3-ubyte", f"{start}-labels-idx1-ubyte"]

    def download(self) -> None:
        """Fetch all splits, unless this one is there."""
        if not self._missing():
            return
        unpack(bring((self.url,), self.raw_folder, name_in(self.url), self.md5), self.raw_folder)
        packed = self.raw_folder / "gzip"  # the archive holds one gz file for each part
        for path in sorted(packed.glob("*.gz")):
            unpack(path, self.raw_folder)
        shutil.rmtree(packed)


_QMNIST_URL = "https://raw.githubusercontent.com/facebookresearch/qmnist/master/"


class QMNIST(MNIST):
    """MNIST made again from the forms of NIST, with all of its test digits and their origin.

    Args:
        root: the files lie in `root/QMNIST/raw`.
        what: "train"; "test", its 60,000; "test10k", those that are MNIST's; "test50k", the
            others; or "nist", everything. Default "train" or "test", as train says.
        compat: targets are labels; else rows of eight integers: label, class and hand of NIST,
            writer, and more.
        train: chooses where what is not given.
        **kwargs: as for `MNIST`.

    Source: C. Yadav and L. Bottou 2019, arXiv:1905.10498.
    """

    subsets = {
        "train": "train",
        "test": "test",
        "test10k": "test",
        "test50k": "test",
        "nist": "nist",
    }
    resources = {
        "train": [
            (f"{_QMNIST_URL}qmnist-train-images-idx3-ubyte.gz", "ed72d4157d28c017586c42bc6afe6370"),
            (f"{_QMNIST_URL}qmnist-train-labels-idx2-int.gz", "0058f8dd561b90ffdd0f734c6a30e5e4"),
        ],
        "test": [
            (f"{_QMNIST_URL}qmnist-test-images-idx3-ubyte.gz", "1394631089c404de565df7b7aeaf9412"),
            (f"{_QMNIST_URL}qmnist-test-labels-idx2-int.gz", "5b5b05890a5e13444e108efe57b788aa"),
        ],
        "nist": [
            (f"{_QMNIST_URL}xnist-images-idx3-ubyte.xz", "7f124b3b8ab81486c9d8c2749c17f834"),
            (f"{_QMNIST_URL}xnist-labels-idx2-int.xz", "5ed0e788978e45d4a8bd4b7caec3d79d"),
        ],
    }
    _RANGES = {"test10k": slice(10_000), "test50k": slice(10_000, None)}

    def __init__(
        self,
        root: PathLike,
        what: str | None = None,
        compat: bool = True,
        train: bool = True,
        **kwargs: Any,
    ) -> None:
        what = what if what is not None else ("train" if train else "test")
        self.what = verify_str_arg(what, "what", tuple(self.subsets))
        self.compat = compat
        super().__init__(root, train, **kwargs)

    @property
    def _chosen(self) -> list[tuple[str, str]]:
        chosen: list[tuple[str, str]] = self.resources[self.subsets[self.what]]
        return chosen

    def _files(self) -> list[str]:
        return [Path(name_in(url)).stem for url, _ in self._chosen]

    def _load(self) -> tuple[tp.Tensor, tp.Tensor]:
        images, labels = (self.raw_folder / name for name in self._files())
        rows = self._RANGES.get(self.what, slice(None))
        return read_image_file(images)[rows], read_sn3_pascalvincent_tensor(labels).long()[rows]

    def download(self) -> None:
        """Fetch the files of this part, unless they are there."""
        if self._missing():
            for url, md5 in self._chosen:
                Remote(url, md5).get(self.raw_folder)

    @property
    def labels(self) -> Any:
        """The first number of each target."""
        return self.targets[:, 0]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, label), or (image, row of eight) where compat is False."""
        from PIL import Image

        target = self.targets[index]
        image = Image.fromarray(self.data[index].numpy())
        return self.sample(image, int(target[0]) if self.compat else target)

    def extra_repr(self) -> str:
        """The part."""
        return f"Split: {self.what}"

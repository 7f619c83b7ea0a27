"""CUB-200-2011: birds."""

from __future__ import annotations

from .folder import default_loader
from .listed import ListedDataset, Loader, index_of, read_lines
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = ["CUB200"]

_TABLES = ("images", "image_class_labels", "train_test_split", "classes", "bounding_boxes")


class CUB200(ListedDataset):
    """11,788 photographs of birds of 200 species, each with a box around the bird.

    Args:
        root: the files lie in `root/CUB_200_2011`.
        split: "train" with 5,994 photographs or "test" with 5,794.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index of the species.
        download: fetch the files when they are missing.
        loader: called with a path, gives the image.

    Attributes:
        classes: names of the species, such as "Black_footed_Albatross".
        class_to_idx: index of each.
        boxes: (x, y, width, height) of each image's bird, in pixels.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: C. Wah et al. 2011, Caltech CNS-TR-2011-001. Its publisher gives no hash; the md5 is
    that of the file in circulation.
    """

    remote = Remote(
        "https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",
        "97eceeb196236b17998738112f37df78",
    )

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        self.split = verify_str_arg(split, "split", ("train", "test"))
        super().__init__(root, transform, target_transform, loader)
        base = "CUB_200_2011"
        files = {f"{base}/{name}.txt": None for name in _TABLES} | {f"{base}/images": None}
        prepare("CUB200", self.folder, files, [self.remote], download=download)
        folder = self.folder / base
        paths, labels, training, classes, boxes = (  # each "number value"
            dict(line.split(" ", 1) for line in read_lines(folder / f"{name}.txt"))
            for name in _TABLES
        )
        self.classes = [name.partition(".")[2] for name in classes.values()]
        self.class_to_idx = index_of(self.classes)
        wanted = {"train": "1", "test": "0"}[split]
        chosen = [number for number in paths if training[number] == wanted]
        self.samples = [
            (str(folder / "images" / paths[number]), int(labels[number]) - 1) for number in chosen
        ]
        self.boxes = [tuple(map(float, boxes[number].split())) for number in chosen]

    def extra_repr(self) -> str:
        """The split."""
        return f"split={self.split}"

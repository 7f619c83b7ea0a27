"""Flowers 102: flowers that grow in Britain."""

from __future__ import annotations

from .folder import default_loader
from .listed import ListedDataset, Loader, index_of
from .preparing import Remote, optional_module, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = ["Flowers102"]

_URL = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
_SPLITS = {"train": "trnid", "val": "valid", "test": "tstid"}
# The publisher's list of names, in the order of the labels.
_CLASSES = """
pink primrose, hard-leaved pocket orchid, canterbury bells, sweet pea, english marigold, tiger lily,
moon orchid, bird of paradise, monkshood, globe thistle, snapdragon, colt's foot, king protea,
spear thistle, yellow iris, globe-flower, purple coneflower, peruvian lily, balloon flower,
giant white arum lily, fire lily, pincushion flower, fritillary, red ginger, grape hyacinth,
corn poppy, prince of wales feathers, stemless gentian, artichoke, sweet william, carnation,
garden phlox, love in the mist, mexican aster, alpine sea holly, ruby-lipped cattleya, cape flower,
great masterwort, siam tulip, lenten rose, barbeton daisy, daffodil, sword lily, poinsettia,
bolero deep blue, wallflower, marigold, buttercup, oxeye daisy, common dandelion, petunia,
wild pansy, primula, sunflower, pelargonium, bishop of llandaff, gaura, geranium, orange dahlia,
pink-yellow dahlia?, cautleya spicata, japanese anemone, black-eyed susan, silverbush,
californian poppy, osteospermum, spring crocus, bearded iris, windflower, tree poppy, gazania,
azalea, water lily, rose, thorn apple, morning glory, passion flower, lotus, toad lily, anthurium,
frangipani, clematis, hibiscus, columbine, desert-rose, tree mallow, magnolia, cyclamen, watercress,
canna lily, hippeastrum, bee balm, ball moss, foxglove, bougainvillea, camellia, mallow,
mexican petunia, bromelia, blanket flower, trumpet creeper, blackberry lily
"""


class Flowers102(ListedDataset):
    """8,189 photographs of 102 kinds of flowers. Needs SciPy, which reads the labels.

    Args:
        root: the files lie in `root/flowers-102`.
        split: "train" and "val" with ten photographs of each kind, or "test" with the rest.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index of the kind.
        download: fetch the files when they are missing or damaged.
        loader: called with a path, gives the image.

    Attributes:
        classes: names of the kinds.
        class_to_idx: index of each.

    Raises:
        MissingDataError: files are missing or damaged, and download is False.
        MissingDependencyError: SciPy is not installed.

    Source: M.-E. Nilsback and A. Zisserman 2008, "Automated Flower Classification over a Large
    Number of Classes".
    """

    remotes = (
        Remote(f"{_URL}102flowers.tgz", "52808999861908f626f3c1f4e79d11fa", "flowers-102"),
        Remote(
            f"{_URL}imagelabels.mat",
            "e0620be6f572b9609742df49c70aed4d",
            "flowers-102",
            unpack=False,
        ),
        Remote(f"{_URL}setid.mat", "a5357ecc9cb78c4bef273ce3793fc85c", "flowers-102", unpack=False),
    )
    classes = " ".join(_CLASSES.split()).split(", ")

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self.split = verify_str_arg(split, "split", ("train", "val", "test"))
        _, labels, ids = self.remotes
        base = self.folder / "flowers-102"
        files = {"jpg": None, "imagelabels.mat": labels.digest, "setid.mat": ids.digest}
        named = {f"flowers-102/{name}": md5 for name, md5 in files.items()}
        prepare("Flowers102", self.folder, named, self.remotes, download=download)
        loadmat = optional_module("scipy.io", "Flowers102").loadmat
        chosen = loadmat(base / "setid.mat")[_SPLITS[split]].reshape(-1).tolist()
        kinds = loadmat(base / "imagelabels.mat")["labels"].reshape(-1).tolist()  # from 1
        self.samples = [
            (str(base / "jpg" / f"image_{number:05d}.jpg"), kinds[number - 1] - 1)
            for number in chosen
        ]

    @property
    def class_to_idx(self) -> dict[str, int]:
        """Index of each kind."""
        return index_of(self.classes)

    def extra_repr(self) -> str:
        """The split."""
        return f"split={self.split}"

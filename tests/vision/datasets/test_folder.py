"""Folders of classes."""

from pathlib import Path

import pytest
from PIL import Image

import triptych as tp
from triptych.utils.data import DataLoader
from triptych_vision import transforms as T
from triptych_vision.datasets import DatasetFolder, ImageFolder, MissingDataError
from triptych_vision.datasets.folder import find_classes, is_image_file, make_dataset


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two cats, one of them deeper, and a dog, among files that are no images."""
    for name, color in (
        ("cat/b.PNG", "red"),
        ("cat/deep/a.jpg", "lime"),
        ("dog/c.png", "blue"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 4), color).save(path)
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    (tmp_path / "readme.png").write_text("not in a class")
    return tmp_path


def test_samples_are_sorted_by_class_and_path(root: Path) -> None:
    data = ImageFolder(root)
    assert data.classes == ["cat", "dog"]
    assert data.class_to_idx == {"cat": 0, "dog": 1}
    names = [str(Path(path).relative_to(root)) for path, _ in data.samples]
    assert names == ["cat/b.PNG", "cat/deep/a.jpg", "dog/c.png"]
    assert data.targets == [0, 0, 1]
    assert data.imgs == data.samples


def test_items_are_rgb_images_and_indices(root: Path) -> None:
    Image.new("LA", (2, 2)).save(root / "dog" / "d.png")
    data = ImageFolder(root, target_transform=lambda t: ["cat", "dog"][t])
    assert [image.mode for image, _ in data] == ["RGB"] * 4
    image, label = data[2]
    assert image.getpixel((0, 0)) == (0, 0, 255)
    assert label == "dog"
    assert f"Root location: {root}" in repr(data)


def test_batches(root: Path) -> None:
    prepare = T.Compose([T.Resize((3, 3)), T.ToTensor()])
    (images, labels), *rest = DataLoader(ImageFolder(root, prepare), batch_size=2)
    assert images.shape == (2, 3, 3, 3)
    assert images.dtype is tp.float32
    assert labels.tolist() == [0, 0]
    assert len(rest) == 1


def test_files_of_your_own_choice(root: Path) -> None:
    chosen = ImageFolder(root, is_valid_file=lambda path: path.endswith(("a.jpg", "c.png")))
    assert len(chosen) == 2
    texts = DatasetFolder(root, lambda path: Path(path).read_text(), (".txt",), allow_empty=True)
    assert texts[0] == ("no image", 0)
    assert len(texts) == 1


def test_what_is_missing_is_said(root: Path, tmp_path: Path) -> None:
    (root / "empty").mkdir()
    with pytest.raises(MissingDataError, match=r"classes empty .*allow_empty"):
        ImageFolder(root)
    assert ImageFolder(root, allow_empty=True).classes == ["cat", "dog", "empty"]
    with pytest.raises(FileNotFoundError, match="found none"):
        find_classes(root / "dog")
    with pytest.raises(RuntimeError, match="no such folder"):
        ImageFolder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="one of the two"):
        make_dataset(root)


def test_extensions() -> None:
    assert is_image_file("A.JPeG")
    assert not is_image_file("a.txt")

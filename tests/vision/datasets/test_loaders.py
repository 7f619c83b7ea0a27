"""Every loader on a tiny tree of its layout: whole, downloaded, missing, damaged, wrong split."""

import io
import json
import pickle
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych as tp
import triptych_vision.datasets as datasets
from triptych_datasets import BrokenArchive, HashMismatch, UnsafeArchive
from triptych_vision.datasets import MissingDataError

pytestmark = pytest.mark.filterwarnings("ignore::triptych_datasets.UnverifiedWarning")


@dataclass
class Row:
    """A data set, its tree, and what comes of it."""

    name: str
    tree: Callable[[Any], dict[str, bytes]]
    targets: list[Any]
    kwargs: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, Any] = field(default_factory=dict)
    size: tuple[int, int] = (6, 4)
    mode: str = "RGB"
    shades: list[int] | None = None  # red, or grey, of the images, to see that order is right
    downloads: bool = True
    repr: str = ""

    def make(self, root: Path, **more: Any) -> Any:
        return getattr(datasets, self.name)(root, **{**self.kwargs, **more})


ROWS: list[Row] = []


def row(name: str, targets: list[Any], **settings: Any) -> Callable[[Any], Any]:
    def register(tree: Callable[[Any], dict[str, bytes]]) -> Any:
        ROWS.append(Row(name, tree, targets, **settings))
        return tree

    return register


def lines(*texts: str) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()


@row(
    "DTD", [0, 1], kwargs={"split": "val", "partition": 3}, wrong={"split": "valid"}, shades=[9, 5]
)
def dtd(f: Any) -> dict[str, bytes]:
    return {
        "dtd/dtd/images/bubbly/b.jpg": f.image(shade=9),
        "dtd/dtd/images/zigzagged/z.jpg": f.image(shade=5),
        "dtd/dtd/labels/val3.txt": lines("bubbly/b.jpg", "zigzagged/z.jpg"),
    }


@row(
    "FGVCAircraft",
    [1, 0],
    kwargs={"split": "test", "annotation_level": "family"},
    wrong={"annotation_level": "wing"},
)
def aircraft(f: Any) -> dict[str, bytes]:
    base = "fgvc-aircraft-2013b/data"
    return {
        f"{base}/families.txt": lines("A300", "Boeing 707"),
        f"{base}/images_family_test.txt": lines("0000002 Boeing 707", "0000001 A300"),
        f"{base}/images/0000001.jpg": f.image(),
        f"{base}/images/0000002.jpg": f.image(),
    }


@row("Flowers102", [4, 0], kwargs={"split": "val"}, wrong={"split": "valid"}, shades=[30, 10])
def flowers(f: Any) -> dict[str, bytes]:
    ids = {"trnid": [2], "valid": [3, 1], "tstid": [2]}
    return {
        **{f"flowers-102/jpg/image_0000{i}.jpg": f.image(shade=10 * i) for i in (1, 2, 3)},
        "flowers-102/imagelabels.mat": f.mat(labels=np.array([[1, 2, 5]])),
        "flowers-102/setid.mat": f.mat(**{k: np.array([v]) for k, v in ids.items()}),
    }


@row("Food101", [1, 0, 0], wrong={"split": "val"}, shades=[30, 10, 20], repr="split=train")
def food(f: Any) -> dict[str, bytes]:
    listed = {"waffles": ["waffles/3"], "baklava": ["baklava/1", "baklava/2"]}
    return {
        "food-101/meta/train.json": json.dumps(listed).encode(),
        **{
            f"food-101/images/{dish}/{i}.jpg": f.image(shade=10 * i)
            for dish, i in (("baklava", 1), ("baklava", 2), ("waffles", 3))
        },
    }


@row("GTSRB", [0, 1], wrong={"split": "val"}, shades=[10, 20])
def signs_train(f: Any) -> dict[str, bytes]:
    return {
        f"gtsrb/GTSRB/Training/0000{i}/a.ppm": f.image("ppm", shade=10 * i + 10) for i in (0, 1)
    } | {"gtsrb/GTSRB/Training/00000/GT.csv": b"Filename;ClassId\n"}


@row("GTSRB", [33, 4], kwargs={"split": "test"}, shades=[20, 10])
def signs_test(f: Any) -> dict[str, bytes]:
    images = "gtsrb/GTSRB/Final_Test/Images"
    table = lines("Filename;Width;ClassId", "00001.ppm;6;33", "00000.ppm;6;4")
    return {
        "gtsrb/GT-final_test.csv": table,
        f"{images}/00000.ppm": f.image("ppm", shade=10),
        f"{images}/00001.ppm": f.image("ppm", shade=20),
    }


@row("Imagenette", [0, 1], kwargs={"size": "160px", "split": "val"}, wrong={"size": "64px"})
def imagenette(f: Any) -> dict[str, bytes]:
    return {
        f"imagenette2-160/val/{wnid}/x.JPEG": f.image("jpeg") for wnid in ("n01440764", "n03888257")
    }


@row("TinyImageNet", [0, 1, 1], wrong={"split": "test"}, shades=[1, 2, 3])
def tiny_imagenet_train(f: Any) -> dict[str, bytes]:
    base = "tiny-imagenet-200"
    return {
        f"{base}/wnids.txt": lines("n02", "n01"),
        f"{base}/words.txt": lines("n01\tcat, house cat", "n02\tdog", "n03\tcow"),
        f"{base}/train/n01/images/n01_0.JPEG": f.image("jpeg", shade=1),
        f"{base}/train/n02/images/n02_0.JPEG": f.image("jpeg", shade=2),
        f"{base}/train/n02/images/n02_1.JPEG": f.image("jpeg", shade=3),
    }


@row("TinyImageNet", [1, 0], kwargs={"split": "val"}, shades=[2, 1], repr="split=val")
def tiny_imagenet_val(f: Any) -> dict[str, bytes]:
    base = "tiny-imagenet-200"
    return {
        f"{base}/wnids.txt": lines("n02", "n01"),
        f"{base}/words.txt": lines("n01\tcat, house cat", "n02\tdog"),
        f"{base}/val/val_annotations.txt": lines(
            "v1.JPEG\tn02\t0\t0\t3\t3", "v0.JPEG\tn01\t0\t0\t3\t3"
        ),
        f"{base}/val/images/v0.JPEG": f.image("jpeg", shade=1),
        f"{base}/val/images/v1.JPEG": f.image("jpeg", shade=2),
    }


@row("CUB200", [1, 0], kwargs={"split": "test"}, wrong={"split": "val"}, shades=[3, 1])
def birds(f: Any) -> dict[str, bytes]:
    base, kinds = "CUB_200_2011", ("001.Black_footed_Albatross", "002.Laysan_Albatross")
    places = (f"{kinds[1]}/c.jpg", f"{kinds[0]}/b.jpg", f"{kinds[0]}/a.jpg")
    return {
        f"{base}/classes.txt": lines(f"1 {kinds[0]}", f"2 {kinds[1]}"),
        f"{base}/images.txt": lines(*(f"{i} {place}" for i, place in enumerate(places, 1))),
        f"{base}/image_class_labels.txt": lines("1 2", "2 1", "3 1"),
        f"{base}/train_test_split.txt": lines("1 0", "2 1", "3 0"),
        f"{base}/bounding_boxes.txt": lines("1 1 2 3 4", "2 1 1 1 1", "3 0.5 0 2 2"),
        f"{base}/images/{places[0]}": f.image(shade=3),
        f"{base}/images/{places[1]}": f.image(shade=2),
        f"{base}/images/{places[2]}": f.image(shade=1),
    }


@row("ADE20K", ["L", "L"], kwargs={"split": "val"}, wrong={"split": "validation"}, shades=[1, 2])
def scenes(f: Any) -> dict[str, bytes]:
    base = "ADEChallengeData2016"
    table = lines(
        "Idx\tRatio\tTrain\tVal\tName", "1\t0.1\t9\t9\twall", "2\t0.1\t9\t9\tbuilding, edifice"
    )
    return {
        f"{base}/objectInfo150.txt": table,
        **{f"{base}/images/validation/v{i}.jpg": f.image(shade=i) for i in (1, 2)},
        **{f"{base}/annotations/validation/v{i}.png": f.grey(shade=i) for i in (1, 2)},
    }


def medical(name: str, labels: np.ndarray) -> dict[str, bytes]:
    file = io.BytesIO()
    images = np.stack([np.full((4, 6, 3), shade, np.uint8) for shade in range(1, len(labels) + 1)])
    np.savez(file, val_images=images, val_labels=labels)
    return {f"medmnist/{name}.npz": file.getvalue()}


@row("MedMNIST", [3, 0], kwargs={"split": "val"}, wrong={"name": "mnist"}, shades=[1, 2])
def medical_classes(f: Any) -> dict[str, bytes]:
    return medical("pathmnist", np.array([[3], [0]], np.uint8))


@row("RenderedSST2", [0, 1], kwargs={"split": "val"}, wrong={"split": "valid"}, shades=[1, 2])
def sentences(f: Any) -> dict[str, bytes]:
    return {
        "rendered-sst2/valid/negative/a.png": f.image("png", shade=1),
        "rendered-sst2/valid/positive/a.png": f.image("png", shade=2),
    }


@row("SUN397", [0, 1], shades=[1, 2])
def sun(f: Any) -> dict[str, bytes]:
    return {
        "SUN397/ClassName.txt": lines("/a/abbey", "/c/church/outdoor"),
        "SUN397/a/abbey/sun_a.jpg": f.image(shade=1),
        "SUN397/c/church/outdoor/sun_b.jpg": f.image(shade=2),
    }


@row("CLEVRClassification", [3, 1], wrong={"split": "all"}, shades=[1, 2])
def clevr(f: Any) -> dict[str, bytes]:
    scenes = [
        {"image_filename": "b.png", "objects": [1]},
        {"image_filename": "a.png", "objects": [1, 2, 3]},
    ]
    return {
        "clevr/CLEVR_v1.0/images/train/a.png": f.image("png", shade=1),
        "clevr/CLEVR_v1.0/images/train/b.png": f.image("png", shade=2),
        "clevr/CLEVR_v1.0/scenes/CLEVR_train_scenes.json": json.dumps({"scenes": scenes}).encode(),
    }


@row("CLEVRClassification", [None], kwargs={"split": "test"})
def clevr_test(f: Any) -> dict[str, bytes]:
    return {"clevr/CLEVR_v1.0/images/test/a.png": f.image("png")}


@row("Country211", [0, 1], kwargs={"split": "valid"}, wrong={"split": "val"})
def countries(f: Any) -> dict[str, bytes]:
    return {f"country211/valid/{name}/1.jpg": f.image() for name in ("AD", "ZW")}


@row("EuroSAT", [0, 1], size=(8, 8))
def eurosat(f: Any) -> dict[str, bytes]:
    return {
        f"eurosat/2750/{name}/{name}_1.jpg": f.image(size=(8, 8)) for name in ("Forest", "River")
    }


@row("StanfordCars", [1, 0], downloads=False, wrong={"split": "val"}, shades=[20, 10])
def cars(f: Any) -> dict[str, bytes]:
    dtype = [("bbox_x1", "O"), ("class", "O"), ("fname", "O")]
    rows = np.array([[(1, 2, "2.jpg"), (1, 1, "1.jpg")]], dtype)
    names = np.array([["Audi", "BMW"]], object)
    return {
        "stanford_cars/devkit/cars_train_annos.mat": f.mat(annotations=rows),
        "stanford_cars/devkit/cars_meta.mat": f.mat(class_names=names),
        "stanford_cars/cars_train/1.jpg": f.image(shade=10),
        "stanford_cars/cars_train/2.jpg": f.image(shade=20),
    }


@row("Omniglot", [0, 1, 1], mode="L", kwargs={"background": False}, shades=[1, 2, 3])
def omniglot(f: Any) -> dict[str, bytes]:
    base = "omniglot-py/images_evaluation"
    return {
        f"{base}/Angelic/character01/a.png": f.grey(shade=1),
        f"{base}/Oriya/character01/b.png": f.grey(shade=2),
        f"{base}/Oriya/character01/c.png": f.grey(shade=3),
    }


CALTECH = "caltech101/101_ObjectCategories"


@row("Caltech101", [0, 0, 1], wrong={"target_type": "outline"}, downloads=False, shades=[1, 2, 3])
def caltech(f: Any) -> dict[str, bytes]:
    return {
        f"{CALTECH}/BACKGROUND_Google/image_0001.jpg": f.image(),
        f"{CALTECH}/Faces/image_0001.jpg": f.image(shade=1),
        f"{CALTECH}/Faces/image_0002.jpg": f.image(shade=2),
        f"{CALTECH}/ant/image_0001.jpg": f.image(shade=3),
    }


@row("Caltech256", [0, 1], shades=[1, 2])
def caltech256(f: Any) -> dict[str, bytes]:
    base = "caltech256/256_ObjectCategories"
    return {
        f"{base}/001.ak47/001_0001.jpg": f.image(shade=1),
        f"{base}/001.ak47/RENAME2": b"",
        f"{base}/002.flag/002_0001.jpg": f.image(shade=2),
    }


@row("INaturalist", [0, 1], kwargs={"version": "2018"}, wrong={"version": "2020"}, downloads=False)
def naturalist(f: Any) -> dict[str, bytes]:
    return {"2018/Birds/1/x.jpg": f.image(), "2018/Aves/0/y.jpg": f.image()}


@row(
    "INaturalist",
    [(0, 0), (1, 0), (2, 1)],
    kwargs={"version": "2021_valid", "target_type": ["full", "class"]},
    wrong={"target_type": "super"},
    downloads=False,
)
def naturalist21(f: Any) -> dict[str, bytes]:
    names = [
        "00000_Animalia_Chordata_Aves_Order_Family_Genus_one",
        "00001_Animalia_Chordata_Aves_Order_Family_Genus_two",
        "00002_Plantae_Phylum_Class_Order_Family_Genus_three",
    ]
    return {f"2021_valid/{name}/x.jpg": f.image() for name in names}


@row("Places365", [1, 0], kwargs={"split": "val", "small": True}, wrong={"split": "valid"})
def places(f: Any) -> dict[str, bytes]:
    return {
        "categories_places365.txt": lines("/a/airfield 0", "/z/zen_garden 1"),
        "places365_val.txt": lines("v2.jpg 1", "v1.jpg 0"),
        "val_256/v1.jpg": f.image(),
        "val_256/v2.jpg": f.image(),
    }


@row(
    "LFWPeople",
    [1, 1, 0],
    kwargs={"split": "test"},
    wrong={"image_set": "round"},
    downloads=False,
    shades=[1, 2, 3],
)
def people(f: Any) -> dict[str, bytes]:
    base = "lfw-py/lfw_funneled"
    return {
        "lfw-py/lfw-names.txt": lines("Ann_Lee 1", "Bob_Ray 2"),
        "lfw-py/peopleDevTest.txt": lines("2", "Bob_Ray\t2", "Ann_Lee\t1"),
        f"{base}/Bob_Ray/Bob_Ray_0001.jpg": f.image(shade=1),
        f"{base}/Bob_Ray/Bob_Ray_0002.jpg": f.image(shade=2),
        f"{base}/Ann_Lee/Ann_Lee_0001.jpg": f.image(shade=3),
    }


@row(
    "OxfordIIITPet",
    [(1, 1), (0, 0)],
    kwargs={"target_types": ["category", "binary-category"]},
    wrong={"target_types": "breed"},
    shades=[2, 1],
)
def pets(f: Any) -> dict[str, bytes]:
    base = "oxford-iiit-pet"
    listed = lines("great_pug_12 2 2 1", "Bengal_3 1 1 1")
    return {
        f"{base}/annotations/trainval.txt": listed,
        f"{base}/images/great_pug_12.jpg": f.image(shade=2),
        f"{base}/images/Bengal_3.jpg": f.image(shade=1),
        f"{base}/annotations/trimaps/great_pug_12.png": f.grey(shade=3),
    }


def voc_tree(f: Any, base: str, kind: str, name: str, target: dict[str, bytes]) -> dict[str, bytes]:
    return {
        f"{base}/ImageSets/{kind}/{name}.txt": lines("2008_2", "2008_1"),
        f"{base}/JPEGImages/2008_1.jpg": f.image(shade=1),
        f"{base}/JPEGImages/2008_2.jpg": f.image(shade=2),
        **{f"{base}/{path}": content for path, content in target.items()},
    }


VOC_XML = """<annotation><folder>VOC</folder><size><width>6</width></size>
<object><name>dog</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>
</object>{}</annotation>"""
BOX = {"xmin": "1", "ymin": "2", "xmax": "3", "ymax": "4"}
ONE_DOG = {"folder": "VOC", "size": {"width": "6"}, "object": [{"name": "dog", "bndbox": BOX}]}


@row(
    "VOCDetection",
    [
        {"annotation": {**ONE_DOG, "object": [*ONE_DOG["object"], {"name": "cat"}]}},
        {"annotation": ONE_DOG},
    ],
    kwargs={"year": "2007", "image_set": "test"},
    wrong={"year": "2012", "image_set": "test"},
    shades=[2, 1],
)
def voc_boxes(f: Any) -> dict[str, bytes]:
    annotations = {
        "Annotations/2008_1.xml": VOC_XML.format("").encode(),
        "Annotations/2008_2.xml": VOC_XML.format("<object><name>cat</name></object>").encode(),
    }
    return voc_tree(f, "VOCdevkit/VOC2007", "Main", "test", annotations)


@row("VOCSegmentation", ["L", "L"], kwargs={"year": "2011"}, wrong={"year": "2013"}, shades=[2, 1])
def voc_masks(f: Any) -> dict[str, bytes]:
    masks = {f"SegmentationClass/2008_{i}.png": f.grey(shade=i) for i in (1, 2)}
    return voc_tree(f, "TrainVal/VOCdevkit/VOC2011", "Segmentation", "train", masks)


@row(
    "Kitti",
    [
        [
            {
                "type": "Car",
                "truncated": 0.5,
                "occluded": 1,
                "alpha": -1.5,
                "bbox": [1.0, 2.0, 3.0, 4.0],
                "dimensions": [1.0, 2.0, 3.0],
                "location": [7.0, 8.0, 9.0],
                "rotation_y": 0.25,
            }
        ]
    ],
)
def kitti(f: Any) -> dict[str, bytes]:
    return {
        "Kitti/raw/training/image_2/000.png": f.image("png"),
        "Kitti/raw/training/label_2/000.txt": b"Car 0.5 1 -1.5 1 2 3 4 1 2 3 7 8 9 0.25\n",
    }


@row("Kitti", [None], kwargs={"train": False})
def kitti_test(f: Any) -> dict[str, bytes]:
    return {"Kitti/raw/testing/image_2/000.png": f.image("png")}


@row("SBU", ["two", "one"], kwargs={"download": False}, downloads=False, shades=[2, 1])
def sbu(f: Any) -> dict[str, bytes]:
    return {
        "dataset/SBU_captioned_photo_dataset_urls.txt": lines(
            "http://h/2.jpg", "http://h/gone.jpg", "http://h/1.jpg"
        ),
        "dataset/SBU_captioned_photo_dataset_captions.txt": lines("two", "gone", "one"),
        "dataset/1.jpg": f.image(shade=1),
        "dataset/2.jpg": f.image(shade=2),
    }


@row("Flickr30k", [["a b", "c"], ["d"]], kwargs={"ann_file": "ann/results.token"}, downloads=False)
def flickr30k(f: Any) -> dict[str, bytes]:
    return {
        "images/1.jpg": f.image(),
        "images/2.jpg": f.image(),
        "ann/results.token": lines("1.jpg#0\ta b", "2.jpg#0\td", "1.jpg#1\tc"),
    }


@row("Flickr8k", [["one", "two"]], kwargs={"ann_file": "ann/page.html"}, downloads=False)
def flickr8k(f: Any) -> dict[str, bytes]:
    page = (
        "<table><tr><td><a href='x'>http://flickr.com/photos/me/17/</a></td><td><ul><li>one</li>"
        "<li>two </li></ul></td></tr><tr><td>Image Not Found</td><td><ul><li>lost</li></ul></td>"
        "</tr></table>"
    )
    return {"images/17_abc.jpg": f.image(), "ann/page.html": page.encode()}


@row(
    "Cityscapes",
    [("L", {"imgHeight": 4})],
    kwargs={"target_type": ["semantic", "polygon"]},
    wrong={"mode": "coarse", "split": "test"},
    downloads=False,
)
def cityscapes(f: Any) -> dict[str, bytes]:
    return {
        "leftImg8bit/train/ulm/ulm_0_1_leftImg8bit.png": f.image("png"),
        "gtFine/train/ulm/ulm_0_1_gtFine_labelIds.png": f.grey(shade=7),
        "gtFine/train/ulm/ulm_0_1_gtFine_polygons.json": b'{"imgHeight": 4}',
    }


CELEBA = {
    "list_eval_partition.txt": lines("000001.jpg 0", "000002.jpg 2", "000003.jpg 0"),
    "identity_CelebA.txt": lines("000001.jpg 7", "000002.jpg 8", "000003.jpg 9"),
    "list_bbox_celeba.txt": lines(
        "3",
        "image_id x_1 y_1 width height",
        "000001.jpg 1 2 3 4",
        "000002.jpg 5 6 7 8",
        "000003.jpg  9 10 11 12",
    ),
    "list_landmarks_align_celeba.txt": lines(
        "3", "a b", "000001.jpg 1 2", "000002.jpg 3 4", "000003.jpg 5 6"
    ),
    "list_attr_celeba.txt": lines(
        "3", "Bald Young", "000001.jpg -1  1", "000002.jpg  1 1", "000003.jpg -1 -1"
    ),
}


@row(
    "CelebA",
    [[[0, 1], 7, [1, 2, 3, 4], [1, 2]], [[0, 0], 9, [9, 10, 11, 12], [5, 6]]],
    kwargs={"target_type": ["attr", "identity", "bbox", "landmarks"]},
    wrong={"split": "val"},
    shades=[1, 3],
)
def celeba(f: Any) -> dict[str, bytes]:
    images = {f"img_align_celeba/00000{i}.jpg": f.image(shade=i) for i in (1, 2, 3)}
    return {f"celeba/{name}": content for name, content in (CELEBA | images).items()}


FACE = {
    "bbox": [[1, 2, 3, 4]],
    "blur": [5],
    "expression": [6],
    "illumination": [7],
    "occlusion": [9],
    "pose": [10],
    "invalid": [8],
}
FACE = FACE | {"occlusion": [8], "pose": [9], "invalid": [10]}
NOBODY = {key: [[0] * 4] if key == "bbox" else [0] for key in FACE}


@row("WIDERFace", [FACE, NOBODY], wrong={"split": "all"}, shades=[1, 2])
def faces(f: Any) -> dict[str, bytes]:
    listed = lines(
        "0--Parade/a.jpg",
        "1",
        "1 2 3 4 5 6 7 8 9 10 ",
        "0--Parade/b.jpg",
        "0",
        "0 0 0 0 0 0 0 0 0 0 ",
    )
    return {
        "widerface/wider_face_split/wider_face_train_bbx_gt.txt": listed,
        "widerface/WIDER_train/images/0--Parade/a.jpg": f.image(shade=1),
        "widerface/WIDER_train/images/0--Parade/b.jpg": f.image(shade=2),
    }


@row("WIDERFace", [None], kwargs={"split": "test"})
def faces_test(f: Any) -> dict[str, bytes]:
    return {
        "widerface/wider_face_split/wider_face_test_filelist.txt": lines("0--Parade/a.jpg"),
        "widerface/WIDER_test/images/0--Parade/a.jpg": f.image(),
    }


# Arrays


def digits(count: int) -> np.ndarray:
    return np.arange(count * 4, dtype=np.uint8).reshape(count, 2, 2)


@row("MNIST", [3, 1], mode="L", size=(2, 2), shades=[0, 4], repr="Split: Train")
def mnist(f: Any) -> dict[str, bytes]:
    base = "MNIST/raw"
    return {
        f"{base}/train-images-idx3-ubyte": f.idx(digits(2)),
        f"{base}/train-labels-idx1-ubyte": f.idx(np.array([3, 1], np.uint8)),
        f"{base}/t10k-images-idx3-ubyte": f.idx(digits(1)),
        f"{base}/t10k-labels-idx1-ubyte": f.idx(np.array([5], np.uint8)),
    }


@row("FashionMNIST", [5], mode="L", size=(2, 2), kwargs={"train": False})
def fashion(f: Any) -> dict[str, bytes]:
    return {name.replace("MNIST", "FashionMNIST", 1): c for name, c in mnist(f).items()}


@row("KMNIST", [3, 1], mode="L", size=(2, 2))
def kmnist(f: Any) -> dict[str, bytes]:
    return {name.replace("MNIST", "KMNIST", 1): c for name, c in mnist(f).items()}


@row(
    "EMNIST",
    [9, 26],
    mode="L",
    size=(2, 2),
    kwargs={"split": "letters"},
    wrong={"split": "words"},
    downloads=False,
)
def emnist(f: Any) -> dict[str, bytes]:
    base = "EMNIST/raw/emnist-letters-train"
    return {
        f"{base}-images-idx3-ubyte": f.idx(digits(2)),
        f"{base}-labels-idx1-ubyte": f.idx(np.array([9, 26], np.uint8)),
    }


@row(
    "QMNIST",
    [3, 1],
    mode="L",
    size=(2, 2),
    kwargs={"what": "test"},
    wrong={"what": "val"},
    repr="Split: test",
)
def qmnist(f: Any) -> dict[str, bytes]:
    labels = np.array([[3, 4, 0, 0, 0, 0, 0, 0], [1, 4, 0, 0, 0, 0, 0, 1]], np.int32)
    return {
        "QMNIST/raw/qmnist-test-images-idx3-ubyte": f.idx(digits(2)),
        "QMNIST/raw/qmnist-test-labels-idx2-int": f.idx(labels),
    }


def cifar_batch(first: int, count: int, key: str) -> bytes:
    data = np.zeros((count, 3, 32, 32), np.uint8)
    data[:, 0] = first + np.arange(count)[:, None, None]
    labels = list(range(first, first + count))
    return pickle.dumps({"data": data.reshape(count, -1), key: labels}, protocol=2)


@row("CIFAR10", list(range(10)), size=(32, 32), shades=list(range(10)))
def cifar10(f: Any) -> dict[str, bytes]:
    base = "cifar-10-batches-py"
    return {
        **{f"{base}/data_batch_{i + 1}": cifar_batch(2 * i, 2, "labels") for i in range(5)},
        f"{base}/test_batch": cifar_batch(10, 1, "labels"),
        f"{base}/batches.meta": pickle.dumps({"label_names": ["plane", "car"]}, protocol=2),
    }


@row("CIFAR100", [7], size=(32, 32), kwargs={"train": False}, repr="Split: Test")
def cifar100(f: Any) -> dict[str, bytes]:
    base = "cifar-100-python"
    return {
        f"{base}/train": cifar_batch(0, 2, "fine_labels"),
        f"{base}/test": cifar_batch(7, 1, "fine_labels"),
        f"{base}/meta": pickle.dumps({"fine_label_names": ["apple"]}, protocol=2),
    }


@row("SVHN", [0, 3], size=(32, 32), shades=[1, 2], wrong={"split": "val"}, kwargs={"split": "test"})
def svhn(f: Any) -> dict[str, bytes]:
    x = np.zeros((32, 32, 3, 2), np.uint8)
    x[:, :, 0] = [1, 2]
    return {"test_32x32.mat": f.mat(X=x, y=np.array([[10], [3]], np.uint8))}


def stl_tree(f: Any) -> dict[str, bytes]:
    def images(*shades: int) -> bytes:
        x = np.zeros((len(shades), 3, 96, 96), np.uint8)
        x[:, 0] = np.array(shades)[:, None, None]
        return x.tobytes()

    base = "stl10_binary"
    return {
        f"{base}/train_X.bin": images(1, 2, 3),
        f"{base}/train_y.bin": bytes([1, 2, 10]),
        f"{base}/unlabeled_X.bin": images(4),
        f"{base}/test_X.bin": images(5),
        f"{base}/test_y.bin": bytes([3]),
        f"{base}/fold_indices.txt": lines(*(["0"] * 4), "2 0", *(["0"] * 5)),
        f"{base}/class_names.txt": lines("airplane", "bird"),
    }


STL = {"size": (96, 96), "wrong": {"split": "val"}}
row("STL10", [0, 1, 9], shades=[1, 2, 3], **STL)(stl_tree)
row("STL10", [9, 0], shades=[3, 1], kwargs={"folds": 4}, size=(96, 96), wrong={"folds": 10})(
    stl_tree
)
row("STL10", [0, 1, 9, -1], kwargs={"split": "train+unlabeled"}, shades=[1, 2, 3, 4], **STL)(
    stl_tree
)
row("STL10", [2], kwargs={"split": "test"}, shades=[5], **STL)(stl_tree)


@row("USPS", [4, 9], mode="L", size=(16, 16), shades=[0, 255])
def usps(f: Any) -> dict[str, bytes]:
    import bz2

    texts = [
        f"{label} " + " ".join(f"{i}:{v}" for i in range(1, 257)) for label, v in ((5, -1), (10, 1))
    ]
    return {"usps.bz2": bz2.compress(lines(*texts))}


@row("SEMEION", [2, 9], mode="L", size=(16, 16), shades=[255, 0], kwargs={"download": False})
def semeion(f: Any) -> dict[str, bytes]:
    texts = [
        " ".join(["1.0000" if ink else "0.0000"] * 256 + ["01"[i == label] for i in range(10)])
        for ink, label in ((1, 2), (0, 9))
    ]
    return {"semeion.data": lines(*texts)}


@row(
    "FER2013",
    [3, None],
    mode="L",
    size=(48, 48),
    shades=[9, 7],
    kwargs={"split": "test"},
    wrong={"split": "val"},
    downloads=False,
)
def faces2013(f: Any) -> dict[str, bytes]:
    rows = [" ".join([str(shade)] * 48**2) for shade in (5, 9, 7)]
    table = lines(
        "emotion, Usage, pixels",
        f"1, Training, {rows[0]}",
        f"3, PublicTest, {rows[1]}",
        f", PrivateTest, {rows[2]}",
    )
    return {"fer2013/icml_face_data.csv": table}


IDS = [f"{row.name}-{'-'.join(map(str, row.kwargs.values()))}".rstrip("-") for row in ROWS]
rows = pytest.mark.parametrize("row", ROWS, ids=IDS)
downloading = pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row.downloads],
    ids=[i for i, r in zip(IDS, ROWS, strict=True) if r.downloads],
)


def plain(target: Any) -> Any:
    """Targets as lists and numbers; pictures by their mode."""
    if hasattr(target, "tolist"):
        return target.tolist()
    if hasattr(target, "mode"):
        return target.mode
    if isinstance(target, Mapping):
        return {key: plain(value) for key, value in target.items()}
    if isinstance(target, tuple) and any(hasattr(part, "tolist") for part in target):
        return [plain(part) for part in target]
    return tuple(map(plain, target)) if isinstance(target, tuple) else target


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "root"


def located(row: Row, root: Path) -> Row:
    """With the file of sentences in the tree, and the images' folder as root."""
    if "ann_file" in row.kwargs and not Path(row.kwargs["ann_file"]).is_absolute():
        kwargs = {**row.kwargs, "ann_file": root / row.kwargs["ann_file"]}
        return replace(row, kwargs=kwargs)
    return row


def root_of(row: Row, root: Path) -> Path:
    return root / "images" if "ann_file" in row.kwargs else root


def check(row: Row, data: Any) -> None:
    samples = [data[i] for i in range(len(data))]
    assert [plain(target) for _, target in samples] == row.targets
    assert {image.mode for image, _ in samples} == {row.mode}
    assert {image.size for image, _ in samples} == {row.size}
    if row.shades is not None:
        first = [np.asarray(image).reshape(-1)[0] for image, _ in samples]
        assert np.abs(np.array(first, int) - row.shades).max() <= 1  # JPEG rounds
    assert f"Number of datapoints: {len(row.targets)}" in repr(data)
    assert row.repr in repr(data)


@rows
def test_whole(row: Row, files: Any, place: Path, publisher: Any) -> None:
    tree = row.tree(files)
    publisher.publish(place, tree)
    files.write(place, tree)
    row = located(row, place)
    data = row.make(root_of(row, place))
    check(row, data)
    both = row.make(root_of(row, place), transform=lambda x: 1, target_transform=lambda y: 2)
    assert both[0] == (1, 2)
    copied = pickle.loads(pickle.dumps(data))  # as for workers that are spawned
    assert len(copied) == len(data)
    assert plain(copied[0][1]) == row.targets[0]
    assert not publisher.asked


@rows
def test_missing(row: Row, files: Any, place: Path, publisher: Any) -> None:
    publisher.publish(place, {})
    place.mkdir()
    row = located(row, place)
    with pytest.raises(MissingDataError) as caught:
        row.make(root_of(row, place))
    text = str(caught.value)
    assert row.name in text
    assert str(place) in text
    assert "not found" in text
    assert "download=True" in text or not row.downloads
    assert isinstance(caught.value, RuntimeError)
    assert isinstance(caught.value, FileNotFoundError)


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row.wrong],
    ids=[i for i, r in zip(IDS, ROWS, strict=True) if r.wrong],
)
def test_wrong_argument(row: Row, files: Any, place: Path, publisher: Any) -> None:
    tree = row.tree(files)
    publisher.publish(place, tree)
    files.write(place, tree)
    with pytest.raises(ValueError, match=r"valid values are|is one of|1 to") as caught:
        row.make(place, **row.wrong)
    assert str(list(row.wrong.values())[-1]) in str(caught.value)


@downloading
def test_download(row: Row, files: Any, place: Path, publisher: Any) -> None:
    publisher.publish(place, row.tree(files))
    data = row.make(place, download=True)
    check(row, data)
    assert publisher.asked
    publisher.asked.clear()
    row.make(place, download=True)  # everything is there
    assert not publisher.asked


@downloading
def test_damaged_archive(row: Row, files: Any, place: Path, publisher: Any) -> None:
    publisher.publish(place, row.tree(files))
    publisher.corrupt = True
    unhashed = row.name in ("FGVCAircraft", "Kitti")  # damage shows when it is unpacked
    error, text = (BrokenArchive, "damaged") if unhashed else (HashMismatch, "Or fetch")
    with pytest.raises(error, match=text):
        row.make(place, download=True)
    assert not [path for path in place.rglob("*") if path.is_file()]


HASHED = {
    "CIFAR10": "cifar-10-batches-py/data_batch_2",
    "CIFAR100": "cifar-100-python/train",
    "CelebA": "celeba/list_bbox_celeba.txt",
    "FER2013": "fer2013/icml_face_data.csv",
    "Flowers102": "flowers-102/setid.mat",
    "LFWPeople": "lfw-py/lfw-names.txt",
    "Places365": "places365_val.txt",
    "SEMEION": "semeion.data",
    "SVHN": "test_32x32.mat",
    "STL10": "stl10_binary/train_y.bin",
    "USPS": "usps.bz2",
}


@pytest.mark.parametrize("name", HASHED)
def test_damaged_file(name: str, files: Any, place: Path, publisher: Any) -> None:
    row = next(row for row in ROWS if row.name == name)
    tree = row.tree(files)
    publisher.publish(place, tree)
    files.write(place, tree)
    path = place / HASHED[name]
    path.write_bytes(path.read_bytes() + b"?")
    with pytest.raises(MissingDataError, match=rf"{path.name} is damaged"):
        row.make(place)
    if row.downloads:
        check(row, row.make(place, download=True))


def test_archives_stay_in_their_folder(files: Any, place: Path, publisher: Any) -> None:
    publisher.publish(place, {"food-101/../../evil": b"x"})
    with pytest.raises(UnsafeArchive, match="outside"):
        datasets.Food101(place, download=True)
    assert not (place.parent / "evil").exists()


def test_hostile_cifar_is_not_run(place: Path, publisher: Any, files: Any) -> None:
    class Hostile:
        def __reduce__(self) -> Any:
            return (Path.write_text, (place / "mark", "executed"))

    tree = cifar100(files) | {"cifar-100-python/test": pickle.dumps(Hostile(), protocol=2)}
    publisher.publish(place, tree)
    files.write(place, tree)
    with pytest.raises(ValueError, match="nothing was executed"):
        datasets.CIFAR100(place, train=False)
    assert not (place / "mark").exists()


def test_details(files: Any, place: Path, publisher: Any) -> None:
    """Attributes that the table does not look at."""
    tree = {}
    for make in (cifar10, mnist, qmnist, pets, imagenette, voc_boxes, naturalist21, food, celeba):
        tree.update(make(files))
    publisher.publish(place, tree)
    files.write(place, tree)
    cifar = datasets.CIFAR10(place)
    assert cifar.data.shape == (10, 32, 32, 3)
    assert cifar.class_to_idx == {"plane": 0, "car": 1}
    train = datasets.MNIST(place)
    assert (train.data.shape, train.targets.tolist()) == ((2, 2, 2), [3, 1])
    assert train.class_to_idx["7 - seven"] == 7
    assert datasets.QMNIST(place, what="test", compat=False)[1][1].tolist() == [
        1,
        4,
        0,
        0,
        0,
        0,
        0,
        1,
    ]
    assert len(datasets.QMNIST(place, what="test50k")) == 0
    animals = datasets.OxfordIIITPet(place, target_types=["segmentation"])
    assert animals.classes == ["Bengal", "Great Pug"]
    assert animals[0][1].getpixel((0, 0)) == 3
    assert datasets.OxfordIIITPet(place, target_types=[])[0][1] is None
    easy = datasets.Imagenette(place, "val", "160px")
    assert easy.classes == [("tench", "Tinca tinca"), ("parachute", "chute")]
    assert easy.class_to_idx["chute"] == 1
    species = datasets.INaturalist(place, "2021_valid")
    assert species.category_name("class", 1) == "Class"
    with pytest.raises(ValueError, match="has no index 9"):
        species.category_name("genus", 9)
    assert datasets.Food101(place).classes == ["baklava", "waffles"]
    everybody = datasets.CelebA(place, "all", target_type=[])
    assert (len(everybody), everybody[1][1], everybody.attr_names) == (3, None, ["Bald", "Young"])


def test_lfw_pairs(files: Any, place: Path, publisher: Any) -> None:
    tree = people(files) | {
        "lfw-py/pairs.txt": lines("1\t1", "Bob_Ray\t1\t2", "Bob_Ray\t2\tAnn_Lee\t1")
    }
    publisher.publish(place, tree)
    files.write(place, tree)
    data = datasets.LFWPairs(place, target_transform=str)
    assert data.pair_names == [("Bob_Ray", "Bob_Ray"), ("Bob_Ray", "Ann_Lee")]
    first, second, same = data[1]
    assert [image.getpixel((0, 0))[0] for image in (first, second)] == pytest.approx([2, 3], abs=1)
    assert same == "0"
    assert data.targets == [1, 0]


def test_caltech_outlines_and_nested_archive(files: Any, place: Path, publisher: Any) -> None:
    outline = np.array([[1.0, 2.0], [3.0, 4.0]])
    name = "Annotations/Faces_2/annotation_0002.mat"
    tree = caltech(files) | {f"caltech101/{name}": files.mat(obj_contour=outline)}
    inner = {n.removeprefix("caltech101/"): c for n, c in tree.items()}
    packed = files.packed
    publisher.publish(place, {})
    publisher.archives["caltech-101.zip"] = packed(
        "x.zip", {"caltech-101/101_ObjectCategories.tar.gz": packed("x.tar.gz", inner)}
    )
    data = datasets.Caltech101(place, ["category", "annotation"], download=True)
    index, contour = data[1][1]
    assert index == 0
    assert np.array_equal(contour, outline)
    assert not (place / "caltech101" / "caltech-101").exists()


def test_emnist_unpacks_the_inner_files(files: Any, place: Path, publisher: Any) -> None:
    import gzip

    publisher.publish(place, {})

    inner = {f"gzip/{Path(n).name}.gz": gzip.compress(c) for n, c in emnist(files).items()}
    publisher.archives["gzip.zip"] = files.packed("x.zip", inner)
    data = datasets.EMNIST(place, "letters", download=True)
    assert data.targets.tolist() == [9, 26]
    assert data.classes[26] == "z"
    assert not (place / "EMNIST" / "raw" / "gzip").exists()


def test_moving_mnist(files: Any, place: Path, publisher: Any) -> None:
    import io

    film = np.arange(20 * 2 * 4, dtype=np.uint8).reshape(20, 2, 2, 2)
    raw = io.BytesIO()
    np.save(raw, film)
    publisher.publish(place, {"MovingMNIST/mnist_test_seq.npy": raw.getvalue()})
    with pytest.raises(MissingDataError, match="download=True"):
        datasets.MovingMNIST(place)
    whole = datasets.MovingMNIST(place, download=True)
    assert whole.data.shape == (2, 20, 1, 2, 2)
    test = datasets.MovingMNIST(place, split="test", split_ratio=15, transform=lambda x: x.numpy())
    assert np.array_equal(test[1], film[15:, 1, None])
    for wrong in ({"split": "val"}, {"split_ratio": 20}):
        with pytest.raises(ValueError, match=r"valid values|1 to 19"):
            datasets.MovingMNIST(place, **wrong)


def test_photo_tour(files: Any, place: Path, publisher: Any) -> None:
    import io

    from PIL import Image

    pixels = np.repeat(np.repeat(np.arange(4, dtype=np.uint8).reshape(2, 2), 64, 0), 64, 1)
    raw = io.BytesIO()
    Image.fromarray(pixels).save(raw, "BMP")
    tree = {
        "liberty/patches0000.bmp": raw.getvalue(),
        "liberty/info.txt": lines("7 0", "7 0", "8 0", "9 0"),
        "liberty/m50_100000_100000_0.txt": lines("0 7 0 1 7 0 0", "1 7 0 2 8 0 0"),
    }
    publisher.publish(place, tree)
    data = datasets.PhotoTour(place, "liberty", download=True)
    assert [int(patch[0, 0]) for patch in data] == [0, 1, 2, 3]
    assert data.labels.tolist() == [7, 7, 8, 9]
    shutil.rmtree(place / "liberty")  # what was read is kept
    pairs = datasets.PhotoTour(place, "liberty", train=False, transform=lambda x: int(x[0, 0]))
    assert [(a, b, int(same)) for a, b, same in pairs] == [(0, 1, 1), (1, 2, 0)]
    with pytest.raises(ValueError, match="valid values"):
        datasets.PhotoTour(place, "paris")


def test_sbd(files: Any, place: Path, publisher: Any) -> None:
    from scipy.sparse import csc_matrix

    edges = np.empty((20, 1), object)
    for k in range(20):
        edges[k, 0] = csc_matrix(np.full((4, 6), k % 2, np.uint8))
    truth = {"Boundaries": edges, "Segmentation": np.full((4, 6), 5, np.uint8)}
    tree = {
        "cls/1.mat": files.mat(GTcls=truth),
        "img/1.jpg": files.image(),
        "train.txt": lines("1"),
        "val.txt": b"",
        "inst/1.mat": b"",
    }
    publisher.publish(place, {})
    packed = files.packed
    inner = {f"benchmark_RELEASE/dataset/{n}": c for n, c in tree.items()}
    publisher.archives["benchmark.tgz"] = packed("x.tgz", inner)
    with pytest.raises(MissingDataError, match=r"train\.txt"):
        datasets.SBDataset(place)
    data = datasets.SBDataset(place, download=True)
    assert data[0][1].shape == (20, 4, 6)
    assert data[0][1][:, 0, 0].tolist() == [k % 2 for k in range(20)]
    assert datasets.SBDataset(place, mode="segmentation")[0][1].getpixel((0, 0)) == 5
    with pytest.raises(ValueError, match="valid values"):
        datasets.SBDataset(place, mode="boxes")


def test_imagenet(files: Any, place: Path, publisher: Any) -> None:
    packed = files.packed
    dtype = [(name, "O") for name in ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_children")]
    synsets = np.array(
        [[(1, "n2", "tench, fish", "", 0)], [(2, "n1", "crane", "", 0)], [(3, "n9", "all", "", 2)]],
        dtype,
    )
    kit = "ILSVRC2012_devkit_t12/data"
    tree = {
        "ILSVRC2012_devkit_t12.tar.gz": packed(
            "x.tar.gz",
            {
                f"{kit}/meta.mat": files.mat(synsets=synsets),
                f"{kit}/ILSVRC2012_validation_ground_truth.txt": lines("2", "1"),
            },
        ),
        "ILSVRC2012_img_train.tar": packed(
            "x.tar",
            {f"{w}.tar": packed("x.tar", {f"{w}_1.JPEG": files.image()}) for w in ("n1", "n2")},
        ),
        "ILSVRC2012_img_val.tar": packed(
            "x.tar", {f"val_{i}.JPEG": files.image(shade=i) for i in (1, 2)}
        ),
    }
    place.mkdir()
    publisher.publish(place, tree)
    with pytest.raises(MissingDataError, match=r"devkit.*not found.*sign up"):
        datasets.ImageNet(place)
    files.write(place, tree)
    train = datasets.ImageNet(place, transform=lambda image: image.size)
    assert (train.wnids, train.classes) == (["n1", "n2"], [("crane",), ("tench", "fish")])
    assert train.class_to_idx == {"crane": 0, "tench": 1, "fish": 1}
    assert [train[i] for i in range(2)] == [((6, 4), 0), ((6, 4), 1)]
    val = datasets.ImageNet(place, "val")
    assert [(Path(path).parent.name, Path(path).name) for path, _ in val.samples] == [
        ("n1", "val_1.JPEG"),
        ("n2", "val_2.JPEG"),
    ]
    assert tp.load(place / "meta.bin")[1] == ["n1", "n2"]
    shutil.rmtree(place / "val")
    (place / "ILSVRC2012_img_val.tar").write_bytes(b"damaged")
    with pytest.raises(MissingDataError, match="is damaged"):
        datasets.ImageNet(place, "val")
    assert not (place / "val").exists()
    with pytest.raises(ValueError, match="valid values"):
        datasets.ImageNet(place, "test")


def test_cityscapes_archives_and_classes(files: Any, place: Path, publisher: Any) -> None:
    packed = files.packed
    tree = cityscapes(files)
    images = {n: c for n, c in tree.items() if n.startswith("left")}
    archives = {
        "leftImg8bit_trainvaltest.zip": packed("x.zip", images),
        "gtFine_trainvaltest.zip": packed("x.zip", {n: tree[n] for n in tree if n not in images}),
    }
    publisher.publish(place, {})
    files.write(place, archives)
    data = datasets.Cityscapes(place, target_type="semantic")
    assert data[0][1].getpixel((0, 0)) == 7
    road = data.classes[7]
    assert (road.name, road.train_id, road.color) == ("road", 0, (128, 64, 128))
    assert len(data.classes) == 35
    assert data.classes[-1].id == -1


def test_voc_refuses_entities(files: Any, place: Path, publisher: Any) -> None:
    tree = voc_boxes(files)
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><annotation><a>&a;</a></annotation>'
    tree["VOCdevkit/VOC2007/Annotations/2008_2.xml"] = bomb
    publisher.publish(place, tree)
    files.write(place, tree)
    with pytest.raises(ValueError, match="document type"):
        datasets.VOCDetection(place, "2007", "test")[0]


@pytest.mark.parametrize(("name", "module"), [("PCAM", "h5py"), ("LSUN", "lmdb")])
def test_missing_library_is_named(
    name: str, module: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"{name} needs {module}.*triptych-vision\["):
        getattr(datasets, name)(place)


def test_lsun_classes_are_checked(place: Path) -> None:
    with pytest.raises(ValueError, match="bedroom"):
        datasets.LSUN(place, ["cellar_train"])
    with pytest.raises(ValueError, match="'test'"):
        datasets.LSUN(place, "all")


def test_sbu_leaves_out_what_is_gone(files: Any, place: Path, publisher: Any) -> None:
    publisher.publish(place, sbu(files))
    lists = {n: c for n, c in sbu(files).items() if n.endswith(".txt")}
    packed = files.packed
    publisher.archives["SBUCaptionedPhotoDataset.tar.gz"] = packed("x.tar.gz", lists)
    from triptych_datasets import FetchError
    from triptych_vision.datasets import sbu as module

    def download_url(url: str, folder: Path) -> None:
        if "gone" in url:
            raise FetchError("gone")
        files.write(folder, {url.rpartition("/")[2]: files.image()})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "download_url", download_url)
        data = datasets.SBU(place)
    assert data.captions == ["two", "one"]


def test_inaturalist_download_renames(files: Any, place: Path, publisher: Any) -> None:
    inner = {n.replace("2018/", "train_val2018/"): c for n, c in naturalist(files).items()}
    publisher.publish(place, inner)
    assert len(datasets.INaturalist(place, "2018", download=True)) == 2
    files.write(place, {"2019/Birds/5/x.jpg": files.image()})
    with pytest.raises(ValueError, match="wanted species 0 to 0"):
        datasets.INaturalist(place, "2019")


@pytest.mark.parametrize("variant", ["standard", "challenge"])
def test_places_for_training(files: Any, place: Path, publisher: Any, variant: str) -> None:
    published = {
        "categories_places365.txt": lines("/a/airfield 0", "/z/zen_garden 1"),
        f"places365_train_{variant}.txt": lines("/z/zen_garden/1.jpg 1", "/a/airfield/1.jpg 0"),
    }
    pictures = {f"data_256/{name}/1.jpg": files.image() for name in ("z/zen_garden", "a/airfield")}
    publisher.publish(place, published)
    archive = f"train_256_places365{variant}.tar"
    publisher.archives[archive] = files.packed(archive, pictures)
    split = f"train-{variant}"
    got = datasets.Places365(place, split=split, small=True, download=True)
    assert [target for _, target in got] == [1, 0]
    assert got.imgs is got.samples
    assert Path(got.imgs[0][0]).parts[-4:] == (f"data_256_{variant}", "z", "zen_garden", "1.jpg")
    assert f"Split: {split}" in repr(got)
    again = datasets.Places365(place, split=split, small=True)  # all is there
    assert again.samples == got.samples


def test_what_newer_sets_know_besides(files: Any, tmp_path: Path) -> None:
    files.write(tmp_path, {**tiny_imagenet_train(files), **birds(files), **scenes(files)})
    tiny = datasets.TinyImageNet(tmp_path)
    assert tiny.classes == [("cat", "house cat"), ("dog",)]
    albatrosses = datasets.CUB200(tmp_path, "test")
    assert albatrosses.classes == ["Black_footed_Albatross", "Laysan_Albatross"]
    assert albatrosses.boxes == [(1, 2, 3, 4), (0.5, 0, 2, 2)]
    assert datasets.ADE20K(tmp_path, "val").classes == ["wall", "building, edifice"]
    files.write(tmp_path, medical("chestmnist", np.eye(2, 14, dtype=np.uint8)))
    chest = datasets.MedMNIST(tmp_path, "chestmnist", "val")
    assert chest[1][1].tolist() == [0, 1] + 12 * [0]

"""Data sets of images and films: samples (image, target), names and layouts as torchvision's."""

from ._optical_flow import HD1K, FlyingChairs, FlyingThings3D, KittiFlow, Sintel
from ._stereo_matching import (
    CarlaStereo,
    CREStereo,
    ETH3DStereo,
    FallingThingsStereo,
    InStereo2k,
    Kitti2012Stereo,
    Kitti2015Stereo,
    Middlebury2014Stereo,
    SceneFlowStereo,
    SintelStereo,
)
from .ade20k import ADE20K
from .caltech import Caltech101, Caltech256
from .celeba import CelebA
from .cifar import CIFAR10, CIFAR100
from .cityscapes import Cityscapes
from .clevr import CLEVRClassification
from .coco import CocoCaptions, CocoDetection, CocoIndex
from .country211 import Country211
from .cub200 import CUB200
from .digits import Digits
from .dtd import DTD
from .eurosat import EuroSAT
from .fakedata import FakeData
from .fer2013 import FER2013
from .fgvc_aircraft import FGVCAircraft
from .flickr import Flickr8k, Flickr30k
from .flowers102 import Flowers102
from .folder import DatasetFolder, ImageFolder
from .food101 import Food101
from .gtsrb import GTSRB
from .hmdb51 import HMDB51
from .imagenet import ImageNet
from .imagenette import Imagenette
from .inaturalist import INaturalist
from .kinetics import Kinetics
from .kitti import Kitti
from .lfw import LFWPairs, LFWPeople
from .lsun import LSUN, LSUNClass
from .medmnist import MedMNIST
from .mnist import EMNIST, KMNIST, MNIST, QMNIST, FashionMNIST
from .moving_mnist import MovingMNIST
from .omniglot import Omniglot
from .oxford_iiit_pet import OxfordIIITPet
from .pcam import PCAM
from .phototour import PhotoTour
from .places365 import Places365
from .rendered_sst2 import RenderedSST2
from .sbd import SBDataset
from .sbu import SBU
from .semeion import SEMEION
from .stanford_cars import StanfordCars
from .stl10 import STL10
from .sun397 import SUN397
from .svhn import SVHN
from .tiny_imagenet import TinyImageNet
from .ucf101 import UCF101
from .usps import USPS
from .vision import MissingDataError, StandardTransform, VisionDataset
from .voc import VOCDetection, VOCSegmentation
from .webdataset import WebDataset, expand_shards
from .widerface import WIDERFace
from .wrapping import wrap_dataset_for_transforms_v2
from .yolo import YOLODetection

__all__ = [
    "ADE20K",
    "CIFAR10",
    "CIFAR100",
    "CLEVRClassification",
    "CREStereo",
    "CUB200",
    "Caltech101",
    "Caltech256",
    "CarlaStereo",
    "CelebA",
    "Cityscapes",
    "CocoCaptions",
    "CocoDetection",
    "CocoIndex",
    "Country211",
    "DTD",
    "DatasetFolder",
    "Digits",
    "EMNIST",
    "ETH3DStereo",
    "EuroSAT",
    "FER2013",
    "FGVCAircraft",
    "FakeData",
    "FallingThingsStereo",
    "FashionMNIST",
    "Flickr30k",
    "Flickr8k",
    "Flowers102",
    "FlyingChairs",
    "FlyingThings3D",
    "Food101",
    "GTSRB",
    "HD1K",
    "HMDB51",
    "INaturalist",
    "ImageFolder",
    "ImageNet",
    "Imagenette",
    "InStereo2k",
    "KMNIST",
    "Kinetics",
    "Kitti",
    "Kitti2012Stereo",
    "Kitti2015Stereo",
    "KittiFlow",
    "LFWPairs",
    "LFWPeople",
    "LSUN",
    "LSUNClass",
    "MNIST",
    "MedMNIST",
    "Middlebury2014Stereo",
    "MissingDataError",
    "MovingMNIST",
    "Omniglot",
    "OxfordIIITPet",
    "PCAM",
    "PhotoTour",
    "Places365",
    "QMNIST",
    "RenderedSST2",
    "SBDataset",
    "SBU",
    "SEMEION",
    "STL10",
    "SUN397",
    "SVHN",
    "SceneFlowStereo",
    "Sintel",
    "SintelStereo",
    "StandardTransform",
    "StanfordCars",
    "TinyImageNet",
    "UCF101",
    "USPS",
    "VOCDetection",
    "VOCSegmentation",
    "VisionDataset",
    "WIDERFace",
    "WebDataset",
    "YOLODetection",
    "expand_shards",
    "wrap_dataset_for_transforms_v2",
]

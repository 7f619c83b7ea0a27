"""Transforms of images: classes here, the functions behind them in `functional`.

Names and defaults are those of torchvision.transforms.v2; `transforms.v2` is the same module again.
A transform takes a PIL image, a NumPy array (h, w, c), a tensor (..., c, h, w) or any other DLPack
array (..., c, h, w), and gives back the same kind. In a sample, nested tuples, lists and dicts, it
changes PIL images and the kinds of `tv_tensors`, each in its way; if there is no image among
them, the first array of three or more axes is it (`Transform.plain_arrays` may say otherwise). The
rest is left alone. Those that draw numbers take `generator=`, draw once per sample, and with
`per_sample=True` once for each sample of a batch.
"""

from . import functional
from .autoaugment import (
    AugMix,
    AutoAugment,
    AutoAugmentPolicy,
    RandAugment,
    TrivialAugmentWide,
)
from .bending import (
    D4,
    GridDistortion,
    LongestMaxSize,
    OpticalDistortion,
    SmallestMaxSize,
    Transpose,
)
from .blurring import GaussianBlur, GaussianNoise
from .box_params import BBoxParams
from .boxes import (
    ClampBoundingBoxes,
    ClampKeyPoints,
    ConvertBoundingBoxFormat,
    SanitizeBoundingBoxes,
    SanitizeKeyPoints,
    SetClampingMode,
)
from .choosing import OneOf, ReplayCompose, SomeOf
from .color import (
    RGB,
    ColorJitter,
    Grayscale,
    RandomChannelPermutation,
    RandomGrayscale,
    RandomPhotometricDistort,
)
from .containers import Compose, Identity, Lambda, RandomApply, RandomChoice, RandomOrder
from .conversion import (
    ConvertImageDtype,
    Denormalize,
    LinearTransformation,
    Normalize,
    PILToTensor,
    ToDtype,
    ToImage,
    ToPILImage,
    ToPureTensor,
    ToTensor,
)
from .copy_paste import SimpleCopyPaste
from .cropping import RandomCrop, RandomIoUCrop, RandomResizedCrop
from .degrading import (
    Downscale,
    GridDropout,
    ImageCompression,
    MedianBlur,
    MotionBlur,
    SaltAndPepper,
    Sharpen,
)
from .erasing import JPEG, CoarseDropout, RandomErasing, UniformTemporalSubsample
from .factory import create_transform
from .framing import PadIfNeeded
from .geometry import (
    CenterCrop,
    FiveCrop,
    Pad,
    RandomHorizontalFlip,
    RandomRotate90,
    RandomVerticalFlip,
    Resize,
    TenCrop,
)
from .interpolation import InterpolationMode
from .kinds import is_pure_tensor
from .mixing import CutMix, MixUp
from .queries import (
    check_type,
    get_bounding_boxes,
    get_keypoints,
    has_all,
    has_any,
    query_chw,
    query_size,
)
from .scaling import RandomResize, RandomShortestSize, RandomZoomOut, ScaleJitter
from .serialization import from_dict, to_dict
from .targeted import BBoxSafeRandomCrop, CropNonEmptyMaskIfExists, Mosaic
from .tones import (
    RandomAdjustSharpness,
    RandomAutocontrast,
    RandomEqualize,
    RandomInvert,
    RandomPosterize,
    RandomSolarize,
)
from .transform import RandomApplyTransform, RandomTransform, Transform
from .tuning import CLAHE, HueSaturationValue, RandomBrightnessContrast, RandomGamma
from .warping import ElasticTransform, RandomAffine, RandomPerspective, RandomRotation

__all__ = [
    "AugMix",
    "AutoAugment",
    "AutoAugmentPolicy",
    "BBoxParams",
    "BBoxSafeRandomCrop",
    "CLAHE",
    "CenterCrop",
    "ClampBoundingBoxes",
    "ClampKeyPoints",
    "CoarseDropout",
    "ColorJitter",
    "Compose",
    "ConvertBoundingBoxFormat",
    "ConvertImageDtype",
    "CropNonEmptyMaskIfExists",
    "CutMix",
    "D4",
    "Denormalize",
    "Downscale",
    "ElasticTransform",
    "FiveCrop",
    "GaussianBlur",
    "GaussianNoise",
    "Grayscale",
    "GridDistortion",
    "GridDropout",
    "HueSaturationValue",
    "Identity",
    "ImageCompression",
    "InterpolationMode",
    "JPEG",
    "Lambda",
    "LinearTransformation",
    "LongestMaxSize",
    "MedianBlur",
    "MixUp",
    "Mosaic",
    "MotionBlur",
    "Normalize",
    "OneOf",
    "OpticalDistortion",
    "PILToTensor",
    "Pad",
    "PadIfNeeded",
    "RGB",
    "RandAugment",
    "RandomAdjustSharpness",
    "RandomAffine",
    "RandomApply",
    "RandomApplyTransform",
    "RandomAutocontrast",
    "RandomBrightnessContrast",
    "RandomChannelPermutation",
    "RandomChoice",
    "RandomCrop",
    "RandomEqualize",
    "RandomErasing",
    "RandomGamma",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomInvert",
    "RandomIoUCrop",
    "RandomOrder",
    "RandomPerspective",
    "RandomPhotometricDistort",
    "RandomPosterize",
    "RandomResize",
    "RandomResizedCrop",
    "RandomRotate90",
    "RandomRotation",
    "RandomShortestSize",
    "RandomSolarize",
    "RandomTransform",
    "RandomVerticalFlip",
    "RandomZoomOut",
    "ReplayCompose",
    "Resize",
    "SaltAndPepper",
    "SanitizeBoundingBoxes",
    "SanitizeKeyPoints",
    "ScaleJitter",
    "SetClampingMode",
    "Sharpen",
    "SimpleCopyPaste",
    "SmallestMaxSize",
    "SomeOf",
    "TenCrop",
    "ToDtype",
    "ToImage",
    "ToPILImage",
    "ToPureTensor",
    "ToTensor",
    "Transform",
    "Transpose",
    "TrivialAugmentWide",
    "UniformTemporalSubsample",
    "check_type",
    "create_transform",
    "from_dict",
    "functional",
    "get_bounding_boxes",
    "get_keypoints",
    "has_all",
    "has_any",
    "is_pure_tensor",
    "query_chw",
    "query_size",
    "to_dict",
]

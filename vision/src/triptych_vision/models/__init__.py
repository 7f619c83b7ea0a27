"""Models, and pretrained weights for them, under torchvision.models' names."""

from types import ModuleType as _ModuleType

# Type checkers see what a starred module lists in __all__, and names imported as themselves.
from ..weights import Weights as Weights
from ..weights import WeightsEnum as WeightsEnum
from . import detection as detection
from . import optical_flow as optical_flow
from . import segmentation as segmentation
from . import video as video
from ._registry import *
from .adapting import *
from .alexnet import *
from .clip import *
from .convnext import *
from .densenet import *
from .dinov2 import *
from .efficientnet import *
from .fashion import *
from .googlenet import *
from .inception import *
from .maxvit import *
from .mnasnet import *
from .mobilenet import *
from .regnet import *
from .resnet import *
from .shufflenetv2 import *
from .squeezenet import *
from .swin_transformer import *
from .vgg import *
from .vision_transformer import *

# Families bear the names of their builders in some cases (alexnet), so modules cannot be asked.
__all__ = sorted(
    name
    for name, value in globals().items()
    if not name.startswith("_") and not isinstance(value, _ModuleType)
)

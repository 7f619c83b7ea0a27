"""Models that give each pixel a class, under torchvision.models.segmentation's names."""

from .deeplabv3 import *
from .fcn import *
from .lraspp import *

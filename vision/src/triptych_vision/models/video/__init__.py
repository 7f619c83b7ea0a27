"""Classifiers of videos, under torchvision.models.video's names."""

from .mvit import *
from .resnet import *
from .s3d import *
from .swin_transformer import *

"""Models of optical flow, under torchvision.models.optical_flow's names."""

from .raft import *

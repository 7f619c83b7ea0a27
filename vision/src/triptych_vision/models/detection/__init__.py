"""Models that find things in pictures, under torchvision.models.detection's names."""

from types import ModuleType as _ModuleType

from .anchor_utils import *
from .backbone_utils import BackboneWithFPN as BackboneWithFPN
from .backbone_utils import mobilenet_backbone as mobilenet_backbone
from .backbone_utils import resnet_fpn_backbone as resnet_fpn_backbone
from .box_coding import BoxCoder as BoxCoder
from .box_coding import BoxLinearCoder as BoxLinearCoder
from .box_heads import FastRCNNConvFCHead as FastRCNNConvFCHead
from .box_heads import FastRCNNPredictor as FastRCNNPredictor
from .box_heads import TwoMLPHead as TwoMLPHead
from .faster_rcnn import *
from .fcos import *
from .fcos import FCOSHead as FCOSHead
from .generalized_rcnn import *
from .image_list import *
from .keypoint_rcnn import *
from .keypoint_rcnn import KeypointRCNNHeads as KeypointRCNNHeads
from .keypoint_rcnn import KeypointRCNNPredictor as KeypointRCNNPredictor
from .mask_rcnn import *
from .mask_rcnn import MaskRCNNHeads as MaskRCNNHeads
from .mask_rcnn import MaskRCNNPredictor as MaskRCNNPredictor
from .matching import *
from .retinanet import *
from .retinanet import RetinaNetHead as RetinaNetHead
from .roi_heads import RoIHeads as RoIHeads
from .rpn import RegionProposalNetwork as RegionProposalNetwork
from .rpn import RPNHead as RPNHead
from .ssd import SSD as SSD
from .ssd import SSD300_VGG16_Weights as SSD300_VGG16_Weights
from .ssd import SSDHead as SSDHead
from .ssd import ssd300_vgg16 as ssd300_vgg16
from .ssdlite import *
from .transform import GeneralizedRCNNTransform as GeneralizedRCNNTransform

# Modules and builders do not share names here, but the submodules are not to be listed.
__all__ = sorted(
    name
    for name, value in globals().items()
    if not name.startswith("_") and not isinstance(value, _ModuleType)
)

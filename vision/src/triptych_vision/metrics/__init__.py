"""Numbers that say how good a model is; classes are fed batch by batch: update, compute, reset."""

from .accuracy import Accuracy, accuracy
from .confusion import ClassReport, ConfusionMatrix, confusion_matrix, mean_iou
from .detection import MeanAveragePrecision, mean_average_precision
from .metric import AverageMeter, Metric
from .quality import aepe, psnr, ssim

__all__ = [
    "Accuracy",
    "AverageMeter",
    "ClassReport",
    "ConfusionMatrix",
    "MeanAveragePrecision",
    "Metric",
    "accuracy",
    "aepe",
    "confusion_matrix",
    "mean_average_precision",
    "mean_iou",
    "psnr",
    "ssim",
]

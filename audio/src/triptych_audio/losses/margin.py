"""Losses that put embeddings of the same speaker close together."""

from __future__ import annotations

import math

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, ShapeError
from triptych.nn import Module, Parameter, init
from triptych.nn import functional as nnf

__all__ = ["AAMSoftmax", "aam_softmax"]


def aam_softmax(
    cosine: Tensor,
    target: Tensor,
    margin: float = 0.2,
    scale: float = 30.0,
    easy_margin: bool = False,
) -> Tensor:
    """Cross-entropy of cosines, where the right class must win by an angle.

    Args:
        cosine: (n, classes) cosines of embeddings and class centres.
        target: (n,) int64 classes.
        margin: angle in radians that is added to the right class.
        scale: cosines are multiplied with this.
        easy_margin: no margin for angles above a right one.

    Returns:
        0-d, the mean over examples.

    Raises:
        ShapeError: shapes do not match.
        DomainError: margin is not from 0 to below pi.

    Source: Deng et al. 2019, ArcFace, eq. 3.
    """
    if cosine.ndim != 2 or tuple(target.shape) != (cosine.shape[0],):
        raise ShapeError(
            f"aam_softmax: wanted cosines (n, classes) and targets (n,), got "
            f"{tuple(cosine.shape)} and {tuple(target.shape)}"
        )
    if not 0 <= margin < math.pi:
        raise DomainError(f"aam_softmax: margin is from 0 to below pi, got {margin}")
    right = cosine.gather(1, target[:, None])
    sine = (1 - right.square()).clamp(min=tp.finfo(cosine.dtype).eps).sqrt()
    wider = right * math.cos(margin) - sine * math.sin(margin)
    if easy_margin:
        wider = tp.where(right > 0, wider, right)
    else:  # beyond pi - margin the cosine would rise again: go on with a straight line
        line = right - math.sin(margin) * margin
        wider = tp.where(right > -math.cos(margin), wider, line)
    logits = cosine.scatter(1, target[:, None], wider)
    return nnf.cross_entropy(logits * scale, target)


class AAMSoftmax(Module):
    """Class centres and `aam_softmax`: the head that speaker embeddings are trained with.

    Args:
        embedding_dim: width of embeddings.
        num_classes: number of speakers.
        margin: angle in radians that is added to the right class.
        scale: cosines are multiplied with this.
        easy_margin: no margin for angles above a right one.
        sub_centers: centres for each class; the nearest counts. Above 1 for noisy labels.

    Source: Deng et al. 2019, ArcFace; Deng et al. 2020 for sub-centres.
    """

    def __init__(
        self,
        embedding_dim: int,
        num_classes: int,
        margin: float = 0.2,
        scale: float = 30.0,
        easy_margin: bool = False,
        sub_centers: int = 1,
    ) -> None:
        super().__init__()
        self.num_classes, self.sub_centers = num_classes, sub_centers
        self.margin, self.scale, self.easy_margin = margin, scale, easy_margin
        self.weight = Parameter(tp.empty(num_classes * sub_centers, embedding_dim))
        init.xavier_normal_(self.weight)

    def cosine(self, embeddings: Tensor) -> Tensor:
        """Cosines of embeddings and class centres: what to classify with.

        Args:
            embeddings: (n, embedding_dim).

        Returns:
            (n, num_classes) from -1 to 1.
        """
        cosine = nnf.linear(nnf.normalize(embeddings), nnf.normalize(self.weight))
        nearest: Tensor = cosine.reshape(-1, self.num_classes, self.sub_centers).amax(-1)
        return nearest

    def forward(self, embeddings: Tensor, target: Tensor) -> Tensor:
        """The loss, 0-d.

        Args:
            embeddings: (n, embedding_dim), of any length.
            target: (n,) int64 classes.
        """
        options = (self.margin, self.scale, self.easy_margin)
        return aam_softmax(self.cosine(embeddings), target, *options)

"""Tables of vectors that are looked up by index."""

from __future__ import annotations

from typing import Any

from ...autograd.modes import no_grad
from ...errors import BoundsError, ShapeError
from ...ops.creation import empty
from ...tensor import Tensor
from .. import functional as F
from .. import init
from ..module import Module
from ..parameter import Parameter
from .sizes import counts

__all__ = ["Embedding", "EmbeddingBag"]


class _Table(Module):
    """A table of vectors and the checks that both lookups share."""

    weight: Parameter

    def _build(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        weight: Any,
        **where: Any,
    ) -> None:
        self.num_embeddings, self.embedding_dim = counts(
            type(self).__name__, num_embeddings=num_embeddings, embedding_dim=embedding_dim
        )
        self.padding_idx = self._place(padding_idx)
        if weight is None:
            self.weight = Parameter(empty(num_embeddings, embedding_dim, **where))
            self.reset_parameters()
            return
        if tuple(weight.shape) != (num_embeddings, embedding_dim):
            raise ShapeError(
                f"{type(self).__name__}: _weight has shape {tuple(weight.shape)}, wanted "
                f"{(num_embeddings, embedding_dim)}"
            )
        self.weight = Parameter(weight)

    def _place(self, padding_idx: int | None) -> int | None:
        if padding_idx is None:
            return None
        if not -self.num_embeddings <= padding_idx < self.num_embeddings:
            raise BoundsError(
                f"{type(self).__name__}: padding_idx {padding_idx} is outside the table of "
                f"{self.num_embeddings}"
            )
        return padding_idx % self.num_embeddings

    def reset_parameters(self) -> None:
        """Draw new vectors from the standard normal distribution; the padding vector is zero."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0


class Embedding(_Table):
    """A vector for each of a number of indices, such as the tokens of a vocabulary.

    Args:
        num_embeddings: v, how many vectors.
        embedding_dim: e, how long they are.
        padding_idx: an index whose vector starts as zeros and is not learned.
        max_norm: vectors that are looked up and longer than this are shortened, in place.
        norm_type: of max_norm.
        scale_grad_by_freq: divide each gradient by how often its index occurs in the batch.
        sparse: accepted and without effect; gradients are dense.
        device, dtype: of the table.

    Attributes:
        weight: (v, e), from the standard normal distribution at first.

    Example:
        >>> Embedding(10, 3)(triptych.tensor([[1, 2, 4, 5], [4, 3, 2, 9]])).shape
        Size([2, 4, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        self._build(num_embeddings, embedding_dim, padding_idx, _weight, device=device, dtype=dtype)
        self.weight.requires_grad_(not _freeze)

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None, **options: Any
    ) -> Embedding:
        """An embedding around a table that exists already.

        Args:
            embeddings: (v, e).
            freeze: do not learn.
            padding_idx: see the class.
            options: ``max_norm``, ``norm_type``, ``scale_grad_by_freq``, ``sparse``.

        Raises:
            ShapeError: embeddings has not two dims.

        Example:
            >>> Embedding.from_pretrained(triptych.eye(3))(triptych.tensor(1))
            tensor([0., 1., 0.])
        """
        _want_table("Embedding", embeddings)
        count, width = embeddings.shape
        return cls(count, width, padding_idx, _weight=embeddings, _freeze=freeze, **options)

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        shown = {"padding_idx": None, "max_norm": None, "norm_type": 2, "scale_grad_by_freq": False}
        for name, default in (shown | {"sparse": False}).items():
            value = getattr(self, name)
            text += "" if value == default else f", {name}={value}"
        return text


class EmbeddingBag(_Table):
    """Looks up bags of indices and reduces each bag to one vector.

    Args:
        num_embeddings, embedding_dim, max_norm, norm_type, scale_grad_by_freq, sparse, padding_idx,
            device, dtype: as for `Embedding`; padding indices do not count in a bag.
        mode: "mean", "sum" or "max".
        include_last_offset: offsets end with the number of indices.

    Attributes:
        weight: (v, e), from the standard normal distribution at first.

    Example:
        >>> bag = EmbeddingBag(10, 3, mode="sum")
        >>> bag(triptych.tensor([1, 2, 4, 5, 4]), triptych.tensor([0, 2])).shape
        Size([2, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        self.mode, self.include_last_offset = mode, include_last_offset
        self._build(num_embeddings, embedding_dim, padding_idx, _weight, device=device, dtype=dtype)

    def forward(
        self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
    ) -> Tensor:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, **options: Any
    ) -> EmbeddingBag:
        """A bag around a table (v, e) that exists already; `freeze` keeps it from being learned.

        Raises:
            ShapeError: embeddings has not two dims.
        """
        _want_table("EmbeddingBag", embeddings)
        count, width = embeddings.shape
        made = cls(count, width, _weight=embeddings, **options)
        made.weight.requires_grad_(not freeze)
        return made

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}, mode={self.mode!r}{padding}"


def _want_table(name: str, embeddings: Tensor) -> None:
    if embeddings.ndim != 2:
        raise ShapeError(
            f"{name}.from_pretrained: wanted (v, e), got shape {tuple(embeddings.shape)}"
        )

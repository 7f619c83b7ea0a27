"""From one vector for each token to one for the text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import FileFormatError, UnknownNameError

__all__ = ["Pooling"]

Mode = Callable[[Tensor, Tensor], Tensor]


def _first(hidden: Tensor, mask: Tensor) -> Tensor:
    index = mask.argmax(1)  # of the first token, also when padding is on the left
    return hidden[tp.arange(hidden.shape[0], device=hidden.device), index]


def _largest(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden.masked_fill(mask[:, :, None] == 0, -tp.inf).amax(1)


def _weighted(hidden: Tensor, weights: Tensor, divisor: Tensor) -> Tensor:
    # One product of matrices: (n, 1, l) @ (n, l, d), without a temporary of the input's size.
    total = (weights.to(hidden.dtype)[:, None, :] @ hidden)[:, 0]
    return total / divisor.to(hidden.dtype)[:, None]


def _mean(hidden: Tensor, mask: Tensor) -> Tensor:
    return _weighted(hidden, mask, mask.sum(1).clamp(min=1))


def _sum_by_root(hidden: Tensor, mask: Tensor) -> Tensor:
    return _weighted(hidden, mask, mask.sum(1).clamp(min=1).to(hidden.dtype).sqrt())


def _rising_mean(hidden: Tensor, mask: Tensor) -> Tensor:
    weights = mask * tp.arange(1, mask.shape[1] + 1, device=mask.device)
    return _weighted(hidden, weights, weights.sum(1).clamp(min=1))


def _last(hidden: Tensor, mask: Tensor) -> Tensor:
    length = mask.shape[1]
    index = length - 1 - mask.flip(1).argmax(1)
    return hidden[tp.arange(hidden.shape[0], device=hidden.device), index]


# Flag in a sentence encoder's pooling settings -> what it does; several are set side by side, in
# this order. Source: the Pooling module of sentence-transformers.
FLAGS: dict[str, Mode] = {
    "pooling_mode_cls_token": _first,
    "pooling_mode_max_tokens": _largest,
    "pooling_mode_mean_tokens": _mean,
    "pooling_mode_mean_sqrt_len_tokens": _sum_by_root,
    "pooling_mode_weightedmean_tokens": _rising_mean,
    "pooling_mode_lasttoken": _last,
}
MODES = {
    flag.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token"): flag
    for flag in FLAGS
}


class Pooling(nn.Module):
    """One vector for each text.

    Args:
        modes: of "cls" (the first token), "max", "mean", "mean_sqrt_len" (the sum over the root
            of the count), "weightedmean" (later tokens count more), "lasttoken"; those given are
            put side by side.

    Raises:
        UnknownNameError: there is no such mode.

    Example:
        >>> hidden = tp.tensor([[[1.0, 2.0], [3.0, 4.0], [9.0, 9.0]]])
        >>> Pooling(["mean"])(hidden, tp.tensor([[1, 1, 0]])).tolist()
        [[2.0, 3.0]]
    """

    def __init__(self, modes: Sequence[str] = ("mean",)) -> None:
        super().__init__()
        unknown = [mode for mode in modes if mode not in MODES]
        if unknown or not modes:
            raise UnknownNameError(
                f"Pooling: wanted one or more of {', '.join(MODES)}, got {', '.join(unknown)!r}"
            )
        self.modes = tuple(mode for mode in MODES if mode in modes)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Pooling:
        """Pooling of a sentence encoder's 1_Pooling/config.json.

        Args:
            values: content of the file.

        Raises:
            FileFormatError: it asks for nothing, or for a mode that is not known.
        """
        asked = [name for name, on in values.items() if name.startswith("pooling_mode_") and on]
        unknown = [name for name in asked if name not in FLAGS]
        if unknown or not asked:
            raise FileFormatError(
                f"Pooling: the settings should set one or more of {', '.join(FLAGS)}; set are "
                f"{', '.join(asked) or 'none'}"
            )
        return cls([mode for mode, flag in MODES.items() if flag in asked])

    def forward(self, hidden: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Pool.

        Args:
            hidden: (n, l, d) an encoder's output.
            attention_mask: (n, l), 1 for tokens and 0 for padding; None when there is no padding.

        Returns:
            (n, d times the number of modes).
        """
        if attention_mask is None:
            attention_mask = tp.ones(hidden.shape[:2], dtype=tp.int64, device=hidden.device)
        parts = [FLAGS[MODES[mode]](hidden, attention_mask) for mode in self.modes]
        return parts[0] if len(parts) == 1 else tp.cat(parts, dim=-1)

    def extra_repr(self) -> str:
        """The modes, for printing."""
        return ", ".join(self.modes)

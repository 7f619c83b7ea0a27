"""Keys and values of earlier tokens, so that each new token is computed once."""

from __future__ import annotations

from collections.abc import Sequence

import triptych as tp
from triptych import Tensor

from .arrays import arrays_of

__all__ = ["KeyValueCache", "LayerCache"]

FIRST_CAPACITY = 32  # tokens; a buffer doubles when it is full


class LayerCache:
    """Keys and values of one layer, in buffers that grow by doubling.

    Args:
        window: how many tokens a query sees, itself included; older ones are forgotten. None keeps
            all.

    Attributes:
        cross: keys and values of the encoder's output, (n, heads, s, e) each; set by the layer.
    """

    def __init__(self, window: int | None = None) -> None:
        self.window = window
        self.cross: tuple[Tensor, Tensor] | None = None
        self._buffers: tuple[Tensor, Tensor] | None = None
        self._start = self._stop = 0  # the part of the buffers that is in use

    def __len__(self) -> int:
        return self._stop - self._start

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Put new keys and values behind the stored ones.

        Args:
            keys: (n, heads, l, e).
            values: (n, heads, l, e').

        Returns:
            Stored and new ones together, (n, heads, s + l, e) and (n, heads, s + l, e'); views that
            the next call may overwrite, except where gradients are recorded.
        """
        if keys.requires_grad or values.requires_grad:
            return self._joined(keys, values)
        length = keys.shape[2]
        buffers = self._with_room(keys, values, length)
        start, end, stop = self._start, self._stop, self._stop + length
        self._stop = stop
        self._forget()
        arrays = arrays_of(*buffers, keys, values)
        if arrays is not None:
            for array, fresh in zip(arrays[:2], arrays[2:], strict=True):
                array[:, :, end:stop] = fresh
            old, new = (tp.from_numpy(array[:, :, start:stop]) for array in arrays[:2])
            return old, new
        for buffer, part in zip(buffers, (keys, values), strict=True):
            buffer[:, :, end:stop] = part
        return buffers[0][:, :, start:stop], buffers[1][:, :, start:stop]

    def reorder(self, rows: Tensor, same_texts: bool = False) -> None:
        """Take other rows of the batch.

        Args:
            rows: (m,) int64 numbers of rows; may repeat, m may differ from n.
            same_texts: the encoder's texts of the rows stay as they are.
        """
        if self._buffers is not None:
            self._buffers = (self._buffers[0][rows], self._buffers[1][rows])
        if self.cross is not None and not same_texts:
            self.cross = (self.cross[0][rows], self.cross[1][rows])

    def _joined(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Without writing into what the tape has recorded."""
        if self._buffers is not None:
            old = (buffer[:, :, self._start : self._stop] for buffer in self._buffers)
            keys, values = (tp.cat([a, b], 2) for a, b in zip(old, (keys, values), strict=True))
        self._buffers = (keys, values)
        self._start, self._stop = 0, keys.shape[2]
        self._forget()
        return keys, values

    def _forget(self) -> None:
        if self.window is not None:
            self._start = max(self._start, self._stop - (self.window - 1))

    def _with_room(self, keys: Tensor, values: Tensor, length: int) -> tuple[Tensor, Tensor]:
        used = len(self)
        if self._buffers is not None and self._stop + length <= self._buffers[0].shape[2]:
            return self._buffers
        capacity = FIRST_CAPACITY
        while capacity < 2 * used + length:
            capacity *= 2
        fresh = []
        for i, like in enumerate((keys, values)):
            n, heads, _, width = like.shape
            buffer = tp.zeros(n, heads, capacity, width, dtype=like.dtype, device=like.device)
            if self._buffers is not None:
                buffer[:, :, :used] = self._buffers[i][:, :, self._start : self._stop]
            fresh.append(buffer)
        self._buffers = (fresh[0], fresh[1])
        self._start, self._stop = 0, used
        return self._buffers


class KeyValueCache:
    """Keys and values of all layers of a decoder.

    Made by `model.new_cache()` and handed to the model as `past_key_values`.

    Args:
        windows: for each layer, how many tokens a query sees; None for all of them.

    Attributes:
        layers: a `LayerCache` for each layer.
        seen: tokens that went through the model so far.

    Example:
        >>> cache = KeyValueCache([None, 4])
        >>> keys = tp.ones(1, 2, 6, 8)
        >>> cache.layers[1].append(keys, keys)[0].shape, len(cache.layers[1])
        (Size([1, 2, 6, 8]), 3)
    """

    def __init__(self, windows: Sequence[int | None]) -> None:
        self.layers = [LayerCache(window) for window in windows]
        self.seen = 0

    def reorder(self, rows: Tensor, same_texts: bool = False) -> None:
        """Take other rows of the batch, as beam search does.

        Args:
            rows: (m,) int64 numbers of rows; may repeat.
            same_texts: the encoder's texts of the rows stay as they are.
        """
        for layer in self.layers:
            layer.reorder(rows, same_texts)

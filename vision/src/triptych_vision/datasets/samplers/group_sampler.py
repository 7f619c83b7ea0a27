"""Samplers of the reference programs: by shape, by class, and several times over."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence, Sized

import triptych as tp
from triptych.utils import data

__all__ = ["AspectRatioGroupBatchSampler", "RASampler", "WeightedClassSampler", "class_weights"]


class AspectRatioGroupBatchSampler(data.Sampler[list[int]]):
    """Batches of images of similar shape, so that little has to be padded.

    Args:
        sampler: the order of the images.
        aspect_ratios: width over height of each image.
        batch_size: images in a batch.
        num_bins: shapes are told apart at `2 * num_bins + 1` ratios from 1/2 to 2, equally far
            apart on a logarithmic scale; 0 tells upright from wide.
        drop_last: leave out what does not fill a batch.

    Example:
        >>> list(AspectRatioGroupBatchSampler(range(4), [2.0, 0.5, 1.5, 0.6], batch_size=2))
        [[0, 2], [1, 3]]
    """

    def __init__(
        self,
        sampler: Iterable[int],
        aspect_ratios: Sequence[float],
        batch_size: int,
        num_bins: int = 0,
        drop_last: bool = False,
    ) -> None:
        if batch_size < 1:
            raise ValueError(
                f"AspectRatioGroupBatchSampler: batch_size is at least 1, got {batch_size}"
            )
        bounds = [2 ** (i / num_bins) for i in range(-num_bins, num_bins + 1)] if num_bins else [1]
        self.groups = [bisect_right(bounds, ratio) for ratio in aspect_ratios]
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        waiting: dict[int, list[int]] = {}
        for index in self.sampler:
            batch = waiting.setdefault(self.groups[index], [])
            batch.append(index)
            if len(batch) == self.batch_size:
                yield waiting.pop(self.groups[index])
        if not self.drop_last:
            yield from (waiting[group] for group in sorted(waiting))

    def __len__(self) -> int:
        """Number of batches, for an order in which every image comes once."""
        counts = [self.groups.count(group) for group in set(self.groups)]
        share = math.floor if self.drop_last else math.ceil
        return sum(share(count / self.batch_size) for count in counts)


class RASampler(data.Sampler[int]):
    """Repeated augmentation: each image comes several times, on different processes.

    Args:
        dataset: the whole.
        num_replicas: how many processes there are; default: the environment's ``WORLD_SIZE``.
        rank: the number of this one, from 0; default: the environment's ``RANK``.
        shuffle: whether the order is random.
        seed: of the random order, the same in all processes.
        repetitions: how often an image comes. An epoch is as long as without repetitions.

    Source: M. Berman et al. 2019, arXiv:1902.05509.
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        repetitions: int = 3,
    ) -> None:
        self._whole = data.DistributedSampler(dataset, num_replicas, rank, shuffle=False)
        self.dataset, self.shuffle, self.seed = dataset, shuffle, seed
        self.repetitions, self.epoch = repetitions, 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins, so that it has a random order of its own."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        order = list(range(len(self.dataset)))
        if self.shuffle:
            draw = tp.Generator().manual_seed(self.seed + self.epoch)
            order = tp.randperm(len(order), generator=draw).tolist()
        repeated = [index for index in order for _ in range(self.repetitions)]
        mine = repeated[self._whole.rank :: self._whole.num_replicas]
        return iter(mine[: len(self)])

    def __len__(self) -> int:
        return self._whole.num_samples


def class_weights(targets: Sequence[int]) -> tp.Tensor:
    """Weight of each sample with which all classes are drawn equally often.

    Args:
        targets: class of each sample, such as the attribute of a data set.

    Returns:
        (n,) float64, for `triptych.utils.data.WeightedRandomSampler`.

    Example:
        >>> class_weights([0, 0, 1]).tolist()
        [0.5, 0.5, 1.0]
    """
    labels = tp.as_tensor(list(targets), dtype=tp.int64)
    return 1 / tp.bincount(labels).to(tp.float64)[labels]


class WeightedClassSampler(data.WeightedRandomSampler):
    """Random samples with replacement, all classes equally often, however rare.

    Args:
        targets: class of each sample, such as the attribute of a data set.
        num_samples: how many are drawn; default as many as there are.
        generator: of the draws; default the global one.

    Example:
        >>> drawn = list(WeightedClassSampler([0] * 98 + [1, 1], num_samples=1000))
        >>> 400 < sum(index >= 98 for index in drawn) < 600
        True
    """

    def __init__(
        self,
        targets: Sequence[int],
        num_samples: int | None = None,
        generator: tp.Generator | None = None,
    ) -> None:
        weights = class_weights(targets).tolist()
        super().__init__(weights, num_samples or len(weights), generator=generator)

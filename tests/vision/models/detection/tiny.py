"""A backbone and pictures small enough for tests; not a test module."""

from __future__ import annotations

import numpy as np

import triptych as tp
from triptych import nn

CHANNELS = 16


class TinyBackbone(nn.Module):
    """Two maps, of strides 4 and 8."""

    out_channels = CHANNELS

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, CHANNELS, 3, 2, 1), nn.ReLU()
        )
        self.coarse = nn.Sequential(nn.Conv2d(CHANNELS, CHANNELS, 3, 2, 1), nn.ReLU())

    def forward(self, x: tp.Tensor) -> dict[str, tp.Tensor]:
        fine = self.fine(x)
        return {"0": fine, "1": self.coarse(fine)}


def pictures(points: int = 3) -> tuple[list[tp.Tensor], list[dict[str, tp.Tensor]]]:
    """Two pictures with a bright box in each, and what is to be found there."""
    rng = np.random.default_rng(0)
    images, targets = [], []
    for (h, w), box, label in (((48, 64), (10, 8, 40, 36), 1), ((56, 48), (6, 20, 34, 50), 2)):
        x1, y1, x2, y2 = box
        image = rng.random((3, h, w), dtype=np.float32) * 0.2
        image[label, y1:y2, x1:x2] += 0.7
        mask = np.zeros((1, h, w), dtype=np.uint8)
        mask[:, y1:y2, x1:x2] = 1
        at = np.stack((np.linspace(x1, x2, points), np.linspace(y1, y2, points)), 1)
        seen = np.concatenate((at, np.ones((points, 1))), 1)[None]
        images.append(tp.tensor(image))
        targets.append(
            {
                "boxes": tp.tensor([[float(c) for c in box]]),
                "labels": tp.tensor([label]),
                "masks": tp.tensor(mask),
                "keypoints": tp.tensor(seen.astype(np.float32)),
            }
        )
    return images, targets

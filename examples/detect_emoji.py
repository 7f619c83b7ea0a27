"""Train a small detector to find emoji on photographs, test it on other photographs, draw boxes.

Usage: python examples/detect_emoji.py [--steps N] [--picture FILE]

The emoji come out of the font of Debian's package fonts-noto-color-emoji. Training pictures are
made as they are needed: no two are the same.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from command import exit_code
from finding import Finding
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

import triptych
from triptych import nn, optim
from triptych.nn import functional as F
from triptych_datasets import Artifact, fetch, fetch_all
from triptych_vision import ops
from triptych_vision.models.resnet import BasicBlock
from triptych_vision.utils import draw_detections, save_image

FONT = Artifact(
    "NotoColorEmoji.ttf",
    sources=("file:///usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",),
    sha256="e5899ed38b8ed83e08bd3ac5de09791e9d19d288333a796de1d35ad17396f1ec",
)
FONT_SIZE = 109  # the only one it has: its glyphs are bitmaps
CLASSES = {
    "face": "\N{GRINNING FACE}",
    "dog": "\N{DOG FACE}",
    "apple": "\N{RED APPLE}",
    "car": "\N{AUTOMOBILE}",
    "ball": "\N{SOCCER BALL}",
    "star": "\N{WHITE MEDIUM STAR}",
    "sunflower": "\N{SUNFLOWER}",
    "house": "\N{HOUSE BUILDING}",
}
OTHERS = (  # pasted as well and not to be found; each is like one above in colour or shape
    "\N{CAT FACE}",
    "\N{WOLF FACE}",
    "\N{TOMATO}",
    "\N{TANGERINE}",
    "\N{ONCOMING TAXI}",
    "\N{BUS}",
    "\N{BASKETBALL AND HOOP}",
    "\N{GLOBE WITH MERIDIANS}",
    "\N{FULL MOON WITH FACE}",
    "\N{BLOSSOM}",
    "\N{FACE SCREAMING IN FEAR}",
    "\N{SCHOOL}",
)
PHOTOS = {
    "astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "motorcycle_left.png": "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
    "rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
    "flower.jpg": "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
    "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "china.jpg": "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
}
FOLDERS = {
    "flower.jpg": "pypi:scikit-learn==1.9.1#sklearn/datasets/images/",
    "china.jpg": "pypi:scikit-learn==1.9.1#sklearn/datasets/images/",
}
TEST_PHOTOS = ("chelsea.png", "china.jpg")  # the others are for training

SIZE = 96  # of a picture, in pixels
STRIDE = 8  # between the cells of the detector's output
CELLS = SIZE // STRIDE
SIDES = (12, 44)  # least and most of an emoji's longer side, in pixels
STEPS, BATCH = 1500, 16
MEAN, STD = 0.45, 0.25  # roughly, of photographs


# Pictures


def photographs() -> dict[str, Image.Image]:
    """The backgrounds, by name of the file."""
    usual = "pypi:scikit-image==0.26.0#skimage/data/"
    files = [
        Artifact(name, sources=(FOLDERS.get(name, usual) + name,), sha256=digest)
        for name, digest in PHOTOS.items()
    ]
    return {path.name: Image.open(path).convert("RGB") for path in fetch_all(files)}


def glyphs() -> list[Image.Image]:
    """The emoji, RGBA, without empty margins: those of the classes, then the others."""
    font = ImageFont.truetype(str(fetch(FONT)), FONT_SIZE)
    drawn = []
    for letter in (*CLASSES.values(), *OTHERS):
        sheet = Image.new("RGBA", (160, 160))
        ImageDraw.Draw(sheet).text((8, 8), letter, font=font, embedded_color=True)
        drawn.append(sheet.crop(sheet.getbbox()))
    return drawn


class Composites:
    """Photographs with emoji on them, endlessly.

    Args:
        photos: the backgrounds.
        emoji: what to paste: one picture for each class, and then those that are not to be found.
        seed: of all that is drawn.
    """

    def __init__(
        self, photos: Sequence[Image.Image], emoji: Sequence[Image.Image], seed: int
    ) -> None:
        self.photos, self.emoji = photos, emoji
        self.random = np.random.default_rng(seed)

    def picture(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(SIZE, SIZE, 3) bytes, (k, 4) boxes as left, top, right, bottom, and (k,) classes."""
        image = self._background()
        boxes: list[tuple[int, int, int, int]] = []
        classes: list[int] = []
        for place in range(self.random.integers(1, 7)):
            choice = len(CLASSES) if place == 0 else len(self.emoji)
            which = int(self.random.integers(choice))  # the first is one to be found
            glyph = self._turned(self.emoji[which])
            x, y = (int(self.random.integers(0, SIZE - side + 1)) for side in glyph.size)
            box = (x, y, x + glyph.width, y + glyph.height)
            if not any(_touch(box, other) for other in boxes):
                image.paste(glyph, (x, y), glyph)
                boxes.append(box)
                classes.append(which)
        known = np.array(classes) < len(CLASSES)
        return np.asarray(image), np.array(boxes, np.float32)[known], np.array(classes)[known]

    def _background(self) -> Image.Image:
        photo = self.photos[self.random.integers(len(self.photos))]
        side = int(self.random.integers(SIZE, min(photo.size) + 1))
        x, y = (int(self.random.integers(0, length - side + 1)) for length in photo.size)
        part = photo.resize((SIZE, SIZE), box=(x, y, x + side, y + side), reducing_gap=2)
        if self.random.random() < 0.5:
            part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        light = self.random.uniform(0.6, 1.3)
        return part.point(lambda value: min(255, int(value * light)))

    def _turned(self, glyph: Image.Image) -> Image.Image:
        """A glyph of random size, turned by up to 20 degrees, without empty margins."""
        side = self.random.uniform(*SIDES)
        scale = side / max(glyph.size)
        small = glyph.resize((round(glyph.width * scale), round(glyph.height * scale)))
        turned = small.rotate(self.random.uniform(-20, 20), Image.Resampling.BILINEAR, expand=True)
        seen = turned.getchannel("A").point(lambda alpha: 255 * (alpha > 64)).getbbox()
        turned = turned.crop(seen)
        return turned

    def batch(self, size: int) -> tuple[triptych.Tensor, list[dict[str, triptych.Tensor]]]:
        """(size, 3, SIZE, SIZE) bytes, and boxes and labels for each, as torchvision has them."""
        drawn = [self.picture() for _ in range(size)]
        images = np.stack([image for image, _, _ in drawn]).transpose(0, 3, 1, 2)
        targets = [
            {"boxes": triptych.tensor(boxes), "labels": triptych.tensor(classes)}
            for _, boxes, classes in drawn
        ]
        return triptych.tensor(images), targets


def _touch(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


# Detector


class Detector(nn.Module):
    """Each cell of a coarse grid says what it sees and how far the box's four sides are from it.

    Source: Tian, Shen, Chen and He 2019 (FCOS), with one level and no centerness.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        layer = ops.Conv2dNormActivation
        self.backbone = nn.Sequential(
            layer(3, 16, stride=2),
            layer(16, 32, stride=2),
            layer(32, 64, stride=2),
            BasicBlock(64, 64),
            BasicBlock(64, 64),
        )
        self.scores = nn.Conv2d(64, num_classes, 1)
        self.sides = nn.Conv2d(64, 4, 1)
        nn.init.constant_(self.scores.bias, -4.0)  # at first, nothing is there: sigmoid is 0.02
        nn.init.constant_(self.sides.bias, 1.0)
        self.register_buffer("centres", centres())

    def forward(self, images: triptych.Tensor) -> tuple[triptych.Tensor, triptych.Tensor]:
        """(n, 3, SIZE, SIZE) bytes to (n, cells, classes) logits and (n, cells, 4) boxes."""
        x = self.backbone((images.float() / 255 - MEAN) / STD)
        scores, sides = (_by_cell(head(x)) for head in (self.scores, self.sides))
        sides = sides.clamp(max=3).exp() * STRIDE
        low, high = self.centres - sides[..., :2], self.centres + sides[..., 2:]
        return scores, triptych.cat([low, high], -1)


def centres() -> triptych.Tensor:
    """(cells, 2), x and y of the middle of each cell in pixels."""
    line = (triptych.arange(CELLS) + 0.5) * STRIDE
    y, x = triptych.meshgrid(line, line, indexing="ij")
    return triptych.stack([x, y], -1).reshape(-1, 2)


def _by_cell(x: triptych.Tensor) -> triptych.Tensor:
    return x.flatten(2).mT  # (n, channels, h, w) to (n, cells, channels)


def assign(target: dict[str, triptych.Tensor]) -> tuple[triptych.Tensor, triptych.Tensor]:
    """For each cell the class it should see, -1 for none, and the box it should give."""
    middle, boxes = centres()[:, None], target["boxes"]  # (cells, 1, 2), (k, 4)
    near = (middle - (boxes[:, :2] + boxes[:, 2:]) / 2).abs().amax(-1) <= STRIDE
    inside = ((middle > boxes[:, :2]) & (middle < boxes[:, 2:])).all(-1)
    area = ops.box_area(boxes).expand(len(middle), -1)
    least, which = area.masked_fill(~(near & inside), float("inf")).min(1)
    labels = triptych.where(least.isinf(), -1, target["labels"][which])
    return labels, boxes[which]


def loss_of(
    model: nn.Module, images: triptych.Tensor, targets: list[dict[str, triptych.Tensor]]
) -> triptych.Tensor:
    """Focal loss of the classes, and 1 - GIoU of the boxes where there is something."""
    scores, boxes = model(images)
    wanted = [assign(target) for target in targets]
    labels = triptych.stack([label for label, _ in wanted])
    there = labels >= 0
    goal = F.one_hot(labels.clamp(min=0), len(CLASSES)) * there[..., None]
    count = there.sum().clamp(min=1)
    seen = ops.sigmoid_focal_loss(scores, goal.float(), alpha=0.5, reduction="sum") / count
    right = triptych.stack([box for _, box in wanted])[there]
    return seen + ops.generalized_box_iou_loss(boxes[there], right, reduction="mean")


def train(source: Composites, steps: int) -> nn.Module:
    """A trained detector."""
    triptych.manual_seed(0)
    model = Detector(len(CLASSES))
    optimizer = optim.AdamW(model.parameters(), lr=4e-3, weight_decay=1e-3)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    with tqdm(range(steps), desc="training", unit="step", disable=None) as bar:
        for _ in bar:
            loss = loss_of(model, *source.batch(BATCH))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    return model.eval()


@triptych.inference_mode()
def detect(
    model: nn.Module, images: triptych.Tensor, least: float = 0.05
) -> list[dict[str, triptych.Tensor]]:
    """Boxes, labels and scores for each picture, best first."""
    found = []
    for scores, boxes in zip(*model(images), strict=True):
        score, label = scores.sigmoid().max(1)
        sure = score >= least
        score, label = score[sure], label[sure]
        box = ops.clip_boxes_to_image(boxes[sure], (SIZE, SIZE))
        kept = ops.batched_nms(box, score, label, 0.5)
        found.append({"boxes": box[kept], "labels": label[kept], "scores": score[kept]})
    return found


# Test


def average_precision(found: list[Any], targets: list[Any], which: int, overlap: float) -> float:
    """Area below precision over recall of one class; a hit is an IoU of at least `overlap`.

    Source: Everingham et al. 2010, with the area in place of eleven points, as VOC since 2010.
    """
    hits: list[tuple[float, bool]] = []
    count = 0
    for answer, target in zip(found, targets, strict=True):
        mine, theirs = answer["labels"] == which, target["labels"] == which
        count += int(theirs.sum())
        hits += _hits(
            answer["boxes"][mine], answer["scores"][mine], target["boxes"][theirs], overlap
        )
    hits.sort(key=lambda hit: -hit[0])
    right = np.cumsum([hit for _, hit in hits])
    precision = right / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    gained = np.diff(right / count, prepend=0)
    return float((best * gained).sum())


def _hits(boxes: Any, scores: Any, truth: Any, overlap: float) -> list[tuple[float, bool]]:
    """(score, whether right), best first; each true box is found once."""
    if not len(boxes):
        return []
    iou = ops.box_iou(boxes, truth).numpy() if len(truth) else np.zeros((len(boxes), 1))
    free = np.ones(iou.shape[1], bool)
    answers = []
    for score, row in zip(scores.tolist(), iou, strict=True):
        best = int((row * free).argmax())
        hit = bool(free[best] and row[best] >= overlap)
        free[best] &= not hit
        answers.append((score, hit))
    return answers


def mean_ap(found: list[Any], targets: list[Any], overlap: float) -> float:
    """Mean over the classes that occur."""
    occurring = {label for target in targets for label in target["labels"].tolist()}
    parts = [average_precision(found, targets, which, overlap) for which in occurring]
    return sum(parts) / len(parts)


def recall(found: list[Any], targets: list[Any], score: float = 0.5) -> tuple[float, float]:
    """Of the true boxes the share that is found, and of the answers the share that is right."""
    hits = [
        hit
        for answer, target in zip(found, targets, strict=True)
        for which in range(len(CLASSES))
        for sure, hit in _hits(
            answer["boxes"][answer["labels"] == which],
            answer["scores"][answer["labels"] == which],
            target["boxes"][target["labels"] == which],
            0.5,
        )
        if sure >= score
    ]
    total = sum(len(target["labels"]) for target in targets)
    return sum(hits) / total, sum(hits) / max(1, len(hits))


def drawn(images: triptych.Tensor, found: list[Any], file: Path, scale: int = 3) -> None:
    """Write pictures with the boxes of what the model is sure of."""
    large = F.interpolate(images.float(), scale_factor=scale, mode="bilinear").round()
    names = list(CLASSES)
    shown = [
        draw_detections(picture.clamp(0, 255).to(triptych.uint8), {**answer, "boxes": box}, names)
        for picture, answer, box in zip(
            large, found, [answer["boxes"] * scale for answer in found], strict=False
        )
    ]
    save_image(triptych.stack(shown), file, nrow=4, padding=6)


def run(steps: int, file: Path, num_test: int = 400) -> Finding:
    """Train, test, and draw the first twelve test pictures."""
    photos, emoji = photographs(), glyphs()
    known = [photo for name, photo in photos.items() if name not in TEST_PHOTOS]
    start = time.perf_counter()
    model = train(Composites(known, emoji, seed=0), steps)
    seconds = time.perf_counter() - start
    images, targets = Composites([photos[name] for name in TEST_PHOTOS], emoji, 1).batch(num_test)
    found = [answer for part in images.split(50) for answer in detect(model, part)]
    drawn(images[:12], found[:12], file)
    found_share, right_share = recall(found, targets)
    return Finding(
        "Find emoji on photographs",
        f"mAP {mean_ap(found, targets, 0.5):.3f} at IoU 0.5",
        seconds,
        facts=[
            ("mAP at IoU 0.75", f"{mean_ap(found, targets, 0.75):.3f}"),
            ("with scores from 0.5", f"recall {found_share:.3f}, precision {right_share:.3f}"),
            ("tested on", f"{num_test} composites on two photographs not trained on"),
            ("picture", str(file)),
        ],
    )


def main() -> None:
    """Train with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=STEPS, help=f"default {STEPS}")
    parser.add_argument("--picture", type=Path, default=Path("emoji.png"), help="where to draw")
    options = parser.parse_args()
    finding = run(options.steps, options.picture)
    print(Finding.table([finding]))
    for name, value in finding.facts:
        print(f"  {name}: {value}")


if __name__ == "__main__":
    sys.exit(exit_code(main))

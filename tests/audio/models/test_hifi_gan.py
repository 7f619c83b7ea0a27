"""HiFi-GAN: like torchaudio's."""

import pytest

import triptych as tp
from triptych.errors import DomainError
from triptych_audio.prototype.models import (
    hifigan_vocoder,
    hifigan_vocoder_v1,
    hifigan_vocoder_v2,
    hifigan_vocoder_v3,
)


def test_outputs_like_the_recorded_ones(filled, normal, agree):
    pairs = hifigan_vocoder(4, (4, 2), 8, (8, 4), (3, 5), ((1, 3, 5), (1, 2, 3)), 1, 0.1)
    single = hifigan_vocoder(4, (4, 2), 8, (8, 4), (3, 5), ((1, 3), (1, 2)), 2, 0.1)
    x = normal(0, 1, 4, 9)
    agree("hifi_gan", filled(pairs)(x), filled(single)(x))


@pytest.mark.parametrize(
    ("build", "params"),
    [
        (hifigan_vocoder_v1, 13_926_017),
        (hifigan_vocoder_v2, 925_985),
        (hifigan_vocoder_v3, 1_462_273),
    ],
)
def test_sizes(build, params):
    with tp.nn.init.skipped():
        assert sum(p.numel() for p in build().parameters()) == params


def test_unknown_block():
    with pytest.raises(DomainError, match="resblock_type is 1 or 2, got 3"):
        hifigan_vocoder(4, (4,), 8, (8,), (3,), ((1,),), 3, 0.1)

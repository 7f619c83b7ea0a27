"""The sizes in which wav2vec 2.0, HuBERT and WavLM were published, by their names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from triptych import nn
from triptych_audio.models.wav2vec2.hubert_pretraining import hubert_pretrain_model
from triptych_audio.models.wav2vec2.model import wav2vec2_model, wavlm_model

__all__ = [
    "hubert_base",
    "hubert_large",
    "hubert_pretrain_base",
    "hubert_pretrain_large",
    "hubert_pretrain_xlarge",
    "hubert_xlarge",
    "named_size",
    "size_config",
    "wav2vec2_base",
    "wav2vec2_large",
    "wav2vec2_large_lv60k",
    "wav2vec2_xlsr_1b",
    "wav2vec2_xlsr_2b",
    "wav2vec2_xlsr_300m",
    "wavlm_base",
    "wavlm_large",
]

M = TypeVar("M", bound=nn.Module)

# channels, layers, heads, channels in the middle of a layer
WIDTHS = {
    "base": (768, 12, 12, 3072),
    "large": (1024, 24, 16, 4096),
    "xlarge": (1280, 48, 16, 5120),
    "2b": (1920, 48, 16, 7680),
}

DROPOUTS = (
    "encoder_projection_dropout",
    "encoder_attention_dropout",
    "encoder_ff_interm_dropout",
    "encoder_dropout",
    "encoder_layer_drop",
)

# of HuBERT's pretraining, not open to the caller
MASKS = {
    "mask_selection": "static",
    "mask_other": 0.0,
    "mask_length": 10,
    "no_mask_overlap": False,
    "mask_min_space": 1,
    "mask_channel_selection": "static",
    "mask_channel_other": 0.0,
    "no_mask_channel_overlap": False,
    "mask_channel_min_space": 1,
    "skip_masked": False,
    "skip_nomask": False,
}

BUILDER_TEXT = """{summary}

    Args:
        encoder_projection_dropout: after the projection to the transformer's channels.
        encoder_attention_dropout: in the attention.
        encoder_ff_interm_dropout: in the middle of a layer.
        encoder_dropout: after attention and linear layers.
        encoder_layer_drop: probability of leaving a layer out while training.
{more}
    Returns:
        A model with random parameters, in training mode.
    """

AUX_TEXT = "        aux_num_out: labels that a last layer scores; None leaves it out.\n"

MASK_TEXT = """\
        mask_prob: about which part of the frames is masked, where masks do not overlap.
        mask_channel_prob: the same for channels.
        mask_channel_length: channels next to each other that are masked together.
        feature_grad_mult: factor for the gradients of the convolutions; None leaves them as they
            are.
"""


def size_config(size: str, *, per_frame: bool, conv_bias: bool = False) -> dict[str, Any]:
    """Arguments of `wav2vec2_model` that belong to a size.

    Args:
        size: "base", "large", "xlarge" or "2b".
        per_frame: normalise the channels of every frame in all convolutions, and before each
            layer of the transformer; False is over time in the first one, and after each layer.
        conv_bias: whether the convolutions have one.

    Returns:
        The arguments by name.
    """
    embed_dim, num_layers, num_heads, middle = WIDTHS[size]
    return {
        "extractor_mode": "layer_norm" if per_frame else "group_norm",
        "extractor_conv_layer_config": None,
        "extractor_conv_bias": conv_bias,
        "encoder_embed_dim": embed_dim,
        "encoder_pos_conv_kernel": 128,
        "encoder_pos_conv_groups": 16,
        "encoder_num_layers": num_layers,
        "encoder_num_heads": num_heads,
        "encoder_ff_interm_features": middle,
        "encoder_layer_norm_first": per_frame,
    }


def named_size(
    name: str,
    make: Callable[..., M],
    summary: str,
    fixed: Mapping[str, Any],
    defaults: Mapping[str, Any],
    more: str,
) -> Callable[..., M]:
    """A builder with arguments fixed.

    Args:
        name: of the builder.
        make: the builder of any size.
        summary: first line of the docstring.
        fixed: arguments that the name decides.
        defaults: the others, in order, with their defaults.
        more: lines of the docstring for arguments after the dropouts.

    Returns:
        The function.
    """
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature(
        [inspect.Parameter(key, kind, default=value) for key, value in defaults.items()]
    )

    def build(*args: Any, **kwargs: Any) -> M:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        return make(**fixed, **given.arguments)

    build.__name__ = build.__qualname__ = name
    build.__doc__ = BUILDER_TEXT.format(summary=summary, more=more)
    build.__signature__ = signature  # type: ignore[attr-defined]  # functions have room for it
    return build


def _encoder(
    name: str,
    summary: str,
    fixed: Mapping[str, Any],
    *dropouts: float,
    make: Callable[..., M],
) -> Callable[..., M]:
    defaults = {**dict(zip(DROPOUTS, dropouts, strict=True)), "aux_num_out": None}
    return named_size(name, make, summary, fixed, defaults, AUX_TEXT)


def _wav2vec2(name: str, summary: str, fixed: Mapping[str, Any], *dropouts: float) -> Any:
    return _encoder(name, summary, fixed, *dropouts, make=wav2vec2_model)


def _wavlm(name: str, summary: str, fixed: Mapping[str, Any], *dropouts: float) -> Any:
    distances = {"encoder_num_buckets": 320, "encoder_max_distance": 800}
    return _encoder(name, summary, {**fixed, **distances}, *dropouts, make=wavlm_model)


def _pretraining(
    name: str,
    summary: str,
    fixed: Mapping[str, Any],
    *dropouts: float,
    final_dim: int,
    feature_grad_mult: float | None = None,
    num_classes: int | None = None,
) -> Any:
    defaults: dict[str, Any] = {
        **dict(zip(DROPOUTS, dropouts, strict=True)),
        "mask_prob": 0.8,
        "mask_channel_prob": 0.0,
        "mask_channel_length": 10,
        "feature_grad_mult": feature_grad_mult,
    }
    more, decided = MASK_TEXT, {**fixed, **MASKS, "final_dim": final_dim}
    if num_classes is None:
        decided["num_classes"] = 500
    else:
        defaults["num_classes"] = num_classes
        more += "        num_classes: clusters that are predicted.\n"
    return named_size(name, hubert_pretrain_model, summary, decided, defaults, more)


BASE = size_config("base", per_frame=False)
LARGE = size_config("large", per_frame=False)
LARGE_PER_FRAME = size_config("large", per_frame=True)
LARGE_WITH_BIAS = size_config("large", per_frame=True, conv_bias=True)
XLARGE = size_config("xlarge", per_frame=True)
XLARGE_WITH_BIAS = size_config("xlarge", per_frame=True, conv_bias=True)
HUGE_WITH_BIAS = size_config("2b", per_frame=True, conv_bias=True)

wav2vec2_base = _wav2vec2(
    "wav2vec2_base", "wav2vec 2.0, base: 94.4 million parameters.", BASE, 0.1, 0.1, 0.1, 0.1, 0.1
)
wav2vec2_large = _wav2vec2(
    "wav2vec2_large", "wav2vec 2.0, large: 315.4 million.", LARGE, 0.1, 0.1, 0.1, 0.1, 0.1
)
wav2vec2_large_lv60k = _wav2vec2(
    "wav2vec2_large_lv60k",
    "wav2vec 2.0, large, as trained on Libri-Light: 315.4 million parameters.",
    LARGE_WITH_BIAS,
    *(0.1, 0.0, 0.1, 0.0, 0.1),
)
wav2vec2_xlsr_300m = _wav2vec2(
    "wav2vec2_xlsr_300m",
    "XLS-R, speech of 128 languages: 315.4 million parameters.",
    LARGE_WITH_BIAS,
    *(0.0, 0.0, 0.0, 0.0, 0.0),
)
wav2vec2_xlsr_1b = _wav2vec2(
    "wav2vec2_xlsr_1b",
    "XLS-R, speech of 128 languages: 962 million parameters.",
    XLARGE_WITH_BIAS,
    *(0.1, 0.0, 0.0, 0.0, 0.0),
)
wav2vec2_xlsr_2b = _wav2vec2(
    "wav2vec2_xlsr_2b",
    "XLS-R, speech of 128 languages: 2.2 billion parameters.",
    HUGE_WITH_BIAS,
    *(0.1, 0.0, 0.0, 0.0, 0.0),
)
hubert_base = _wav2vec2(
    "hubert_base", "HuBERT, base: 94.4 million parameters.", BASE, 0.1, 0.1, 0.0, 0.1, 0.05
)
hubert_large = _wav2vec2(
    "hubert_large", "HuBERT, large: 315.4 million.", LARGE_PER_FRAME, 0.0, 0.0, 0.0, 0.0, 0.0
)
hubert_xlarge = _wav2vec2(
    "hubert_xlarge", "HuBERT, extra large: 962 million.", XLARGE, 0.0, 0.0, 0.0, 0.0, 0.0
)
wavlm_base = _wavlm(
    "wavlm_base", "WavLM, base: 94.4 million parameters.", BASE, 0.1, 0.1, 0.1, 0.1, 0.1
)
wavlm_large = _wavlm(
    "wavlm_large", "WavLM, large: 315.5 million.", LARGE_PER_FRAME, 0.1, 0.1, 0.0, 0.1, 0.1
)
hubert_pretrain_base = _pretraining(
    "hubert_pretrain_base",
    "HuBERT, base, with what its pretraining needs.",
    BASE,
    *(0.1, 0.1, 0.0, 0.1, 0.05),
    final_dim=256,
    feature_grad_mult=0.1,
    num_classes=100,
)
hubert_pretrain_large = _pretraining(
    "hubert_pretrain_large",
    "HuBERT, large, with what its pretraining needs.",
    LARGE_PER_FRAME,
    *(0.0, 0.0, 0.0, 0.0, 0.0),
    final_dim=768,
)
hubert_pretrain_xlarge = _pretraining(
    "hubert_pretrain_xlarge",
    "HuBERT, extra large, with what its pretraining needs.",
    XLARGE,
    *(0.0, 0.0, 0.0, 0.0, 0.0),
    final_dim=1024,
)

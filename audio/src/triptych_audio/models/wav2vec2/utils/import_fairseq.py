"""Models of the library fairseq: wav2vec 2.0 and HuBERT, pretrained or fine-tuned."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from triptych import Tensor
from triptych.errors import DomainError, DTypeError, FileFormatError
from triptych_audio.models.wav2vec2.model import CONV_LAYERS, Wav2Vec2Model, wav2vec2_model
from triptych_audio.models.wav2vec2.utils.checkpoint_folder import tensors_of

__all__ = ["import_fairseq_model"]

PRETRAINED = ("HubertModel", "Wav2Vec2Model")
FINE_TUNED = ("HubertEncoder", "Wav2VecEncoder")

# what a name of fairseq begins with, and this model's name for it
PLACES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), place)
    for pattern, place in (
        (r"feature_extractor\.conv_layers\.0\.2\.(?=weight|bias)", r"{conv}0.layer_norm."),
        (r"feature_extractor\.conv_layers\.(\d+)\.0\.", r"{conv}\1.conv."),
        (r"feature_extractor\.conv_layers\.(\d+)\.2\.1\.", r"{conv}\1.layer_norm."),
        (r"post_extract_proj\.", r"encoder.feature_projection.projection."),
        (r"layer_norm\.", r"encoder.feature_projection.layer_norm."),
        (r"encoder\.pos_conv\.0\.", r"encoder.transformer.pos_conv_embed.conv."),
        (r"encoder\.layer_norm\.", r"encoder.transformer.layer_norm."),
        (r"encoder\.layers\.(\d+)\.self_attn\.", r"{layer}\1.attention."),
        (r"encoder\.layers\.(\d+)\.self_attn_layer_norm\.", r"{layer}\1.layer_norm."),
        (r"encoder\.layers\.(\d+)\.fc1\.", r"{layer}\1.feed_forward.intermediate_dense."),
        (r"encoder\.layers\.(\d+)\.fc2\.", r"{layer}\1.feed_forward.output_dense."),
        (r"encoder\.layers\.(\d+)\.final_layer_norm\.", r"{layer}\1.final_layer_norm."),
        (r"proj\.", r"aux."),
    )
)
STEMS = {"conv": "feature_extractor.conv_layers.", "layer": "encoder.transformer.layers."}
# of pretraining: they have no part in features or scores
LEFT_OUT = re.compile(r"mask_emb|quantizer|project_q|final_proj|label_embs_concat|_ema|num_updates")

# argument of wav2vec2_model: fairseq's name, and its default
SETTINGS: dict[str, tuple[str, Any]] = {
    "extractor_conv_bias": ("conv_bias", False),
    "encoder_embed_dim": ("encoder_embed_dim", 768),
    "encoder_projection_dropout": ("dropout_input", 0.0),
    "encoder_pos_conv_kernel": ("conv_pos", 128),
    "encoder_pos_conv_groups": ("conv_pos_groups", 16),
    "encoder_num_layers": ("encoder_layers", 12),
    "encoder_num_heads": ("encoder_attention_heads", 12),
    "encoder_attention_dropout": ("attention_dropout", 0.1),
    "encoder_ff_interm_features": ("encoder_ffn_embed_dim", 3072),
    "encoder_ff_interm_dropout": ("activation_dropout", 0.0),
    "encoder_dropout": ("dropout", 0.1),
    "encoder_layer_norm_first": ("layer_norm_first", False),
    "encoder_layer_drop": ("encoder_layerdrop", 0.0),
}


def import_fairseq_model(original: Any, config: Mapping[str, Any] | None = None) -> Wav2Vec2Model:
    """A model of the library fairseq. The library itself is not needed.

    Args:
        original: an instance of fairseq's Wav2Vec2Model, Wav2VecEncoder, HubertModel or
            HubertEncoder; or the state_dict of one, with `config`.
        config: settings of the pretrained model under fairseq's names (encoder_layers, ...);
            needed with a state_dict only.

    Returns:
        The model, in training mode as every new module. The last layer of a fine-tuned model
        becomes `aux`; what only pretraining needs is left out.

    Raises:
        DTypeError: original is something else, or a state_dict comes without config.
        DomainError: some convolutions have a bias and some have none.
        FileFormatError: there are weights that this model does not know.

    Source: the names of both libraries; the mapping between them is torchaudio 2.8's.
    """
    if isinstance(original, Mapping):
        if config is None:
            raise DTypeError(
                "import_fairseq_model: a state_dict does not say how many heads there are; give "
                "fairseq's settings of the model as config="
            )
        arguments, weights = _from_settings(config), tensors_of(original)
    else:
        arguments, weights = _from_modules(original), tensors_of(original.state_dict())
    named = _renamed(weights)
    head = named.get("aux.weight")
    model = wav2vec2_model(**arguments, aux_num_out=None if head is None else head.shape[0])
    model.load_state_dict(named)
    return model


def _from_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {key: config.get(name, default) for key, (name, default) in SETTINGS.items()}
    mode = config.get("extractor_mode", "default")
    arguments["extractor_mode"] = "layer_norm" if mode == "layer_norm" else "group_norm"
    layers = config.get("conv_feature_layers", CONV_LAYERS)
    arguments["extractor_conv_layer_config"] = (
        _layers(ast.parse(layers, mode="eval").body) if isinstance(layers, str) else layers
    )
    return arguments


def _layers(node: ast.expr) -> Any:
    """Value of a sum of lists such as "[(512, 10, 5)] + [(512, 3, 2)] * 4"; nothing is run."""
    match node:
        case ast.BinOp(left, ast.Add(), right):
            return _layers(left) + _layers(right)
        case ast.BinOp(left, ast.Mult(), right):
            return _layers(left) * _layers(right)
        case _:
            return ast.literal_eval(node)


def _from_modules(original: Any) -> dict[str, Any]:
    """The settings, read off the parts of a model."""
    name = type(original).__name__
    if name not in (*PRETRAINED, *FINE_TUNED):
        raise DTypeError(
            f"import_fairseq_model: wanted an instance of {', '.join((*PRETRAINED, *FINE_TUNED))} "
            f"or a state_dict, got {name}"
        )
    inner = original.w2v_model if name in FINE_TUNED else original
    convs = inner.feature_extractor.conv_layers
    biases = {layer[0].bias is not None for layer in convs}
    if len(biases) > 1:
        raise DomainError(
            "import_fairseq_model: some convolutions have a bias and some have none; "
            "Wav2Vec2Model has one everywhere or nowhere"
        )
    encoder, first = inner.encoder, inner.encoder.layers[0]
    grouped = "GroupNorm" in type(convs[0][2]).__name__
    return {
        "extractor_mode": "group_norm" if grouped else "layer_norm",
        "extractor_conv_layer_config": [
            (layer[0].out_channels, layer[0].kernel_size[0], layer[0].stride[0]) for layer in convs
        ],
        "extractor_conv_bias": biases.pop(),
        "encoder_embed_dim": inner.post_extract_proj.out_features,
        "encoder_projection_dropout": inner.dropout_input.p,
        "encoder_pos_conv_kernel": encoder.pos_conv[0].kernel_size[0],
        "encoder_pos_conv_groups": encoder.pos_conv[0].groups,
        "encoder_num_layers": len(encoder.layers),
        "encoder_num_heads": first.self_attn.num_heads,
        "encoder_attention_dropout": first.self_attn.dropout_module.p,
        "encoder_ff_interm_features": first.fc1.out_features,
        "encoder_ff_interm_dropout": first.dropout2.p,
        "encoder_dropout": first.dropout3.p,
        "encoder_layer_norm_first": encoder.layer_norm_first,
        "encoder_layer_drop": encoder.layerdrop,
    }


def _renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights under this model's names."""
    named: dict[str, Tensor] = {}
    for name, value in weights.items():
        bare = name.removeprefix("w2v_encoder.").removeprefix("w2v_model.")
        if LEFT_OUT.match(bare):
            continue
        for pattern, place in PLACES:
            if pattern.match(bare):
                named[pattern.sub(place.format(**STEMS), bare, count=1)] = value
                break
        else:
            raise FileFormatError(f"import_fairseq_model: unknown weight {name!r}")
    return named

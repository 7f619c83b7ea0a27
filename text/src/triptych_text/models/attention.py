"""What all attention layers share: heads, masks, activations."""

from __future__ import annotations

from collections.abc import Callable

import triptych as tp
from triptych import Registry, Tensor
from triptych.errors import ShapeError
from triptych.nn import functional as F

__all__ = ["ACTIVATIONS", "additive_mask", "check_heads", "multi_head_attention"]

Activation = Callable[[Tensor], Tensor]

# By the names that config.json files use.
ACTIVATIONS: Registry[Activation] = Registry("activation")
ACTIVATIONS.register("gelu", F.gelu)
ACTIVATIONS.register("gelu_new", lambda x: F.gelu(x, approximate="tanh"))
ACTIVATIONS.register("gelu_pytorch_tanh", lambda x: F.gelu(x, approximate="tanh"))
ACTIVATIONS.register("quick_gelu", lambda x: x * (1.702 * x).sigmoid())
ACTIVATIONS.register("relu", F.relu)
ACTIVATIONS.register("silu", F.silu)
ACTIVATIONS.register("swish", F.silu)
ACTIVATIONS.register("tanh", tp.tanh)


def check_heads(name: str, width: int, num_heads: int) -> None:
    """Refuse a width that does not divide into heads.

    Raises:
        ShapeError: it does not.
    """
    if width % num_heads:
        raise ShapeError(
            f"{name}: the width {width} does not divide into {num_heads} heads; change hidden_size "
            "or num_attention_heads"
        )


def additive_mask(attention_mask: Tensor | None, dtype: tp.dtype) -> Tensor | None:
    """What is added to attention scores so that padding is not looked at.

    Args:
        attention_mask: (n, s), 1 for tokens and 0 for padding; or (n, l, s) to say it for each
            query; None when there is no padding, which is faster than all ones.
        dtype: of the scores.

    Returns:
        (n, 1, 1, s) or (n, 1, l, s): 0 or the lowest number of the type. Not minus infinity,
        which would turn a text of padding only into NaN.

    Raises:
        ShapeError: the mask has neither two nor three axes.
    """
    if attention_mask is None:
        return None
    if attention_mask.ndim not in (2, 3):
        raise ShapeError(
            f"attention_mask: wanted (n, s) or (n, l, s), got {tuple(attention_mask.shape)}"
        )
    wide = attention_mask[:, None, None, :] if attention_mask.ndim == 2 else attention_mask[:, None]
    return (1.0 - wide.to(dtype)) * tp.finfo(dtype).min


def multi_head_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    num_heads: int,
    mask: Tensor | None = None,
    dropout_p: float = 0.0,
) -> Tensor:
    """Attention in several heads that lie side by side in the last axis.

    Args:
        query: (n, l, d).
        key: (n, s, d).
        value: (n, s, d).
        num_heads: divides d.
        mask: added to the scores, broadcast to (n, num_heads, l, s).
        dropout_p: share of weights set to zero, 0 when not training.

    Returns:
        (n, l, d).

    Source: Vaswani et al. 2017, eq. 1 and section 3.2.2.
    """
    n, length, width = query.shape
    heads = (num_heads, width // num_heads)
    q, k, v = (x.reshape(n, -1, *heads).transpose(1, 2) for x in (query, key, value))
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout_p)
    return out.transpose(1, 2).reshape(n, length, width)  # from (n, heads, l, d / heads)

"""What all attention layers share: heads, masks, activations."""

from __future__ import annotations

import math
from collections.abc import Callable

import triptych as tp
from triptych import Registry, Tensor
from triptych.errors import ShapeError
from triptych.nn import functional as F

__all__ = ["ACTIVATIONS", "additive_mask", "check_heads", "multi_head_attention"]

Activation = Callable[[Tensor], Tensor]

# By the names that config.json files use.
ACTIVATIONS: Registry[Activation] = Registry("activation")
for _name in ("gelu", "gelu_python"):
    ACTIVATIONS.register(_name, F.gelu)
for _name in ("accurate", "fast", "new", "python_tanh", "pytorch_tanh"):
    ACTIVATIONS.register(f"gelu_{_name}", lambda x: F.gelu(x, approximate="tanh"))
ACTIVATIONS.register("gelu_10", lambda x: F.gelu(x).clamp(-10, 10))
ACTIVATIONS.register("leaky_relu", F.leaky_relu)
ACTIVATIONS.register("linear", lambda x: x)
ACTIVATIONS.register("mish", F.mish)
ACTIVATIONS.register("quick_gelu", lambda x: x * (1.702 * x).sigmoid())
ACTIVATIONS.register("relu", F.relu)
ACTIVATIONS.register("relu2", lambda x: F.relu(x).square())
ACTIVATIONS.register("relu6", F.relu6)
ACTIVATIONS.register("sigmoid", tp.sigmoid)
ACTIVATIONS.register("silu", F.silu)
ACTIVATIONS.register("swish", F.silu)
ACTIVATIONS.register("tanh", tp.tanh)


def check_heads(name: str, width: int, num_heads: int) -> None:
    """Refuse a width that does not divide into heads.

    Raises:
        ShapeError: it does not.
    """
    if num_heads < 1 or width % num_heads:
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
    weights: list[Tensor] | None = None,
) -> Tensor:
    """Attention in several heads that lie side by side in the last axis.

    Args:
        query: (n, l, d).
        key: (n, s, d).
        value: (n, s, d).
        num_heads: divides d.
        mask: added to the scores, broadcast to (n, num_heads, l, s).
        dropout_p: share of weights set to zero, 0 when not training.
        weights: a list that the weights (n, num_heads, l, s) are put into, after dropout; None
            when nobody asks for them, which is faster.

    Returns:
        (n, l, d).

    Source: Vaswani et al. 2017, eq. 1 and section 3.2.2.
    """
    n, length, width = query.shape
    heads = (num_heads, width // num_heads)
    q, k, v = (x.reshape(n, -1, *heads).transpose(1, 2) for x in (query, key, value))
    if weights is None:
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout_p)
    else:
        scores = q @ k.transpose(-2, -1) / math.sqrt(heads[1])
        shares = F.softmax(scores if mask is None else scores + mask, dim=-1)
        weights.append(F.dropout(shares, dropout_p, training=dropout_p > 0))
        out = weights[-1] @ v
    return out.transpose(1, 2).reshape(n, length, width)  # from (n, heads, l, d / heads)

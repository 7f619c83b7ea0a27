"""The shipped language model with int8 weights: how much of what it knows is lost."""

import pytest

import triptych as tp
from triptych import nn
from triptych.quantization import DynamicLinear, quantize_dynamic
from triptych_text.models.gpt2 import Conv1D
from triptych_text.pipelines import AUSTEN_LM

TEXT = (
    "She had walked a great way that morning, and was by no means sorry to be asked to sit down. "
    "Her brother, who had not been expected before Tuesday, came in while they were at breakfast, "
    "and said that the roads were so bad that he had left his horse at the inn. Nothing could be "
    "more agreeable to her mother than to talk of the ball, and of all who were to be there."
)


def as_linear(module: nn.Module) -> nn.Module:
    """The module with linear layers in place of those whose weights lie the other way round."""
    for name, child in module.named_children():
        if isinstance(child, Conv1D):
            layer = nn.Linear(*child.weight.shape)
            with tp.no_grad():
                layer.weight.copy_(child.weight.T)
                layer.bias.copy_(child.bias)
            setattr(module, name, layer)
        else:
            as_linear(child)
    return module


def loss(model: nn.Module, ids: tp.Tensor) -> float:
    """Nats for each token after the first."""
    with tp.no_grad():
        scores = model(ids)
    scores = getattr(scores, "logits", scores)
    return nn.functional.cross_entropy(scores[0, :-1], ids[0, 1:]).item()


def test_a_language_model_loses_next_to_nothing():
    ids = tp.tensor([AUSTEN_LM.get_tokenizer().encode(TEXT).ids[:128]])
    model = as_linear(AUSTEN_LM.get_model())
    small = quantize_dynamic(model)
    layers = [m for m in small.modules() if isinstance(m, DynamicLinear)]
    assert len(layers) >= 12
    exact, rounded = loss(AUSTEN_LM.get_model(), ids), loss(small, ids)
    assert loss(model, ids) == pytest.approx(exact, abs=1e-4)
    assert 2 < exact < 6  # it knows the language: a guess among 1,024 pieces costs 6.9
    assert abs(rounded - exact) < 0.02

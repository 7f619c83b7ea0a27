import pytest

import triptych as tp
from triptych.errors import UnknownNameError
from triptych_text.models.config import ModelConfig
from triptych_text.models.losses import classification_loss

LOGITS = tp.tensor([[0.5, -1.0], [2.0, 0.0]])


def test_the_named_problem_type_decides():
    as_numbers = classification_loss(
        LOGITS, tp.tensor([[0.5, -1.0], [2.0, 1.0]]), ModelConfig(problem_type="regression")
    )
    assert as_numbers.item() == pytest.approx(0.25)
    several = classification_loss(
        LOGITS, tp.tensor([[1.0, 0.0], [1.0, 0.0]]), ModelConfig(problem_type=None)
    )
    named = ModelConfig(problem_type="multi_label_classification")
    again = classification_loss(LOGITS, tp.tensor([[1.0, 0.0], [1.0, 0.0]]), named)
    assert several.item() == again.item()


def test_unknown_problem_type():
    with pytest.raises(UnknownNameError, match="no problem type"):
        classification_loss(LOGITS, tp.tensor([0, 1]), ModelConfig(problem_type="guess"))

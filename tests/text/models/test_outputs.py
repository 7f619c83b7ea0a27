import pytest

import triptych as tp
from triptych.errors import UnknownNameError
from triptych_text.models.outputs import ClassifierOutput, EncoderOutput

HIDDEN, POOLED = tp.zeros(1, 2, 3), tp.ones(1, 3)


def test_by_name_and_by_place():
    out = EncoderOutput(HIDDEN, POOLED)
    assert out[0] is out["last_hidden_state"] is out.last_hidden_state is HIDDEN
    assert out[1] is out.pooler_output is POOLED
    assert out[:1] == (HIDDEN,)
    assert out.keys() == ["last_hidden_state", "pooler_output"]
    assert dict(out).keys() == {"last_hidden_state", "pooler_output"}
    hidden, pooled = out
    assert (hidden, pooled) == out.to_tuple()
    assert len(out) == 2


def test_what_is_not_set_has_no_place():
    out = ClassifierOutput(logits=POOLED)
    assert out[0] is POOLED
    assert out.loss is None
    with pytest.raises(UnknownNameError, match="'loss' is not set; set are logits"):
        out["loss"]
    with pytest.raises(IndexError):
        out[1]

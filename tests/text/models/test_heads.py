"""Each head of each family: shapes, losses against NumPy, gradients, ties."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_text import models

BERT_LIKE = {
    "vocab_size": 20,
    "hidden_size": 12,
    "num_hidden_layers": 1,
    "num_attention_heads": 3,
    "intermediate_size": 24,
    "max_position_embeddings": 10,
    "num_labels": 4,
}
DISTIL = {
    "vocab_size": 20,
    "dim": 12,
    "n_layers": 1,
    "n_heads": 3,
    "hidden_dim": 24,
    "max_position_embeddings": 10,
    "num_labels": 4,
}
FAMILIES = {
    "Bert": BERT_LIKE,
    "DebertaV2": BERT_LIKE,
    "DistilBert": DISTIL,
    "Electra": {**BERT_LIKE, "embedding_size": 6},
    "Roberta": BERT_LIKE,
    "XLMRoberta": BERT_LIKE,
}
IDS = tp.tensor([[3, 7, 11, 2], [5, 19, 4, 9]])


@pytest.fixture(params=FAMILIES)
def build(request):
    def build(head, **settings):
        name = request.param + head
        tp.manual_seed(0)
        return models.from_config(
            {"architectures": [name], **FAMILIES[request.param], **settings}
        ).eval()

    return build


def cross_entropy(logits, labels):
    """Mean over rows (n, c) whose label is not -100."""
    logits = logits.detach().numpy().astype(np.float64).reshape(-1, logits.shape[-1])
    labels = np.asarray(labels).reshape(-1)
    logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    return -np.mean([logs[i, label] for i, label in enumerate(labels) if label != -100])


def assert_trains(model, loss):
    loss.backward()
    assert all(p.grad is not None for p in model.parameters())


def test_sequence_classification(build):
    model = build("ForSequenceClassification")
    out = model(IDS, labels=tp.tensor([3, 0]))
    assert out.logits.shape == (2, 4)
    assert out.loss.item() == pytest.approx(cross_entropy(out.logits, [3, 0]), rel=1e-5)
    assert model(IDS).loss is None
    assert_trains(model, out.loss)


def test_several_classes_at_once(build):
    several = tp.tensor([[1.0, 0, 1, 0], [0, 0, 0, 1]])
    model = build("ForSequenceClassification", problem_type="multi_label_classification")
    out = model(IDS, labels=several)
    p = 1 / (1 + np.exp(-out.logits.detach().numpy().astype(np.float64)))
    wanted = np.array([[1, 0, 1, 0], [0, 0, 0, 1]])
    expected = -np.mean(wanted * np.log(p) + (1 - wanted) * np.log(1 - p))
    assert out.loss.item() == pytest.approx(expected, rel=1e-5)
    model.config.problem_type = None  # the labels tell, where they are not shares of classes
    told = model(IDS, labels=several).loss.item()
    shares = type(model).__name__.startswith("Deberta")
    assert (told == pytest.approx(expected, rel=1e-5)) is not shares


def test_regression(build):
    out = build("ForSequenceClassification", num_labels=1)(IDS, labels=tp.tensor([0.5, -2.0]))
    assert out.logits.shape == (2, 1)
    expected = np.mean((out.logits.detach().numpy()[:, 0] - [0.5, -2.0]) ** 2)
    assert out.loss.item() == pytest.approx(expected, rel=1e-5)


def test_token_classification(build):
    model = build("ForTokenClassification")
    labels = [[0, 1, -100, 3], [2, 2, -100, -100]]
    out = model(IDS, labels=tp.tensor(labels))
    assert out.logits.shape == (2, 4, 4)
    assert out.loss.item() == pytest.approx(cross_entropy(out.logits, labels), rel=1e-5)
    assert_trains(model, out.loss)


def test_question_answering(build):
    model = build("ForQuestionAnswering")
    start, end = [1, 0], [2, 3]
    out = model(IDS, start_positions=tp.tensor(start), end_positions=tp.tensor(end))
    assert out.start_logits.shape == out.end_logits.shape == (2, 4)
    expected = cross_entropy(out.start_logits, start) + cross_entropy(out.end_logits, end)
    assert out.loss.item() == pytest.approx(expected / 2, rel=1e-5)
    assert_trains(model, out.loss)


def test_answers_beyond_the_text_do_not_count(build):
    model = build("ForQuestionAnswering")
    out = model(IDS, start_positions=tp.tensor([1, 99]), end_positions=tp.tensor([2, 99]))
    expected = cross_entropy(out.start_logits, [1, -100]) + cross_entropy(out.end_logits, [2, -100])
    assert out.loss.item() == pytest.approx(expected / 2, rel=1e-5)


def test_masked_words(build):
    model = build("ForMaskedLM")
    labels = [[-100, 8, -100, -100], [-100, -100, 17, 1]]
    out = model(IDS, labels=tp.tensor(labels))
    assert out.logits.shape == (2, 4, 20)
    assert out.loss.item() == pytest.approx(cross_entropy(out.logits, labels), rel=1e-5)
    assert_trains(model, out.loss)


def test_words_and_outputs_share_weights(build):
    tied, free = build("ForMaskedLM"), build("ForMaskedLM", tie_word_embeddings=False)
    for name, source in tied.ties().items():
        assert tied.get_parameter(name) is tied.get_parameter(source)
    assert len(list(free.parameters())) == len(list(tied.parameters())) + len(tied.ties())


def test_hidden_states_come_through(build):
    out = build("ForTokenClassification")(IDS, output_hidden_states=True)
    assert [tuple(state.shape) for state in out.hidden_states] == [(2, 4, 12)] * 2


def test_choices(build):
    model = build("ForMultipleChoice")
    ids = tp.stack([IDS, IDS.flip(1), IDS.flip(0)], 1)
    out = model(ids, labels=tp.tensor([2, 0]))
    assert out.logits.shape == (2, 3)
    assert out.loss.item() == pytest.approx(cross_entropy(out.logits, [2, 0]), rel=1e-5)
    # the third choice of one is the first of the other
    assert out.logits[0, 2].item() == pytest.approx(out.logits[1, 0].item(), rel=1e-5)
    with pytest.raises(ShapeError, match=r"wanted input_ids of shape \(n, choices, l\)"):
        model(IDS)

"""The transducer's beam search: with a wide beam, it finds all there is."""

import itertools

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych_audio.models.rnnt import emformer_rnnt_model
from triptych_audio.models.rnnt_decoder import RNNTBeamSearch

V, D = 4, 3  # labels, the last of them blank; features


class Toy(nn.Module):
    """A transducer with a recurrent prediction network of one layer."""

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(0)
        self.embedding = nn.Parameter(tp.tensor(rng.standard_normal((V, D))))
        self.recurrence = nn.Parameter(tp.tensor(rng.standard_normal((D, D))))
        self.output = nn.Parameter(tp.tensor(rng.standard_normal((D, V)) * 1.5))

    def transcribe(self, sources, source_lengths):
        return sources * 2, source_lengths

    def transcribe_streaming(self, sources, source_lengths, state):
        seen = tp.zeros(1, 1, D, dtype=tp.float64) if state is None else state[0][0]
        return sources * 2 + seen, source_lengths, [[seen + sources.sum(1, keepdim=True)]]

    def predict(self, targets, target_lengths, state):
        hidden = tp.zeros(len(targets), D, dtype=tp.float64) if state is None else state[0][0]
        hidden = tp.tanh(self.embedding[targets[:, 0]] + hidden @ self.recurrence)
        return hidden.unsqueeze(1), target_lengths, [[hidden, hidden * 2]]

    def join(self, source, source_lengths, target, target_lengths):
        both = tp.tanh(source.unsqueeze(2) + target.unsqueeze(1))
        return both @ self.output, source_lengths, target_lengths


def naive_scores(model, frames, longest, temperature=1.0):
    """Logarithm of the probability of every label sequence up to a length."""
    scores = {}
    for length in range(longest + 1):
        for labels in itertools.product(range(V - 1), repeat=length):
            state, rows = None, []
            for label in (V - 1, *labels):
                out, _, state = model.predict(tp.tensor([[label]]), tp.tensor([1]), state)
                rows.append(out[0, 0])
            joint = model.join(frames[None] * 2, None, tp.stack(rows)[None], None)[0][0]
            logits = tp.log_softmax(joint / temperature, -1).detach().numpy()
            scores[(V - 1, *labels)] = lattice(logits, labels)
    return scores


def lattice(logits, labels):
    t, u = logits.shape[:2]
    alpha = np.full((t + 1, u), -np.inf)
    alpha[0, 0] = 0.0
    for i, j in itertools.product(range(t), range(u)):
        if j:
            alpha[i, j] = np.logaddexp(
                alpha[i, j], alpha[i, j - 1] + logits[i, j - 1, labels[j - 1]]
            )
        alpha[i + 1, j] = np.logaddexp(alpha[i + 1, j], alpha[i, j] + logits[i, j, V - 1])
    return alpha[t, u - 1]


@pytest.fixture
def frames(rng):
    return tp.tensor(rng.standard_normal((2, D)))


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_wide_beam_adds_up_all_alignments(frames, temperature):
    model = Toy()
    want = naive_scores(model, frames, 4, temperature)
    search = RNNTBeamSearch(model, V - 1, temperature, step_max_tokens=2)
    found = {tuple(h[0]): h[3] for h in search(frames, tp.tensor(2), 100000)}
    # two labels per frame: sequences up to two labels are complete, longer ones are cut
    for labels in want:
        if len(labels) <= 3:
            assert found[labels] == pytest.approx(want[labels])
        else:
            assert found[labels] <= want[labels] + 1e-9
    assert len(found) == sum(3**n for n in range(5))


def test_order_and_key(frames):
    search = RNNTBeamSearch(Toy(), V - 1)
    best = search(frames.unsqueeze(0), tp.tensor([2]), 5)
    rates = [h[3] / (len(h[0]) + 1) for h in best]
    assert len(best) == 5 and rates == sorted(rates, reverse=True)
    plain = RNNTBeamSearch(Toy(), V - 1, hypo_sort_key=lambda h: h[3])(frames, tp.tensor(2), 5)
    assert [h[3] for h in plain] == sorted((h[3] for h in plain), reverse=True)
    labels, predicted, state, _ = best[0]
    assert labels[0] == V - 1 and predicted.shape == (1, D) and not predicted.requires_grad
    assert [[tuple(p.shape) for p in layer] for layer in state] == [[(1, D), (1, D)]]


def test_blank_may_be_any_label(frames):
    """The same network with its labels in another order finds the same."""
    turned = Toy()
    order = tp.tensor([3, 0, 1, 2])  # new label k was label order[k]
    turned.embedding = nn.Parameter(turned.embedding[order].detach())
    turned.output = nn.Parameter(turned.output[:, order].detach())
    want = RNNTBeamSearch(Toy(), V - 1)(frames, tp.tensor(2), 4)
    got = RNNTBeamSearch(turned, 0)(frames, tp.tensor(2), 4)
    assert [[int(order[k]) for k in h[0]] for h in got] == [h[0] for h in want]
    np.testing.assert_allclose([h[3] for h in got], [h[3] for h in want])


def test_pieces(frames):
    """Streaming goes on from hypotheses and state."""
    model = Toy()
    search = RNNTBeamSearch(model, V - 1)
    first, state = search.infer(frames[:1], tp.tensor(1), 6)
    second, state = search.infer(frames[1:], tp.tensor([1]), 6, state, first)
    np.testing.assert_allclose(state[0][0][0, 0].numpy(), frames.sum(0).numpy())
    whole = tp.stack([frames[0], frames[1] + frames[0] / 2])
    want = search(whole, tp.tensor(2), 6)
    assert [h[0] for h in second] == [h[0] for h in want]
    np.testing.assert_allclose([h[3] for h in second], [h[3] for h in want])


def test_no_labels_per_frame(frames):
    (only,) = RNNTBeamSearch(Toy(), V - 1, step_max_tokens=0)(frames, tp.tensor(2), 3)
    assert only[0] == [V - 1]
    assert only[3] == pytest.approx(naive_scores(Toy(), frames, 0)[(V - 1,)])


def test_errors(frames):
    search = RNNTBeamSearch(Toy(), V - 1)
    with pytest.raises(ValueError, match="wanted input"):
        search(tp.zeros(2, 2, D), tp.tensor(2), 3)
    with pytest.raises(ValueError, match="wanted length"):
        search(frames, tp.tensor([2, 2]), 3)
    with pytest.raises(ValueError, match="at least 1"):
        search(frames, tp.tensor(2), 0)


def test_with_the_emformer_transducer(rng):
    """The real model, small: pieces of a sequence lead to what the whole leads to."""
    model = emformer_rnnt_model(
        input_dim=8,
        encoding_dim=12,
        num_symbols=7,
        segment_length=8,
        right_context_length=4,
        time_reduction_input_dim=6,
        time_reduction_stride=2,
        transformer_num_heads=2,
        transformer_ffn_dim=16,
        transformer_num_layers=1,
        transformer_dropout=0.0,
        transformer_activation="gelu",
        transformer_left_context_length=4,
        transformer_max_memory_size=0,
        transformer_weight_init_scale_strategy="depthwise",
        transformer_tanh_on_mem=True,
        symbol_embedding_dim=5,
        num_lstm_layers=2,
        lstm_layer_norm=True,
        lstm_layer_norm_epsilon=1e-3,
        lstm_dropout=0.0,
    ).eval()
    search = RNNTBeamSearch(model, 6)
    sound = tp.tensor(rng.standard_normal((28, 8)).astype(np.float32))
    want = search(sound, tp.tensor(28), 4)
    state = hypotheses = None
    for start in (0, 8, 16):
        piece = sound[start : start + 12]
        hypotheses, state = search.infer(piece, tp.tensor([12]), 4, state, hypotheses)
    assert [h[0] for h in hypotheses] == [h[0] for h in want]
    np.testing.assert_allclose([h[3] for h in hypotheses], [h[3] for h in want], rtol=1e-4)

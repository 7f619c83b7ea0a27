"""Saving and loading by name."""

from collections import OrderedDict

import numpy as np
import pytest

import triptych
from triptych import nn
from triptych.nn.state_dict import StateDictError


def net():
    return nn.Sequential(
        OrderedDict(conv=nn.Conv2d(3, 4, 3), bn=nn.BatchNorm2d(4), fc=nn.Linear(4, 2))
    )


def test_values_share_memory_without_history():
    model = net()
    state = model.state_dict()
    assert type(state) is OrderedDict
    assert not any(t.requires_grad for t in state.values())
    with triptych.no_grad():
        model.fc.bias.fill_(7)
    assert state["fc.bias"].tolist() == [7.0, 7.0]
    assert model.state_dict(keep_vars=True)["fc.bias"] is model.fc.bias
    assert next(iter(model.state_dict(prefix="model."))) == "model.conv.weight"
    assert state._metadata[""] == {"version": 1}
    assert state._metadata["bn"] == {"version": 2}


def test_loading_copies_and_converts():
    model = net()
    weight = model.fc.weight
    state = {k: v.double() if v.is_floating_point() else v for k, v in net().state_dict().items()}
    assert str(model.load_state_dict(state)) == "<All keys matched successfully>"
    assert model.fc.weight is weight
    assert weight.dtype == triptych.float32
    np.testing.assert_array_equal(weight.detach().numpy(), state["fc.weight"].float().numpy())


def test_loading_takes_numpy_arrays():
    model = nn.Linear(2, 1)
    model.load_state_dict({"weight": np.ones((1, 2)), "bias": np.zeros(1)})
    assert model(triptych.ones(2)).tolist() == [2.0]


def test_assign_keeps_the_given_tensors():
    model = nn.Linear(2, 1).requires_grad_(False)
    given = {
        "weight": triptych.ones(1, 2, dtype=triptych.float64),
        "bias": nn.Parameter(triptych.ones(1)),
    }
    model.load_state_dict(given, assign=True)
    assert model.weight.dtype == triptych.float64
    assert not model.weight.requires_grad
    assert model.bias is given["bias"]
    assert next(model.parameters()) is model.weight


def test_one_error_lists_everything():
    state = net().state_dict()
    del state["conv.bias"], state["bn.running_mean"]
    state["conv.bais"] = triptych.zeros(4)
    state["fc.weight"] = triptych.zeros(3, 4)
    state["bn.momentum"] = "high"
    state["fc.bias"] = "none"
    with pytest.raises(StateDictError) as caught:
        net().load_state_dict(state)
    assert isinstance(caught.value, RuntimeError)
    assert isinstance(caught.value, triptych.TriptychError)
    text = str(caught.value)
    assert text.startswith("Error(s) in loading state_dict for Sequential:")
    assert 'Missing key(s) in state_dict: "conv.bias" (4,), "bn.running_mean" (4,).' in text
    assert 'Unexpected key(s) in state_dict: "conv.bais" (4,), "bn.momentum".' in text
    assert "size mismatch for fc.weight (in fc, Linear): wanted (2, 4), got (3, 4)" in text
    assert "fc.bias: wanted a tensor or an array, got str" in text
    assert 'For "conv.bias", did you mean the given "conv.bais"?' in text


def test_what_fits_is_loaded_even_when_it_raises():
    model = net()
    with pytest.raises(StateDictError):
        model.load_state_dict({"fc.bias": triptych.full((2,), 5.0)})
    assert model.fc.bias.tolist() == [5.0, 5.0]


def test_not_strict_reports_names_but_never_forgives_shapes():
    found = net().load_state_dict(
        {"fc.bias": triptych.zeros(2), "x": triptych.zeros(1)}, strict=False
    )
    assert found.unexpected_keys == ["x"]
    assert "conv.weight" in found.missing_keys
    assert "fc.bias" not in found.missing_keys
    with pytest.raises(StateDictError, match="size mismatch"):
        net().load_state_dict({"fc.bias": triptych.zeros(3)}, strict=False)


def test_a_prefix_too_many_or_too_few_is_seen():
    state = nn.Linear(2, 1).state_dict()
    with pytest.raises(StateDictError, match=r"removeprefix\('module.'\)"):
        nn.Linear(2, 1).load_state_dict({f"module.{k}": v for k, v in state.items()})
    outer = nn.Module()
    outer.model = nn.Linear(2, 1)
    with pytest.raises(StateDictError, match=r"{'model.' \+ k: v for"):
        outer.load_state_dict(state)


def test_a_number_without_dims_is_found_in_old_files():
    model = nn.BatchNorm1d(1)
    state = model.state_dict()
    state["num_batches_tracked"] = triptych.tensor([4])
    model.load_state_dict(state)
    assert int(model.num_batches_tracked) == 4


def test_batch_norm_before_it_counted():
    state = OrderedDict(net().state_dict())
    del state["bn.num_batches_tracked"]
    net().load_state_dict(state)
    counted = net().state_dict()
    del counted["bn.num_batches_tracked"]
    with pytest.raises(StateDictError, match="num_batches_tracked"):
        net().load_state_dict(counted)


def test_extra_state():
    class Counter(nn.Module):
        count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    one, two = Counter(), Counter()
    one.count = 5
    assert list(one.state_dict()) == ["_extra_state"]
    two.load_state_dict(one.state_dict())
    assert two.count == 5
    with pytest.raises(StateDictError, match="Missing"):
        two.load_state_dict({})
    with pytest.raises(StateDictError, match="Unexpected"):
        nn.Identity().load_state_dict(one.state_dict())


def test_hooks_around_saving_and_loading():
    model, log = net(), []
    model.register_state_dict_pre_hook(lambda m, prefix, keep: log.append("before"))

    def mark(module, state, prefix, metadata):
        state[prefix + "mark"] = triptych.zeros(1)

    def unmark(module, state, prefix, metadata, strict, missing, unexpected, errors):
        log.append(module is model)
        state.pop(prefix + "mark")

    model.register_state_dict_post_hook(mark)
    model.register_load_state_dict_pre_hook(unmark)
    model.register_load_state_dict_post_hook(lambda m, found: found.missing_keys.clear())
    state = model.state_dict()
    assert "mark" in state
    del state["fc.bias"]
    assert model.load_state_dict(state) == ([], [])
    assert log == ["before", True]


def test_a_subclass_may_rename_old_keys():
    class Renamed(nn.Linear):
        def _load_from_state_dict(self, state_dict, prefix, *rest):
            if prefix + "kernel" in state_dict:
                state_dict[prefix + "weight"] = state_dict.pop(prefix + "kernel")
            super()._load_from_state_dict(state_dict, prefix, *rest)

    model = nn.Sequential(Renamed(2, 1))
    given = {"0.kernel": triptych.ones(1, 2), "0.bias": triptych.zeros(1)}
    assert model.load_state_dict(given) == ([], [])
    assert list(given) == ["0.kernel", "0.bias"]
    assert model(triptych.ones(2)).tolist() == [2.0]


def test_only_mappings_load():
    with pytest.raises(TypeError, match="wanted a mapping of names to tensors, got list"):
        net().load_state_dict([1])


def test_save_and_load_through_a_file(tmp_path):
    model, other = net(), net()
    triptych.save(model.state_dict(), tmp_path / "model.pt")
    other.load_state_dict(triptych.load(tmp_path / "model.pt"))
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        assert triptych.equal(one, two)

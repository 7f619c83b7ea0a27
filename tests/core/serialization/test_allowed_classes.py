"""Classes that a user allows in torch files: built as data, without any of their code."""

import collections
import dataclasses
import enum
import io
import pickle
import types

import numpy as np
import pytest

import triptych as tp
from triptych import serialization
from triptych.serialization import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    load_pytorch_checkpoint,
    remove_safe_globals,
    safe_globals,
)

CALLED = []


def tell(self, *args, **kwargs):
    CALLED.append(type(self).__name__)


@dataclasses.dataclass
class Settings:
    width: int
    weight: object = None

    def __post_init__(self):
        tell(self)


@dataclasses.dataclass(slots=True)
class Slotted:
    width: int
    weight: object = None


class Point(collections.namedtuple("Point", ["x", "y"])):
    __slots__ = ()

    def __new__(cls, x, y):
        CALLED.append("Point")
        return super().__new__(cls, x, y)


class Pair(tuple):
    pass


class Kind(enum.Enum):
    SMALL = "small"
    LARGE = "large"


class Loud:
    """Every way in runs code of its own."""

    __init__ = __setattr__ = __setstate__ = tell

    def __reduce_ex__(self, protocol):
        return object.__reduce_ex__(self, protocol)


class Table(dict):
    __setitem__ = update = tell


class Ordered(collections.OrderedDict):
    __setitem__ = update = tell


class Row(list):
    append = extend = tell


class Bag(set):
    add = update = tell


CLASSES = [Settings, Slotted, Point, Pair, Kind, Loud, Table, Ordered, Row, Bag]


@pytest.fixture(autouse=True)
def _clean():
    CALLED.clear()
    clear_safe_globals()
    yield
    clear_safe_globals()


def put(target, kind, values):
    """Fill an instance whose own methods would not."""
    for value in values.items() if isinstance(values, dict) else values:
        {dict: dict.__setitem__, list: list.append, set: set.add}[kind](
            target, *(value if kind is dict else (value,))
        )
    return target


def loud():
    made = object.__new__(Loud)
    made.__dict__.update(a=1, b=[2])
    return made


def load(data):
    return tp.load(io.BytesIO(data))


def rewritten(value, protocol=2):
    """A torch file with a pickle of these values."""
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(value, protocol))
    return out.getvalue()


def same(one, two):
    assert type(one) is type(two)
    if isinstance(one, enum.Enum):
        assert one is two
    elif isinstance(one, dict):
        assert list(dict.items(one)) == list(dict.items(two))
    elif isinstance(one, (list, tuple, set)):
        assert list(one) == list(two)
    for name in getattr(one, "__dict__", {}):
        assert getattr(one, name) == getattr(two, name)


VALUES = [
    Settings(3, [1, 2]),
    Slotted(3, [1, 2]),
    Point(1, 2),
    Pair((1, 2, 3)),
    Kind.LARGE,
    loud(),
    put(Table(), dict, {"a": 1, "b": [2]}),
    put(Row(), list, [1, [2]]),
    put(Bag(), set, [1]),
]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_allowed_classes_come_back_and_run_nothing(value, protocol):
    data = rewritten({"value": value}, protocol)
    with pytest.raises(tp.errors.UnsafeFileError, match="add_safe_globals"):
        load(data)
    CALLED.clear()
    with safe_globals([type(value)]):
        same(load(data)["value"], value)
    assert CALLED == []
    with pytest.raises(tp.errors.UnsafeFileError):
        load(data)  # the context is over


def test_ordered_dictionaries():
    made = Ordered()
    collections.OrderedDict.__setitem__(made, "b", 1)
    collections.OrderedDict.__setitem__(made, "a", 2)
    CALLED.clear()
    with safe_globals([Ordered]):
        back = load(rewritten([made]))[0]
    assert list(collections.OrderedDict.items(back)) == [("b", 1), ("a", 2)] and CALLED == []


def test_tensors_inside_are_built(writer):
    array = np.arange(3, dtype=np.float32)
    held = [Settings(1, array), Slotted(2, array), Point(array, [array])]
    held += [put(Table(), dict, {"w": array}), put(Row(), list, [array]), Pair((array,))]
    with safe_globals(CLASSES):
        settings, slotted, point, table, row, pair = load(writer.torch_zip(held))
    found = [settings.weight, slotted.weight, point.x, point.y[0], table["w"], row[0], pair[0]]
    for tensor in found:
        assert isinstance(tensor, tp.Tensor) and tensor.tolist() == [0.0, 1.0, 2.0]
    found[0][0] = 7  # one array in the file is one memory after
    assert found[4][0].item() == 7


def test_one_object_twice_stays_one():
    one = Settings(1)
    with safe_globals([Settings]):
        first, second = load(rewritten([one, one]))
    assert first is second


def test_another_name_in_the_file():
    data = rewritten([Settings(4)]).replace(b"Settings", b"Renamed_")
    name = f"{Settings.__module__}.Renamed_"
    with safe_globals([(Settings, name)]):
        assert get_safe_globals() == [(Settings, name)]
        assert load(data)[0] == Settings(4)


def test_the_list():
    add_safe_globals([Settings, Kind])
    assert get_safe_globals() == [Settings, Kind]
    with safe_globals([Point]):
        assert get_safe_globals() == [Settings, Kind, Point]
    remove_safe_globals([Settings, Row])
    assert get_safe_globals() == [Kind]
    clear_safe_globals()
    assert get_safe_globals() == []


class Finalized:
    def __del__(self):
        pass


FUNCTIONS = [print, eval, "name", tp.nn.Linear(1, 1)]
BUILT_IN = [type, int, dict, io.BytesIO, types.FunctionType, ValueError, np.ndarray]
DERIVED = [Finalized, type("Text", (str,), {}), type("Meta", (type,), {})]


@pytest.mark.parametrize("wanted", [*FUNCTIONS, *BUILT_IN, *DERIVED], ids=str)
def test_what_could_do_more_than_hold_data_is_refused(wanted):
    with pytest.raises(tp.DTypeError, match="is no plain class"):
        add_safe_globals([wanted])


def test_names_of_the_readers_own_cannot_be_taken():
    with pytest.raises(ValueError, match="decides itself"):
        add_safe_globals([(Settings, "torch.Size")])


def reduced(function, *args, state=None):
    """Something whose pickle calls a function, and sets a state."""

    class Hostile:
        def __reduce__(self):
            return (function, args, state) if state is not None else (function, args)

    return rewritten([Hostile()])


@pytest.mark.parametrize(
    "data",
    [
        reduced(Settings, 1, 2),
        reduced(Table, [("a", 1)]),
        reduced(Row, [1]),
        reduced(Bag, [[1]]),
        reduced(Point, 1, 2, state={"x": 5}),
        reduced(Kind, "tiny"),
        reduced(Kind, ["small"]),
        reduced(Kind, "small", state={"_value_": "other"}),
        reduced(Pair, (1,), 2),
        rewritten([Slotted(1)]).replace(b"width", b"depth"),
    ],
    ids=range(10),
)
def test_hostile_uses_of_allowed_classes(data):
    with safe_globals(CLASSES), pytest.raises(tp.FileFormatError):
        load(data)
    assert Kind.SMALL.value == "small" and [k.value for k in Kind] == ["small", "large"]


@pytest.mark.parametrize("protocol", [2, 4])
def test_members_of_enums_by_name(protocol):
    """As early releases of Python 3.11 write them, whichever Python runs this."""

    class Old:
        def __reduce__(self):
            return getattr, (Kind, "LARGE")

    data = rewritten([Old()], protocol)
    with safe_globals([Kind]):
        assert load(data) == [Kind.LARGE]
    with safe_globals([Settings]), pytest.raises(tp.errors.UnsafeFileError, match="getattr"):
        load(data)  # without an enum nobody needs it


@pytest.mark.parametrize(
    "wanted",
    [
        (Kind, "__class__"),
        (Kind, "mro"),
        (Kind, "TINY"),
        (Kind, ["LARGE"]),
        (Kind, "LARGE", 3),
        (Settings, "width"),
        ("text", "join"),
        ([], "append"),
    ],
    ids=range(8),
)
def test_no_other_attribute_is_given(wanted):
    with safe_globals(CLASSES), pytest.raises(tp.FileFormatError):
        load(reduced(getattr, *wanted))


def test_a_class_itself_is_no_value():
    with safe_globals([Settings]), pytest.raises(tp.FileFormatError, match="class or function"):
        load(rewritten([Settings]))


# load_pytorch_checkpoint


def test_torch_files_and_no_others(save_torch, tmp_path):
    data = save_torch({"w": np.ones(2, np.float32), "epoch": 3})
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(data)
    for file in (path, io.BytesIO(data)):
        found = load_pytorch_checkpoint(file, map_location="cpu")
        assert found["w"].tolist() == [1.0, 1.0] and found["epoch"] == 3
    assert load_pytorch_checkpoint(path, mmap=True)["w"].tolist() == [1.0, 1.0]
    tp.save({"w": tp.ones(2)}, tmp_path / "w.safetensors")
    with pytest.raises(tp.FileFormatError, match="not a torch file"):
        tp.load_pytorch_checkpoint(tmp_path / "w.safetensors")
    assert serialization.load_pytorch_checkpoint is tp.load_pytorch_checkpoint

"""Pickles that try to run code, to change the reader, or to fill the memory; all are refused."""

from __future__ import annotations

import copyreg
import dataclasses
import io
import pickle
import struct
import tracemalloc

import pytest

from triptych.errors import FileFormatError, UnsafeFileError
from triptych.serialization.torch_globals import ALLOWED
from triptych.serialization.torch_reader import read_torch
from triptych.serialization.torch_records import Call, Marker, StorageType, TorchDType

PROTO = b"\x80\x04"


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def run_through(opcode: str, module: str, attribute: str, argument: str) -> bytes:
    """A pickle that calls module.attribute(argument) by way of an opcode."""
    target = name(module, attribute)
    return {
        "GLOBAL+REDUCE": PROTO + target + text(argument) + b"\x85R.",
        "STACK_GLOBAL": PROTO
        + text(module)
        + text(attribute)
        + b"\x93"
        + text(argument)
        + b"\x85R.",
        "INST": b"(" + text(argument) + f"i{module}\n{attribute}\n.".encode(),
        "OBJ": b"(" + target + text(argument) + b"o.",
        "NEWOBJ": PROTO + target + text(argument) + b"\x85\x81.",
        "NEWOBJ_EX": PROTO + target + text(argument) + b"\x85}\x92.",
        "BUILD": PROTO
        + name("collections", "OrderedDict")
        + b")R}"
        + text("__setstate__")
        + target
        + b"s"
        + b"b"
        + text(argument)
        + b"b.",
        "memo": PROTO + target + b"\x940" + b"h\x00" + text(argument) + b"\x85R.",
        "PERSID": PROTO + text("storage") + target + text(argument) + b"\x87Q.",
    }[opcode]


OPCODES = (
    "GLOBAL+REDUCE",
    "STACK_GLOBAL",
    "INST",
    "OBJ",
    "NEWOBJ",
    "NEWOBJ_EX",
    "BUILD",
    "memo",
    "PERSID",
)


@pytest.mark.parametrize("opcode", OPCODES)
@pytest.mark.parametrize("module", ["os", "posix"])
def test_system_is_refused_by_name(around_pickle, tmp_path, opcode, module):
    marker = tmp_path / "ran"
    path = tmp_path / "evil.pth"
    path.write_bytes(around_pickle(run_through(opcode, module, "system", f"touch {marker}")))
    with pytest.raises(
        UnsafeFileError, match=rf"evil\.pth: asks for the global '{module}\.system'"
    ):
        read_torch(path)
    assert not marker.exists()


def test_the_attacks_are_real(tmp_path):
    """Python's own unpickler runs them, or this file would test nothing."""
    for opcode in ("GLOBAL+REDUCE", "STACK_GLOBAL", "INST", "OBJ"):
        marker = tmp_path / opcode
        pickle.loads(run_through(opcode, "posix", "system", f"touch {marker}"))
        assert marker.exists()


FORBIDDEN = """
builtins.eval builtins.exec builtins.getattr builtins.setattr builtins.__import__ builtins.open
builtins.type builtins.object builtins.globals __builtin__.eval operator.attrgetter
operator.methodcaller functools.partial importlib.import_module copyreg._reconstructor
copy_reg._reconstructor types.FunctionType types.CodeType subprocess.Popen nt.system torch.load
torch.hub.load torch.jit.load torch._utils._import_dotted_name torch.storage._load_from_bytes
torch.serialization.load numpy.load numpy.ndarray.tofile numpy.testing._private.utils.runstring
numpy.f2py.crackfortran._eval_length pickle.loads collections.OrderedDict.__init__.__globals__
collections.Counter pathlib.PosixPath triptych.serialization.torch_globals.ALLOWED __main__.x .
"""


@pytest.mark.parametrize("full", FORBIDDEN.split())
def test_other_globals_are_refused_by_name(around_pickle, full):
    module, _, attribute = full.rpartition(".")
    pickled = PROTO + text(module) + text(attribute) + b"\x93."
    with pytest.raises(UnsafeFileError) as caught:
        read_torch(io.BytesIO(around_pickle(pickled)))
    assert f"<BytesIO>: asks for the global '{full}'" in str(caught.value)


def test_the_table_hands_out_nothing_live():
    assert {type(entry) for entry in ALLOWED.values()} <= {Call, Marker, StorageType, TorchDType}
    for entry in ALLOWED.values():
        field = dataclasses.fields(entry)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(entry, field, "changed")
        assert not hasattr(entry, "__dict__")


def test_registered_extensions_are_not_served(around_pickle):
    copyreg.add_extension("posix", "system", 7)
    try:
        for code in (b"\x82\x07", b"\x83\x07\x00", b"\x84\x07\x00\x00\x00"):
            with pytest.raises(FileFormatError, match="EXT"):
                read_torch(io.BytesIO(around_pickle(PROTO + code + text("true") + b"\x85R.")))
    finally:
        copyreg.remove_extension("posix", "system", 7)


STORAGE = (
    b"(" + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu") + b"K\x00tQ"
)
TENSOR = (
    name("torch._utils", "_rebuild_tensor_v2") + b"(" + STORAGE + b"K\x00K\x00\x85K\x01\x85\x89)tR"
)
TARGETS = {
    "function": name("torch._utils", "_rebuild_tensor_v2"),
    "class": name("collections", "OrderedDict"),
    "storage type": name("torch", "FloatStorage"),
    "dtype": name("torch", "float32"),
    "storage": STORAGE,
    "tensor": TENSOR,
    "list": b"]",
    "dict": b"}",
    "text": text("x"),
    "number": b"K\x01",
}
STATES = {
    "dict": b"}" + text("build") + text("x") + b"s",
    "slots": b"N}" + text("build") + text("x") + b"s\x86",
    "tuple": b"K\x01K\x02\x86",
    "text": text("x"),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("target", TARGETS)
def test_build_changes_nothing(around_pickle, target, state):
    before = dict(ALLOWED)
    with pytest.raises(UnsafeFileError, match="<BytesIO>: sets the state of a"):
        read_torch(io.BytesIO(around_pickle(PROTO + TARGETS[target] + STATES[state] + b"b.")))
    assert before == ALLOWED


def test_build_on_ordered_dict_keeps_metadata_only(around_pickle):
    pickled = PROTO + name("collections", "OrderedDict") + b")R}" + text("items") + b"K\x01sb."
    got = read_torch(io.BytesIO(around_pickle(pickled)))
    assert not vars(got)
    slots = PROTO + name("collections", "OrderedDict") + b")RN}" + text("items") + b"K\x01s\x86b."
    with pytest.raises(UnsafeFileError, match="sets the state"):
        read_torch(io.BytesIO(around_pickle(slots)))


@pytest.mark.parametrize("opcode", [b")R", b")\x81", b"o"])
@pytest.mark.parametrize("target", ["storage type", "dtype", "storage", "tensor", "list", "text"])
def test_only_the_table_can_be_called(around_pickle, target, opcode):
    start = b"(" if opcode == b"o" else b""
    with pytest.raises(UnsafeFileError, match="<BytesIO>: calls a"):
        read_torch(io.BytesIO(around_pickle(PROTO + start + TARGETS[target] + opcode + b".")))


@pytest.mark.parametrize(
    "ending", [b"K\x01a.", b"(K\x01e.", b"K\x01K\x02s.", b"(K\x01K\x02u.", b"(K\x01\x90."]
)
@pytest.mark.parametrize("target", ["function", "storage type", "storage", "tensor", "text"])
def test_items_are_for_containers_only(around_pickle, target, ending):
    with pytest.raises(FileFormatError, match="<BytesIO>"):
        read_torch(io.BytesIO(around_pickle(PROTO + TARGETS[target] + ending)))


@pytest.mark.parametrize("target", ["function", "class", "storage type"])
def test_bare_globals_are_no_values(around_pickle, target):
    with pytest.raises(FileFormatError, match="not a value"):
        read_torch(io.BytesIO(around_pickle(PROTO + b"}" + text("a") + TARGETS[target] + b"s.")))


def bounded(data: bytes, limit: int = 64 << 20) -> object:
    """Read, and fail if Python or NumPy allocated more than limit bytes."""
    tracemalloc.start()
    try:
        return read_torch(io.BytesIO(data))
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < limit, f"{peak} bytes"


HUGE = struct.pack("<Q", 2**60)
CLAIMS = {
    "BINBYTES8": b"\x8e" + HUGE,
    "BINUNICODE8": b"\x8d" + HUGE,
    "BYTEARRAY8": b"\x96" + HUGE,
    "FRAME": b"\x95" + HUGE,
    "BINBYTES": b"B\xff\xff\xff\xff",
    "BINUNICODE": b"X\xff\xff\xff\xff",
    "LONG4": b"\x8b\xff\xff\xff\x7f",
    "negative LONG4": b"\x8b\xff\xff\xff\xff",
    "BINSTRING": b"T\xff\xff\xff\x7f",
    "LONG": b"L" + b"9" * 100_000 + b"L\n",
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_claimed_lengths_allocate_nothing(around_pickle, claim):
    with pytest.raises(FileFormatError, match="<BytesIO>"):
        bounded(around_pickle(PROTO + CLAIMS[claim] + b"abc0N."))


def test_memo_index_allocates_nothing(around_pickle):
    assert bounded(around_pickle(PROTO + b"Nr\xff\xff\xff\xff.")) is None


NEST = 200_000


@pytest.mark.parametrize(
    "pickled",
    [
        b"]" * NEST + b"a" * (NEST - 1),
        b"N" + b"\x85" * NEST,
        b"N" + b"\x85" * 102,
        b"}K\x01" * 150 + b"N" + b"s" * 150,
    ],
)
def test_deep_nesting_is_refused(around_pickle, pickled):
    with pytest.raises(FileFormatError, match="nested deeper than 100"):
        bounded(around_pickle(PROTO + pickled + b"."))


KEYS = {
    "deep tuple": b")" + b"\x85" * NEST,
    "tuple doubled 60 times": b"N" + b"2\x86" * 60,
    "long tuple": b"(" + b"N" * 1000 + b"t",
    "wide integer": b"\x8a\x10" + b"\x01" * 16,
    "list": b"]",
    "dict": b"}",
    "tensor": TENSOR,
    "class": name("collections", "OrderedDict"),
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "around",
    [
        (b"}", b"Ns"),
        (b"}(", b"Nu"),
        (b"(", b"Nd"),
        (b"\x8f(", b"\x90"),
        (b"(", b"\x91"),
        (name("collections", "OrderedDict") + b"]", b"N\x86a\x85R"),
        (name("builtins", "set") + b"]", b"a\x85R"),
        (name("builtins", "frozenset") + b"]", b"a\x85R"),
        (name("builtins", "dict") + b"]", b"N\x86a\x85R"),
    ],
)
def test_costly_keys_are_refused(around_pickle, key, around):
    before, after = around
    with pytest.raises(FileFormatError, match="dict key or set member"):
        bounded(around_pickle(PROTO + before + KEYS[key] + after + b"."))


def test_shared_tuples_are_walked_once(around_pickle):
    """60 doublings describe 2**60 values; they are 60 objects."""
    got = bounded(around_pickle(PROTO + b"N" + b"2\x86" * 60 + b"."))
    assert len(got) == 2
    assert got[0] is got[1]


COPIERS = {
    "OrderedDict": name("collections", "OrderedDict"),
    "dict": name("builtins", "dict"),
    "list": name("builtins", "list"),
    "tuple": name("builtins", "tuple"),
    "set": name("builtins", "set"),
    "Size": name("torch", "Size"),
}


@pytest.mark.parametrize("copier", COPIERS)
def test_copies_by_reference_are_bounded(around_pickle, copier):
    """A list handed to a constructor again and again would fill gigabytes from kilobytes."""
    item = b"K\x01" if copier not in ("OrderedDict", "dict") else b"K\x01K\x02\x86"
    pickled = (
        PROTO
        + b"]("
        + item
        + b"2" * 4_000
        + b"e\x85\x940"
        + COPIERS[copier]
        + b"\x940]"
        + b"("
        + b"h\x01h\x00R" * 4_000
        + b"e."
    )
    with pytest.raises(UnsafeFileError, match="copies its own values"):
        bounded(around_pickle(pickled))


def test_encoded_bytes_are_bounded(around_pickle):
    pickled = (
        PROTO
        + name("_codecs", "encode")
        + b"\x940"
        + text("x" * 20_000)
        + text("latin1")
        + b"\x86\x940]("
        + b"h\x00h\x01R" * 4_000
        + b"e."
    )
    with pytest.raises(UnsafeFileError, match="copies its own values"):
        bounded(around_pickle(pickled))


PERSISTENT = {
    "text": text("0"),
    "short tuple": b"K\x01\x85",
    "module": b"(" + text("module") + b"NNNNt",
    "no type": b"(" + text("storage") + b"N" + text("0") + text("cpu") + b"K\x01t",
    "no key": b"("
    + text("storage")
    + name("torch", "FloatStorage")
    + b"K\x00"
    + text("cpu")
    + b"K\x01t",
    "no count": b"("
    + text("storage")
    + name("torch", "FloatStorage")
    + text("0")
    + text("cpu")
    + b"Nt",
    "negative": b"("
    + text("storage")
    + name("torch", "FloatStorage")
    + text("0")
    + text("cpu")
    + b"J\xff\xff\xff\xfft",
    "view of nothing": b"("
    + text("storage")
    + name("torch", "FloatStorage")
    + text("0")
    + text("cpu")
    + b"K\x01K\x05t",
    "view beyond": b"("
    + text("storage")
    + name("torch", "FloatStorage")
    + text("0")
    + text("cpu")
    + b"K\x01"
    + text("v")
    + b"K\x01K\x01\x87t",
}


@pytest.mark.parametrize("pid", PERSISTENT)
def test_storages_that_make_no_sense(around_pickle, pid):
    with pytest.raises(FileFormatError, match="<BytesIO>"):
        read_torch(io.BytesIO(around_pickle(PROTO + PERSISTENT[pid] + b"Q.")))


ARRAY = name("numpy.core.multiarray", "_reconstruct")
FLOAT = name("numpy", "dtype") + text("f8") + b"\x85R"
NUMPY = {
    "object dtype": name("numpy", "dtype") + text("O8") + b"\x85R",
    "dtype by class": name("numpy", "dtype") + name("builtins", "dict") + b"\x85R",
    "fields": FLOAT + b"(K\x03" + text("|") + b"}NNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
    "other class": ARRAY + name("builtins", "dict") + b"K\x00\x85C\x01b\x87R",
    "no state": ARRAY + name("numpy", "ndarray") + b"K\x00\x85C\x01b\x87R",
    "short data": ARRAY
    + name("numpy", "ndarray")
    + b"K\x00\x85C\x01b\x87R(K\x01J\xff\xff\xff\x7f\x85"
    + FLOAT
    + b"\x89C\x08abcdefghtb",
    "list data": ARRAY
    + name("numpy", "ndarray")
    + b"K\x00\x85C\x01b\x87R(K\x01K\x01\x85"
    + FLOAT
    + b"\x89]tb",
    "scalar of two": name("numpy.core.multiarray", "scalar")
    + FLOAT
    + b"C\x10"
    + b"a" * 16
    + b"\x86R",
    "scalar of none": name("numpy.core.multiarray", "scalar") + FLOAT + b"\x85R",
}


@pytest.mark.parametrize("case", NUMPY)
def test_numpy_pickles_that_make_no_sense(around_pickle, case):
    with pytest.raises(FileFormatError, match="<BytesIO>"):
        bounded(around_pickle(PROTO + NUMPY[case] + b"."))


@pytest.mark.parametrize(
    "pickled", [b"", b".", b"N", b"R.", b"(", b"1.", b"e.", b"\xff.", b"Q.", b"2.", b"b."]
)
def test_broken_pickles(around_pickle, pickled):
    with pytest.raises(FileFormatError, match="<BytesIO>"):
        read_torch(io.BytesIO(around_pickle(pickled)))


ENDLESS = b"N" + b"2\x86" * 60  # 60 doublings of a tuple: its text would never end
WIDE = b"\x8b\x10\x27\0\0" + b"\x01" * 10_000  # an integer of 24,000 digits
UNPRINTABLE = {
    "shape": TENSOR.replace(b"K\x00\x85K\x01\x85", ENDLESS + b"K\x01\x85"),
    "offset": TENSOR.replace(b"K\x00K\x00\x85", ENDLESS + b"K\x00\x85"),
    "metadata": TENSOR.replace(b"\x89)tR", b"\x89)" + ENDLESS + b"tR"),
    "wide shape": TENSOR.replace(b"K\x00\x85K\x01\x85", WIDE + b"\x85K\x01\x85"),
    "wide count": TENSOR.replace(b"K\x00tQ", WIDE + b"tQ"),
    "count": TENSOR.replace(b"K\x00tQ", ENDLESS + b"tQ"),
    "key": STORAGE.replace(text("0"), ENDLESS),
    "location of a pid": ENDLESS + b"Q",
    "numpy dtype": name("numpy", "dtype") + ENDLESS + b"\x85R",
    "numpy order": FLOAT + b"(K\x03" + ENDLESS + b"NNNNNK\x00tb",
    "numpy shape": ARRAY
    + name("numpy", "ndarray")
    + b"K\x00\x85C\x01b\x87R(K\x01"
    + ENDLESS
    + FLOAT
    + b"\x89C\x08abcdefghtb",
    "device": name("torch", "device") + ENDLESS + b"\x85R",
    "encoding": name("_codecs", "encode") + text("a") + ENDLESS + b"\x86R",
    "called": ENDLESS + b")R",
    "state": ENDLESS + b"}b",
    "complex": name("builtins", "complex") + ENDLESS + b"K\x01\x86R",
    "pairs": name("builtins", "dict") + b"]" + ENDLESS + b"a\x85R",
    "global": ENDLESS + text("x") + b"\x93",
}


@pytest.mark.parametrize("case", UNPRINTABLE)
def test_errors_do_not_print_endless_values(around_pickle, case):
    with pytest.raises(FileFormatError, match="<BytesIO>"):
        bounded(around_pickle(PROTO + UNPRINTABLE[case] + b"."))


@pytest.mark.parametrize("value", [ENDLESS, WIDE, b"(" + WIDE + b"l", b"]" * 5000 + b"a" * 4999])
def test_endless_values_around_a_legacy_file(writer, value):
    valid = writer.torch_legacy(1)
    for part in (pickle.dumps([], 2), pickle.dumps(1001, 2)):
        assert part in valid
        with pytest.raises(FileFormatError, match="<BytesIO>"):
            bounded(valid.replace(part, PROTO + value + b"."))


REFUSED = {
    "_rebuild_qtensor": "quantized",
    "_rebuild_sparse_tensor": "sparse",
    "_rebuild_nested_tensor": "nested",
    "_rebuild_meta_tensor_no_storage": "meta",
}


@pytest.mark.parametrize("function", REFUSED)
def test_other_kinds_of_tensor_are_named(around_pickle, function):
    pickled = PROTO + name("torch._utils", function) + b")R."
    with pytest.raises(FileFormatError, match=rf"<BytesIO>: holds a .*{REFUSED[function]}"):
        read_torch(io.BytesIO(around_pickle(pickled)))


def test_quantized_storage_is_named(around_pickle):
    with pytest.raises(FileFormatError, match="quantized"):
        read_torch(io.BytesIO(around_pickle(PROTO + name("torch", "QInt8Storage") + b".")))


def test_lazily_conjugated_tensor_is_named(around_pickle):
    pickled = TENSOR.replace(b"\x89)tR", b"\x89)}" + text("conj") + b"\x88stR")
    with pytest.raises(FileFormatError, match="resolve_conj"):
        read_torch(io.BytesIO(around_pickle(PROTO + pickled + b".")))


def test_system_inside_the_pickles_around_a_legacy_file(writer, tmp_path):
    marker = tmp_path / "ran"
    evil = run_through("GLOBAL+REDUCE", "posix", "system", f"touch {marker}")
    valid = writer.torch_legacy(1)
    info = pickle.dumps(
        {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}, 2
    )
    assert info in valid
    for data in (valid.replace(info, evil), valid.replace(pickle.dumps([], 2), evil)):
        assert data != valid
        with pytest.raises(UnsafeFileError, match=r"posix\.system"):
            read_torch(io.BytesIO(data))
    assert not marker.exists()

"""Types, names and literals of PTX, as the C++ they become."""

from __future__ import annotations

import re

C_TYPES = {
    **{"u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t"},
    **{"s8": "int8_t", "s16": "int16_t", "s32": "int32_t", "s64": "int64_t"},
    **{"b8": "uint8_t", "b16": "uint16_t", "b32": "uint32_t", "b64": "uint64_t"},
    **{"f16": "_Float16", "bf16": "uint16_t", "f32": "float", "f64": "double", "pred": "bool"},
}
# The member of a register that a type reads; bits are read as unsigned numbers.
MEMBERS = {name: "u" + name[1:] if name[0] == "b" else name for name in C_TYPES} | {"bf16": "u16"}
BYTES = {name: int(name.lstrip("bfsu")) // 8 for name in C_TYPES if name != "pred"}
FLOATS = frozenset(("f16", "f32", "f64"))


def register_name(token: str) -> str:
    """The C++ variable of a register."""
    return "r_" + re.sub(r"\W", "_", token)


def buffer_name(token: str) -> str:
    """The C++ array of local memory or of a parameter of a call."""
    return "b_" + re.sub(r"\W", "_", token)


def constant_name(token: str) -> str:
    """The C++ array of a constant of the module."""
    return "c_" + re.sub(r"\W", "_", token)


def label_name(token: str) -> str:
    """The C++ label."""
    return "L_" + re.sub(r"\W", "_", token)


def literal(token: str, kind: str) -> str | None:
    """A number as C++, or None where the token is none."""
    if re.fullmatch(r"0[fF][0-9a-fA-F]{8}", token):
        return f"__uint_as_float(0x{token[2:]}u)"
    if re.fullmatch(r"0[dD][0-9a-fA-F]{16}", token):
        return f"__longlong_as_double(0x{token[2:]}ll)"
    if not re.fullmatch(r"-?(?:0[xX][0-9a-fA-F]+|\d+)U?", token):
        return None
    number = int(token.rstrip("U"), 0)
    if kind == "pred":
        return str(bool(number)).lower()
    return f"(({C_TYPES[kind]}){number & (2**64 - 1)}ull)"

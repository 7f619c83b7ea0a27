"""What each instruction of PTX becomes in C++. `EMITTERS` has them by name.

An instruction that is missing here fails the translation by name, so nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .parser import Function, Instruction, Module
from .types import (
    BYTES,
    C_TYPES,
    FLOATS,
    MEMBERS,
    buffer_name,
    constant_name,
    label_name,
    literal,
    register_name,
)

SPECIAL = {
    "%tid": "threadIdx",
    "%ntid": "blockDim",
    "%ctaid": "blockIdx",
    "%nctaid": "gridDim",
}
SPACES = frozenset(("param", "shared", "global", "local", "const"))
ROUNDING = {"rz": "FE_TOWARDZERO", "rm": "FE_DOWNWARD", "rp": "FE_UPWARD"}
WHOLE = {"rni": "std::nearbyint", "rzi": "std::trunc", "rmi": "std::floor", "rpi": "std::ceil"}


class Context:
    """What names mean inside a function."""

    def __init__(self, module: Module, function: Function) -> None:
        self.module, self.function = module, function

    def value(self, token: str, kind: str) -> str:
        """An operand, read as a type."""
        if token.startswith("!"):
            return f"!{self.value(token[1:], kind)}"
        number = literal(token, kind)
        if number is not None:
            return number
        base, _, axis = token.partition(".")
        c_type = C_TYPES[kind]
        if base in SPECIAL:
            return f"(({c_type}){SPECIAL[base]}.{axis})"
        if token == "%laneid":
            return f"(({c_type})emulator_lane())"
        if token in self.module.shared:
            return f"(({c_type}){self.module.shared[token]})"
        if token in self.module.dynamic:
            return f"(({c_type})dynamic_start)"
        if token in self.module.constants:
            return f"(({c_type})(uintptr_t){constant_name(token)})"
        if token in self.function.buffers:
            return f"(({c_type})(uintptr_t){buffer_name(token)})"
        return f"{register_name(token)}.{MEMBERS[kind]}"

    def address(self, token: str, space: str) -> str:
        """An operand such as ``[%rd1+4]``, as a pointer to char."""
        match = re.fullmatch(r"\[\s*([^+\]\s]+)\s*(?:\+\s*(-?\w+))?\s*\]", token)
        if match is None:
            raise NotImplementedError(f"PTX address {token}")
        base, offset = match[1], match[2] or "0"
        if base in self.function.arguments:
            return f"((char *)args[{self.function.arguments.index(base)}] + ({offset}))"
        if base in self.function.buffers:
            return f"({buffer_name(base)} + ({offset}))"
        if space == "shared":
            start = self.value(base, "u64" if base.startswith("%rd") else "u32")
            return f"(ptx::shared_memory + {start} + ({offset}))"
        if base in self.module.constants:
            return f"((char *){constant_name(base)} + ({offset}))"
        return f"((char *)(uintptr_t){self.value(base, 'u64')} + ({offset}))"


def _kinds(step: Instruction) -> list[str]:
    return [p for p in step.parts if p in C_TYPES]


def _kind(step: Instruction) -> str:
    found = _kinds(step)
    return found[0] if found else "b32"


def _space(step: Instruction) -> str:
    return next((p.partition("::")[0] for p in step.parts if p.partition("::")[0] in SPACES), "")


def _is_float(kind: str) -> bool:
    return kind in FLOATS


def _set(context: Context, step: Instruction, text: str, kind: str, at: int = 0) -> str:
    """Assigns to a register, flushed and saturated as the instruction says."""
    if kind == "f32" and "ftz" in step.parts:
        text = f"ptx::flush({text})"
    if _is_float(kind) and "sat" in step.parts:
        text = f"ptx::saturate({text})"
    target = step.operands[at]
    if target == "_":
        return ";"
    member = MEMBERS[kind]
    if kind != "pred" and not _is_float(kind) and BYTES[kind] < 8:
        member = "s64" if kind[0] == "s" else "u64"  # narrow numbers fill a wider register
    return f"{register_name(target)}.{member} = ({C_TYPES[kind]})({text});"


def _input(context: Context, step: Instruction, at: int, kind: str) -> str:
    text = context.value(step.operands[at], kind)
    return f"ptx::flush({text})" if kind == "f32" and "ftz" in step.parts else text


def _simple(pattern: str, floating: str | None = None) -> Callable[[Context, Instruction], str]:
    """An instruction whose result is an expression of its operands {a}, {b}, {c}; {T} is their
    type, {U} the unsigned one of the same width."""

    def emit(context: Context, step: Instruction) -> str:
        kind = _kind(step)
        chosen = floating if _is_float(kind) and floating is not None else pattern
        inputs = {
            name: _input(context, step, i, kind)
            for i, name in enumerate("abcd", start=1)
            if i < len(step.operands)
        }
        unsigned = C_TYPES["u" + kind[1:]] if kind[0] in "bus" else ""
        text = chosen.format(T=C_TYPES[kind], U=unsigned, **inputs)
        mode = next((ROUNDING[p] for p in step.parts if p in ROUNDING), None)
        if mode and _is_float(kind):
            text = f"ptx::rounded<{C_TYPES[kind]}>({mode}, [&] {{ return {text}; }})"
        return _set(context, step, text, kind)

    return emit


def _vector(token: str) -> list[str]:
    return [t.strip() for t in token.strip("{}").split(",")] if token.startswith("{") else [token]


def _load(context: Context, step: Instruction) -> str:
    kind, place = _kind(step), context.address(step.operands[1], _space(step))
    size, texts = BYTES[kind], []
    for i, target in enumerate(_vector(step.operands[0])):
        one = Instruction(None, ["ld"], [target])
        texts.append(_set(context, one, f"ptx::load<{C_TYPES[kind]}>({place} + {i * size})", kind))
    return " ".join(texts)


def _store(context: Context, step: Instruction) -> str:
    kind, place = _kind(step), context.address(step.operands[0], _space(step))
    return " ".join(
        f"ptx::store<{C_TYPES[kind]}>({place} + {i * BYTES[kind]}, {context.value(v, kind)});"
        for i, v in enumerate(_vector(step.operands[1]))
    )


def _move(context: Context, step: Instruction) -> str:
    kind, (target, source) = _kind(step), step.operands
    if target.startswith("{"):
        parts = _vector(target)
        half = f"b{8 * BYTES[kind] // len(parts)}"
        texts = [f"{C_TYPES[kind]} whole = {context.value(source, kind)};"]
        for i, part in enumerate(parts):
            one = Instruction(None, ["mov"], [part])
            texts.append(_set(context, one, f"whole >> {8 * i * BYTES[half]}", half))
        return f"{{ {' '.join(texts)} }}"
    if source.startswith("{"):
        parts = _vector(source)
        half = f"b{8 * BYTES[kind] // len(parts)}"
        terms = [
            f"({C_TYPES[kind]}){context.value(p, half)} << {8 * i * BYTES[half]}"
            for i, p in enumerate(parts)
        ]
        return _set(context, step, " | ".join(terms), kind)
    return _set(context, step, context.value(source, kind), kind)


def _to_address_space(context: Context, step: Instruction) -> str:
    text = context.value(step.operands[1], "u64")
    if _space(step) == "shared":
        sign = "-" if "to" in step.parts else "+"
        text = f"{text} {sign} (uintptr_t)ptx::shared_memory"
    return _set(context, step, text, "u64")


def _convert(context: Context, step: Instruction) -> str:
    kinds = _kinds(step)
    to, source = kinds[0], kinds[-1]
    if len(step.operands) > 2:
        raise NotImplementedError(f"PTX {'.'.join(step.parts)} of two values")
    text = _input(context, step, 1, source)
    if source == "bf16":
        text, source = f"ptx::from_bf16({text})", "f32"
    whole = next((WHOLE[p] for p in step.parts if p in WHOLE), None)
    if _is_float(source):
        text = f"(float){text}" if source == "f16" else text
        text = f"{whole}({text})" if whole else text
        if to == "bf16":
            return _set(context, step, f"ptx::to_bf16({text})", to)
        if not _is_float(to):
            return _set(context, step, f"ptx::to_integer<{C_TYPES[to]}>({text})", to)
    elif "sat" in step.parts and not _is_float(to):
        text = f"ptx::clamp<{C_TYPES[to]}>({text})"
    mode = next((ROUNDING[p] for p in step.parts if p in ROUNDING), None)
    if mode:
        text = f"ptx::rounded<{C_TYPES[to]}>({mode}, [&] {{ return ({C_TYPES[to]})({text}); }})"
    return _set(context, step, text, to)


WIDE = {"u16": "u32", "s16": "s32", "u32": "u64", "s32": "s64"}


def _multiply(context: Context, step: Instruction) -> str:
    """mul and mad: of floats, or the low, the high or the whole product of whole numbers."""
    kind, adds = _kind(step), step.parts[0].startswith("mad")
    if _is_float(kind):
        return _simple("", "std::fma({a}, {b}, {c})" if adds else "{a} * {b}")(context, step)
    a, b = (_input(context, step, i, kind) for i in (1, 2))
    out = kind
    if "wide" in step.parts:
        out = WIDE[kind]
        text = f"({C_TYPES[out]}){a} * ({C_TYPES[out]}){b}"
    elif "hi" in step.parts:
        text = f"ptx::high<{C_TYPES[kind]}>({a}, {b})"
    else:
        unsigned = C_TYPES["u" + kind[1:]]
        text = f"({unsigned})(({unsigned}){a} * ({unsigned}){b})"
    if adds:
        c = context.value(step.operands[3], out)
        if "cc" in step.parts or step.parts[0] == "madc":
            return _set(context, step, _carried(step, "add", text, c), out)
        unsigned = C_TYPES["u" + out[1:]]
        text = f"({unsigned})({text}) + ({unsigned}){c}"
    return _set(context, step, text, out)


def _carried(step: Instruction, name: str, a: str, b: str) -> str:
    function = "add_carry" if name == "add" else "sub_borrow"
    comes_in = "carry" if step.parts[0].endswith("c") else "false"
    return f"ptx::{function}({a}, {b}, {comes_in}, carry)"


def _add(name: str) -> Callable[[Context, Instruction], str]:
    sign = "+" if name == "add" else "-"
    plain = _simple(f"({{T}})(({{U}}){{a}} {sign} ({{U}}){{b}})", f"{{a}} {sign} {{b}}")

    def emit(context: Context, step: Instruction) -> str:
        if "cc" not in step.parts and not step.parts[0].endswith("c"):
            return plain(context, step)
        a, b = (context.value(step.operands[i], "u32") for i in (1, 2))
        return _set(context, step, _carried(step, name, a, b), "u32")

    return emit


def _extreme(name: str) -> Callable[[Context, Instruction], str]:
    def emit(context: Context, step: Instruction) -> str:
        floating = f"ptx::{name}_nan" if "NaN" in step.parts else f"std::f{name}"
        return _simple(f"std::{name}<{{T}}>({{a}}, {{b}})", f"{floating}({{a}}, {{b}})")(
            context, step
        )

    return emit


ORDERED = {
    **{"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="},
    **{"lo": "<", "ls": "<=", "hi": ">", "hs": ">="},
}
JOINED = {"and": "&&", "or": "||", "xor": "!="}


def _comparison(name: str, a: str, b: str, floating: bool) -> str:
    either_nan = f"({a} != {a} || {b} != {b})"
    if name == "nan":
        return either_nan
    if name == "num":
        return f"!{either_nan}"
    if floating and name.endswith("u"):  # true also where one of them is NaN
        return f"({either_nan} || {a} {ORDERED[name[:-1]]} {b})"
    if floating and name == "ne":
        return f"({a} < {b} || {a} > {b})"
    return f"({a} {ORDERED[name]} {b})"


def _set_predicate(context: Context, step: Instruction) -> str:
    kind = _kinds(step)[-1]
    a, b = (_input(context, step, i, kind) for i in (1, 2))
    text = _comparison(step.parts[1], a, b, _is_float(kind))
    join = next((JOINED[p] for p in step.parts[2:] if p in JOINED), None)
    other = context.value(step.operands[3], "pred") if join else ""
    targets = step.operands[0].split("|")
    texts = []
    for target, negated in zip(targets, ("", "!"), strict=False):
        one = f"{negated}{text}"
        full = f"({one}) {join} {other}" if join else one
        texts.append(_set(context, Instruction(None, ["setp"], [target]), full, "pred"))
    return " ".join(texts)


def _select(context: Context, step: Instruction) -> str:
    kind = _kind(step)
    a, b = (context.value(step.operands[i], kind) for i in (1, 2))
    return _set(context, step, f"{context.value(step.operands[3], 'pred')} ? {a} : {b}", kind)


def _bits(function: str) -> Callable[[Context, Instruction], str]:
    """Counting and reversing of bits: the result has 32."""

    def emit(context: Context, step: Instruction) -> str:
        kind = _kind(step)
        name = function + ("ll" if BYTES[kind] == 8 else "")
        return _set(context, step, f"{name}({context.value(step.operands[1], kind)})", "u32")

    return emit


def _shift(name: str) -> Callable[[Context, Instruction], str]:
    def emit(context: Context, step: Instruction) -> str:
        kind = _kind(step)
        a, n = context.value(step.operands[1], kind), context.value(step.operands[2], "u32")
        return _set(context, step, f"ptx::{name}<{C_TYPES[kind]}>({a}, {n})", kind)

    return emit


def _field(context: Context, step: Instruction) -> str:
    """bfe and bfi."""
    kind = "u" + _kind(step)[1:]
    if step.parts[0] == "bfe" and _kind(step)[0] == "s":
        raise NotImplementedError("PTX bfe of signed numbers")
    values = 1 if step.parts[0] == "bfe" else 2
    texts = [context.value(step.operands[i], kind) for i in range(1, 1 + values)]
    texts += [context.value(o, "u32") for o in step.operands[1 + values :]]
    name = "extract" if values == 1 else "insert"
    return _set(context, step, f"ptx::{name}<{C_TYPES[kind]}>({', '.join(texts)})", kind)


def _words(name: str, suffix: Callable[[Instruction], str] = lambda step: "") -> Callable[..., str]:
    """A function of 32-bit words."""

    def emit(context: Context, step: Instruction) -> str:
        inputs = ", ".join(context.value(o, "u32") for o in step.operands[1:])
        return _set(context, step, f"{name}({inputs}{suffix(step)})", "u32")

    return emit


def _funnel_flags(step: Instruction) -> str:
    flags = [str(p in step.parts).lower() for p in ("l", "clamp")]
    return f", {flags[0]}, {flags[1]}"


def _copy_sign(context: Context, step: Instruction) -> str:
    kind = _kind(step)
    sign, size = (context.value(step.operands[i], kind) for i in (1, 2))
    return _set(context, step, f"std::copysign({size}, {sign})", kind)


def _test(context: Context, step: Instruction) -> str:
    names = {"infinite": "std::isinf", "finite": "std::isfinite", "notanumber": "std::isnan"}
    value = context.value(step.operands[1], _kind(step))
    return _set(context, step, f"{names[step.parts[1]]}({value})", "pred")


def _shuffle(context: Context, step: Instruction) -> str:
    mode = {"up": "UP", "down": "DOWN", "bfly": "BUTTERFLY", "idx": "INDEX"}[step.parts[2]]
    target, _, valid = step.operands[0].partition("|")
    inputs = ", ".join(context.value(o, "u32") for o in step.operands[1:5])
    pointer = f"&{register_name(valid)}.pred" if valid else "nullptr"
    call = f"ptx::shuffle(ptx::{mode}, {inputs}, {pointer})"
    return _set(context, Instruction(None, ["shfl"], [target]), call, "u32")


def _vote(context: Context, step: Instruction) -> str:
    names = {"ballot": "__ballot_sync", "any": "__any_sync", "all": "__all_sync"}
    predicate = context.value(step.operands[1], "pred")
    call = f"{names[step.parts[2]]}({context.value(step.operands[2], 'u32')}, {predicate})"
    return _set(context, step, call, "u32" if step.parts[2] == "ballot" else "pred")


def _barrier(context: Context, step: Instruction) -> str:
    if "warp" in step.parts:
        return f"__syncwarp({context.value(step.operands[0], 'u32')});"
    if step.parts[1] != "sync" or step.operands[0] != "0":
        raise NotImplementedError(f"PTX {'.'.join(step.parts)} {step.operands}")
    return "__syncthreads();"


ATOMIC = {
    "add": "old + value",
    "and": "old & value",
    "cas": "old == value ? other : old",
    "dec": "old == 0 || old > value ? value : old - 1",
    "exch": "value",
    "inc": "old >= value ? 0 : old + 1",
    "max": "value > old ? value : old",
    "min": "value < old ? value : old",
    "or": "old | value",
    "xor": "old ^ value",
}


def _atomic(context: Context, step: Instruction) -> str:
    kind, gives = _kind(step), step.parts[0] == "atom"
    operands = step.operands[1:] if gives else step.operands
    name, c_type = next(p for p in step.parts if p in ATOMIC), C_TYPES[kind]
    texts = [
        f"char *place = {context.address(operands[0], _space(step))};",
        f"{c_type} old = ptx::load<{c_type}>(place), value = {context.value(operands[1], kind)};",
    ]
    if name == "cas":
        texts.append(f"{c_type} other = {context.value(operands[2], kind)};")
    texts.append(f"ptx::store<{c_type}>(place, ({c_type})({ATOMIC[name]}));")
    if gives:
        texts.append(_set(context, step, "old", kind))
    return f"{{ {' '.join(texts)} }}"


def _branch(context: Context, step: Instruction) -> str:
    return f"goto {label_name(step.operands[0])};"


def _branch_by_index(context: Context, step: Instruction) -> str:
    targets = context.function.tables[step.operands[1]]
    cases = " ".join(f"case {i}: goto {label_name(t)};" for i, t in enumerate(targets))
    return f"switch ({context.value(step.operands[0], 'u32')}) {{ {cases} }}"


def _call(context: Context, step: Instruction) -> str:
    groups = [re.findall(r"[\w$]+", o) if o.startswith("(") else o for o in step.operands]
    at = next(i for i, g in enumerate(groups) if isinstance(g, str))
    lists = [g for g in (*groups[at + 1 :], *groups[:at]) if isinstance(g, list)]
    names = [buffer_name(n) for group in lists for n in group]
    name = re.sub(r"\W", "_", step.operands[at])
    return f"{{ void *given[] = {{{', '.join(names)}}}; f_{name}(given); }}"


def _nothing(context: Context, step: Instruction) -> str:
    return ";"


def _math(function: str) -> Callable[[Context, Instruction], str]:
    return _simple("", function)


EMITTERS: dict[str, Callable[[Context, Instruction], str]] = {
    "abs": _simple("({a} < 0 ? ({T})(0 - ({U}){a}) : {a})", "std::fabs({a})"),
    "activemask": lambda c, s: _set(c, s, "0xffffffffu", "u32"),
    "add": _add("add"),
    "addc": _add("add"),
    "and": _simple("{a} & {b}"),
    "atom": _atomic,
    "bar": _barrier,
    "barrier": _barrier,
    "bfe": _field,
    "bfi": _field,
    "bfind": lambda c, s: _set(
        c, s, f"ptx::highest_bit({c.value(s.operands[1], _kind(s))})", "u32"
    ),
    "bra": _branch,
    "brev": _bits("__brev"),
    "brx": _branch_by_index,
    "call": _call,
    "clz": _bits("__clz"),
    "copysign": _copy_sign,
    "cos": _math("std::cos({a})"),
    "cvt": _convert,
    "cvta": _to_address_space,
    "discard": _nothing,
    "div": _simple("ptx::divide<{T}>({a}, {b})", "{a} / {b}"),
    "dp4a": _words("__dp4a"),
    "ex2": _math("std::exp2({a})"),
    "exit": lambda c, s: "return;",
    "fence": _nothing,
    "fma": _math("std::fma({a}, {b}, {c})"),
    "ld": _load,
    "ldu": _load,
    "lg2": _math("std::log2({a})"),
    "lop3": _words("ptx::logic3"),
    "mad": _multiply,
    "madc": _multiply,
    "max": _extreme("max"),
    "membar": _nothing,
    "min": _extreme("min"),
    "mov": _move,
    "mul": _multiply,
    "nanosleep": _nothing,
    "neg": _simple("({T})(0 - ({U}){a})", "-{a}"),
    "not": lambda c, s: _simple("!{a}" if _kind(s) == "pred" else "~{a}")(c, s),
    "or": _simple("{a} | {b}"),
    "popc": _bits("__popc"),
    "prefetch": _nothing,
    "prmt": _words("ptx::permute_bytes"),
    "rcp": _math("1 / {a}"),
    "red": _atomic,
    "rem": _simple("ptx::remainder<{T}>({a}, {b})"),
    "ret": lambda c, s: "return;",
    "rsqrt": _math("1 / std::sqrt({a})"),
    "selp": _select,
    "setp": _set_predicate,
    "shf": _words("ptx::funnel", _funnel_flags),
    "shfl": _shuffle,
    "shl": _shift("left"),
    "shr": _shift("right"),
    "sin": _math("std::sin({a})"),
    "sqrt": _math("std::sqrt({a})"),
    "st": _store,
    "sub": _add("sub"),
    "subc": _add("sub"),
    "tanh": _math("std::tanh({a})"),
    "testp": _test,
    "trap": lambda c, s: "abort();",
    "vote": _vote,
    "xor": lambda c, s: _simple("{a} != {b}" if _kind(s) == "pred" else "{a} ^ {b}")(c, s),
}

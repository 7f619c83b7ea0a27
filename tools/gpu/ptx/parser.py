"""Reads the text of a PTX module: what it declares, and the instructions of its functions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NAME = r"[\w$%.]+"
VARIABLE = re.compile(
    r"(?:\.visible\s+|\.weak\s+|\.extern\s+)*\.(global|const|shared)\s+(?:\.align\s+\d+\s+)?"
    r"\.(\w+)\s+([\w$]+)(?:\[(\d*)\])?\s*(?:=\s*(\{[^}]*\}|[^;]+?))?\s*;"
)
FUNCTION = re.compile(r"\.(entry|func)\s+(?:\(([^)]*)\)\s*)?([\w$]+)\s*\(([^)]*)\)([^{;]*)([{;])")
PARAM = re.compile(r"([\w$]+)(?:\[(\d+)\])?\s*$")
STATEMENT = re.compile(r"\s*(?:([$\w]+)\s*:(?!:)|([{}])|([^;{}]+(?:\{[^}]*\}[^;{}]*)*);)")
REGISTERS = re.compile(r"\.reg\s+\.\w+\s+(.+)", re.S)
BUFFER = re.compile(r"\.(?:local|param)\s+(?:\.align\s+\d+\s+)?\.(\w+)\s+([\w$]+)(?:\[(\d+)\])?")
TABLE = re.compile(r"([\w$]+)\s*:\s*\.branchtargets\s+([^;]+);")
SIZES = {"8": 1, "16": 2, "32": 4, "64": 8}


@dataclass
class Instruction:
    """``@!%p1 add.s32 %r1, %r2, 3``: guard "!%p1", parts ["add", "s32"], three operands."""

    guard: str | None
    parts: list[str]
    operands: list[str]


@dataclass
class Function:
    """A kernel or a function that kernels call. Results come after parameters in `arguments`."""

    name: str
    is_kernel: bool
    arguments: list[str]
    registers: list[str] = field(default_factory=list)
    buffers: dict[str, int] = field(default_factory=dict)  # name to bytes
    tables: dict[str, list[str]] = field(default_factory=dict)  # of indirect branches
    body: list[str | Instruction] = field(default_factory=list)  # a label is a str


@dataclass
class Module:
    """A PTX module."""

    shared: dict[str, int] = field(default_factory=dict)  # name to place in shared memory
    dynamic: set[str] = field(default_factory=set)  # names of extern shared arrays
    shared_bytes: int = 0
    constants: dict[str, tuple[str, int, list[str]]] = field(default_factory=dict)
    functions: list[Function] = field(default_factory=list)


def split(text: str) -> list[str]:
    """Parts between commas, but not those in brackets."""
    parts, depth, current = [], 0, ""
    for letter in text:
        depth += (letter in "{[(") - (letter in "}])")
        if letter == "," and not depth:
            parts.append(current.strip())
            current = ""
        else:
            current += letter
    return [*parts, current.strip()] if current.strip() else parts


def parse(text: str) -> Module:
    """The module that a PTX text declares."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)
    module = Module()
    for space, kind, name, count, value in VARIABLE.findall(text):
        _declare(module, space, kind, name, count, value)
    for match in FUNCTION.finditer(text):
        kind, results, name, params, _, opening = match.groups()
        if opening == ";":
            continue
        arguments = [_param(p) for p in (*split(params), *split(results or ""))]
        function = Function(name, kind == "entry", arguments)
        _read_body(function, text[match.end() : _closing(text, match.end())], module)
        module.functions.append(function)
    return module


def _param(text: str) -> str:
    found = PARAM.search(text.strip())
    if found is None:
        raise ValueError(f"PTX parameter {text!r} is not understood")
    return found[1]


def _bytes(kind: str, count: str) -> int:
    return SIZES[kind.lstrip("busf")] * int(count or 1)


def _declare(module: Module, space: str, kind: str, name: str, count: str, value: str) -> None:
    if space != "shared":
        values = [v.strip() for v in value.strip("{} ").split(",") if v.strip()]
        module.constants[name] = kind, int(count or max(1, len(values))), values
    elif count == "":
        module.dynamic.add(name)
    elif name not in module.shared:
        module.shared[name] = start = (module.shared_bytes + 15) // 16 * 16
        module.shared_bytes = start + _bytes(kind, count)


def _closing(text: str, start: int) -> int:
    depth, at = 1, start
    while depth:
        depth += (text[at] == "{") - (text[at] == "}")
        at += 1
    return at - 1


def _read_body(function: Function, text: str, module: Module) -> None:
    for name, targets in TABLE.findall(text):
        function.tables[name] = [t.strip() for t in targets.split(",")]
    for label, brace, statement in STATEMENT.findall(TABLE.sub("", text)):
        if label:
            function.body.append(label)
        elif not brace:
            _read_statement(function, " ".join(statement.split()), module)


def _read_statement(function: Function, text: str, module: Module) -> None:
    if text.startswith(".reg"):
        found = REGISTERS.match(text)
        for name in split(found[1]) if found else ():
            ranged = re.match(r"(%?\w+)<(\d+)>", name)
            many = [f"{ranged[1]}{i}" for i in range(int(ranged[2]))] if ranged else [name]
            function.registers += many
    elif text.startswith((".local", ".param")):
        found = BUFFER.match(text)
        if found:
            function.buffers[found[2]] = _bytes(found[1], found[3])
    elif text and not text.startswith("."):
        guarded = re.match(r"@(!?%?\w+)\s+(.*)", text)
        guard, rest = (guarded[1], guarded[2]) if guarded else (None, text)
        head, _, operands = rest.partition(" ")
        function.body.append(Instruction(guard, head.split("."), split(operands)))

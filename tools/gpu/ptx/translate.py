"""PTX to C++: a function per kernel, a union per register, one statement per instruction."""

from __future__ import annotations

import re

from .instructions import EMITTERS, Context
from .parser import Function, Instruction, Module, parse
from .types import C_TYPES, buffer_name, constant_name, label_name, literal, register_name

WAITING = frozenset(("bar", "barrier", "shfl", "vote", "redux"))


def translate(text: str) -> tuple[str, list[str]]:
    """The C++ of a PTX module, and the symbols of its kernels.

    Raises:
        NotImplementedError: it has an instruction that is not translated; the text names it.
    """
    module = parse(text)
    start = (module.shared_bytes + 127) // 128 * 128
    parts = ['#include "ptx.h"\n', f"static const uint32_t dynamic_start = {start};\n"]
    parts += [_constant(name, *value) for name, value in module.constants.items()]
    parts += [f"static void f_{_safe(f.name)}(void **args);\n" for f in module.functions]
    parts += [_function(f, module) for f in module.functions]
    waiting = any(
        isinstance(i, Instruction) and i.parts[0] in WAITING
        for f in module.functions
        for i in f.body
    )
    kernels = [f.name for f in module.functions if f.is_kernel]
    parts += [_entry(name, waiting) for name in kernels]
    return "".join(parts), kernels


def _safe(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _constant(name: str, kind: str, count: int, values: list[str]) -> str:
    c_type = C_TYPES[kind]
    texts = ", ".join(literal(v, kind) or "0" for v in values)
    return f"alignas(16) static {c_type} {constant_name(name)}[{count}] = {{{texts}}};\n"


def _function(function: Function, module: Module) -> str:
    context = Context(module, function)
    lines = [f"static void f_{_safe(function.name)}(void **args) {{"]
    lines += [f"alignas(16) char {buffer_name(n)}[{size}];" for n, size in function.buffers.items()]
    if function.registers:
        names = dict.fromkeys(register_name(r) for r in function.registers)
        lines.append(f"Register {', '.join(names)};")
    lines.append("bool carry = false; (void)carry;")
    for step in function.body:
        lines.append(f"{label_name(step)}: ;" if isinstance(step, str) else _step(context, step))
    return "\n".join([*lines, "}\n"])


def _step(context: Context, step: Instruction) -> str:
    emit = EMITTERS.get(step.parts[0])
    if emit is None:
        raise NotImplementedError(f"PTX instruction {'.'.join(step.parts)} {step.operands}")
    text = emit(context, step)
    if step.guard is None:
        return text
    return f"if ({context.value(step.guard, 'pred')}) {{ {text} }}"


def _entry(name: str, waiting: bool) -> str:
    return f"""
extern "C" int emulator_run_{name}(
    const unsigned *grid, const unsigned *block, unsigned shared, void **arguments)
{{
    return ptx::launch(f_{_safe(name)}, grid, block, dynamic_start + shared, arguments,
                       {"true" if waiting else "false"});
}}
"""

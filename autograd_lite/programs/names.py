"""What the code of a function names: globals, attributes, texts that may be names, modules it imports."""
from __future__ import annotations

import dis
import functools
import importlib.util
import os
import re
import sys
from types import CodeType
from typing import Any, Literal, NamedTuple

EVERY = "*"                         # stands among the names where code may read any
_OPENING = {"vars", "__dict__", "dir", "eval", "exec", "asdict", "astuple", "attrgetter", "__getattribute__",
            "getmembers", "getattr_static"}
_ASKING = {"getattr", "hasattr"}
_LOOKING_UP = {"globals", "eval", "exec"}
_WORDS = {"eval", "exec", "format", "format_map", "globals", "attrgetter", "methodcaller"}
_CALL = "PRECALL" if "PRECALL" in dis.opmap else "CALL"
_GLOBAL = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}


class Named(NamedTuple):
    """What a code and those within it name; `imported` are names of modules, each with its level.

    Of attributes that it assigns or deletes, which may call a setter, the name is followed by "=".

    asks_types: whether ``type`` is named, but for ``type(self)``.
    """

    globals: frozenset[str]
    attributes: frozenset[str]
    imported: frozenset[tuple[str, int]]
    asks_types: bool


@functools.lru_cache(maxsize=4096)
def named(code: CodeType) -> Named:
    """What a code and those within it name."""
    read, attributes, texts, imported = set[str](), set[str](), set[str](), set[tuple[str, int]]()
    asks_types = False
    instructions = [x for x in dis.get_instructions(code) if x.opname not in ("CACHE", "EXTENDED_ARG")]
    for at, x in enumerate(instructions):
        if x.opname in _GLOBAL:
            read.add(x.argval)
            asks_types |= x.argval == "type" and instructions[at + 1].argval != "self"
            if x.argval in _ASKING and not _asks_for_a_constant(instructions, at):
                attributes.add(EVERY)
            if x.argval in _LOOKING_UP and not _looks_up_a_constant(instructions, at):
                read.add(EVERY)
        elif x.opname == "MATCH_CLASS":         # (by position, it reads what the class says)
            attributes.add(EVERY)
        elif x.opname == "IMPORT_NAME":
            imported.add((x.argval, instructions[at - 2].argval))
        elif x.opcode in dis.hasname:
            if x.opname in ("STORE_ATTR", "DELETE_ATTR"):
                attributes.add(f"{x.argval}=")
            elif not x.opname.startswith(("STORE", "DELETE")):
                attributes.add(x.argval)
        elif x.opcode in dis.hasconst:
            for constant in _flat(x.argval):
                if type(constant) is str:
                    texts.add(constant)
                elif type(constant) is CodeType:
                    inner = named(constant)
                    read |= inner.globals
                    attributes |= inner.attributes
                    imported |= inner.imported
                    asks_types |= inner.asks_types
    mentioned = read | attributes
    if mentioned & {"import_module", "__import__"}:
        imported |= {(text, 0) for text in texts if all(map(str.isidentifier, text.split(".")))}
    if _OPENING & mentioned:
        attributes.add(EVERY)
    for text in texts:
        if text.isidentifier():
            attributes.add(text)
        elif len(text) < 1000 and _WORDS & mentioned:
            attributes |= words(text)
    if _WORDS - {"format", "format_map"} & mentioned:
        read |= words(" ".join(texts))
    return Named(frozenset(read), frozenset(attributes), frozenset(imported), asks_types)


def words(text: str) -> set[str]:
    """What in a text may be a name."""
    return set(re.findall(r"[^\W\d]\w*", text))


def _flat(constant: Any) -> list[Any]:
    """The constants in nested tuples and frozensets."""
    if type(constant) in (tuple, frozenset):
        return [x for part in constant for x in _flat(part)]
    return [constant]


def _asks_for_a_constant(instructions: list[dis.Instruction], at: int) -> bool:
    """Whether the call of the function loaded `at` gets a text in the code as its second argument."""
    second, height = None, 0            # what put it there; how many operands lie above the function
    for x in instructions[at + 1:]:
        if x.opcode in dis.hasjrel or x.opcode in dis.hasjabs:
            break
        if x.opname == _CALL and height <= x.argval:            # (less: the function itself is an argument)
            return height == x.argval and second is not None and _is_text(second)
        before, height = height, height + dis.stack_effect(x.opcode, x.arg)
        if min(before + 1, height) <= 2 <= height:
            second = x
        if height <= 0:                             # (the function is part of something else)
            break
    return False


def _looks_up_a_constant(instructions: list[dis.Instruction], at: int) -> bool:
    """Whether the function loaded `at` gets, or what it gives is asked for, one text in the code."""
    for x, then in zip(instructions[at + 1:], instructions[at + 2:]):
        if x.opcode in dis.hasconst:
            return _is_text(x) and (then.opname in (_CALL, "BINARY_SUBSCR") or then.argrepr == "[]")
        if x.opname.startswith("LOAD_") and x.opname not in ("LOAD_METHOD", "LOAD_ATTR"):
            break
    return False


def _is_text(x: dis.Instruction) -> bool:
    """Whether an instruction loads a text in the code."""
    return x.opcode in dis.hasconst and type(x.argval) is str


Origin = Literal["ours", "others", "user's"]


def origin(module: Any) -> Origin:
    """Whose code the module of this name is: ours, of the standard library or a package, or the user's."""
    package = module.partition(".")[0] if isinstance(module, str) else ""
    if package == "autograd_lite":
        return "ours"
    file = getattr(sys.modules.get(package), "__file__", None)
    if isinstance(file, str):
        return "others" if _INSTALLED.search(file) or file.startswith(_LIBRARY) else "user's"
    return "others" if package in sys.stdlib_module_names else "user's"


def origin_of_code(code: CodeType, module: Any) -> Origin:
    """The same for a function of a module; one in a doctest of ours is the user's."""
    whose = origin(module)
    return "user's" if whose == "ours" and code.co_filename.startswith("<doctest") else whose


_INSTALLED = re.compile(r"[\\/](site|dist)-packages[\\/]")
_LIBRARY = os.path.dirname(os.__file__) + os.sep


def module_names(wanted: tuple[str, int], package: str) -> list[str]:
    """The full names of the modules that an import statement names, the outermost first."""
    name, level = wanted
    try:
        whole = importlib.util.resolve_name("." * level + name, package or None) if level else name
    except ImportError:                         # (beyond the outermost package)
        return []
    parts = whole.split(".")
    return [".".join(parts[:k]) for k in range(1, len(parts) + 1)]

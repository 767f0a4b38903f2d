"""`define`: how the files of ops put one into the table."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.ops.notation import function
from autograd_lite.ops.op import TABLE, Op


def define(name: str, forward: Callable[..., float], partials: Any, meaning: str = "", example: str = "",
           **facts: Any) -> Any:
    """A new op in the table; its docstring says its meaning, an example ("sin(0.0) = 0.0") and its errors.

    In other numbers it is mpmath's function of the same name, unless the facts give a `form` or
    say that `forward` is `generic`: written in operators, which work on any numbers.
    """
    call, _, result = example.partition(" = ")
    doc = f"{meaning}\n\n>>> {call}\n{result}\n\nRaises:\n"
    for fact, when in (("remedy", ""), ("singular", " (of a gradient)")):
        doc += f"    DomainError{when}: {facts[fact]}.\n" if fact in facts else ""
    generic, kind = facts.pop("generic", False), facts.pop("kind", Op)
    facts.setdefault("form", lambda m, *xs: (forward if generic else getattr(m, name))(*xs))
    facts.setdefault("notation", function(name))
    doc = doc.removesuffix("\nRaises:\n") if meaning else ""
    TABLE[name] = op = kind(name, forward, partials, doc=doc, **facts)
    op.in_line = True
    return op


def doctests(names: dict[str, Any]) -> dict[str, str]:
    """The docstrings of the ops among a module's names, for its ``__test__``."""
    return {op.name: op.__doc__ for op in names.values() if isinstance(op, Op) and op.__doc__}

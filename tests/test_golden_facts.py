"""What the table knows of each op: its facts, how it is written, where it is defined and kinks."""
from __future__ import annotations

import contextlib
import enum
import functools
import itertools
import math

import pytest
from golden import expected

from autograd_lite.ops.custom import Custom
from autograd_lite.ops.notation import SUM, Written
from autograd_lite.ops.op import TABLE

SIMPLE = (bool, int, float, str, bytes, type(None))


def simple(x) -> bool:
    if isinstance(x, (tuple, list, set, frozenset)):
        return all(map(simple, x))
    if type(x) is dict:
        return all(map(simple, x)) and all(map(simple, x.values()))
    return isinstance(x, SIMPLE) and not isinstance(x, enum.Enum)


def written(x) -> str:
    if isinstance(x, (set, frozenset)):
        return f"{{{', '.join(sorted(map(written, x)))}}}"
    if isinstance(x, (tuple, list)):
        return f"({', '.join(map(written, x))})"
    if isinstance(x, dict):
        return f"{{{', '.join([f'{key!r}: {written(value)}' for key, value in x.items()])}}}"
    return repr(x)


def of_op(op):
    """What the table knows of an op: its facts, how it is written, and where it is defined and kinks."""
    facts = {name: getattr(op, name) for name in (
        "least", "most", "options", "open", "parameters", "convention", "remedy", "singular", "in_line",
        "chooses", "partly")}
    lines = [f"{name}: {written(x)}" for name, x in facts.items() if x and simple(x)]
    n = 3 if op.open else op.least
    notation = op.notation
    for name, form in (("text", notation.text), ("latex", notation.latex), ("said", notation.said),
                       *notation.targets.items()):
        for operands in ([Written("a + b", SUM), Written("x"), Written("y")], [-0.5, 2.0, 1e-9]):
            for m in (n, min(op.most, 3)):              # (some are written with their options alone)
                with contextlib.suppress(TypeError, AttributeError, IndexError):
                    y = form(*operands[:m])
                    lines.append(f"{name}: {y.text} ({y.precedence})")
                    break
    lines.append(f"sign: {notation.sign}, infix: {notation.infix}, title: {notation.title}")
    for name, f in (("kink", op.kink), ("domain", op.domain)):
        found = []
        for xs in itertools.product((-2.0, 0.0, 1.0, 2.0), repeat=n if n < 3 else 0):
            try:
                found.append(f"{f(*xs) + 0.0:g}")
            except (TypeError, ValueError, ArithmeticError) as error:
                found.append(type(error).__name__)
        lines += [f"{name}: {' '.join(found)}"] if set(found) - {"1"} else []
    lines += [line for line in (options(op, n), beyond(op, n)) if line]
    return "\n".join(lines)


def options(op, n):
    """Where it is defined, by its options: a digit for each number that one may have."""
    counts = [i for i in op.options if op.most > n or op.name in ("polygamma", "power_slope")]
    if op.open or not counts or op.name == "step":
        return ""
    found = []
    for xs in itertools.product(*[(-1.0, 0.0, 0.5, 1.0, 2.0, 1000.0, 1001.0) if i in counts else
                                  (-1.0, 0.0, 0.5, 2.0) for i in range(int(op.most))]):
        found.append(f"{bool(op.domain(*xs)):d}")
    return "domain by options: " + " ".join(["".join(found[k:k + 49]) for k in range(0, len(found), 49)])


def beyond(op, n):
    """What IEEE 754 gives where the op refuses."""
    if op.open or not op.ieee or n > 2:
        return ""
    found = []
    for xs in itertools.product((-math.inf, -2.5, -1.0, -1e-301, -0.0, 0.0, 0.5, 2.0, 171.0, math.inf),
                                repeat=n):
        try:
            found.append(f"{op.ieee(*xs):g}")
        except (ValueError, ArithmeticError) as error:
            found.append(type(error).__name__)
    return f"ieee: {' '.join(found)}"


NAME = "facts"
CASES = {f"the op {name}": functools.partial(of_op, op) for name, op in TABLE.items()
         if not isinstance(op, Custom)}


@pytest.mark.parametrize("op", CASES)
def test_the_facts_of_an_op_are_those_expected(op):
    assert CASES[op]() == expected(NAME)[op]

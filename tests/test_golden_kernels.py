"""What the functions behind the table compute over arrays, step by step.

(That this is right to some units in the last place is tried at many points elsewhere.)
"""
from __future__ import annotations

import functools
import operator

import pytest
from golden import expected

from autograd_lite.ops import arrays

OPERATORS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "pow": "**", "mod": "%", "and": "&",
             "or": "|", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "=="}


class Steps(list):
    """The steps of a computation; it has the functions of a namespace of arrays, too."""

    def step(self, text):
        self.append(f"t{len(self) + 1} = {text}")
        return Place(f"t{len(self)}", self)

    def __getattr__(self, name):
        return lambda *xs: self.step(f"{name}({', '.join(map(str, xs))})")


class Place:
    """A number that is known by its name alone."""

    def __init__(self, name, steps):
        self.name, self.steps = name, steps

    def __str__(self):
        return self.name

    def __neg__(self):
        return self.steps.step(f"-{self}")


for name, sign in OPERATORS.items():
    setattr(Place, f"__{name}__", lambda a, b, sign=sign: a.steps.step(f"{a} {sign} {b}"))
    setattr(Place, f"__r{name}__", lambda a, b, sign=sign: a.steps.step(f"{b} {sign} {a}"))

NAMES = ("x", "y", "z", "u", "v")


def steps(name, operands, *options):
    """The steps of a kernel at so many operands; numbers after them (of polygamma before) are options."""
    found = Steps()
    places = [Place(name, found) for name in NAMES[:operands]]
    kernel = arrays.KERNELS[name]
    own = [getattr(found, arrays.MADE_OF[kernel])] if kernel in arrays.MADE_OF else []
    given = [*options, *places] if name == "polygamma" else [*places, *options]
    y = kernel(*own, found, *given)
    return "\n".join([*found, ", ".join(map(str, y)) if isinstance(y, list) else str(y)])


NAME = "kernels"
CALLS = [*[(name, 1) for name in (
             "sech2", "sigmoid", "softplus", "silu", "cbrt", "normal_cdf", "gelu", "digamma")],
         *[("power_slope", 2, *counts) for counts in (
             (1.0, 0.0), (2.0, 0.0), (0.0, 1.0), (2.0, 2.0), (1.0, 3.0))],
         ("cos_angle", 2), ("over_square", 2),
         *[(name, 1, *n) for name in ("gauss", "normal_pdf") for n in ((), (1.0,), (2.0,))],
         *[("polygamma", 1, n) for n in (0.0, 1.0, 2.0, 5.0, 170.0, 171.0)],
         *[(name, n) for name in ("fsum", "logsumexp", "softmax", "softmax_rest", "log_softmax", "shares")
           for n in (1, 2, 3)], *[("fdot", n) for n in (2, 3, 4, 5)]]
CASES = {f"{name} of {n}{'; ' * bool(options)}{', '.join(map(str, options))}": functools.partial(
    steps, name, n, *options) for name, n, *options in CALLS}


@pytest.mark.parametrize("case", CASES)
def test_the_steps_over_arrays_are_those_expected(case):
    assert CASES[case]() == expected(NAME)[case]


def test_every_kernel_is_written_out_and_its_steps_compute_what_it_does():
    import numpy as np
    assert {name for name, *_ in CALLS} == set(arrays.KERNELS)
    x, y = np.array([0.3, -1.7, 50.0]), np.array([2.0, 5.0, 1e-200])
    for case, kernel in (("silu of 1", arrays.silu), ("over_square of 2", arrays.over_square)):
        names = {name: getattr(np, name) for name in ("abs", "exp", "where", "maximum")} | {"x": x, "y": y}
        *lines, last = CASES[case]().splitlines()
        exec("\n".join(lines), names)
        assert np.array_equal(names[last], kernel(np, *(x, y)[:int(case[-1])]))


def test_a_place_writes_every_operator():
    found = Steps()
    x = Place("x", found)
    for name in OPERATORS:
        getattr(operator, name if name not in ("and", "or") else name + "_")(x, 2.0)
    assert found == [f"t{k} = x {sign} 2.0" for k, sign in enumerate(OPERATORS.values(), 1)]

"""`Propagation`: what `propagate` returns, and how it is shown."""
from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from autograd_lite.checks.report import LINE, clip, count, filled
from autograd_lite.errors import MemberError
from autograd_lite.lines import printable
from autograd_lite.transforms.structures import paths
from autograd_lite.transforms.trees import leaves

MOST, ACROSS = 40, 3                            # rows of a table, and columns of shares
_ELSEWHERE = {"nominal_value": "value", "n": "value", "std_dev": "std", "s": "std", "covariance": "cov",
              "error_components": "shares"}


class Propagation:
    """A function's result with its uncertainty; see `propagate`.

    Numbers are in the shape of f's result where nothing else is said.

    Attributes:
        value: f at the given point.
        std: the standard deviations of the result's numbers.
        cov: their covariances, a matrix with a row for each number of the result, in order: a list of
            lists, or if f's arguments, its result or the given covariances are an array, an array.
        shares: how much of each variance an input makes up, nested as `jacobian` nests derivatives by the
            arguments. Input i has the share gᵢ·(C·g)ᵢ / (g·C·g), g the derivatives and C the given
            covariances: without correlations that is (gᵢ·σᵢ)² / Σ (gⱼ·σⱼ)². The shares of a result sum to
            1; with correlations one may be negative (that input lowers the variance) or exceed 1. Where
            the variance is 0 they are 0.
        bias: by how much f's mean differs from `value` at second order, ½·tr(H·C); None at order 1.
        variance_term: what the next order adds to the variance of each number if the inputs are normal,
            ½·tr((H·C)²) + Σᵢ (C·g)ᵢ · ∂tr(H·C)/∂xᵢ; None below order 3.
    """

    def __init__(self, name: str, parameters: Sequence[str], args: Sequence[Any], stds: Sequence[float],
                 value: Any, std: Any, cov: Any, shares: Any, bias: Any, variance_term: Any):
        self.name = name if name.isidentifier() else "result"
        self._inputs, self._stds = (tuple(parameters), tuple(args)), tuple(stds)
        self.value, self.std, self.cov, self.shares = value, std, cov, shares
        self.bias, self.variance_term = bias, variance_term

    def __repr__(self) -> str:
        found = ", ".join([measured(*pair) for pair in zip(leaves(self.value)[:3], leaves(self.std))])
        more = ", …" * (len(leaves(self.value)) > 3)
        return f"<propagation: {printable(self.name)} = {found}{more}>"

    def __format__(self, spec: str) -> str:
        """The table; with a format for numbers, such as ".3f", all values with their standard deviations."""
        pairs = zip(leaves(self.value), leaves(self.std))
        return ", ".join([f"{y:{spec}} ± {std:{spec}}" for y, std in pairs]) if spec else str(self)

    def __getattr__(self, name: str) -> Any:
        if name in _ELSEWHERE:
            raise MemberError(f"a propagation has no {name!r}: write r.{_ELSEWHERE[name]}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def __str__(self) -> str:
        lines = list[str]()
        for heads, rows in self._tables():
            widths = [max(map(len, column)) for column in zip(heads, *rows)]
            widths[0] = min(widths[0], LINE - sum(widths[1:]) - 2 * len(widths) + 2)
            for row in [heads, *rows]:
                cells = [filled(row[0], widths[0]), *[x.rjust(w) for x, w in zip(row[1:], widths[1:])]]
                lines.append("  ".join(cells).rstrip())
            lines.append("")
        return "\n".join([*lines[:-1], *self._notes()])

    def _repr_html_(self) -> str:
        from autograd_lite.markup import block, prose, table
        tables = [table("l" + "r" * (len(heads) - 1), heads, rows) for heads, rows in self._tables()]
        return block(*tables, *[prose(note) for note in self._notes()])

    def _tables(self) -> Iterator[tuple[list[str], list[list[str]]]]:
        """The heads and the rows of what is shown: the results, then the inputs with their shares."""
        values, stds = leaves(self.value), leaves(self.std)
        results = [printable(path) for path in paths(self.value, self.name)]
        higher = ("bias", self.bias), ("variance term", self.variance_term)
        further = [(head, leaves(x)) for head, x in higher if x is not None]
        yield ["result", "value ± std", *[head for head, _ in further]], [
            [name, measured(value, std), *[f"{x[k]:+.2g}" for _, x in further]]
            for k, (name, value, std) in enumerate(zip(results[:MOST], values, stds))]
        inputs, shares = input_names(*self._inputs), leaves(self.shares)
        n, shown = len(inputs), results[:ACROSS]
        heads = ["share"] if len(results) == 1 else [f"% of {self._short(name)}" for name in shown]
        order = [i for i, std in enumerate(self._stds) if std]
        order.sort(key=lambda i: -max([abs(shares[k * n + i]) for k in range(len(shown))], default=0.0))
        numbers = leaves(self._inputs[1], lenient=True)
        unit = " %" * (len(results) == 1)
        yield ["input", "value ± std", *heads], [
            [printable(inputs[i]), measured(numbers[i], self._stds[i]),
             *[f"{100.0 * shares[k * n + i]:.1f}{unit}" for k in range(len(shown))]] for i in order[:MOST]]

    def _short(self, path: str) -> str:
        """What the path of a number adds to the result's name: its keys."""
        return clip(path[len(self.name):].strip("[]'.").replace("][", ","), 9)

    def _notes(self) -> Iterator[str]:
        """What the tables leave out."""
        uncertain = sum([1 for std in self._stds if std])
        for n, most, what in ((len(leaves(self.value)), MOST, "result"), (uncertain, MOST, "input")):
            if n > most:
                yield f"and {count(n - most, what)} more"
        if exact := len(self._stds) - uncertain:
            yield f"and {count(exact, 'exact input')}"
        if (n := len(leaves(self.value))) > ACROSS:
            yield f"(the shares of {count(n - ACROSS, 'result')} more are in .shares)"


def input_names(parameters: Sequence[str], args: Sequence[Any]) -> list[str]:
    """What messages and tables call the numbers of the arguments."""
    return [path for name, arg in zip(parameters, args) for path in paths(arg, name)]


def measured(value: float, std: float) -> str:
    """A number with its standard deviation, to two digits of the latter.

    >>> measured(12.3456, 0.057), measured(6.62607e-34, 1.2e-37), measured(3.0, 0.0)
    ('12.346 ± 0.057', '(6.6261 ± 0.0012)e-34', '3 ± 0')
    """
    value, std = float(value), float(std)
    if not (math.isfinite(value) and math.isfinite(std)):
        return f"{value:.6g} ± {std:.2g}"
    if not std:
        return f"{value:.8g} ± 0"
    size, last = (int(f"{x:.1e}".partition("e")[2]) for x in (max(abs(value), std), std))
    scale = size if not -4 <= size < 7 else 0
    digits = max(0, scale + 1 - last)
    if digits > 7:
        return f"{value:.8g} ± {std:.2g}"
    if not scale:
        return f"{value:.{digits}f} ± {std:.{digits}f}"
    from decimal import Decimal
    a, b = (Decimal(x).scaleb(-scale) for x in (value, std))
    return f"({a:.{digits}f} ± {b:.{digits}f})e{scale:+03d}"

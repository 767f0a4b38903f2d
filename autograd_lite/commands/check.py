"""``autograd-lite check``: a gradient derived by hand, held against an expression at many points."""
from __future__ import annotations

import argparse
import json
import math
import random
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple
from unicodedata import normalize

from autograd_lite.checks.report import clip, columns, count, filled, plain_data, wrapped
from autograd_lite.checks.rows import Row
from autograd_lite.checks.rule import CAUSE, INHERITS
from autograd_lite.commands.console import WIDTH, Parser, assigned, green, number, progress, red, whole
from autograd_lite.commands.formulas import (add_expression, add_point, backward, functions, graph, point,
                                             pointing, read, root_name)
from autograd_lite.commands.wrong import Looked, add_derive, look, written_out
from autograd_lite.errors import InputError, NumericError, short
from autograd_lite.expression import Formula, meant, parse
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value
from autograd_lite.lines import printable

POINTS, MOST = 200, 100_000
EXAMPLE = 'autograd-lite check "sin(x*y)" --claim "x: y*cos(x*y)" --claim "y: x*sin(x*y)"'
_CLAIM = re.compile(r"\s*(?:∂(?P<of>\w+)\s*/\s*∂|d(?P<d>\w+)\s*/\s*d)?(?P<by>[^\W\d]\w*)\s*[:=]"
                    r"(?P<text>.*)", re.DOTALL)


class Claim(NamedTuple):
    """What is claimed of the derivative of an intermediate result (or, "", of the expression) by a name."""

    output: str
    source: str
    name: str
    formula: Formula


def add(commands: Any) -> None:
    """Add the command."""
    parser: Parser = commands.add_parser(
        "check", help="hold a gradient that you derived by hand against an expression",
        description="Hold derivatives that you derived by hand against an expression, at many points, and "
                    "say what kind of mistake a wrong one is. The exit status is 0 if all agree, 1 if one "
                    "differs, 2 for a mistake in the arguments.",
        epilog=f"example:\n  {EXAMPLE}\n\n{functions()}")
    add_expression(parser)
    parser.add_argument("--claim", action="append", required=True, metavar="'NAME: EXPRESSION'",
                        help="what is claimed of the derivative by NAME, a variable or an intermediate "
                             "result; may be repeated")
    parser.add_argument("--points", type=whole(1, MOST, "a number of points"), default=POINTS,
                        metavar="N", help="at how many random points (default %(default)s)")
    parser.add_argument("--seed", type=whole(0, sys.maxsize, "a seed"), default=0, metavar="N",
                        help="for other random points (default %(default)s)")
    add_point(parser, "check at this point alone, or with these numbers fixed")
    parser.add_argument("--rtol", type=_tolerance, metavar="X",
                        help="how far numbers may differ, relatively (default 1e-06)")
    add_derive(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run, refused=2, failed=2)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    formula = read(options.expression)
    claims = _claims(options.claim, formula)
    fixed = point(options.at, formula, needed=False)
    drawn = _Points(formula, claims, fixed, options.seed)

    def forward(at: dict[str, float]) -> list[Value]:
        nodes, root = graph(formula, at, {claim.source for claim in claims})
        return [root, *nodes.values()]

    def hand(at: dict[str, float]) -> list[tuple[Any, float]]:
        return [((claim.output, claim.source) if claim.output else claim.source, x)
                for claim, x in zip(claims, _numbers(formula, claims, at))]

    points = sorted(progress(drawn.points(options.points), "points", options.points), key=_far)
    looked = look(forward, hand, progress(points, "claims"), options.rtol,
                  lambda at, row, k: _noisy(formula, claims[k], at, row))
    if not looked.usable:
        raise InputError(drawn.nowhere())
    if options.json:
        print(json.dumps(plain_data(_facts(formula, claims, looked, drawn.tried))))
    else:
        print("\n".join(_lines(formula, claims, looked, drawn, options.derive)))
    return int(any(looked.counts))


# -- claims -------------------------------------------------------------------------------------------


def _claims(given: Sequence[str], formula: Formula) -> list[Claim]:
    found: dict[tuple[str, str], Claim] = {}
    f = root_name(formula)
    for text in given:
        parts = _CLAIM.fullmatch(text)
        if parts is None:
            raise InputError(f"--claim: {short(text)} is not a name and a formula; write 'x: y*cos(x*y)'")
        names = [normalize("NFKC", name or "") for name in (parts["of"] or parts["d"] or f, parts["by"])]
        for name in names:
            if name not in formula.names and name != f:
                raise InputError(f"--claim: {clip(name, 40)} is not in the expression"
                                 f"{meant(name, list(formula.names))}")
        if names[1] not in formula.names:
            raise InputError(f"--claim: {f} is the expression itself; claim its derivative by a name in it")
        first = {k: name for name, k in reversed(formula.names.items())}
        output, source = [first[formula.names[name]] if name in formula.names else "" for name in names]
        if (output, source) in found:
            raise InputError(f"--claim: ∂{names[0]}/∂{names[1]} is claimed twice")
        name = f"∂{names[0]}/∂{names[1]}"
        claimed = parse(parts["text"], list(formula.names), f"the claim about {name}")
        found[output, source] = Claim(output, source, name, claimed)
    return list(found.values())


def _numbers(formula: Formula, claims: Sequence[Claim], at: Mapping[str, float]) -> list[float]:
    """What is claimed at a point."""
    known = formula(at)
    return [claim.formula(known)[""] for claim in claims]


def _noisy(formula: Formula, claim: Claim, at: Mapping[str, float], row: Row) -> bool:
    """Whether a claim differs by no more than its terms' rounding, as 1 - tanh(x)**2 may for large x, or so
    little that factors of it may have become 0."""
    y = claim.formula({name: Value(x) for name, x in formula(at).items() if name})[""]
    if not isinstance(y, Value) or not y.requires_grad:
        return False
    y.backward()
    rounding = sum(abs(node.data * node.grad) for node in Program([y]).nodes) * sys.float_info.epsilon
    return bool(abs(row.claimed - row.derived) <= max(4.0 * rounding, sys.float_info.min ** 0.5))


# -- points -------------------------------------------------------------------------------------------

_POOLS = (lambda r: r.uniform(0.0, 4.0), lambda r: r.uniform(-4.0, 4.0), lambda r: r.uniform(-1.0, 1.0),
          lambda r: r.uniform(1.0, 30.0), lambda r: r.choice((1.0, -1.0)) * 10.0 ** r.uniform(-3.0, 6.0))


def _far(at: Mapping[str, float]) -> float:
    """How unusual a point looks."""
    return sum([0.0 if 0.3 <= abs(x) <= 9.0 else abs(math.log10(abs(x) or 1e-9)) for x in at.values()])


class _Points:
    """Random points at which an expression, its gradient and the claims are defined.

    Of the ranges that a variable's numbers are drawn from, those that served before serve more often.
    """

    def __init__(self, formula: Formula, claims: Sequence[Claim], fixed: dict[str, float], seed: int):
        self.formula, self.claims, self.fixed, self.random = formula, claims, fixed, random.Random(seed)
        self.free = [name for name in formula.variables if name not in fixed]
        self.served = {name: [1.0] * len(_POOLS) for name in self.free}

    def points(self, n: int) -> Iterator[dict[str, float]]:
        """So many points, fewer if they are hard to find."""
        return islice(self._usable(30 * n + 300 if self.free else 1), n)

    def _usable(self, most: int) -> Iterator[dict[str, float]]:
        for self.tried in range(1, most + 1):
            pools = {name: self.random.choices(range(len(_POOLS)), weights)[0]
                     for name, weights in self.served.items()}
            at = {**self.fixed, **{name: float(f"{_POOLS[k](self.random):.4g}") for name, k in pools.items()}}
            if self._defined(at):
                for name, k in pools.items():
                    self.served[name][k] = min(9.0, self.served[name][k] + 1.0)
                yield at

    def _defined(self, at: dict[str, float]) -> bool:
        try:
            nodes, root = graph(self.formula, at)
            with pointing(self.formula, at):
                backward(root)
            numbers = [root.data, *[x.grad for x in nodes.values()], *_numbers(self.formula, self.claims, at)]
        except NumericError as error:
            self.reason = str(error)
            return False
        if all(map(math.isfinite, numbers)):
            return True
        self.reason = "not all numbers are finite"
        return False

    def nowhere(self) -> str:
        """What to say where no point is usable."""
        if not self.free:
            return f"not all is defined at {assigned(self.fixed)}: {self.reason}"
        return (f"at none of {self.tried} random points are the expression and the claims all defined; give "
                f"numbers by --at, as in --at {self.free[0]}=1.5. At the last one: {self.reason}")


# -- what is said -------------------------------------------------------------------------------------


def _lines(formula: Formula, claims: Sequence[Claim], looked: Looked, drawn: _Points,
           written: int) -> Iterator[str]:
    text = printable("; ".join(formula.text.split("\n")))
    f = root_name(formula)
    yield clip(text if f in formula.names else f"{f}{':' if ';' in text else ' ='} {text}", WIDTH)
    if not drawn.free:
        yield f"at {clip(assigned(drawn.fixed), WIDTH - 3)}"
    else:
        yield f"at {count(looked.usable, 'random point')}" + (
            f" ({drawn.tried} were drawn; at the others not all is defined)"
            if drawn.tried > looked.usable else "")
    yield ""
    texts = [clip(f"{claim.name} = {printable(claim.formula.text)}", 54) for claim in claims]
    for text, wrong in zip(texts, looked.counts):
        where = f"{wrong} of {looked.usable}" if wrong < looked.usable else "all" if wrong > 1 else "it"
        verdict = red(f"WRONG at {where}") if wrong else green("agrees")
        yield f"  {filled(text, max(map(columns, texts)))}  {verdict}"
    for entry in looked.wrong:
        yield ""
        yield from wrapped(f"at {assigned(entry.point)}:", "", 4)
        for k, row in entry.rows:
            yield from wrapped(f"{claims[k].name}: {row.numbers(number)}", "  ", 6)
            for text in _why(claims, k, row):
                yield from wrapped(text, "      ", 10)
        rows = [row for _, row in entry.rows]
        yield from written_out(rows, written)
        written -= sum([row.verdict == CAUSE for row in rows])


def _why(claims: Sequence[Claim], k: int, row: Row) -> list[str]:
    """What kind of mistake a claim is."""
    if row.independent:
        return ["{} does not depend on {}".format(*claims[k].name[1:].split("/∂"))]
    if row.verdict == INHERITS:
        origins = [(end if isinstance(end, str) else "", source) for end, source in row.inherits_from]
        names = [claim.name for claim in claims if (claim.output, claim.source) in origins]
        return [f"(follows from {', '.join(names)}, which is wrong)"]
    return row.kinds()


def _facts(formula: Formula, claims: Sequence[Claim], looked: Looked, tried: int) -> dict[str, Any]:
    """The findings in plain data."""
    shown = {k: (entry.point, row) for entry in looked.wrong for k, row in entry.rows}
    found = []
    for k, (claim, wrong) in enumerate(zip(claims, looked.counts)):
        facts = {"name": claim.name, "claim": claim.formula.text, "ok": not wrong,
                 "wrong_at": wrong}
        if k in shown:
            at, row = shown[k]
            facts |= {"point": at, "claimed": row.claimed, "derived": row.derived, "verdict": row.verdict,
                      "diagnosis": next((text for _, text in row.diagnoses), None),
                      "diagnoses": plain_data(row.diagnoses)}
        found.append(facts)
    return {"ok": not any(looked.counts), "points": looked.usable, "drawn": tried, "claims": found}


def _tolerance(text: str) -> float:
    with suppress(ValueError):
        if 0.0 < (x := float(text)) < 1.0:
            return x
    raise argparse.ArgumentTypeError(f"{short(text)} is not a tolerance; give a number between 0 and 1")

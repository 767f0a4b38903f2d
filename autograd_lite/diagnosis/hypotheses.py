"""`diagnoses`: what kind of mistake a wrong claim is, by hypotheses that must hold at every point."""
from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd_lite.checks.rows import Diagnosis
from autograd_lite.diagnosis.evidence import Evidence, alike
from autograd_lite.diagnosis.forms import FORMS, MASKS, Form, constant, filled, forms, simple, wrapped
from autograd_lite.diagnosis.partials import branches, rests
from autograd_lite.diagnosis.products import Product, products
from autograd_lite.diagnosis.view import DIRECT, Array
from autograd_lite.lines import printable

POINTS = 3                      # a hypothesis must hold at so many points at least
_MOST, _TOO_MANY = 3, 12        # so many diagnoses are told; if so many are as good, none is
_FURTHER = 1.5                  # a diagnosis so much more far-fetched than the first is not told
_RTOL, _NOISE = 1e-6, 1e-12     # of numbers that agree: relative, and relative to the terms that make them
_ROUGHLY = 1e-5                 # of numbers so near to each other it is seen whether they agree
SIGN, FACTOR, MISSING_FACTOR, EXTRA_FACTOR = "sign", "factor", "missing factor", "extra factor"
MISSING_PATH, EXTRA_PATH, SUBSTITUTION = "missing path", "extra path", "substitution"
TRANSPOSITION, MISSING_TERM, SHIFT, ZERO = "transposition", "missing term", "shift", "zero"
BRANCH = "branch"


_IN_SUM = ", in a sum"
Found = Iterator[tuple[float, Diagnosis]]       # how far-fetched it is, and the hypothesis


def diagnoses(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """The hypotheses that hold for every wrong entry at every point, the simplest first, at most three."""
    if not (np.isfinite(evidence.claimed).all() and np.isfinite(evidence.follows).all()):
        return ()
    with np.errstate(all="ignore"):
        for hypotheses in (_usual, _inside, _unions, _entry_by_entry):
            found = sorted(hypotheses(evidence), key=lambda entry: entry[0])
            if found:
                break
        else:
            return ()
    best: dict[str, Diagnosis] = {}
    for _, diagnosis in [entry for entry in found if entry[0] <= found[0][0] + _FURTHER]:
        best.setdefault(diagnosis.text.removesuffix(_IN_SUM), diagnosis)
    as_good = len({diagnosis.text for cost, diagnosis in found if cost <= found[0][0]})
    return () if as_good > _TOO_MANY else tuple([
        Diagnosis(kind, printable(text)) for kind, text in best.values()][:_MOST])


def _usual(evidence: Evidence) -> Found:
    claimed, follows = evidence.claimed, evidence.follows
    if not np.any(claimed):
        yield 0.0, Diagnosis(ZERO, "claimed 0")
        return
    known, candidates = forms(evidence), list(products(evidence))
    yield from _ratio(claimed, follows, 0.0, known)
    yield from _elsewhere(evidence)
    yield from _gradients(evidence)
    yield from _products(claimed, follows, 0.0, candidates)
    yield from _ways(evidence, known, candidates)
    yield from _terms(evidence, known)
    yield from _partials(evidence)


def _entry_by_entry(evidence: Evidence) -> Found:
    """Where nothing fits all wrong entries: the simplest that fits the first of those that something fits."""
    for index, alone in evidence.entries():
        found = list(_usual(alone))
        if found:
            cost, (kind, text) = min(found, key=lambda entry: entry[0])
            yield cost, Diagnosis(kind, f"at {list(index)}: {text}")
            return


def _same(x: Any, y: Any, size: Any = 0.0) -> bool:
    """Whether all numbers agree, but for the rounding of terms of this size."""
    bound = _RTOL * np.maximum(abs(x), abs(y)) + _NOISE * size
    return bool(np.all(np.isfinite(bound)) and np.all(abs(x - y) <= bound))


def _size(*terms: Array) -> Any:
    """How large terms are together."""
    return sum(map(abs, terms))


def _multiple(x: Array, y: Array, size: Any) -> float | None:
    """The number by which all y must be multiplied to give x; None if there is none, or too few tell."""
    if np.count_nonzero(y) < POINTS or not np.any(x):
        return None
    i = int(np.argmax(abs(y)))
    k = float(x[i] / y[i])
    return k if _same(x, k * y, size) else None


# -- a factor -------------------------------------------------------------------------------------


def _ratio(claimed: Array, right: Array, size: Any, known: Sequence[Form], where: str = "") -> Found:
    """What turns the right numbers into the claimed ones as a factor."""
    far = 1.0 if where else 0.0
    if _same(claimed, -right, size):
        yield far + 0.1, Diagnosis(SIGN, "the sign is wrong" + where if where else "sign flipped")
        return
    k = _multiple(claimed, right, size)
    if k is not None:                           # (forms that are constant would fit too)
        yield far + 0.2, Diagnosis(FACTOR, f"off by a factor {constant(k)}" + where)
        return
    for text, cost, x in _fitting(claimed, right, known):
        for kind, a, b, verb in ((MISSING_FACTOR, claimed * x, right, "is missing"),
                                 (EXTRA_FACTOR, claimed, right * x, "is too much")):
            k = _multiple(a, b, size * abs(x) if kind == MISSING_FACTOR else size)
            if k and simple(k):
                factor = k if kind == EXTRA_FACTOR else 1.0 / k
                head = "" if factor == 1.0 or _same(factor, 1.0) else (
                    "−" if _same(factor, -1.0) else simple(factor) + "·")
                yield far + 0.5 + cost + bool(head), Diagnosis(
                    kind, f"the factor {head}{wrapped(text) if head else text} {verb}" + where)
    exchanged = list(_exchanged(claimed, right, size, known, where))
    if exchanged:
        least = min([cost for cost, _ in exchanged])
        yield from [(cost, diagnosis) for cost, diagnosis in exchanged if cost < least + 0.05]


def _fitting(claimed: Array, right: Array, known: Sequence[Form]) -> Sequence[Form]:
    """Those that may be a multiple of the ratio, or of its inverse, as two entries tell."""
    order = np.argsort(-abs(claimed) * (right != 0.0))[:2]
    a, b = claimed[order], right[order]
    if not known or not np.all(a * b):
        return known
    x, y = np.array([form.numbers[order] for form in known]).T
    near = [np.isclose(x * u[1], y * u[0], _ROUGHLY, 0.0) for u in (a / b, b / a)]
    return [known[int(k)] for k in np.flatnonzero(near[0] | near[1])]


def _exchanged(claimed: Array, right: Array, size: Any, known: Sequence[Form], where: str) -> Found:
    """One form in the place of another: the ratio is that of two forms."""
    i = int(np.argmax(abs(claimed) * (right != 0.0)))
    logs = np.log(np.array([abs(form.numbers[i]) for form in known]))
    order = np.argsort(logs)
    wanted = logs - np.log(abs(claimed[i] / right[i]))              # of the form that belongs
    bounds = np.searchsorted(logs[order], np.stack([wanted - _ROUGHLY, wanted + _ROUGHLY], axis=1))
    for k in np.flatnonzero(np.diff(bounds)):
        a, (low, high) = known[int(k)], bounds[k]
        for b in [known[j] for j in order[low:high]]:
            for sign, mark in ((1.0, ""), (-1.0, "−")) if a.text != b.text else ():
                if _same(claimed * b.numbers, sign * right * a.numbers, size * abs(b.numbers)):
                    text = f"{mark}{a.text} where {b.text} belongs" + where
                    if a.text.replace("+", "−") == b.text.replace("+", "−"):
                        yield 0.8 + bool(where), Diagnosis(SIGN, text)
                    else:
                        cost = 2.0 + a.cost + b.cost + bool(where) + bool(mark)
                        yield cost, Diagnosis(SUBSTITUTION, text)


# -- other numbers in its place -------------------------------------------------------------------


def _elsewhere(evidence: Evidence) -> Found:
    """The right numbers at other places of the array."""
    shape = evidence.shape

    def everywhere(change: Callable[[Array], Array], of: Callable[[Array], Array] = lambda x: x) -> bool:
        return all(_same(of(view.claimed), change(view.follows)) for view in evidence.views)

    for axis, n in enumerate(shape):
        for by, how in ((1, ""), (-1, " backwards")):
            first, last = [(slice(None),) * axis + (part,) for part in (slice(1, None), slice(None, -1))]
            there, right = (first, last) if by > 0 else (last, first)
            if n > 2 and everywhere(lambda x: np.roll(x, by, axis)) or n > 3 and everywhere(
                    operator.itemgetter(right), operator.itemgetter(there)):
                yield 0.3, Diagnosis(SHIFT, f"shifted by one along axis {axis}{how}")
        if everywhere(lambda x: np.flip(x, axis)):
            yield 0.4, Diagnosis(SHIFT, f"in reverse order along axis {axis}")
    if len(shape) == 2 and shape[0] == shape[1] and everywhere(np.transpose):
        yield 0.3, Diagnosis(TRANSPOSITION, "claimed is the transpose")
    strays = [_stray(view.claimed, view.follows) for view in evidence.views]
    if all(strays):
        yield 1.9, Diagnosis(SHIFT, f"a part of one entry stands in another: here of {strays[0]}")


def _stray(claimed: Array, right: Array) -> str:
    """The two entries that alone are wrong, if one has too much by what the other lacks."""
    error, size = claimed - right, _size(claimed, right)
    wrong = list(map(tuple, np.argwhere(abs(error) > _RTOL * size)))
    if right.size < 3 or len(wrong) != 2 or not _same(error[wrong[0]], -error[wrong[1]], size.max()):
        return ""
    return " and ".join([str(list(map(int, index))) for index in wrong])


def _gradients(evidence: Evidence) -> Found:
    """Another gradient in the place of this one, or of one that it is made of."""
    claimed, follows, ways = evidence.claimed, evidence.follows, dict(evidence.ways())
    for name, arrays in evidence.gradients.items():
        if alike(arrays, [evidence.view.claimed] * len(arrays)) and _same(claimed, evidence.chosen(arrays)):
            if name.rpartition("∂")[2] in ways:
                yield 0.9, Diagnosis(MISSING_FACTOR, f"claimed is {name}, one factor too short")
            else:
                yield 2.3, Diagnosis(SUBSTITUTION, f"claimed is {name}")
    for way, name, other in evidence.led(ways):
        size = _size(claimed, follows, ways[way], other)
        if not _same(ways[way], other, size) and _same(claimed, follows - ways[way] + other, size):
            yield 1.1, Diagnosis(SUBSTITUTION, f"{name} where ∂{evidence.output}/∂{way} belongs")


def _products(claimed: Array, right: Array, size: Any, candidates: Sequence[Product],
              where: str = "") -> Found:
    """The claim as a product or sum of gradients and numbers, beside what is right in the same form."""
    there, true = [[(product, k) for product in candidates
                    if (k := _multiple(numbers, product.numbers, size)) is not None]
                   for numbers in (claimed, right)]
    far = bool(where)
    for a, k in there:
        same = [b for b, m in true if _same(k, m) and a.text != b.text]
        for b in same:
            if a.gradient != b.gradient:
                if a.factor == b.factor:
                    text = f"{a.gradient} where {b.gradient} belongs" + where
                    yield 1.7 + far, Diagnosis(SUBSTITUTION, text)
            elif a.factor == b.factor:
                yield 0.6 + far, Diagnosis(TRANSPOSITION, f"claimed is {a.text}, right is {b.text}" + where)
            elif not a.factor:
                yield 1.2 + far, Diagnosis(
                    MISSING_FACTOR, f"the factor {b.factor} is missing: claimed is {a.text}" + where)
            else:
                yield 1.6 + far, Diagnosis(
                    SUBSTITUTION, f"{a.factor} where {b.factor} belongs: claimed is {a.text}" + where)
        if not same and _same(k, 1.0):
            yield 4.0 + far, Diagnosis(SUBSTITUTION, f"claimed is {a.text}" + where)


# -- ways -----------------------------------------------------------------------------------------


def _ways(evidence: Evidence, known: Sequence[Form], candidates: Sequence[Product]) -> Found:
    """What comes by one labelled array: missing, alone, twice, or with a wrong factor."""
    claimed, follows = evidence.claimed, evidence.follows
    for name, way in evidence.own_ways():
        if not _same(way, follows) and _same(claimed, way):
            yield 0.5, Diagnosis(MISSING_PATH, f"of what comes via {name} only each entry's own is there, "
                                 "not the cross terms")
    for name, way in evidence.ways():
        cost, by = ((0.4, "the direct path") if name == DIRECT else (0.4, f"the path via {name}")
                    if name in evidence.view.nodes else (1.95, f"the derivative of {name}"))
        size = _size(claimed, follows, way)
        if _same(way, follows, size):
            continue                            # (the only way)
        if _same(claimed, follows - way, size):
            yield cost, Diagnosis(MISSING_PATH, f"{by} is missing")
        elif _same(claimed, way, size):
            yield cost, Diagnosis(MISSING_PATH, f"only {by} is there")
        elif _same(claimed, follows + way, size):
            yield cost, Diagnosis(EXTRA_PATH, f"{by} is counted twice")
        elif _same(claimed, follows - 2.0 * way, size):
            yield cost, Diagnosis(SIGN, f"{by} has the wrong sign")
        else:
            yield from _ratio(claimed - follows + way, way, size, known, f" in {by}")
            yield from _products(claimed - follows + way, way, size, candidates, f" in {by}")
    for name, way in evidence.parts():
        size = _size(claimed, follows, way)
        if _same(claimed, follows - way, size):
            yield 0.7, Diagnosis(MISSING_TERM, f"{name} is missing in the sum")
        elif _same(claimed, way, size):
            array = name.rpartition("[")[0]
            yield 0.7, Diagnosis(MISSING_TERM, f"of the sum over {array} only {name} is there")


def _inside(evidence: Evidence) -> Found:
    """What is wrong with the gradient of an array on the way, before it is led to the input."""
    claimed, follows = evidence.claimed, evidence.follows
    every: dict[tuple[str, str], Array] = {}
    for name, way in evidence.ways():
        leading = evidence.leading(name)
        if leading is None:
            continue
        gradients = [g for g, _ in leading]
        first, *_ = gradients
        shape, gradient = first.shape, f"∂{evidence.output}/∂{name}"

        def told(changed: Sequence[Array], leading: Any = leading, way: Array = way) -> bool:
            other = evidence.arrived(leading, changed)
            size = _size(claimed, follows, way, other)
            return _same(claimed, follows - way + other, size) and not _same(way, other, size)

        if len(shape) == 2 and shape[0] == shape[1] and told([g.T for g in gradients]):
            yield 1.5, Diagnosis(TRANSPOSITION, f"{gradient}.T where {gradient} belongs")
        for axis, by in itertools.product(range(len(shape)), (1, -1)):
            if told([np.roll(g, by, axis) for g in gradients]):
                yield 1.6, Diagnosis(SHIFT, f"{gradient} is shifted by one along axis {axis}")
        for other, arrays in evidence.numbers.items():
            for cost, (text, f) in enumerate((*FORMS[:6], *MASKS)) if alike(arrays, gradients) else ():
                factors = list(map(f, arrays))
                for kind, change, verb in ((EXTRA_FACTOR, operator.mul, "too much"),
                                           (MISSING_FACTOR, operator.truediv, "missing")):
                    changed = list(map(change, gradients, factors))
                    if told(changed):
                        yield 2.0 + 0.1 * cost, Diagnosis(
                            kind, f"the factor {filled(text, other)} is {verb} in {gradient}")
                    if other == name:
                        more = evidence.arrived(leading, changed) - way
                        every[kind, text] = every.get((kind, text), 0.0) + more
    for (kind, text), more in every.items():
        if _same(claimed, follows + more, _size(claimed, follows, more)):
            verb = "too much" if kind == EXTRA_FACTOR else "missing"
            yield 2.5, Diagnosis(kind, f"the factor {text.format('x')} is {verb} on the path via each x")


def _unions(evidence: Evidence) -> Found:
    """Two ways missing, or alone."""
    claimed, follows = evidence.claimed, evidence.follows
    for names, way in evidence.unions():
        size = _size(claimed, follows, way)
        if _same(claimed, follows - way, size):
            yield 3.0, Diagnosis(MISSING_PATH, f"the paths via {' and '.join(names)} are missing")
        elif _same(claimed, way, size):
            yield 3.0, Diagnosis(MISSING_PATH, f"only the paths via {' and '.join(names)} are there")


def _partials(evidence: Evidence) -> Found:
    """All nodes of an op with other partials: those of another branch, or off by a factor."""
    claimed, follows = (np.concatenate([part.ravel() for part in parts]) for parts in zip(
        *[(view.claimed, view.follows) for view in evidence.views]))
    for text, arrays in branches(evidence):
        other = np.concatenate([array.ravel() for array in arrays])
        if _same(claimed, other, _size(follows, other)):
            yield 1.2, Diagnosis(BRANCH, text)
            break
    for op, arrays in rests(evidence):
        rest = np.concatenate([array.ravel() for array in arrays])
        size = _size(claimed, follows, rest)
        if _same(rest, follows, size) or _same(rest, np.zeros_like(rest), size):
            continue                            # (nothing goes through it, or all)
        if _same(claimed, rest, size):
            yield 2.0, Diagnosis(MISSING_PATH, f"what comes through {op} is missing")
        elif (k := _multiple(claimed - rest, follows - rest, size)) is not None:
            yield 2.0, (Diagnosis(SIGN, f"the derivative of {op} has the wrong sign") if _same(k, -1.0) else
                        Diagnosis(FACTOR, f"the derivative of {op} is off by a factor {constant(k)}"))


# -- terms ----------------------------------------------------------------------------------------


def _terms(evidence: Evidence, known: Sequence[Form]) -> Found:
    """A term missing or too much: a constant times a form; or one number for another in a sum."""
    claimed, follows = evidence.claimed, evidence.follows
    error, size = follows - claimed, _size(claimed, follows)
    one = np.ones_like(error)
    varying = [form for form in _fitting(error, one, known)
               if not _same(form.numbers.min(), form.numbers.max())]
    for text, cost, x in [Form("", 0.0, one), *varying]:
        k = _multiple(error, x, size)
        if k is not None:
            head = "−" * (k < 0.0) if text and _same(abs(k), 1.0) else constant(k) + "·" * bool(text)
            term = head + wrapped(text) if head else text
            yield 2.0 + cost + (not simple(k)), Diagnosis(MISSING_TERM, f"a term {term} is missing")
    numbers = [form for form in known if not form.cost]
    i = int(np.argmax(abs(error)))
    x = np.array([form.numbers[i] for form in numbers])
    for j, k in np.argwhere(abs(x - x[:, None] - error[i]) <= _ROUGHLY * (abs(x) + abs(x[:, None]))):
        a, b = numbers[j], numbers[k]
        if j != k and _same(error, b.numbers - a.numbers, size + _size(a.numbers, b.numbers)):
            yield 2.2, Diagnosis(SUBSTITUTION, f"{a.text} where {b.text} belongs{_IN_SUM}")

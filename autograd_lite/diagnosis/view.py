"""`View`: what is known of one wrong claim at one point."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.checks.claims import pair_name
from autograd_lite.checks.judged import Judged
from autograd_lite.checks.rule import CAUSE, Arrivals
from autograd_lite.graph.node import op_of, plain
from autograd_lite.graph.value import Value

Array = Any                     # of NumPy
_PATHS, PARTS = 60, 12          # so many labelled arrays, and parts of one, are looked at as ways at most
_OWN = 40                       # so many entries of an array are followed each by itself at most
_SMALL, _SHORT = 400, 30        # in so small graphs nodes without label are written as expressions so short
_SUMS = ("+", "-", "sum")
DIRECT = "no label"             # the way that meets no label


class View:
    """One claim at one point.

    Attributes:
        claimed, follows: the numbers claimed and what should follow, as arrays of the claim's shape.
        wrong: which entries are wrong by themselves.
        nodes: the labelled arrays, each its shape and its nodes; numbers: their numbers, and those that a
            point which is a dict names. For a claim of one number these have single entries too, and short
            expressions without label.
        gradients: the gradients that the student claims, but for those that may follow from this claim.
        terms: for a claim of one number, the places of the terms without label of sums, by short expressions.
        below: the places of the claim's input and of what it depends on.
    """

    def __init__(self, judged: Judged, group: int, point: object = None):
        claim, findings = judged.given[group], judged.findings[group]
        self.judged, self.claim, self.lines = judged, claim, judged.lines[group]
        shape, names = claim.shape, judged.reader.names
        self.claimed = np.array(claim.numbers, float).reshape(shape)
        self.follows = np.array([finding.follows for finding in findings], float).reshape(shape)
        self.wrong = np.array([finding.verdict == CAUSE for finding in findings]).reshape(shape)
        self.nodes: dict[str, tuple[tuple[int, ...], list[Value | None]]] = {
            name: names.array(name) for name in names.groups()}
        self.numbers = {
            name: np.array([np.nan if node is None else node.data for node in nodes]).reshape(own)
            for name, (own, nodes) in self.nodes.items()}
        given = {name: x for name, x in _given(point).items() if name not in self.numbers
                 and not any(np.array_equal(x, y) for y in self.numbers.values())}
        self.numbers |= given
        self.terms: dict[str, list[int]] = {}
        if not shape:
            program = judged.program
            few = [(name, x) for name, x in self.numbers.items() if x.ndim and x.size <= PARTS]
            self.numbers |= {f"{name}[{']['.join(map(str, index))}]": np.array(x)
                             for name, array in few for index, x in np.ndenumerate(array)}
            terms = {x for node, xs in zip(program.nodes, program.operands) if node.op in _SUMS for x in xs}
            named = {x.item(): name for name, x in given.items() if not x.ndim and x % 1}
            for k, text in self._expressions(named):
                self.numbers[text] = np.array(program.nodes[k].data)
                if k in terms and len(self.terms) < PARTS:
                    self.terms.setdefault(text, []).append(k)
        outputs = {line.output for line in self.lines}
        self.below = self._below({line.source for line in self.lines})
        before = self._below(outputs) - outputs
        self.gradients = {
            pair_name(other.key): np.array(other.numbers, float).reshape(other.shape)
            for other in judged.given
            if other.source is not None and (self.below.isdisjoint(other.source.places)
                                             or before.issuperset(other.output.places))}

    def _below(self, places: Iterable[int | None]) -> set[int | None]:
        """These places, and all that these depend on."""
        found = set(places)
        todo = list(found)
        for k in todo:
            new = [x for x in self.judged.program.operands[k] if x not in found] if k is not None else []
            found.update(new)
            todo += new
        return found

    def _expressions(self, given: Mapping[float, str]) -> Iterator[tuple[int, str]]:
        """The places of nodes without label whose expression in what has a name is short."""
        texts: dict[int, Any] = {}
        for k, node in enumerate(self.judged.program.nodes if len(self.judged.program) <= _SMALL else ()):
            op, operands = op_of(node), self.judged.program.operands[k]
            if node.label:
                texts[k] = node.label
            elif op is not None and op.notation and all(x is None or x in texts for x in operands):
                written = [given.get(plain(y), plain(y)) if x is None else texts[x]
                           for x, y in zip(operands, node.operands)]
                text = op.notation.text(*written)
                if len(text.text) <= _SHORT:
                    texts[k] = text
                    yield k, text.text

    def places(self, name: str) -> list[int]:
        """Where the entries of a labelled array (or part of one) stand in the order of the walks, or −1."""
        program, rank = self.judged.program, self.judged.rule.rank
        _, nodes = self.nodes[name] if name in self.nodes else self.judged.reader.names.array(name)
        return [-1 if (k := program.place(node)) is None else rank[k] for node in nodes]


def _given(point: object) -> dict[str, Array]:
    """The numbers and arrays of a point that is a dict, by their names."""
    given = point.items() if isinstance(point, Mapping) else ()
    arrays = {name: np.array(x) for name, x in given
              if isinstance(name, str) and isinstance(x, (int, float, np.ndarray))}
    return {name: array.astype(float) for name, array in arrays.items() if array.dtype.kind in "if"}


class Ways:
    """By which ways the numbers come from a claim's outputs to its inputs.

    Args:
        view: the claim at a point.

    Attributes:
        names: the labelled arrays on the way, `DIRECT`, and terms.
    """

    def __init__(self, view: View):
        self.view, self.rule = view, view.judged.rule
        rank = self.rule.rank
        self.sources = [None if line.source is None else rank[line.source] for line in view.lines]
        self.outputs = {rank[line.output] for line in view.lines}
        self._walks: dict[int, tuple[Arrivals, Mapping[int, int]]] = {}
        found: dict[str, frozenset[int]] = {}
        low = min([k for k in self.sources if k is not None], default=0)
        for name in view.nodes:
            places = {k for k in view.places(name) if low < k < max(self.outputs)} - self.outputs
            if places - {*self.sources} and len(found) < _PATHS:
                found[name] = frozenset(places)
        if found:
            found[DIRECT] = frozenset().union(*found.values())
        for name, ks in view.terms.items():
            if there := frozenset([k for k in map(rank.__getitem__, ks) if low < k < max(self.outputs)]):
                found[name] = there
        self.names = found
        self.low = low

    def walk(self, output: int) -> tuple[Arrivals, Mapping[int, int]]:
        """The walk from an output over the student's numbers, and the claims about it by place."""
        if output not in self._walks:
            rank = self.rule.rank
            claims = {rank[line.source]: c for c, line in enumerate(self.rule.lines)
                      if line.source is not None and rank[line.output] == output}
            self._walks[output] = self.rule.walk(output, claims), claims
        return self._walks[output]

    def arrived(self) -> Iterator[tuple[str, Array]]:
        """What goes on from each other labelled array, if the claim's output is one number."""
        view = self.view
        if view.claim.output.shape == () and len(self.outputs) == 1:
            walk, _ = self.walk(*self.outputs)
            for name, (shape, nodes) in view.nodes.items():
                here = view.places(name)
                known = [k for k in map(view.judged.program.place, nodes) if k is not None]
                if not view.below.isdisjoint(known) or not self.outputs.isdisjoint(here):
                    continue
                found = _onward(walk, here)
                if any(found):
                    yield f"∂{view.claim.output.name}/∂{name}", np.array(found).reshape(shape)

    def otherwise(self, partials: Mapping[int, Sequence[float | None]]) -> Array:
        """What would come to the input if some nodes, by their places in the graph, had other partials."""
        rank, operands = self.rule.rank, self.view.judged.program.operands
        steps = {rank[k]: [(rank[x], p, p) for x, p in zip(operands[k], found)
                           if x is not None and p is not None] for k, found in partials.items()}
        arrived = {}
        for output in self.outputs:
            found = self.rule.walk(output, self.walk(output)[1], steps).follows
            errors = {x: e for x, e, _ in self.rule.corrections.get(output, ())}    # (which the walk adds)
            arrived[output] = {x: (found[x] or 0.0) - errors.get(x, 0.0)
                               for x in self.sources if x is not None and x <= output}
        return np.array([
            0.0 if source is None else arrived[rank[line.output]].get(source, 0.0)
            for source, line in zip(self.sources, self.view.lines)]).reshape(self.view.follows.shape)

    def by(self, name: str) -> Array:
        """What comes to the input by one of the ways; by the direct one, what meets no label."""
        way = self.through(self.names[name])
        return self.view.follows - way if name == DIRECT else way

    def through(self, places: frozenset[int], seeds: Mapping[int, float] | None = None) -> Array:
        """What comes to the input by way of some nodes, the last labelled before it on each path; `seeds` are
        what goes on from them, in place of the student's numbers. (By −1, which is elsewhere, nothing comes.)
        """
        arrived = {output: self._through(output, places, seeds) for output in self.outputs}
        return np.array([
            0.0 if source is None else arrived[self.rule.rank[line.output]].get(source, 0.0)
            for source, line in zip(self.sources, self.view.lines)]).reshape(self.view.follows.shape)

    def _through(self, output: int, places: frozenset[int],
                 seeds: Mapping[int, float] | None) -> dict[int, float]:
        walk, claims = self.walk(output)
        onward = walk.onward if seeds is None else seeds
        going: dict[int, float] = {k: g for k in places if k < len(walk.onward) and (g := onward[k])}
        arrived: dict[int, float] = {}
        for k in range(max(going, default=self.low), self.low - 1, -1):
            g = going.get(k)
            if not g or k in claims and k not in places:
                continue
            more = self.rule.corrections.get(k, ()) if k != output else ()
            for x, q in [*[(x, q) for x, _, q in self.rule.steps[k]], *[(x, e) for x, e, _ in more]]:
                arrived[x] = arrived.get(x, 0.0) + g * q
                if x not in places:
                    going[x] = going.get(x, 0.0) + g * q
        return arrived

    def own(self, name: str) -> Array | None:
        """What comes to each entry by the entry of another array at the same index; None if that has another
        shape, or is large."""
        view = self.view
        shape = view.follows.shape
        if view.claim.output.shape or view.numbers[name].shape != shape or not 1 < view.follows.size <= _OWN:
            return None
        output, = self.outputs
        return np.array([
            0.0 if source is None else
            self._through(output, frozenset([place]), None).get(source, 0.0)
            for place, source in zip(view.places(name), self.sources)]).reshape(shape)

    def leading(self, name: str) -> tuple[Array, Array] | None:
        """Of an array on the way to a claim about one output: what goes on from its entries, and the matrix
        that leads it to the input's. None where the array is large."""
        here = self.view.places(name)
        if self.view.claim.output.shape or not 0 < len(here) <= _OWN:
            return None
        walk, _ = self.walk(*self.outputs)
        places = frozenset(here)
        columns = [self.through(places, {k: 1.0 if k == j else 0.0 for k in places}) for j in here]
        onward = np.array(_onward(walk, here)).reshape(self.view.numbers[name].shape)
        return onward, np.stack(columns, axis=-1)


def _onward(walk: Arrivals, places: Iterable[int]) -> list[float]:
    """What a walk goes on with at some places; 0 at those of other graphs and above it."""
    return [walk.onward[k] or 0.0 if 0 <= k < len(walk.onward) else 0.0 for k in places]

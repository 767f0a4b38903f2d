"""Claims as people write them, taken apart into lines: an output, an input, a number."""
from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from autograd_lite.errors import InputError, LabelError, short, type_name
from autograd_lite.graph.labels import Names, split
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value
from autograd_lite.lines import printable
from autograd_lite.ops.op import number

Shape = tuple[int, ...]
RTOL, NOISE = 1e-6, 1e-12       # of doubles: relative errors, and rounding relative to the terms of a sum
_ROUGHER = {"float32": (1e-4, 1e-5), "float16": (2e-2, 2e-3), "bfloat16": (1e-1, 1e-2)}


class Line(NamedTuple):
    """What is claimed of one output (or, of its number, without input) at one place.

    `rtol` and `noise` say how far it may lie off, relative to itself and to the terms that make it up;
    `group` tells which claim it is a part of. A source of None is a node that is not in the graph.
    """

    output: int
    source: int | None
    claimed: float
    rtol: float
    noise: float
    group: int


class Things(NamedTuple):
    """A node, or an array of nodes: its name, its shape, the places of its entries (None: not in the graph),
    and these."""

    name: str
    shape: Shape
    places: Sequence[int | None]
    nodes: Sequence[Any]

    def entry(self, index: Sequence[int]) -> str:
        """What an entry is called."""
        k = 0
        for i, n in zip(index, self.shape):
            k = k * n + i
        labelled = index and isinstance(self.nodes[k], Value) and self.nodes[k].label
        return thing_name(self.nodes[k]) if labelled else self.name + "".join([f"[{i}]" for i in index])


class Claim(NamedTuple):
    """A claim: as it was given (of a single name, with the root before it), and its numbers."""

    key: Any
    given: Any
    output: Things
    source: Things | None
    numbers: Sequence[float]
    rtol: float
    noise: float

    @property
    def shape(self) -> Shape:
        """That of its numbers."""
        return self.output.shape + (self.source.shape if self.source else ())

    def ends(self, index: Sequence[int]) -> tuple[str, ...]:
        """The names of the output and the input of an entry."""
        axes = len(self.output.shape)
        ends = ((self.output, index[:axes]), (self.source, index[axes:]))
        return tuple([things.entry(index) for things, index in ends if things is not None])

    def lines(self, group: int) -> Iterator[Line]:
        """Its parts, in C order."""
        sources = self.source.places if self.source else (None,)
        numbers = iter(self.numbers)
        for output in self.output.places:
            for source in sources:
                place = -1 if output is None else output
                yield Line(place, source, next(numbers), self.rtol, self.noise, group)


class Reader:
    """Reads claims about a graph.

    Args:
        program: the graph; roots: the nodes at its top.
        rtol: how far a number may lie off; None: what its precision allows.
    """

    def __init__(self, program: Program, roots: Sequence[Value], rtol: float | None):
        self.program, self.roots, self.rtol = program, roots, rtol
        self.names = Names([node for node in program.nodes if node.label])
        self._taken: dict[tuple[int, int | None], tuple[Claim, float]] = {}

    def derivatives(self, claims: Any) -> list[Claim]:
        """The claims about derivatives."""
        return [self._derivative(key, given) for key, given in _items(
            claims, "claims are a dict {(output, input):")]

    def values(self, claims: Any) -> list[Claim]:
        """The claims about numbers."""
        return [self._value(key, given) for key, given in _items(claims or (), "values are a dict {node:")]

    def _derivative(self, key: Any, given: Any) -> Claim:
        single = isinstance(key, (str, Value)) or not isinstance(key, tuple)
        if not single and len(key) != 2:
            raise InputError(f"audit: {short(key)} is not a claim; write (output, input)")
        pair = (self.roots[0], key) if single else key
        name = pair_name(pair)
        output, source = [self._things(thing, f"audit: in {name}", end)
                          for end, thing in zip(("output", "input"), pair)]
        return self._claim(pair, given, output, source)

    def _value(self, key: Any, given: Any) -> Claim:
        key = list(key) if isinstance(key, tuple) else key
        return self._claim(key, given, self._things(key, "audit: in values", "value"), None)

    def _claim(self, key: Any, given: Any, output: Things, source: Things | None) -> Claim:
        name = claim_name(key)
        shape, numbers, (rtol, noise) = _numbers(given, f"audit, {name}")
        if self.rtol is not None:
            rtol, noise = self.rtol, noise if self.rtol >= rtol else NOISE
        claim = Claim(key, given, output, source, numbers, rtol, noise)
        if shape != claim.shape:
            raise InputError(f"audit: {name} is claimed in the shape {shape}, but " + (
                f"{output.name} has the shape {output.shape}" if source is None else
                f"it has the shape {claim.shape}: {output.name} has {output.shape}, {source.name} "
                f"{source.shape}" if output.shape else f"{source.name} has the shape {source.shape}") + (
                "; the transpose would fit" if shape == claim.shape[::-1] and len(shape) > 1 else ""))
        for line in claim.lines(0):
            if line.output >= 0 and (line.source is not None or source is None):
                first, number = self._taken.setdefault((line.output, line.source), (claim, line.claimed))
                other = claim_name(first.key)
                if first is not claim and (other == name or number != line.claimed):
                    again = self._again(line, other) if other != name else ""
                    raise InputError(f"audit: {name} is claimed twice{again}")
        return claim

    def _again(self, line: Line, other: str) -> str:
        """How one node comes to be claimed by two names with two numbers."""
        node = thing_name(self.program.nodes[line.output if line.source is None else line.source])
        return (f", also as {other}, with another number: {node} is a part of both. "
                "To have a node of its own, write m = max(z) * 1.0")

    def _things(self, thing: Any, where: str, end: str) -> Things:
        """The nodes that an output or input of a claim, or a claimed value, stands for."""
        name = thing_name(thing)
        if isinstance(thing, str):
            try:
                shape, nodes = self.names.array(thing)
            except LabelError as error:
                unknown = thing.isidentifier() and thing not in self.names
                remedy = f"; or name it with label({thing}=…)" if unknown else ""
                raise LabelError(f"{where}, {error}{remedy}") from None
        else:
            shape, nodes = _nested(thing, where)
        places = [self.program.place(node) for node in nodes]
        if None in places and (end == "output" or not isinstance(thing, str) and {*places} == {None}):
            missing = short(nodes[places.index(None)] or thing)
            raise LabelError(f"{where}: {missing} is not in the graph under the root; to claim something of "
                             "it, add it to the roots: audit([root, node], …)")
        return Things(name, shape, places, nodes)


# -- names ----------------------------------------------------------------------------------------


def thing_name(thing: Any) -> str:
    """What a node or an array of nodes is called in a report: by its label, or its op and number."""
    if isinstance(thing, str):
        return printable(thing)
    if isinstance(thing, Value):
        number = f"{thing.data:.6g}"
        return printable(thing.label or (f"({thing.op} = {number})" if thing.op else f"({number})"))
    shape, entries = _flat(thing, "audit", set())
    parts = [split(getattr(entry, "label", "")) for entry in entries]
    base, first = parts[0] if parts else ("", ())
    head = first[:len(first) - len(shape)]
    if base and parts == [(base, head + index) for index in itertools.product(*map(range, shape))]:
        return printable(base) + "".join([f"[{i}]" for i in head])
    return f"[{thing_name(entries[0])}, …]" if entries and isinstance(entries[0], Value) else short(thing)


def pair_name(pair: Any) -> str:
    """A pair as people write it: ``∂output/∂input``."""
    return "∂{}/∂{}".format(*map(thing_name, pair))


def claim_name(claim: Any) -> str:
    """What a claim is called in a report: a pair, or one node or array (no tuple) whose number it is."""
    return pair_name(claim) if isinstance(claim, tuple) else thing_name(claim)


# -- numbers and nodes in arrays --------------------------------------------------------------------


def _items(claims: Any, what: str) -> Iterable[tuple[Any, Any]]:
    """Keys and numbers, of a dict or of a list of pairs."""
    if isinstance(claims, Mapping):
        return list(claims.items())
    if isinstance(claims, Iterable) and not isinstance(claims, str):
        items = list(claims)
        if all(isinstance(item, (list, tuple)) and len(item) == 2 and not isinstance(item[1], str)
               for item in items):
            return [(key, given) for key, given in items]
    raise InputError(f"audit: the {what} number}}, got {type_name(claims)} {short(claims)}" + (
        ": does the function return them?" if claims is None else "; or a list of pairs [(key, number)]"))


def _nested(things: Any, where: str) -> tuple[Shape, list[Any]]:
    """The shape and the entries of a node, or of an array of nodes (plain numbers among them too)."""
    if isinstance(things, Value):
        return (), [things]
    if isinstance(things, (list, tuple)) or getattr(things, "dtype", None) == object:
        shape, nodes = _flat(things, where, set())
        if any(isinstance(node, Value) for node in nodes):
            return shape, nodes
    raise InputError(f"{where}, {short(things)} is neither a label nor a Value, nor an array of Values")


def _numbers(given: Any, where: str) -> tuple[Shape, list[float], tuple[float, float]]:
    """The shape and the numbers of what is claimed, and how far they may lie off."""
    kinds = set[str]()
    shape, entries = _flat(given, where, kinds)
    rough = max([_ROUGHER[kind] for kind in kinds if kind in _ROUGHER], default=(RTOL, NOISE))
    return shape, [x.data if isinstance(x, Value) else number(x, where) for x in entries], rough


def _flat(tree: Any, where: str, kinds: set[str], depth: int = 0) -> tuple[Shape, list[Any]]:
    """The shape and the entries, in C order, of an array, nested list, or one thing; `kinds` gets dtypes."""
    if hasattr(tree, "dtype"):
        kinds.add(str(tree.dtype).rpartition(".")[2])
    if getattr(tree, "shape", ()) and hasattr(tree, "tolist"):
        shape, entries = tuple(tree.shape), tree.tolist()
        for _ in shape[1:]:
            entries = [x for row in entries for x in row]
        return shape, entries
    if getattr(tree, "shape", None) == () and hasattr(tree, "item"):
        return (), [tree.item()]
    if not isinstance(tree, (list, tuple)):
        return (), [tree]
    if depth > 60:
        raise InputError(f"{where}: a list is nested too deeply, or holds itself")
    rows = [_flat(row, where, kinds, depth + 1) for row in tree]
    shapes = {shape for shape, _ in rows}
    if len(shapes) > 1:
        raise InputError(f"{where}: the rows of a nested list have the shapes "
                         f"{' and '.join(map(str, sorted(shapes)))}")
    return (len(rows), *(shapes.pop() if shapes else ())), [x for _, entries in rows for x in entries]

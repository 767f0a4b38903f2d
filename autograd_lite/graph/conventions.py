"""Whether a derivative depends on the slopes that conventions chose at kinks (at abs(0.0), or a tie).

It is worked out again with other numbers for them. A first derivative keeps the convention; a second one
that depends on it does not exist, or is another than the rules give.
"""
from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary, ref

from autograd_lite.errors import DomainError, errstate, signal
from autograd_lite.graph import kinks
from autograd_lite.graph.linear import Edge, Linear
from autograd_lite.graph.node import Node, call_of, note_of, op_of, plain, stored_partials
from autograd_lite.graph.program import Program
from autograd_lite.ops.numbers import partials_or_nan
from autograd_lite.ops.op import Op
from autograd_lite.ops.operators import Operators

Places = Sequence[int | None]
MOVED = 1e-9                # a result moves if by more than this part of the terms it is made of


class Kink:
    """The mark on a slope, a node. At a kink it says where, and `live` has it while the graph lives."""

    __slots__ = ("where", "__weakref__")

    def __init__(self, where: str = ""):
        self.where = where
        if where:
            kinks.live.add(ref(self, kinks.live.discard))

    def __reduce__(self) -> tuple[Any, ...]:
        return Kink, (self.where,)


_ELSEWHERE = Kink()


def conventional(op: Op, xs: Sequence[Any]) -> bool:
    """Whether an op's number at these operands is a convention."""
    return bool(op.convention and len(xs) == op.least and op.kink(*xs) == 0.0)


def mark(node: Node, slopes: Iterable[Any]) -> None:
    """Mark a node's recorded slopes, and if it has any its own number, if conventions may choose them."""
    found = [x for x in slopes if x is not None]
    for slope in (node, *found) if found else ():
        op = op_of(slope) if isinstance(slope, Node) else None
        if op is not None and op.convention and len(slope.operands) == op.least:
            here = conventional(op, list(map(plain, slope.operands))) and not _with_itself(op, slope.operands)
            slope._note = note_of(slope)._replace(kink=Kink(call_of(node)) if here else _ELSEWHERE)


def _with_itself(op: Op, operands: Sequence[Any]) -> bool:
    """Whether the tie is of a thing with itself: each has half the slope, whichever it is."""
    assert op.convention
    return op.convention[2] is not None and bool(operands[0] is operands[1])


class Chooser:
    """Other numbers for the slopes at kinks, the same for the same slope; none for the one `kept`.

    A slope is known by its op and the keys of its operands: their places, or numbers as text.
    """

    def __init__(self, seed: int, kept: Sequence[Any] = ()):
        self._seed, self._kept = seed, _key(*kept) if kept else None
        self.places: dict[str, None] = {}       # the kinks met, as a message shows them

    def number(self, op: Op, xs: Sequence[Any], keys: Sequence[Hashable]) -> float | None:
        """Another number for an op at its kink; None elsewhere."""
        if not op.convention or not conventional(op, xs):
            return None
        low, high, total, name = op.convention
        if total is not None and keys[0] == keys[1]:            # a tie with itself: half of each
            return None
        self.places[f"{name}({', '.join(map(str, xs))})"] = None
        key = _key(op, *keys)
        if key == self._kept:
            return None
        number = low + (high - low) * random.Random(f"{self._seed} {key}").uniform(0.1, 0.9)
        return number if key[1] == keys[0] else (total or 0.0) - number         # (a tie the other way round)


def _text(x: Any) -> str:
    """The key of a plain number. (As a number it could be taken for a place.)"""
    return str(float(x) + 0.0)


def _key(op: Op, *keys: Hashable) -> tuple[Hashable, ...]:
    """The key of a slope, the same for a tie the other way round."""
    assert op.convention
    return op, *(keys if op.convention[2] is None else sorted(keys, key=repr))


class Slope(Operators):
    """A float in a rule, and its key for a `Chooser`."""

    __slots__ = ("data", "key", "chooser")

    def __init__(self, data: float, key: Hashable, chooser: Chooser):
        self.data, self.key, self.chooser = data, key, chooser

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Slope:
        chooser = next(x.chooser for x in operands if type(x) is Slope)
        keys = [x.key if type(x) is Slope else _text(x) for x in operands]
        xs = [x.data if type(x) is Slope else float(x) for x in operands]
        number = chooser.number(op, xs, keys)
        return Slope(op.evaluate(xs) if number is None else number, (op, *keys), chooser)

    def __compare__(self, holds: Callable[[Any, Any], Any], other: Any) -> Any:
        return holds(self.data, other.data if type(other) is Slope else other)


class _Replay:
    """The derivatives along a program's edges with other slopes at its kinks, and their sizes."""

    def __init__(self, program: Program, chooser: Chooser):
        self._data = [node.data for node in program.nodes]
        self._moved = set[int]()
        edges = errstate("ignore").run(lambda: [
            self._edges(program, k, chooser) for k in range(len(program))])
        self.linear = Linear(len(program), edges.__getitem__)
        self.sizes = Linear(len(program), lambda k: [(place, i, abs(p)) for place, i, p in edges[k]])

    def _edges(self, program: Program, k: int, chooser: Chooser) -> list[Edge]:
        node, places = program.nodes[k], program.operands[k]
        op: Any = op_of(node)
        if op is None:
            return []
        partials: Sequence[Any] = stored_partials(node)
        kink = note_of(node).kink
        moved = kink or not self._moved.isdisjoint(places)
        if moved:
            self._moved.add(k)
        if moved or op.kink:
            xs = [plain(x) if place is None else self._data[place] for x, place in zip(node.operands, places)]
            if moved:
                number = chooser.number(op, xs, _keys(program, k)) if kink else None
                self._data[k] = op.evaluate(xs) if number is None else number
            if moved or op.kink(*xs) == 0.0:
                wanted = op.differentiable(len(xs)) if op.chooses else [p is not None for p in partials]
                slopes = [x if place is None else Slope(x, place, chooser) for x, place in zip(xs, places)]
                partials = partials_or_nan(op, Slope(self._data[k], k, chooser), slopes, wanted)
        return [(place, i, getattr(p, "data", p)) for i, (place, p) in enumerate(zip(places, partials))
                if place is not None and p is not None]


def _keys(program: Program, k: int) -> list[Hashable]:
    return [_text(plain(x)) if place is None else place
            for x, place in zip(program.nodes[k].operands, program.operands[k])]


_replays: WeakKeyDictionary[Program, dict[int, _Replay]] = WeakKeyDictionary()


def verify_sweep(program: Program, sources: Places, seeds: Mapping[int, float], targets: Places,
                 found: Sequence[Any], forward: bool = False) -> None:
    """Signal a `DomainError` if what a sweep found at its targets depends on a convention.

    Only slopes that depend on the sources count.
    """
    slopes = [k for k, node in enumerate(program.nodes) if note_of(node).kink and note_of(node).kink.where]
    if slopes:
        depends = program.dependent(sources)
        slopes = [k for k in slopes if depends[k]]
    if not slopes:
        return

    def swept(linear: Linear, seeds: Mapping[int, float]) -> list[float]:
        reached = linear.push(seeds) if forward else linear.pull(seeds)
        return [0.0 if k is None else reached[k] or 0.0 for k in targets]

    def apart(a: Sequence[float], b: Sequence[float], replay: _Replay) -> bool:
        if a == b:
            return False
        sizes = swept(replay.sizes, {k: abs(g) for k, g in seeds.items()})
        return any([moved(x, y, MOVED * size) for x, y, size in zip(a, b, sizes)])

    if program not in _replays:
        _replays[program] = {seed: _Replay(program, Chooser(seed)) for seed in (1, 2)}
    given = [0.0 if g is None else plain(g) for g in found]
    for seed, replay in _replays[program].items():
        other = swept(replay.linear, seeds)
        if apart(given, other, replay):
            keys: list[Any] = [(op_of(program.nodes[k]), *_keys(program, k)) for k in slopes]
            guilty = [k for k, key in zip(slopes[:100], keys) if apart(
                other, swept(_Replay(program, Chooser(seed, key)).linear, seeds), replay)] or slopes
            at = program.nodes[guilty[0]]
            signal_moved([note_of(program.nodes[k]).kink.where for k in guilty], at.op, at.operands)
            return


def moved(a: float, b: float, tolerance: float) -> bool:
    """Whether two numbers differ by more; an infinity or a nan is the same as itself."""
    return not (a == b or a != a and b != b or abs(a - b) <= tolerance)


def signal_moved(places: Iterable[str], op: str = "", operands: Sequence[Any] = ()) -> None:
    """Signal that a derivative depends on the slopes at these places."""
    places = list(dict.fromkeys(places))
    text = ", ".join(places[:3]) + ", …" * (len(places) > 3)
    signal(DomainError(
        f"{text}: a derivative of order 2 or more depends on the slope chosen at this kink, and is not known "
        "there; write the function without the kink (x*x for abs(x)**2, a*a + b*b for hypot(a, b)**2), "
        "choose a side with where(…), or keep the point away", op, list(map(plain, operands)), operands))


def verify_backward(root: Any, seed: float, leaves: Sequence[Any], found: Sequence[Any]) -> None:
    """The same for a backward pass: what it found at leaves. Slopes that depend on any variable count."""
    program = Program([root])
    variables = [k for k, node in enumerate(program.nodes) if node.requires_grad]
    verify_sweep(program, variables, {len(program) - 1: seed}, list(map(program.place, leaves)), found)


kinks.mark, kinks.verify_sweep, kinks.verify_backward = mark, verify_sweep, verify_backward

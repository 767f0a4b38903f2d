"""`Indices`: arguments of a compiled function that only choose; `Index`, one of their numbers."""
from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from math import nan
from operator import is_
from typing import Any, NoReturn

from autograd_lite.errors import InputError, MemberError, shown
from autograd_lite.graph import value
from autograd_lite.graph.value import Value
from autograd_lite.lines import user_line
from autograd_lite.ops.lists import out_of_range
from autograd_lite.ops.op import Op
from autograd_lite.programs.arguments import Option, is_whole
from autograd_lite.programs.code import INDEX, ITEM, ROWS, Check
from autograd_lite.programs.integers import Whole
from autograd_lite.transforms.trace import name_of
from autograd_lite.transforms.trees import is_number, kind_of, leaves, rebuild, refill


LARGE = 1000                # so many entries has a table of which only those that are taken are looked at


class Indices(Option):
    """The arguments of f that only choose."""

    def __init__(self, f: Any, named: Any):
        super().__init__(f, "indices", named)

    def check(self, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        """Raise an error if one holds anything but whole numbers, and Values (which ask for f itself)."""
        places: list[tuple[Any, Any]] = [*enumerate(args), *kwargs.items()]
        for place, x in places:
            if self.holds(place, len(args)) and not (
                    type(x) is int or type(x) in (list, tuple) and set(map(type, x)) == {int}
                    or getattr(getattr(x, "dtype", None), "kind", "") in ("i", "u")):
                name = place if isinstance(place, str) else (
                    self.names[place] if place < len(self.names) else f"argument {place}")
                rebuild(x, functools.partial(self._whole, name), functools.partial(self._whole, name))

    def _whole(self, name: str, x: Any) -> None:
        if not (is_whole(x) or isinstance(x, Value)):
            raise InputError(f"{name_of(self.f)}: {name} is in `indices`, so it must hold whole numbers, not "
                             f"{shown(x)}; leave it out of `indices` if it is to compute with")


class Same:
    """The question whether a row is the one of which a program knows the Values.

    Of a large table of them nothing else is asked but whether it holds equal ones (see `Environment.loosen`).
    """

    source = ""

    def __init__(self, rows: Sequence[Any]):
        self.rows = rows
        self.kept: list[Any] = [row if type(row) is Value else list(row) for row in rows]

    def holds(self, x: float) -> bool:
        if not self.kept:                       # (in a pickle)
            return True
        if not -len(self.kept) <= x < len(self.kept):
            return False
        row, kept = self.rows[int(x)], self.kept[int(x)]
        return row is kept or type(row) is list and len(row) == len(kept) and all(map(is_, row, kept))

    def over(self, x: Any) -> Any:
        """The same of all in an array."""
        return all(map(self.holds, set(x.ravel().tolist())))

    def __reduce__(self) -> Any:
        return Same, ((),)


class Within:
    """The question whether an index is one into a list of n."""

    def __init__(self, n: int):
        self.n, self.source = n, f"x: {-n} <= x < {n}"

    def holds(self, x: float) -> bool:
        return -self.n <= x < self.n


_BINARY = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%",
           "divmod": "divmod()", "pow": "**", "matmul": "@", "lshift": "<<", "rshift": ">>", "and": "&",
           "xor": "^", "or": "|"}
_OTHERS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "neg": "-", "pos": "+",
           "invert": "~", "hash": "a set or as the key of a dict",
           "index": "rows[…] or range()", "array": "an array",
           **{name: f"{name}()" for name in ("bool", "abs", "int", "float", "complex", "round", "trunc",
                                             "floor", "ceil", "str", "format")}}


class Index:
    """A whole number that only chooses, while a compiled function is traced: `take` is all that it is for."""

    __slots__ = ("tape", "node", "name")
    __class__ = property(lambda self: int)      # (isinstance answers as eagerly)

    def __init__(self, tape: Any, x: Value, name: str):
        self.tape, self.name = tape, name
        self.node = tape.node(x)

    def __take__(self, rows: Any) -> Any:
        """What stands at this index of the rows."""
        tape, n = self.tape, len(rows)
        if tape is not value.tracing.get():
            raise InputError(f"an index ({self.name}) of a compiled function was kept, and is used after the "
                             "trace: it stood for any number")
        i = int(tape.code.value(tape.places[self.node]))
        if not -n <= i < n and not (n and tape.sides):
            raise out_of_range(i, n)
        index = tape.listed(INDEX, (self.node, tape.node(n)), i, idle=False)
        tape.code.checks.setdefault(tape.places[index], [Check(Within(n), (tape.places[self.node],))])
        found = []
        tables, same = _tables(tape, rows)
        checks = tape.code.checks[tape.places[index]]
        if same and (check := Check(same, (tape.places[self.node],))) not in checks:
            checks.append(check)
        for table, whole in tables:
            data = tape.code.value(tape.places[table])
            entry = tape.listed(ITEM, (table, index), data[i] if -n <= i < n else nan)
            x = tape.made(entry)
            found.append(Whole(tape, x) if whole else x)
        return found[0] if is_number(rows[0]) else refill(rows[0], found)

    def refuse(self, what: str, line: str = "") -> NoReturn:
        """The error for any other use."""
        name = self.name
        raise InputError(f"{name} is in `indices`, where one program holds for all values: it may only choose"
                         f", and cannot be used in {what}. Write take(rows, {name}), or leave it out of "
                         f"`indices` (each value then has a program of its own){line}")

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> NoReturn:
        """An op of floats."""
        next(x for x in operands if type(x) is Index).refuse(op.name, f"\n  {user_line()}")

    def __getattr__(self, name: str) -> Any:
        raise MemberError(f"{self.name} is in `indices` and may only choose, in take(rows, {self.name}): it "
                          f"has no {name}")

    def __repr__(self) -> str:
        return f"<index {self.name}>"


def _refused(what: str) -> Callable[..., Any]:
    def method(self: Index, *others: Any) -> Any:
        self.refuse(what, f"\n  {user_line()}")
    return method


for _name, _what in (*_BINARY.items(), *[(f"r{name}", what) for name, what in _BINARY.items()],
                     *_OTHERS.items()):
    setattr(Index, f"__{_name}__", _refused(_what))


def _tables(tape: Any, rows: Any) -> tuple[Sequence[tuple[int, bool]], Same | None]:
    """For each number of a row the list of all there, a node, and whether they are whole numbers; and, if
    they are of a large table that f reads, the question whether it holds the same Values."""
    listed = [row if type(row) in (list, tuple) else (row,) for row in rows]
    ids = [list(map(id, row)) for row in listed]
    _, known, tables, same = tape.tables.get(id(rows), (None, None, (), None))
    if known != ids:
        tables, same = [], None
        lists = [rows] if type(rows[0]) is Value else rows
        if sum([len(row) for row in listed]) >= LARGE and all([
                type(row) is list and id(row) in tape.seen and {Value}.issuperset(map(type, row))
                for row in lists]):
            same = Same(rows)
            tape.rows += lists
        for column in _columns(rows):
            nodes = tuple([tape.node(x, "take") for x in column])
            data = tuple([tape.code.value(tape.places[k]) for k in nodes])
            tables.append((tape.listed(ROWS, nodes, data), all([type(x) is int for x in column])))
        if _PLAIN.issuperset([type(x) for row in listed for x in row]):     # (what is in others may change)
            tape.tables[id(rows)] = (rows, list(map(list, listed))), ids, tables, same
    return tables, same


_PLAIN = {Value, float, int}


def _columns(rows: Any) -> Sequence[Sequence[Any]]:
    """The numbers of rows of one shape, those at one place of a row together."""
    if is_number(rows[0]):
        for i, row in enumerate(rows):
            if not is_number(row):
                raise _other_shape(i, row, rows[0])
        return [rows]
    first = rows[0]
    if not all([type(row) in (list, tuple) and len(row) == len(first) and _PLAIN.issuperset(map(type, row))
                for row in rows]):
        form = _form(first)
        for i, row in enumerate(rows):
            if _form(row) != form:
                raise _other_shape(i, row, first)
        rows = [leaves(row) for row in rows]
    return list(zip(*rows))


def _form(x: Any) -> Any:
    if is_number(x):
        return None
    kind = kind_of(x)
    if kind is None:
        raise InputError("take: in a compiled function rows hold numbers, or structures of them, not "
                         f"{shown(x)}")
    return kind.form, tuple(kind.keys(x)), tuple(map(_form, kind.parts(x)))


def _other_shape(i: int, row: Any, first: Any) -> InputError:
    return InputError(f"take: row {i}, {shown(row)}, has not the shape of row 0, {shown(first)}: in a "
                      "compiled function all rows have one; leave the index out of `indices` otherwise")

"""Labels: giving many at once, and finding what has one."""
from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from autograd_lite.errors import InputError, LabelError, short, shown, type_name
from autograd_lite.graph.changes import change, notes_now, setting_notes
from autograd_lite.graph.node import Label, labelled, note_of
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value

Shape = tuple[int, ...]
_ENTRY, _NUMBER = re.compile(r"(?:\[\s*-?\d+(?:\s*,\s*-?\d+)*\s*\])+\Z"), re.compile(r"-?\d+")


# -- giving -------------------------------------------------------------------------------------


def label(names: Mapping[str, Any] | None = None, /, **more: Any) -> None:
    """Name many nodes at once; the entries of a list become ``w[0]``, ``w[1]``, …

    What is named may be a node, a list, nested list, dict or object array of nodes, or a module:
    `label(net=model)` puts ``net.`` before the names of its parameters. A node may have several labels: it
    shows the first that people gave it, and is found by each. Assign `node.label` to replace them.

    >>> from autograd_lite import Value
    >>> w = [Value(1.0), Value(2.0)]; y = w[0] * w[1]
    >>> label(w=w, y=y)
    >>> w[1].label, y.label
    ('w[1]', 'y')
    """
    if not isinstance(names, Mapping | None):
        raise InputError(f"label: expected a mapping of names to nodes, got {type_name(names)}; "
                         "write label(x=node) or label({'x': node})")
    try:
        found = [list(_named(name, thing)) for name, thing in {**(names or {}), **more}.items()]
    except RecursionError:
        raise InputError("label: a list is nested too deeply, or holds itself") from None
    give(found)


def give(groups: Iterable[Iterable[tuple[str, Value]]], own: bool = False) -> None:
    """Label nodes: all, or none if interrupted. An `own` label, which a module gives to its parameters, takes
    the place of the one before, and shows only if there is no other."""
    parts = [[(name, node, *split(name)) for name, node in named] for named in groups]
    nodes = {id(node): node for group in parts for _, node, *_ in group}

    def worked_out() -> Iterator[Iterable[Any]]:
        notes = {k: note_of(node) for k, node in nodes.items()}
        for group in parts:
            indices: dict[str, list[Shape]] = {}
            for _, _, base, index in group:
                indices.setdefault(base, []).append(index)
            shapes = {base: _extent(found) for base, found in indices.items()}
            for name, node, base, _ in group:
                new, old = Label(name, shapes[base], own), notes[id(node)].labels
                given = {x.name: x for x in old if not x.own} | ({} if own else {name: new})
                notes[id(node)] = labelled(notes[id(node)], (
                    *given.values(), *([new] if own else [x for x in old if x.own])))
        yield setting_notes(nodes.values(), notes.values())

    change("label", lambda: notes_now(nodes.values()), lambda: list(worked_out()))


def _named(name: str, thing: Any) -> Iterator[tuple[str, Value]]:
    """The nodes in a thing, and their names."""
    if not isinstance(name, str):
        raise InputError(f"label: a label is a str, not {type_name(name)}")
    if isinstance(thing, Value):
        yield name, thing
    elif isinstance(thing, Mapping):
        for key, entry in thing.items():
            yield from _named(f"{name}[{short(key, 1000)}]", entry)
    elif callable(parameters := getattr(thing, "named_parameters", None)):
        yield from ((f"{name}.{rest}", p) for rest, p in parameters().items())
    elif isinstance(thing, Iterable) and not isinstance(thing, (str, bytes)):
        if getattr(thing, "shape", None) == ():             # (an array without dimensions)
            yield from _named(name, thing.item())  # type: ignore[attr-defined]
        else:
            for i, entry in enumerate(thing):
                yield from _named(f"{name}[{i}]", entry)
    else:
        raise InputError(f"label: {name!r} is a {type_name(thing)}, not a Value or a list of "
                         "them; a plain number has no node to name")


def split(name: str) -> tuple[str, Shape]:
    """The name of an array, and the index of the entry, from a label as people write it.

    >>> split("W[0, 1]"), split("W[0][1]"), split("W")
    (('W', (0, 1)), ('W', (0, 1)), ('W', ()))
    """
    found = _ENTRY.search(name) if name.endswith("]") else None
    if not found or not found.start():
        return name, ()
    return name[:found.start()], tuple(map(int, _NUMBER.findall(found[0])))


def _extent(indices: list[Shape]) -> Shape | None:
    """The shape of the array whose entries these are, if it has no others."""
    try:
        shape = tuple([max(axis) + 1 for axis in zip(*indices, strict=True)])
    except ValueError:                          # some have more dimensions
        return None
    return shape if math.prod(shape) == len(indices) else None


# -- finding ------------------------------------------------------------------------------------


class Names:
    """The labels of nodes, read as people write them: ``W[0, 1]`` and ``W[-2][1]`` may be ``W[0][1]``.

    >>> w = [Value(1.0), Value(2.0)]; label(w=w)
    >>> names = Names(w)
    >>> names.find("w[-1]") is w[1], names.array("w")[0]
    (True, (2,))
    """

    def __init__(self, nodes: Iterable[Value]):
        self._nodes: dict[str, dict[int, Value]] = {}                   # (by id: to have each once)
        self._entries: dict[str, dict[Shape, dict[int, Value]]] = {}
        self._shapes: dict[str, Shape] = {}
        self._shown: dict[str, None] = {}                   # what people see
        for node in nodes:
            for i, (name, shape, own) in enumerate(note_of(node).labels):
                self._nodes.setdefault(name, {})[id(node)] = node
                base, index = split(name)
                if not (i and own):
                    self._shown[base] = None
                if index:
                    self._entries.setdefault(base, {}).setdefault(index, {})[id(node)] = node
                    if shape:
                        self._shapes[base] = shape

    def __contains__(self, name: str) -> bool:
        return name in self._nodes or name in self._entries

    def find(self, name: str) -> Value:
        """The one node that has this label.

        Raises:
            LabelError: no node has it (the message names the nearest ones), or several have.
        """
        shape, nodes = self.array(name)
        if shape:
            raise LabelError(f"{name!r} is an array of shape {shape}; give one of its entries")
        if nodes[0] is None:
            raise LabelError(f"{name!r} is not in the graph: nothing depends on it")
        return nodes[0]

    def array(self, name: str) -> tuple[Shape, list[Value | None]]:
        """The shape and the entries, in C order, of the array (or part of one) that has this label; a node
        has the shape (). An entry that is not among the nodes is None.

        Raises:
            LabelError: as for `find`.
        """
        if name in self._nodes:
            return (), [self._only(name, self._nodes[name])]
        base, index = split(str(name))
        if base not in self._entries:
            raise LabelError(f"no node is labelled {name!r} in the graph: {self._hint(name)}")
        entries = self._entries[base]
        shape = self._shapes.get(base) or tuple([max(axis) + 1 for axis in zip(*entries)])
        index = tuple([i + n if i < 0 else i for i, n in zip(index, shape)]) + index[len(shape):]
        if len(index) > len(shape) or any(not 0 <= i < n for i, n in zip(index, shape)):
            raise LabelError(f"{name!r} lies outside {base!r}, an array of shape {shape}")
        rest = shape[len(index):]
        return rest, [self._only(f"{base}{list(at)}", entries[at]) if at in entries else None
                      for at in itertools.product(*[(i,) for i in index], *map(range, rest))]

    def groups(self) -> list[str]:
        """The names that are shown, of arrays and of nodes that are no entries, each of one thing alone."""
        return [name for name in self._shown if all([len(nodes) == 1 for nodes in (
            self._entries[name].values() if name in self._entries else [self._nodes[name]])])]

    def arrays(self) -> Iterator[tuple[str, list[Value]]]:
        """Each of these, with its nodes; an array's entries in order."""
        for name in self.groups():
            entries = [entry for _, entry in sorted(self._entries.get(name, {}).items())]
            yield name, [self._only(name, nodes) for nodes in entries or [self._nodes[name]]]

    def _only(self, name: str, nodes: Mapping[int, Value]) -> Value:
        if len(nodes) > 1:                      # (a detached copy has its node's label)
            nodes = {k: node for k, node in nodes.items() if node.requires_grad} or nodes
        if len(nodes) > 1:
            raise LabelError(f"the label {name!r} names {len(nodes)} nodes; give the node itself, or "
                             "give each a label of its own")
        return next(iter(nodes.values()))

    def _hint(self, name: str) -> str:
        import difflib                          # (which few programs need)
        known = [*self._entries, *self._nodes]
        near = difflib.get_close_matches(str(name), known, 3) or [
            x for x in known if x.lower() == str(name).lower()]
        if near:
            return f"did you mean {' or '.join(map(repr, near))}?"
        if known:
            known = sorted({split(x)[0] for x in known})
            return f"the labels are {', '.join(map(repr, known[:8]))}{', …' * (len(known) > 8)}"
        return "no node has one; see label(...)"


def find(nodes: Iterable[Value], name: str) -> Value:
    """The one node labelled `name` among these; see `Names.find`."""
    return Names(nodes).find(name)


def place_in(program: Program, where: str, node: Any, remedy: str = "") -> int:
    """Where a node stands in a program.

    Raises:
        LabelError: it is not there; the message names `where`.
    """
    place = program.place(node)
    if place is None:
        raise LabelError(f"{where}: {shown(node)} is not in the graph{remedy}")
    return place

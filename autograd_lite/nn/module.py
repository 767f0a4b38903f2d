"""`Module`: something with parameters that have names and can be saved."""
from __future__ import annotations

import json
import math
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from itertools import accumulate, groupby, islice
from types import FunctionType, GeneratorType, ModuleType, NoneType
from typing import Any

from autograd_lite.errors import AutogradError, FormatError, InputError, short, type_name
from autograd_lite.files import AnyPath, path_text, read, write
from autograd_lite.graph.changes import make, setting_data, zero_grad
from autograd_lite.graph.labels import give
from autograd_lite.graph.value import Value
from autograd_lite.lines import printable
from autograd_lite.ops.op import Op, number

FORMAT = "autograd_lite parameters, version 1"


class Module:
    """Something with parameters; derive your own models from it.

    The parameters are the leaves among its attributes, those in slots and of its class too, and in
    the modules, dataclasses, lists, tuples, deques, mappings and object arrays there. Attributes
    whose names begin with an underscore are skipped, as is what properties and functions hold.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    >>> Line().state_dict()
    {'slope': 2.0, 'offset': 1.0}
    """

    def named_parameters(self) -> dict[str, Value]:
        """The parameters by name, in order; one that is found twice keeps its first name.

        Raises:
            InputError: there are others where none are looked for: in a set, which has no order, or
                an object of another class; or there is a generator, which can be read only once.
        """
        named: dict[str, Value] = {}
        others: list[tuple[str, object]] = []
        for name, thing in _reached(self, _parts):
            if type(thing) is not Value:
                if not isinstance(thing, _CONTAINERS) and not is_dataclass(thing):
                    others.append((name, thing))
            elif not thing.op:
                while name in named:            # (keys of a dict may look the same)
                    name += "'"
                named[name] = thing
        found = set(map(id, named.values())) if others else {}
        for where, thing in others:
            if isinstance(thing, _READ_ONCE):
                raise InputError(f"{printable(where)}: parameters in a {type_name(thing)}, which can be "
                                 f"read only once, are not found; {_REMEDY}, or make it a list")
            for name, p in _reached(thing, _samples):
                if isinstance(p, Value) and p.requires_grad and not p.op and id(p) not in found:
                    raise InputError(f"{printable(where)}: parameters in a {type_name(thing)}, such as "
                                     f"{printable(name or repr(p))}, are not found; {_REMEDY}, or make it a "
                                     "list, a dataclass or a Module")
        return named

    def label_parameters(self) -> None:
        """Give the parameters the labels by which `named_parameters` calls them.

        They show only if nobody gives others; the networks here call it when they are made.
        """
        give([self.named_parameters().items()], own=True)

    def parameters(self) -> list[Value]:
        """The parameters, each once, in order."""
        return list(self.named_parameters().values())

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        zero_grad(self.parameters())

    def state_dict(self) -> dict[str, float]:
        """The parameters' numbers by name."""
        return {name: p.data for name, p in self.named_parameters().items()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Set every parameter to its number in `state`.

        Raises:
            FormatError: a name is missing or unknown, or an entry is not a finite number; no
                parameter has changed then.
        """
        named = self.named_parameters()
        if not isinstance(state, Mapping):
            raise FormatError(f"a state is a mapping of names to numbers, not {type_name(state)}")
        for names, have, what in ((named, state, "missing from the state"),
                                  (state, named, "not in this model")):
            absent = [name for name in names if name not in have]
            if absent:
                verb = f"(and {len(absent) - 1} more) are" if absent[1:] else "is"
                raise FormatError(f"{short(absent[0])} {verb} {what}; was it saved from a model of "
                                  "another shape?")
        make(setting_data(named.values(), [_finite(name, state[name]) for name in named]))

    def save(self, path: AnyPath) -> None:
        """Write the parameters to a JSON file, exactly.

        A file of that name is replaced whole and keeps its mode: who loads it meanwhile gets the old or the
        new one, however many save. A symbolic link stays; what it points to is replaced.

        Raises:
            FormatError: a parameter is not finite, which JSON cannot express; nothing is written.
            OSError: the file cannot be written; what was there is as it was.
        """
        name = path_text(path, "save")
        state = {name: _finite(name, x) for name, x in self.state_dict().items()}
        write(name, (json.dumps({"format": FORMAT, "parameters": state}, indent=1) + "\n").encode())

    def load(self, path: AnyPath) -> None:
        """Read the parameters from a file that `save` wrote.

        Raises:
            FormatError: it is another kind of file, or from another model; no parameter has changed.
            OSError: it cannot be read.
        """
        name = path_text(path, "load")
        try:
            content = _strict_json(read(name))
            if not isinstance(content, dict) or content.get("format") != FORMAT:
                raise FormatError(f"it is not a file of parameters (its 'format' is not {FORMAT!r})")
            if content.keys() != {"format", "parameters"}:
                raise FormatError("it must have 'format' and 'parameters', and nothing else")
            self.load_state_dict(content["parameters"])
        except FormatError as error:
            raise FormatError(f"{printable(name)}: {error}") from None

    def __repr__(self) -> str:
        size = _tree(self)[0].size
        return f"<{type_name(self)}: {size:,} parameter{'s' * (size != 1)}>"

    def __str__(self) -> str:
        """Its modules and how many parameters each has; neighbours that are alike share a line."""
        if not type(self).__repr__.__module__.startswith(__name__.partition(".")[0]):
            return repr(self)                   # (a user's)
        root = _tree(self)[0]
        lines, depth = root.text(0), 0
        while lines != (more := root.text(depth := depth + 1)) and len(more) < _LINES:
            lines = more
        cut = [line if len(line) <= _WIDTH else line[:_WIDTH - 1] + "…" for line in map(printable, lines)]
        return "\n".join([f"{root.kind}: {root.facts}", *cut])

    def _repr_html_(self) -> str:
        from autograd_lite.markup import block, branch, named
        root, *rest = _tree(self)
        for part in (*reversed(rest), root):
            part.shown_as_html()
        return block(branch(named(root.kind, root.facts), root.html, True))


# -- where parameters are looked for ---------------------------------------------------------

Parts = Iterator[tuple[str, object]]            # of an object, and how each is reached
_CONTAINERS = Module, Mapping, list, tuple, deque
_READ_ONCE = GeneratorType, map, filter, zip
_PLAIN = {float, int, str, bool, NoneType, ModuleType, FunctionType, Op}
_BUILT_IN = {list, tuple, dict, deque, set, frozenset}
_ADDRESS = re.compile(" at 0x[0-9A-Fa-f]+")
_REMEDY = "begin the attribute's name with an underscore if that is right"


def _reached(root: object, parts: Callable[[object], Parts]) -> list[tuple[str, object]]:
    """An object, its parts and theirs, each once, in order, by name."""
    seen: dict[int, object] = {}                # kept alive, so that no id is reused
    found: list[tuple[str, object]] = []
    stack: list[tuple[str, Parts]] = [("", iter([("", root)]))]
    while stack:
        name, rest = stack[-1]
        for key, thing in rest:
            kind = type(thing)
            if kind not in _PLAIN and id(thing) not in seen:
                seen[id(thing)] = thing
                found.append(((name + key).removeprefix("."), thing))
                if kind is not Value:
                    stack.append((name + key, parts(thing)))
                    break
        else:
            stack.pop()
    return found


def _parts(thing: object) -> Parts:
    """The parts that may hold parameters."""
    yield from _entries(thing)
    if isinstance(thing, _CONTAINERS) or is_dataclass(thing):
        yield from _attributes(thing)


def _samples(thing: object) -> Parts:
    """The parts of an object of any class; of the entries of a long list, say, the first ones."""
    entries = (("", part) for part in thing) if isinstance(thing, (set, frozenset)) else _entries(thing)
    yield from islice(entries, 16)
    yield from _attributes(thing)


def _entries(thing: object) -> Parts:
    if isinstance(thing, Mapping):
        yield from ((f"[{_text(key)}]", part) for key, part in thing.items())
    elif isinstance(thing, (list, tuple, deque)):
        yield from ((f"[{i}]", part) for i, part in enumerate(thing))
    elif getattr(thing, "dtype", None) == object:
        yield "", thing.tolist()  # type: ignore[attr-defined]


def _text(key: object) -> str:
    """A key without what changes from run to run."""
    return type(key).__name__ if type(key) is Value else _ADDRESS.sub("", short(key, 1000))


def _attributes(thing: object) -> Parts:
    """What an object holds in slots, in its dict and in its classes."""
    if type(thing) in _BUILT_IN or isinstance(thing, type):
        return
    kinds = [kind for kind in type(thing).__mro__[:-1] if kind is not Module]
    held: dict[Any, object] = {}
    for kind in reversed(kinds):
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(thing, name):
                held[name] = getattr(thing, name)
    held |= getattr(thing, "__dict__", {})
    for kind in kinds:
        held |= {**vars(kind), **held}
    for name, part in held.items():
        if str(name)[:1] != "_" and not hasattr(type(part), "__get__"):         # (no method or property)
            yield f".{name if str(name).isidentifier() else repr(name)}", part


# -- the tree of a model's parts -----------------------------------------------------------------

_OPEN = 24                                      # lines of a part that a notebook shows unfolded
_LINES, _WIDTH = 60, 79                         # lines of a tree as text, and their length


class _Part:
    """A module in a tree: its name in the module around it, the modules in it, its own parameters by name."""

    size: int                                   # parameters, with those of its parts
    lines: int                                  # with those of its parts
    facts: str                                  # what is said of it
    all_own: str                                # its own parameters
    groups: list[list[_Part]]                   # parts that are neighbours and alike share a line
    look: int                                   # the same for all that look the same, but for their names
    html: list[str]

    def __init__(self, name: str, module: Module):
        self.name, self.module, self.kind = name, module, type_name(module)
        self.parts, self.own = list[_Part](), Counter[str]()

    def finish(self, looks: dict[Any, int]) -> None:
        """Gather what is to be shown, all parts being finished; `looks` are those met so far."""
        self.size = self.own.total() + sum(part.size for part in self.parts)
        own = ", ".join([name + f" {n:,}" * (n > 1) for name, n in islice(self.own.items(), _OPEN)])
        self.all_own = own + ", …" * (len(self.own) > _OPEN)
        self.facts = self.all_own or "no parameters"
        if self.parts:
            self.facts = f"{self.size:,} parameter{'s' * (self.size != 1)}"
        if not self.parts and type(self.module).__repr__ is not Module.__repr__:
            self.kind = short(self.module)      # (which tells its activation, say)
        self.groups = [list(alike) for _, alike in groupby(self.parts, lambda part: part.look)]
        self.lines = 1 + sum(group[0].lines for group in self.groups)
        look = self.kind, self.facts, self.all_own, *[(len(x), x[0].name, x[0].look) for x in self.groups]
        self.look = looks.setdefault(look, len(looks))

    def said(self, alike: list[_Part]) -> tuple[str, str]:
        """The name and the facts of all that are alike."""
        if not alike[1:]:
            return self.name, f"{self.kind}: {self.facts}"
        return f"{self.name} … {alike[-1].name}", f"{len(alike):,} × {self.kind}: {self.facts} each"

    def shown_as_html(self) -> None:
        """Write out what it holds, all parts having done so."""
        from autograd_lite.markup import branch, leaf, named
        self.html = [leaf(named(self.all_own, ""))] * bool(self.all_own and self.groups)
        self.html += [branch(named(*group[0].said(group)), group[0].html, group[0].lines <= _OPEN)
                      for group in self.groups]

    def text(self, depth: int) -> list[str]:
        """What it holds, in lines of text, down to a depth."""
        lines = [self.all_own] * bool(self.all_own and self.groups)
        for group in self.groups[:_OPEN] if depth else []:
            lines += [": ".join(group[0].said(group)), *group[0].text(depth - 1)]
        if self.groups[_OPEN:] and depth:
            lines.append(f"… and {len(self.groups) - _OPEN:,} more")
        return ["  " + line for line in lines]


def _tree(model: Module) -> list[_Part]:
    """A model's modules, itself first, and how many parameters each has."""
    root = _Part("", model)
    parts, around = [root], [("", root)]
    for name, thing in _reached(model, _parts)[1:]:
        if isinstance(thing, Module) or type(thing) is Value and not thing.op:
            while around[-1][0] and not name.startswith((f"{around[-1][0]}.", f"{around[-1][0]}[")):
                around.pop()
            outer, part = around[-1]
            inner = name.removeprefix(outer).removeprefix(".")
            if isinstance(thing, Module):
                parts.append(_Part(inner, thing))
                part.parts.append(parts[-1])
                around.append((name, parts[-1]))
            else:
                part.own[inner.partition("[")[0] or inner] += 1
    looks: dict[Any, int] = {}
    for part in reversed(parts):
        part.finish(looks)
    return parts


def _finite(name: str, x: Any) -> float:
    try:
        data = math.nan if isinstance(x, bool) else number(x)
    except AutogradError:
        data = math.nan
    if not math.isfinite(data):
        raise FormatError(f"{printable(name)}: expected a finite number, got {type_name(x)} {short(x)}")
    return data


_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


def _strict_json(content: bytes) -> Any:
    """Strict JSON: no NaN, and no key twice. Every number becomes a float."""
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        for key, entry in pairs:
            if key in entries:
                raise FormatError(f"{short(key)} occurs twice")
            entries[key] = entry
        return entries

    try:
        text = content.decode("utf-8-sig")      # (editors on Windows may put a mark before it)
        bare = _STRING.sub('""', text)
        # (Python's own reader recurses: it ends the process where the recursion limit was raised.)
        if max(accumulate(1 if c in "[{" else -1 for c in re.findall(r"[][{}]", bare)), default=0) > 9:
            raise FormatError("it is nested too deeply")
        if constant := re.search("NaN|-?Infinity", bare):
            line = bare.count("\n", 0, constant.start()) + 1
            raise FormatError(f"line {line}: {constant[0]} is not a JSON number")
        return json.loads(text, object_pairs_hook=unique, parse_int=float)
    except FormatError:
        raise
    except ValueError as error:
        raise FormatError(f"it is not JSON, or only a part of it: {error}") from None

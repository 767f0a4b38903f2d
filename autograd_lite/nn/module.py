"""`Module`: something with parameters that have names and can be saved."""
from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autograd_lite.errors import AutogradError, FormatError, short
from autograd_lite.graph.labels import give
from autograd_lite.graph.value import Value
from autograd_lite.ops.op import number

FORMAT = "autograd_lite parameters, version 1"


class Module:
    """Something with parameters; derive your own models from it.

    The parameters are the leaves among its attributes, including those in lists, tuples, dicts,
    modules and object arrays. Attributes whose names begin with an underscore are skipped.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    >>> Line().state_dict()
    {'slope': 2.0, 'offset': 1.0}
    """

    def named_parameters(self) -> dict[str, Value]:
        """The parameters by name, in order; one that is found twice keeps its first name."""
        named: dict[str, Value] = {}
        seen: dict[int, object] = {}            # kept alive, so that no id is reused
        stack: list[tuple[str, object]] = [("", self)]
        while stack:
            name, thing = stack.pop()
            if id(thing) in seen:
                continue
            seen[id(thing)] = thing
            if not isinstance(thing, Value):
                stack += [(name + key, part) for key, part in reversed([*_parts(thing)])]
            elif not thing.op:
                named[name.removeprefix(".")] = thing
        return named

    def label_parameters(self) -> None:
        """Give the parameters the labels by which `named_parameters` calls them.

        They show only if nobody gives others; the networks here call it when they are made.
        """
        give(self.named_parameters().items(), own=True)

    def parameters(self) -> list[Value]:
        """The parameters, each once, in order."""
        return list(self.named_parameters().values())

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for p in self.parameters():
            p.grad = 0.0

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
            raise FormatError(f"a state is a mapping of names to numbers, not {type(state).__name__}")
        for names, have, what in ((named, state, "missing from the state"),
                                  (state, named, "not in this model")):
            absent = [name for name in names if name not in have]
            if absent:
                verb = f"(and {len(absent) - 1} more) are" if absent[1:] else "is"
                raise FormatError(f"{short(absent[0])} {verb} {what}; was it saved from a model of "
                                  "another shape?")
        data = {name: _finite(name, state[name]) for name in named}
        for name, p in named.items():
            p.data = data[name]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters to a JSON file, exactly; a file of that name is replaced whole.

        Raises:
            FormatError: a parameter is not finite, which JSON cannot express; nothing is written.
            OSError: the file cannot be written.
        """
        state = {name: _finite(name, x) for name, x in self.state_dict().items()}
        part = Path(f"{os.fspath(path)}.part")
        try:
            part.write_text(json.dumps({"format": FORMAT, "parameters": state}, indent=1) + "\n", "utf-8")
            part.replace(path)
        except OSError as error:                # name the file that was asked for
            raise OSError(error.errno, error.strerror, os.fspath(path)) from None

    def load(self, path: str | os.PathLike[str]) -> None:
        """Read the parameters from a file that `save` wrote.

        Raises:
            FormatError: it is another kind of file, or from another model; no parameter has changed.
        """
        try:
            content = _strict_json(Path(path).read_bytes())
            if not isinstance(content, dict) or content.get("format") != FORMAT:
                raise FormatError(f"it is not a file of parameters (its 'format' is not {FORMAT!r})")
            if content.keys() != {"format", "parameters"}:
                raise FormatError("it must have 'format' and 'parameters', and nothing else")
            self.load_state_dict(content["parameters"])
        except FormatError as error:
            raise FormatError(f"{os.fspath(path)}: {error}") from None


def _parts(thing: object) -> Iterator[tuple[str, object]]:
    """The parts of an object that may hold parameters, and how each is reached."""
    if isinstance(thing, Module):
        yield from ((f".{name}", part) for name, part in vars(thing).items() if name[0] != "_")
    elif isinstance(thing, Mapping):
        yield from ((f"[{key!r}]", part) for key, part in thing.items())
    elif isinstance(thing, (list, tuple)):
        yield from ((f"[{i}]", part) for i, part in enumerate(thing))
    elif getattr(thing, "dtype", None) == object:
        yield "", thing.tolist()  # type: ignore[attr-defined]


def _finite(name: str, x: Any) -> float:
    try:
        data = math.nan if isinstance(x, bool) else number(x)
    except AutogradError:
        data = math.nan
    if not math.isfinite(data):
        raise FormatError(f"{name}: expected a finite number, got {type(x).__name__} {short(x)}")
    return data


def _strict_json(text: bytes) -> Any:
    """Strict JSON: no NaN, and no key twice. Every number becomes a float."""
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        for key, entry in pairs:
            if key in entries:
                raise FormatError(f"{short(key)} occurs twice")
            entries[key] = entry
        return entries

    def refuse(token: str) -> Any:
        raise FormatError(f"{token} is not a JSON number")

    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse,
                          parse_int=float)
    except FormatError:
        raise
    except RecursionError:
        raise FormatError("it is nested too deeply") from None
    except ValueError as error:
        raise FormatError(f"it is not JSON, or only a part of it: {error}") from None

"""`Portable`: how a compiled function is pickled and copied."""
from __future__ import annotations

import copy
from typing import Any

from autograd_lite.programs.arguments import Option, objects_in
from autograd_lite.programs.paths import Paths, carried
from autograd_lite.programs.pickling import Absent, ByName, Shelf, packed, why_not
from autograd_lite.transforms.trace import name_of


class Portable(Paths):
    """Programs that pickle, with their function where that pickles; and copies, which have the programs."""

    def shelved(self, with_f: bool) -> list[Shelf]:
        """The programs that hold now, to go with f or without it."""
        held = [(root, key) for key, roots in list(self._roots.items()) for root in list(roots)
                if root.holds()]
        held.sort(key=lambda pair: pair[0].last is not self.latest)     # (the one used last comes first)
        found = [packed(key, root.environment, root.programs(), with_f) for root, key in held]
        return [shelf for shelf in (*found, *self.shelves) if shelf and (shelf.print is not None) is with_f]

    def settle(self) -> None:
        """Take the program that was used last before all this was pickled or copied, if it fits."""
        for shelf in list(self.shelves):
            root = carried(self, shelf.key)
            if hasattr(root, "last"):
                self._roots.setdefault(shelf.key, []).append(root)
                self.latest = root.last
                break

    def emptied(self, f: Any, shelves: list[Shelf]) -> dict[str, Any]:
        """All that this holds, with another f, and these programs alone."""
        options = {name: x.of(f) for name, x in vars(self).items() if isinstance(x, Option)}
        return {**vars(self), **options, "f": f, "__wrapped__": f, "tracing": 0.0, "programs": [],
                "latest": None, "shelves": shelves, "_roots": {}, "recent": {}, "met": {}}

    @property
    def kind(self) -> type:
        """The class of a pickled one, or of a copy."""
        return type(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        f: Any = ByName.of(self) or self.f
        if f is self.f and not isinstance(f, Absent) and (why := why_not(f)):
            f = Absent(name_of(f), why)
        shelves = [shelf for shelf in self.shelved(not isinstance(f, Absent))
                   if not any(True for _ in objects_in(shelf.key)) or not why_not(shelf.key)]
        state = {name: x for name, x in self.emptied(f, shelves).items()
                 if name not in ("__annotations__", "__type_params__")}
        return object.__new__, (self.kind,), state

    def __copy__(self) -> Any:
        new: Any = object.__new__(self.kind)
        vars(new).update(self.emptied(self.f, self.shelved(not isinstance(self.f, Absent))))
        return new

    def __deepcopy__(self, memo: Any) -> Any:
        new: Any = object.__new__(self.kind)
        memo[id(self)] = new
        f = copy.deepcopy(self.f, memo)
        shelves = self.shelved(True)
        if isinstance(f, Absent):
            shelves = copy.deepcopy(self.shelved(False), memo)
        vars(new).update(self.emptied(f, shelves))
        return new

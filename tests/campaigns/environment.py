"""Random structures that a function reads, changed at random: does its environment hold where it should?

    python tests/campaigns/environment.py --seconds 300 --seed 1

A structure of lists, tuples, dicts, deques, sets of slots and attributes (of a thread, too), arrays,
closures and objects that change their class is changed step by step, some steps back to what it was. Each
snapshot taken on the way must hold exactly when an independent picture of the structure is the same as
then, and must say what has changed when it does not.
"""
from __future__ import annotations

import argparse
import random
import threading
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite import Value
from autograd_lite.programs.environment import Environment

VALUES = Value(1.0), Value(1.0)
LEAVES: list[Callable[[], Any]] = [
    lambda: float("0.1"), lambda: 0.2, lambda: 0.0, lambda: -0.0, lambda: 0, lambda: 1, lambda: False,
    lambda: True, lambda: 1.0, lambda: float("nan"), lambda: "".join("ab"), lambda: "a", lambda: None,
    lambda: b"x", lambda: VALUES[0], lambda: VALUES[1], lambda: np.float64(0.1)]


class Thing:
    """Its attributes a, b and c are read, others are not."""


class Other:
    """What a Thing may become."""


class Local(threading.local):
    """Its attributes are read for each thread."""


class Slots:
    __slots__ = ("a", "b")


class Items(list[Any]):
    pass


@dataclass
class Pair:
    a: Any
    b: Any


def made(rng: random.Random, depth: int) -> Any:
    """A random structure."""
    kind, count = rng.randrange(16), rng.randrange(4)
    if depth == 0 or kind < 3:
        return rng.choice(LEAVES)()
    parts = [made(rng, depth - 1) for _ in range(count)]
    one = made(rng, depth - 1)
    thing: Any = [parts, tuple(parts), deque(parts), Items(parts), dict(zip(["a", 1, (1, 2)], parts)),
                  OrderedDict(a=one), Pair(one, parts), Slots(), Thing(), lambda: one,
                  Local(), defaultdict(lambda: 0.5, a=one),
                  np.array([rng.choice([0.0, -0.0, 1.0]) for _ in parts])][kind - 3]
    if type(thing) in (Slots, Thing, Local):
        thing.a = one
    return thing


def picture(x: Any, seen: dict[int, tuple[int, Any]]) -> Any:
    """All that there is to see of a structure."""
    cls = type(x)
    if cls is Value:
        return id(x)
    if cls in (float, int, bool, str, bytes, type(None), np.float64):
        return cls, repr(x)
    if id(x) in seen:
        return "seen", seen[id(x)][0]
    seen[id(x)] = len(seen), x
    if cls is np.ndarray:
        return cls, x.tobytes()
    if isinstance(x, dict):
        return cls, [(picture(key, seen), picture(part, seen)) for key, part in x.items()]
    return cls, [picture(part, seen) for part in parts_of(x)]


def parts_of(x: Any) -> list[Any]:
    """What it holds."""
    if isinstance(x, (list, tuple, deque)):
        return list(x)
    if isinstance(x, dict):
        return list(x.values())
    if type(x) is Local:
        return [part for entry in vars(x).items() for part in entry]
    if type(x) in (Thing, Other, Slots, Pair):
        return [getattr(x, name, "missing") for name in "abc"]
    return [x.__closure__[0].cell_contents] if callable(x) else []


def changeable(x: Any, found: dict[int, Any]) -> list[Any]:
    """The parts that can change."""
    if id(x) not in found and type(x) not in (float, int, bool, str, bytes, type(None), np.float64, Value):
        found[id(x)] = x
        for part in parts_of(x):
            changeable(part, found)
    return [x for x in found.values() if not isinstance(x, tuple)]


def change(rng: random.Random, x: Any) -> Callable[[], None]:
    """Change one thing; the answer changes it back."""
    new: Any = made(rng, max(0, rng.randrange(-2, 3)))
    if isinstance(x, (list, deque, np.ndarray)):
        old = list(x)
        if isinstance(x, np.ndarray):
            x[:1] = rng.choice([0.0, -0.0, 1.0])
        elif rng.random() < 0.3 or not x:
            x.append(new)
        elif rng.random() < 0.2:
            x.reverse()
        else:
            x[rng.randrange(len(x))] = new

        def back() -> None:
            if isinstance(x, np.ndarray):
                x[:] = old
            else:
                x.clear()
                x.extend(old)
        return back
    if callable(x):
        cell: Any = x.__closure__[0]  # type: ignore[attr-defined]
        before = cell.cell_contents
        cell.cell_contents = new
        return lambda: setattr(cell, "cell_contents", before)
    if isinstance(x, dict):
        entries = dict(x)
        x[rng.choice(["a", "b", 1, True, 1.0])] = new
        return lambda: (x.clear(), x.update(entries))[0]
    if type(x) in (Thing, Other) and rng.random() < 0.2:
        was, x.__class__ = x.__class__, Other if type(x) is Thing else Thing
        return lambda: setattr(x, "__class__", was)
    name = rng.choice("ab" if type(x) in (Slots, Local) else "abcd")
    there, value = hasattr(x, name), getattr(x, name, None)
    if there and rng.random() < 0.2:
        delattr(x, name)
    else:
        setattr(x, name, new)
    return lambda: setattr(x, name, value) if there else delattr(x, name) if hasattr(x, name) else None


def trial(rng: random.Random, steps: int = 6) -> list[str]:
    """The faults that the changes of one structure show."""
    root, faults = [made(rng, 4)], list[str]()
    taken, keep = list[tuple[Environment, Any]](), list[Any]()

    def f(x: Any) -> Any:
        return root[0].a, root[0].b, root[0].c, root[0]()
    back: Callable[[], None] | None = None
    for _ in range(steps):
        seen: dict[int, tuple[int, Any]] = {}
        now = picture(root, seen)
        keep.append(seen)
        for environment, then in taken:
            holds, said = environment.holds(), environment.changed()
            if holds is not (now == then) or holds is bool(said) or said.startswith("something"):
                faults.append(f"holds() is {holds}, {said!r}:\n  {then}\n  {now}")
        taken.append((Environment(f), now))
        if back is not None and rng.random() < 0.4:
            back()
            back = None
        else:
            back = change(rng, rng.choice(changeable(root, {})))
    return faults


def main() -> None:
    """Run trials until the time is over."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng, end, trials, faults = random.Random(options.seed), time.monotonic() + options.seconds, 0, 0
    while time.monotonic() < end:
        trials += 1
        for fault in trial(rng):
            faults += 1
            print(fault)
    print(f"{trials} structures, {faults} faults")


if __name__ == "__main__":
    main()

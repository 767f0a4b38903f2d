"""Which nodes of a sketch are drawn by themselves, and which together, as boxes.

All is one box to begin with. It is opened, a level at a time: scopes, the scopes in these, their leaves and
results, as far as the picture holds.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from autograd_lite.drawing.sketch import Sketch
from autograd_lite.graph.labels import split
from autograd_lite.graph.value import Value

RANKS = 8                                       # how far from the end of a long computation nodes are shown,
STARTS = 4                                      # and at most how many at its start
FAN = 8                                         # of an operation's many operands half as many at each end


@dataclass(eq=False)
class Fold:
    """Nodes that are drawn together, as one box.

    Attributes:
        scope: the scope in which the box stands.
        name: what is in it, if that has a name.
        places: those of its nodes.
        nodes: these.
        inner: the scope that it is all of, if it is one.
    """

    scope: tuple[str, ...]
    name: str
    places: list[int]
    inner: tuple[str, ...] | None = None
    nodes: list[Value] = field(default_factory=list)


class Folding:
    """Folds a sketch until so many nodes and boxes are left.

    Attributes:
        folds: the boxes, in the order of their first nodes.
        fold_of: for the place of each node that is not shown, its box.
    """

    def __init__(self, sketch: Sketch, most: int):
        self.sketch = sketch
        self._fan = max(most // 6, min(FAN, most // 4))      # how many of a kind are shown,
        self._alike = max(FAN, most // 20)                  # and how many scopes within one
        self._users = sketch.users()
        self._close(self._opened(Fold((), "", list(sketch.links), ()), most))
        self._join_circles()

    def _close(self, folds: Sequence[Fold]) -> None:
        self.folds: list[Fold] = sorted(folds, key=lambda fold: fold.places[0])
        self.fold_of: dict[int, Fold] = {k: fold for fold in folds for k in fold.places}
        for fold in folds:
            fold.nodes = [self.sketch.nodes[k] for k in fold.places]

    # -- opening -------------------------------------------------------------------------------

    def _opened(self, whole: Fold, most: int) -> list[Fold]:
        """The boxes that are left."""
        count, boxes = self._parts(whole)
        count += len(boxes)
        done: list[Fold] = []
        while boxes:                            # all boxes of a level are opened, or none
            opened = [self._parts(box) for box in boxes if box.inner]
            more = sum(shown + len(parts) - 1 for shown, parts in opened)
            fits = count + more <= most
            done += [box for box in boxes if not (box.inner and fits)]
            boxes = [box for _, parts in opened for box in parts] if fits else []
            count += more if fits else 0
        roots = {k for k in self.sketch.roots if not self._users[k]}
        for box in done:                        # roots are shown, whatever holds them
            if box.name and not roots.isdisjoint(box.places):
                out, box.scope, box.name = roots, box.inner or box.scope, "" if box.inner else box.name
            elif not box.name and self.sketch.nodes[box.places[-1]].operands:
                out = self._ends(box, max(1, most - count))
            else:
                continue
            count += len(out.intersection(box.places))
            box.places = [k for k in box.places if k not in out]
        return [box for box in done if box.places]

    def _parts(self, box: Fold) -> tuple[int, list[Fold]]:
        """How many nodes of a box are shown when it is opened, and the boxes that appear."""
        nodes, path = self.sketch.nodes, box.inner or ()
        inner: dict[str, list[int]] = {}
        leaves: list[int] = []
        results: list[int] = []
        for k in box.places:
            scope = self.sketch.scope(k)
            if len(scope) > len(path):
                inner.setdefault(scope[len(path)], []).append(k)
            else:
                (results if nodes[k].operands else leaves).append(k)
        boxes = [Fold(path, name, places, (*path, name)) for name, places in inner.items()]
        if len(boxes) > self._alike:            # one for all
            rest = sorted(k for one in boxes[1:] for k in one.places)
            boxes = [boxes[0], Fold(path, f"{boxes[1].name} … {boxes[-1].name}", rest)]
        shown = len(leaves) + len(results)
        if len(leaves) > self._fan:             # but the first and the last
            names = {split(nodes[k].label)[0] for k in leaves}
            half = min(FAN, self._fan) // 2
            some = leaves[half:-half] if half else leaves
            boxes.append(Fold(path, names.pop() if len(names) == 1 else "", some))
            shown -= len(some)
        if len(results) > max(1, self._fan):
            boxes.append(Fold(path, "", results))
            shown -= len(results)
        return shown, boxes

    # -- a computation that is too long --------------------------------------------------------

    def _ends(self, box: Fold, room: int) -> set[int]:
        """The nodes of a box that are nearest to its ends, and a few at its start if it has few there."""
        inside, links = set(box.places), self.sketch.links
        users = {k: [user for user in self._users[k] if user in inside] for k in box.places}
        depth: dict[int, int] = {}
        for k in reversed(box.places):
            depth[k] = max((depth[user] + 1 for user in users[k]), default=0)
        far = {link.tail for k in box.places for link in links[k][FAN // 2:-FAN // 2]}
        near: set[int] = set()
        for k in sorted((k for k in box.places if depth[k] < RANKS), key=lambda k: (depth[k], -k)):
            if len(near) < room and k not in far and all([user in near for user in users[k]]):
                near.add(k)
        starts: set[int] = set()
        for k in box.places if room - len(near) > STARTS else ():
            if all([link.tail in starts or link.tail not in inside for link in links[k]]) and k not in near:
                if len(starts) == STARTS:
                    break
                starts.add(k)
        wide = sum(all([link.tail not in inside for link in links[k]]) for k in box.places)
        return near | starts if wide <= 2 else near

    # -- no way leads from a box back into it ---------------------------------------------------

    def _join_circles(self) -> None:
        """Join what depends on each other into one box."""
        circles = [circle for circle in _circles(self._items()) if len(circle) > 1]
        if circles:
            folds = list(self.folds)
            for circle in circles:
                parts = [x for x in circle if isinstance(x, Fold)]
                places = sorted([k for fold in parts for k in fold.places]
                                + [x for x in circle if not isinstance(x, Fold)])
                folds = [fold for fold in folds if fold not in parts]
                folds.append(Fold(_common([self.sketch.scope(k) for k in places]), "", places))
            self._close(folds)

    def _items(self) -> dict[int | Fold, list[int | Fold]]:
        """What is drawn: nodes by place, and boxes; and the items they depend on."""
        found: dict[int | Fold, dict[int | Fold, None]] = {}
        for k, links in self.sketch.links.items():
            head = self.fold_of.get(k, k)
            tails = found.setdefault(head, {})
            for link in links:
                if link.tail is not None:
                    tail = self.fold_of.get(link.tail, link.tail)
                    if tail is not head:
                        tails[tail] = None
        return {head: list(tails) for head, tails in found.items()}


def _common(scopes: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The longest start that scopes share."""
    first, last = min(scopes), max(scopes)
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return first[:same]


def _circles(after: dict[int | Fold, list[int | Fold]]) -> list[list[int | Fold]]:
    """The strongly connected components of a graph (Tarjan, 1972), without recursion."""
    number: dict[int | Fold, int] = {}
    low: dict[int | Fold, int] = {}
    waiting: dict[int | Fold, None] = {}
    found: list[list[int | Fold]] = []
    for start in after:
        if start in number:
            continue
        number[start] = low[start] = len(number)
        waiting[start] = None
        walk = [(start, iter(after[start]))]
        while walk:
            item, rest = walk[-1]
            for other in rest:
                if other not in number:
                    number[other] = low[other] = len(number)
                    waiting[other] = None
                    walk.append((other, iter(after[other])))
                    break
                if other in waiting:
                    low[item] = min(low[item], number[other])
            else:
                walk.pop()
                if walk:
                    low[walk[-1][0]] = min(low[walk[-1][0]], low[item])
                if low[item] == number[item]:
                    circle: list[int | Fold] = []
                    while not circle or circle[-1] != item:
                        circle.append(waiting.popitem()[0])
                    found.append(circle)
    return found

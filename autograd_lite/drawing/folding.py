"""Which nodes of a sketch are drawn by themselves, and which together, as boxes.

All is one box to begin with. It is opened, a level at a time: scopes, the scopes in these, their leaves and
results, as far as the picture holds.
"""
from __future__ import annotations

import heapq
import itertools
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from autograd_lite.drawing.naming import local
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
    places: array[int]
    inner: tuple[str, ...] | None = None
    nodes: list[Value] = field(default_factory=list)


class Folding:
    """Folds a sketch until so many nodes and boxes are left.

    Attributes:
        folds: the boxes, in the order of their first nodes.
    """

    def __init__(self, sketch: Sketch, most: int):
        self.sketch = sketch
        self._fan = max(most / 6, min(FAN, most // 4))      # how many of a kind are shown,
        self._half = min(FAN, most // 4) // 2               # at each end, if there are more,
        self._alike = max(FAN, most / 20)                   # and how many scopes within one
        self._users = sketch.users()
        self._close(self._opened(Fold((), "", array("i", sketch.links), ()), most))
        self._join_circles()

    def _close(self, folds: Sequence[Fold]) -> None:
        self.folds: list[Fold] = sorted(folds, key=lambda fold: fold.places[0])
        self._at = array("i", bytes(4 * len(self.sketch.nodes)))        # (from 1 on)
        for i, fold in enumerate(self.folds, 1):
            fold.nodes = [self.sketch.nodes[k] for k in fold.places]
            for k in fold.places:
                self._at[k] = i

    def fold_of(self, place: int) -> Fold | None:
        """The box that holds a node; None if it is shown."""
        return self.folds[self._at[place] - 1] if self._at[place] else None

    # -- opening -------------------------------------------------------------------------------

    def _opened(self, whole: Fold, most: int) -> list[Fold]:
        """The boxes that are left."""
        count, boxes = self._parts(whole)
        count += len(boxes)
        done: list[Fold] = []
        while boxes:                            # all boxes of a level are opened, or none
            opened = [self._parts(box) for box in boxes if box.inner]
            more = sum(shown + len(parts) - 1 for shown, parts in opened)
            if count + more > most:
                done += boxes
                break
            done += [box for box in boxes if not box.inner]
            boxes = [box for _, parts in opened for box in parts]
            count += more
        roots = {k for k in self.sketch.roots[:max(most, FAN)] if not len(self._users[k])}
        for box in done:                        # roots are shown, whatever holds them
            out = roots.intersection(box.places)
            if not (box.name or box.inner) and self.sketch.nodes[box.places[0]].operands:
                out |= self._ends(box, max(1, most - count))
            elif out and box.inner:
                box.scope, box.name = box.inner, ""
            count += len(out)
            box.places = array("i", [k for k in box.places if k not in out])
        return [box for box in done if box.places]

    def _parts(self, box: Fold) -> tuple[int, list[Fold]]:
        """How many nodes of a box are shown when it is opened, and the boxes that appear."""
        nodes, path = self.sketch.nodes, box.inner or ()
        inner: dict[str, array[int]] = {}
        leaves, results = array("i"), array("i")
        for k in box.places:
            scope = self.sketch.scope(k)
            if len(scope) > len(path):
                inner.setdefault(scope[len(path)], array("i")).append(k)
            else:
                (results if nodes[k].operands else leaves).append(k)
        boxes = [Fold(path, name, places, (*path, name)) for name, places in inner.items()]
        if len(boxes) > self._alike:            # one for all
            rest = array("i", sorted(k for one in boxes[1:] for k in one.places))
            boxes = [boxes[0], Fold(path, f"{boxes[1].name} to {boxes[-1].name}", rest)]
        shown = len(leaves) + len(results)
        half = self._half
        some = leaves[half:-half] if half else leaves
        if len(leaves) > self._fan and not (half and len(some) == 1):      # but the first and the last
            names = [local(nodes[k].label, path) for k in some]
            alike = len({split(name)[0] for name in names}) == 1
            ends = dict.fromkeys([names[0], names[-1]])
            boxes.append(Fold(path, " to ".join(ends) if alike else "", some))
            shown -= len(some)
        if len(results) > max(1, self._fan):
            boxes.append(Fold(path, "", results))
            shown -= len(results)
        return shown, boxes

    # -- a computation that is too long --------------------------------------------------------

    def _ends(self, box: Fold, room: int) -> set[int]:
        """The nodes of a box that are nearest to its ends, and a few at its start if it has few there."""
        links, users, inside = self.sketch.links, self._users, bytearray(len(self.sketch.nodes))
        for k in box.places:
            inside[k] = True
        # Node by node from the ends on, each after all its users.
        near: dict[int, int] = {}               # and how far from an end
        far = {link.tail for k in box.places if len(self.sketch.nodes[k].operands) > FAN
               for link in links[k][FAN // 2:-FAN // 2]}
        at_hand = [(0, -k) for k in box.places if not any([inside[user] for user in users[k]])]
        heapq.heapify(at_hand)
        while at_hand and len(near) < room:
            depth, k = heapq.heappop(at_hand)
            if -k in near or -k in far:
                continue
            near[-k] = depth
            for link in links[-k] if depth + 1 < RANKS else ():
                if link.tail is not None and inside[link.tail]:
                    above = [near.get(user, RANKS) for user in users[link.tail] if inside[user]]
                    if max(above) < RANKS:
                        heapq.heappush(at_hand, (1 + max(above), -link.tail))
        if room - len(near) <= STARTS or 2 < sum(not any([
                link.tail is not None and inside[link.tail] for link in links[k]]) for k in box.places):
            return {*near}
        return {*near, *itertools.takewhile(lambda k: k not in near, box.places[:STARTS])}

    # -- no way leads from a box back into it ---------------------------------------------------

    def _join_circles(self) -> None:
        """Join what depends on each other into one box."""
        circles = [circle for circle in _circles(self._items()) if len(circle) > 1]
        if circles:
            folds = list(self.folds)
            for circle in circles:
                parts = [x for x in circle if isinstance(x, Fold)]
                places = array("i", sorted([*[k for fold in parts for k in fold.places],
                                            *[x for x in circle if not isinstance(x, Fold)]]))
                folds = [fold for fold in folds if fold not in parts]
                folds.append(Fold(_common([self.sketch.scope(k) for k in places]), "", places))
            self._close(folds)

    def _items(self) -> dict[int | Fold, list[int | Fold]]:
        """What is drawn: nodes by place, and boxes; and the items they depend on."""
        found: dict[int | Fold, dict[int | Fold, None]] = {}
        for k in self.sketch.links:
            head = self.fold_of(k) or k
            tails = found.setdefault(head, {})
            for place in self.sketch.links.tails(k):
                if place >= 0:
                    tail = self.fold_of(place) or place
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

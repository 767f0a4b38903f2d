"""A long computation goes on in rows, as text does."""
from __future__ import annotations

from autograd_lite.drawing.view import Item, View

# A computation of more ranks than LONG goes on in rows of ROW, if it has not more than MANY nodes.
LONG, ROW, MANY = 16, 12, 2000


class Rows:
    """The rows of what a view shows; none for a computation that is short, or in scopes.

    A row ends with a node through which alone all before it is reached.

    Attributes:
        row: for each node and box the row in which it stands, from 0 on.
    """

    def __init__(self, view: View):
        self.row: dict[Item, int] = {}
        self._depth = depth = view.depth
        ranks = 1 + max(depth.values())
        if not LONG < ranks <= len(depth) <= MANY or any([view.scope(item) for item in depth]):
            return
        sources = [set[int]() for _ in range(ranks)]        # from where edges lead over each rank's end
        for head, edges in view.edges.items():
            for source in [edge.source for edge in edges if edge.source in depth]:
                for rank in range(depth[head], depth[source]):
                    sources[rank + 1].add(id(source))
        bridges = [rank for rank in range(2, ranks - 1) if len(sources[rank]) == 1]
        length = -(-ranks // -(-ranks // ROW))  # (as even as may be)
        starts, last = list[int](), ranks
        while last > length and (below := [rank for rank in bridges if rank < last]):
            last = next((rank for rank in below if last - rank <= length), below[-1])
            starts.append(last)
        if starts:
            self.row = {item: sum(depth[item] < start for start in starts) for item in depth}

    def columns(self) -> list[list[Item]]:
        """What stands below each other."""
        deepest: dict[int, int] = {}
        for item, row in self.row.items():
            deepest[row] = max(deepest.get(row, self._depth[item]), self._depth[item])
        columns: dict[int, list[Item]] = {}
        for item, row in sorted(self.row.items(), key=lambda entry: entry[1]):
            columns.setdefault(deepest[row] - self._depth[item], []).append(item)
        return [column for column in columns.values() if column[1:]]

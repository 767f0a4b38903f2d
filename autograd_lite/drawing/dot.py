"""DOT, the language in which programs are told what to draw, as text; no package is needed for it."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

Attributes = dict[str, str]
Scope = tuple[str, ...]
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|-?(\.[0-9]+|[0-9]+(\.[0-9]*)?)")
_KEYWORDS = {"node", "edge", "graph", "digraph", "subgraph", "strict"}


class Dot:
    r"""A directed graph, written in the form in which `graphviz.Digraph` does.

    Args:
        name: the graph's.
        graph, node, edge: the attributes of the graph, of all nodes, of all arrows.
        cluster: gives the attributes of the cluster that a scope is.
        upwards: whether programs draw the nodes of a cluster in it from below.

    >>> dot = Dot("g", {"rankdir": "LR"}, cluster=lambda scope: {"label": scope[-1]})
    >>> dot.add(("a layer",), "n0", {"label": "<<B>x</B>>"})
    >>> dot.arrow("n0", "n1", {"color": "#ff0000"})
    >>> print(dot.text().replace("\t", "  ").strip())
    digraph g {
      graph [rankdir=LR]
      subgraph cluster_1 {
        graph [label="a layer"]
        n0 [label=<<B>x</B>>]
      }
      n0 -> n1 [color="#ff0000"]
    }
    """

    def __init__(self, name: str, graph: Attributes | None = None, node: Attributes | None = None,
                 edge: Attributes | None = None, cluster: Callable[[Scope], Attributes] = lambda scope: {},
                 upwards: Callable[[Scope], bool] = bool):
        self.name = name
        self.description = ""                   # for who cannot see the picture
        self.defaults = {"graph": graph or {}, "node": node or {}, "edge": edge or {}}
        self._cluster, self._upwards = cluster, upwards
        self._nodes: dict[Scope, list[str]] = {(): []}
        self._inner: dict[Scope, list[Scope]] = {(): []}
        self._ends: list[str] = []

    def __contains__(self, scope: Scope) -> bool:
        return scope in self._nodes

    def add(self, scope: Scope, name: str, attributes: Attributes) -> None:
        """A node in a scope."""
        for depth in range(len(scope)):
            inner = scope[:depth + 1]
            if inner not in self._nodes:
                self._nodes[inner], self._inner[inner] = [], []
                self._inner[scope[:depth]].append(inner)
        self._nodes[scope].append(f"{name} [{_listed(attributes)}]\n")

    def arrow(self, tail: str, head: str, attributes: Attributes) -> None:
        """An arrow."""
        self._ends.append(f"{tail} -> {head} [{_listed(attributes)}]\n")

    def rank(self, names: Iterable[str]) -> None:
        """Nodes that stand in one rank, in this order (which holds for nodes outside clusters)."""
        self._ends.append(f"{{ rank=same; {' -> '.join(names)} [style=invis] }}\n")

    def body(self) -> list[str]:
        """The lines but those at the head and the end."""
        ids = {scope: f"cluster_{i}" for i, scope in enumerate(self._nodes)}
        lines = self._own((), "\t")
        stack: list[tuple[Scope, Iterator[Scope]]] = [((), iter(self._inner[()]))]
        while stack:
            indent = "\t" * len(stack)
            scope = next(stack[-1][1], None)
            if scope is not None:
                lines += [f"{indent}subgraph {ids[scope]} {{\n",
                          f"{indent}\tgraph [{_listed(self._cluster(scope))}]\n",
                          *self._own(scope, indent + "\t")]
                stack.append((scope, iter(self._inner[scope])))
            elif stack.pop()[0]:
                lines.append(f"{indent[1:]}}}\n")
        return lines + ["\t" + line for line in self._ends]

    def _own(self, scope: Scope, indent: str) -> list[str]:
        """The lines of the nodes that stand in a scope itself."""
        return [indent + line for line in self._nodes[scope][::-1 if self._upwards(scope) else 1]]

    def text(self) -> str:
        """All of it."""
        head = [f"\t{kind} [{_listed(default)}]\n" for kind, default in self.defaults.items() if default]
        return "".join([f"digraph {self.name} {{\n", *head, *self.body(), "}\n"])


def _listed(attributes: Mapping[str, str]) -> str:
    return " ".join(f"{name}={_quoted(text)}" for name, text in sorted(attributes.items()))


def _quoted(text: str) -> str:
    if text.startswith("<") and text.endswith(">") or _BARE.fullmatch(text) and text.lower() not in _KEYWORDS:
        return text
    return f'"{text}"'                          # (nothing has a quote of its own: see `tooltip`)

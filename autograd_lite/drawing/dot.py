"""DOT, the language in which programs are told what to draw, as text; no package is needed for it."""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

Attributes = dict[str, str]
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|-?(\.[0-9]+|[0-9]+(\.[0-9]*)?)")
_KEYWORDS = {"node", "edge", "graph", "digraph", "subgraph", "strict"}


class Dot:
    r"""A directed graph that is written down line by line, in the form in which `graphviz.Digraph` does.

    Args:
        name: the graph's.
        graph, node, edge: the attributes of the graph, of all nodes, of all arrows.

    >>> dot = Dot("g", {"rankdir": "LR"})
    >>> with dot.cluster("cluster_1", {"label": "a layer"}):
    ...     dot.node("n0", {"label": "<<B>x</B>>"})
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
                 edge: Attributes | None = None):
        self.name = name
        self.defaults = {"graph": graph or {}, "node": node or {}, "edge": edge or {}}
        self.body: list[str] = []
        self._indent = "\t"

    def node(self, name: str, attributes: Mapping[str, str]) -> None:
        """A node, or more attributes of one."""
        self._line(name, attributes)

    def arrow(self, tail: str, head: str, attributes: Mapping[str, str]) -> None:
        """An arrow."""
        self._line(f"{tail} -> {head}", attributes)

    @contextmanager
    def cluster(self, name: str, attributes: Mapping[str, str]) -> Iterator[None]:
        """What is written within this context stands in a subgraph; in a box, if `name` begins so."""
        self.body.append(f"{self._indent}subgraph {name} {{\n")
        self._indent += "\t"
        self._line("graph", attributes)
        yield
        self._indent = self._indent[:-1]
        self.body.append(f"{self._indent}}}\n")

    def text(self) -> str:
        """All of it."""
        head = [f"\t{kind} [{_listed(default)}]\n" for kind, default in self.defaults.items() if default]
        return "".join([f"digraph {self.name} {{\n", *head, *self.body, "}\n"])

    def _line(self, head: str, attributes: Mapping[str, str]) -> None:
        self.body.append(f"{self._indent}{head} [{_listed(attributes)}]\n")


def _listed(attributes: Mapping[str, str]) -> str:
    return " ".join(f"{name}={_quoted(text)}" for name, text in sorted(attributes.items()))


def _quoted(text: str) -> str:
    if text.startswith("<") and text.endswith(">") or _BARE.fullmatch(text) and text.lower() not in _KEYWORDS:
        return text
    return f'"{text}"'                          # (nothing has a quote of its own: see `tooltip`)

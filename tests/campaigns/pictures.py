"""Pictures of random graphs, drawn in every way, against what holds of each.

    python tests/campaigns/pictures.py [seconds] [seed]

A graph has random ops, constants, shared operands and wide sums, frozen leaves, scopes, labels that are
markup or worse, numbers that are not finite; some went through backward, some under "ignore". It is drawn
with random options. Then only the library's own errors may come out, a program draws the source, no node is
lost, no way leads from a node back to it, each derivative is one that backward uses, labels change nothing
but words, and the graph is as it was.
"""
from __future__ import annotations

import math
import random
import re
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from test_drawing import HOSTILE, counts, loops, parse  # noqa: E402

import autograd_lite as ag  # noqa: E402
from autograd_lite import AutogradError, RenderError, Value  # noqa: E402
from autograd_lite.drawing.engine import run  # noqa: E402
from autograd_lite.drawing.picture import Options, Picture  # noqa: E402
from autograd_lite.drawing.view import Edge  # noqa: E402
from autograd_lite.graph.node import stored_partials  # noqa: E402
from autograd_lite.graph.walks import topological  # noqa: E402
from autograd_lite.ops.op import TABLE  # noqa: E402

NUMBERS = [0.0, -0.0, 1.0, 0.5, -2.0, 5e-324, 1e308, -1e308, 1e-300, math.inf, -math.inf, math.nan]
WORDS = [*HOSTILE, "", "x", "x", "w[0]", "w[1]", "w['a<b>'][3]", "a.b.c", "s", "\N{GRINNING FACE}",
         "y" * 10_000]
_NUMBER = re.compile(r"∂(?:(?!&#10;).)* = (\S+?)(?:, the first that is not finite)?(?:&#10;.*)?$")


def graph(rng: random.Random) -> list[Value]:
    """Leaves, and results in the order in which they were computed."""
    leaves = [Value(rng.uniform(-2.0, 2.0) if rng.random() < 0.8 else rng.choice(NUMBERS),
                    requires_grad=rng.random() < 0.8) for _ in range(rng.randint(1, 5))]
    nodes, ops = list(leaves), [op for op in TABLE.values() if op.least]
    with ag.errstate(rng.choice(["ignore", "ignore", "raise"])):
        for _ in range(rng.choice([0, 1, 3, 8, 20, 60, 150])):
            op = rng.choice(ops)
            many = op.least if not op.open else rng.choice([op.least, 2, 6, 12, 30])
            late = rng.random() < 0.5
            operands = [nodes[-1] if late and not i else rng.choice(nodes) if rng.random() < 0.9 else
                        rng.choice(NUMBERS) for i in range(many)]
            try:
                made = op(*operands)
            except (AutogradError, TypeError):
                continue
            if isinstance(made, Value):
                nodes.append(made)
        if rng.random() < 0.7:
            try:
                rng.choice(nodes).backward()
            except AutogradError:
                pass
    return nodes


def dressed(rng: random.Random, nodes: list[Value]) -> None:
    """Give them scopes and labels."""
    names = rng.sample(WORDS, 3)
    deep = rng.choice([0, 0, 1, 3, 30])
    for node in nodes:
        node.scope = [rng.choice(names) for _ in range(rng.randint(0, deep))]
        node.label = rng.choice(WORDS) if rng.random() < 0.5 else ""


def ways(rng: random.Random, nodes: list[Value]) -> dict[str, Any]:
    """Options for `draw`."""
    options: dict[str, Any] = {
        "max_nodes": rng.choice([1, 2, 3, 5, 8, 13, 30, 60, 100, 1000]),
        "digits": rng.choice([None, 1, 4, 17]), "direction": rng.choice([None, "LR", "RL", "TB", "BT"]),
        "style": rng.choice([None, "full", "compact"]), "theme": rng.choice(["light", "dark"]),
        "colour": rng.choice(["kind", "grad"]), "caption": rng.choice(WORDS),
        "sample": rng.choice(["all"] * 6 + [None, None, 0, 1])}
    if rng.random() < 0.3:
        options["focus"] = rng.choice([*nodes, *nodes, *WORDS])
    return options


class Collecting:
    """Draws random graphs, and keeps what is wrong."""

    def __init__(self, seed: int = 0, program: bool = True):
        self.seed, self.program, self.texts, self.drawn = seed, program, list[str](), Counter[str]()

    def one(self) -> None:
        """A graph, drawn once."""
        rng = random.Random(self.seed)
        self.seed += 1
        nodes = graph(rng)
        dressed(rng, nodes)
        roots = rng.choices(nodes, k=rng.choice([0, 0, 1, 2])) + [nodes[-1]]
        gradients = rng.choices(nodes, k=rng.choice([0, 0, 0, 1, 3]))
        options = ways(rng, nodes)
        if rng.random() < 0.2:
            options["report"] = self._report(rng, roots[0])
        before = [self._held(node) for node in nodes]
        try:
            picture = Picture(roots, gradients, Options(**options))
        except AutogradError as error:
            self.drawn[type(error).__name__] += 1
            return
        except Exception:
            self._note(f"{traceback.format_exc(limit=-2)}")
            return
        self.drawn["drawn"] += 1
        if [self._held(node) for node in nodes] != before:
            self._note("the graph has changed")
        try:
            self._check(picture, roots, gradients, options)
            if "focus" not in options and options["sample"] == "all" and not options.get("report"):
                self._plain(picture, nodes, roots, gradients, options)
        except Exception:
            self._note(f"{traceback.format_exc(limit=-2)}{({**options, 'report': None})}"[:3000])

    def _report(self, rng: random.Random, root: Value) -> Any:
        labels = [node.label for node in topological([root]) if node.label and node.label != root.label]
        try:
            return ag.audit(root, {name: rng.choice([1.0, *NUMBERS]) for name in labels[:3]})
        except AutogradError:
            return None

    def _check(self, picture: Picture, roots: list[Value], gradients: list[Value],
               options: dict[str, Any]) -> None:
        source = picture.dot.text()
        assert source == Picture(roots, gradients, Options(**options)).dot.text(), "another text"
        shown, arrows = parse(source)
        assert not loops(arrows), "a circle"
        if options["sample"] == "all" and "focus" not in options:
            total = len(topological([*roots, *gradients]))
            assert sum(counts(shown)) == total, f"{counts(shown)} of {total}"
        told: dict[str, Counter[str]] = {}
        for arrow in arrows:
            if found := _NUMBER.match(arrow.attributes.get("tooltip", "")):
                told.setdefault(arrow.names[1], Counter())[found[1]] += 1
        for head, edges in picture.view.edges.items():
            if isinstance(head, Value):
                assert told.get(picture.ids[id(head)], Counter()) == _used(head, edges), "another derivative"
        if self.program:
            try:
                run(source, "-Tsvg")
            except RenderError as error:        # (a fault of Graphviz, in clusters within each other)
                assert re.search(r"Error: lost \S+ \S+ edge", str(error)), error
                self.drawn["given up by the program"] += 1

    def _plain(self, picture: Picture, nodes: list[Value], roots: list[Value], gradients: list[Value],
               options: dict[str, Any]) -> None:
        """The same without labels has the same cards and arrows."""
        def names(source: str) -> Any:
            shown, arrows = parse(source)
            return list(shown), [arrow.names for arrow in arrows]

        dressed_names = names(picture.dot.text())
        for node in nodes:
            node.label = "plain" * bool(node.label)
        plain = Picture(roots, gradients, Options(**{**options, "caption": "c"}))
        if names(plain.dot.text()) != dressed_names:
            self._note("labels change the picture")

    @staticmethod
    def _held(node: Value) -> str:
        return repr((node.data, node.requires_grad and node.grad, node.label, node.scope,
                     stored_partials(node)))

    def _note(self, text: str) -> None:
        self.texts.append(f"seed {self.seed - 1}: {text}")


def _used(head: Value, edges: Sequence[Edge]) -> Counter[str]:
    """The derivatives along the arrows to a node, as backward uses them; where it uses none, the node's."""
    found = Counter[str]()
    for edge in edges:
        if edge.partial is not None and isinstance(edge.source, Value):
            used = stored_partials(head)[edge.position] if edge.position >= 0 else None
            found[repr(edge.partial if used is None else used)] += 1
    return found


def main(seconds: float = 60.0, seed: float = 0) -> int:
    search, end = Collecting(int(seed)), time.monotonic() + seconds
    while time.monotonic() < end and len(search.texts) < 20:
        search.one()
    print(*search.texts, dict(search.drawn), sep="\n")
    return bool(search.texts)


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:])))

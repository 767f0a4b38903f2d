"""The backward pass step by step: what each node passes on to its operands, and how people write it."""
from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from autograd_lite.drawing.cards import against, number
from autograd_lite.drawing.dialects import Dialect
from autograd_lite.drawing.folding import Fold
from autograd_lite.drawing.formulas import Formula, Named, Number, formula, slopes
from autograd_lite.drawing.lines import natural
from autograd_lite.drawing.naming import derivative, short
from autograd_lite.drawing.view import Item, View
from autograd_lite.errors import ignoring
from autograd_lite.graph.backward import checked, plus
from autograd_lite.graph.node import op_of, stored_partials
from autograd_lite.graph.value import Value
from autograd_lite.graph.walks import topological
from autograd_lite.lines import printable
from autograd_lite.ops.notation import PRODUCT

ORDERS = ("topological", "naive")
_MOST, _LONG = 24, 160                          # lines that tell a step, and letters of each


class Flow(NamedTuple):
    """What a node passes on to one of its operands.

    Attributes:
        head, tail: the node and the operand, which is its `position`-th.
        gradient, partial: whose product flows.
        before, after: what has arrived at the operand without this and with it; None: nothing yet.
    """

    head: Value
    tail: Value
    position: int
    gradient: float
    partial: float
    contribution: float
    before: float | None
    after: float


class Step(NamedTuple):
    """A node, or a fold, that passes on what has arrived at it; and all that flows."""

    item: Item
    flows: tuple[Flow, ...]


class Walk:
    """A backward pass over what a view shows, with the numbers that `backward` gives.

    Args:
        view: what is shown; a fold passes on in one step.
        root: the node whose derivatives are taken.
        order: "topological", in which a node waits for all its users; or "naive", depth first, each node
            once, as soon as it is met: then one with several users may pass on a part of its gradient.

    Attributes:
        steps: one for each result.
        gradients: what has arrived at each node in the end, by its id.
        early: what each node has passed on to which more has come afterwards.

    Raises:
        NumericError: a derivative is missing or too large, as in `backward`.

    >>> x = Value(3.0, "x"); y = x * x; y.label = "y"; z = y + y * x; z.label = "z"
    >>> walk = Walk(View([z], 10), z)
    >>> [(step.item.label or step.item.op, [flow.contribution for flow in step.flows]) for step in walk.steps]
    [('z', [1.0, 1.0]), ('*', [3.0, 9.0]), ('y', [12.0, 12.0])]
    >>> walk.gradients[id(x)], Walk(View([z], 10), z, "naive").gradients[id(x)]
    (33.0, 15.0)
    """

    def __init__(self, view: View, root: Value, order: str = "topological"):
        self.root, self.steps = root, list[Step]()
        self.gradients: dict[int, float] = {id(root): 1.0}
        self.early: dict[int, float] = {}
        self._passed: dict[int, float] = {}
        self._item = {id(node): fold for fold in view.folds for node in fold.nodes}
        for item in self._naive() if order == "naive" else self._ordered(view):
            flows = [flow for node in _nodes(item) for flow in self._flows(node)]
            if flows:
                self.steps.append(Step(item, tuple(flows)))

    def item(self, node: Value) -> Item:
        """The fold that a node is in, or itself."""
        return self._item.get(id(node), node)

    def _ordered(self, view: View) -> Sequence[Item]:
        """Each item before those from which it is computed; without folds, just as `backward` goes."""
        return list(view.edges)[::-1] if view.folds else topological([self.root], _differentiated)[::-1]

    def _naive(self) -> Iterator[Item]:
        seen: set[int] = set()
        rest = [self.item(self.root)]
        while rest:
            item = rest.pop()
            if id(item) not in seen:
                seen.add(id(item))
                yield item
                rest += [self.item(x) for node in _nodes(item) for x in _differentiated(node)][::-1]

    def _flows(self, node: Value) -> Iterator[Flow]:
        gradient = self.gradients.get(id(node))
        if gradient is None or not node.operands:
            return
        self._passed[id(node)] = gradient
        for i, (x, p) in enumerate(zip(node.operands, stored_partials(node))):
            if p is not None and x.requires_grad:
                # (A zero passes nothing on, whatever the partial.)
                product = 0.0
                if gradient != 0.0 or ignoring():
                    product = checked(gradient * p, node, i, gradient, p)
                before = self.gradients.get(id(x))
                after = plus(x, before or 0.0, product)
                self.gradients[id(x)] = after
                if id(x) in self._passed and product:
                    self.early.setdefault(id(x), self._passed[id(x)])
                yield Flow(node, x, i, gradient, p, product, before, after)


def _nodes(item: Item) -> Sequence[Value]:
    return item.nodes[::-1] if isinstance(item, Fold) else [item]


def _differentiated(node: Value) -> list[Value]:
    return [x for x, p in zip(node.operands, stored_partials(node)) if p is not None]


# -- in words --------------------------------------------------------------------------------------


class Words:
    """What is said of a walk, with numbers of so many digits."""

    def __init__(self, walk: Walk, digits: int):
        self.walk, self.digits = walk, digits
        self._names, self._texts = dict[int, str](), dict[int, str]()
        self._dialect = Dialect(digits)

    def start(self) -> list[str]:
        """Before the first step."""
        end = self.name(self.walk.root)
        return self._cut(["The numbers have been computed; no gradient has arrived yet.",
                          f"The pass begins at the root: {end} = 1"])

    def step(self, step: Step) -> list[str]:
        """What happens in a step: a head line, then a line for each flow."""
        item = step.item
        if isinstance(item, Fold):
            inner = sum([self.walk.item(flow.tail) is item for flow in step.flows])
            within = [f"within it, gradients flow over {inner:,} edge{'s' * (inner > 1)}"] * bool(inner)
            return self._cut([f"{self.called(item)} passes on what has arrived", *within, *self._sums(step)])
        lines = [f"{self.called(item)} passes on {self.name(item)} = {self.number(step.flows[0].gradient)}"]
        shown = [flow for flow in step.flows if self.walk.item(flow.tail) is flow.tail]
        lines += [self.formula(flow) for flow in shown]
        return self._cut([*lines, *self._sums(step, inside=True)])

    def end(self, right: Walk) -> list[str]:
        """After the last step: the gradients of the leaves, and which are wrong."""
        wrong, leaves = differing(self.walk, right), list[str]()
        seen: set[int] = set()
        nodes = [self.walk.root, *[flow.tail for step in self.walk.steps for flow in step.flows]]
        for node in nodes:
            if id(node) in seen or node.operands and id(node) not in wrong:
                continue
            seen.add(id(node))
            g = self.walk.gradients[id(node)]
            leaves.append(f"{self.name(node)} = " + (
                self.number(g) if id(node) not in wrong else
                f"{against(g, wrong[id(node)], self.digits)} (wrong)"))
        head, why = "All has been passed on", list[str]()
        if wrong:
            many = f"{len(wrong):,} gradients are" if len(wrong) > 1 else "1 gradient is"
            head += f", and {many} wrong"
            why = ["(a node passed on before all had arrived at it)"]
        return self._cut([head, *why, *sorted(leaves, key=lambda line: (
            not line.endswith("(wrong)"), natural(line)))])

    def formula(self, flow: Flow) -> str:
        """``∂E/∂x += ∂E/∂y · 2·x = 0.5 · 3 = 1.5``, and what it makes of what was there."""
        factor = self._dialect.bound(self._dialect.written(self._slope(flow)), PRODUCT)
        p = self.number(flow.partial)
        p = f"({p})" if p.startswith("−") else p
        g, product = self.number(flow.gradient), self.number(flow.contribution)
        line = f"{self.name(flow.tail)} += {self.name(flow.head)} · {factor} = {g} · {p} = {product}"
        if flow.before is not None:
            line += f", together {self.number(flow.after)}"
        early = self.walk.early.get(id(flow.tail))
        if early is not None and self._late(flow):
            line += f" – too late: it has passed on {self.number(early)} already"
        return line

    def name(self, node: Value) -> str:
        """The derivative of the root by a node."""
        found = self._names.get(id(node))
        if found is None:
            found = self._names[id(node)] = derivative(self.walk.root, node, short)
        return found

    def called(self, item: Item) -> str:
        """A node, or a fold."""
        if isinstance(item, Fold):
            size = f"{len(item.nodes):,} folded node{'s' * (len(item.nodes) > 1)}"
            return f"{item.name} ({size})" if item.name else size
        return short(item).text

    def number(self, x: float) -> str:
        """A number, with as many digits as the picture shows."""
        return number(x, self.digits)

    def _slope(self, flow: Flow) -> Formula:
        """The formula of the partial, as people write it."""
        op, operands = op_of(flow.head), flow.head.operands
        assert op
        named = [Named(self._text(x), x.data) if isinstance(x, Value) else formula(x) for x in operands]
        wanted = [i == flow.position for i in range(len(operands))]
        found = slopes(op, Named(self._text(flow.head), flow.head.data), named, wanted)[flow.position]
        return Number(flow.partial) if found is None else found

    def _text(self, node: Value) -> str:
        """A node's name, the same object each time (by which formulas know it)."""
        return self._texts.setdefault(id(node), short(node).text)

    def _late(self, flow: Flow) -> bool:
        """Whether what flows comes after its operand has passed on."""
        for step in self.walk.steps:
            if any([other is flow for other in step.flows]):
                return False
            if any([other.head is flow.tail for other in step.flows]):
                return True
        return False

    def _sums(self, step: Step, inside: bool = False) -> Iterator[str]:
        """What a step adds to each node and fold, of a node's own flows that into folds alone."""
        found: dict[int, list[Flow]] = {}
        for flow in step.flows:
            target = self.walk.item(flow.tail)
            if target is not step.item and not (inside and target is flow.tail):
                found.setdefault(id(target), []).append(flow)
        for flows in found.values():
            target = self.walk.item(flows[0].tail)
            ways = f" over {len(flows):,} edges" if len(flows) > 1 else ""
            if isinstance(target, Fold):
                yield f"{self.called(target)}: gradients arrive{ways}"
            else:
                total = math.fsum([flow.contribution for flow in flows])
                yield (f"{self.name(target)} += {self.number(total)}{ways}, together "
                       f"{self.number(flows[-1].after)}")

    def _cut(self, lines: Sequence[str]) -> list[str]:
        texts = [printable(line) for line in lines]
        texts = [text if len(text) <= _LONG else text[:_LONG - 1] + "…" for text in texts]
        more = [f"… and {len(texts) - _MOST + 1:,} more"]
        return texts if len(texts) <= _MOST else [*texts[:_MOST - 1], *more]


def differing(walk: Walk, right: Walk) -> dict[int, float]:
    """What the gradients should be that a walk has got wrong, by the ids of their nodes."""
    found: dict[int, Any] = {key: right.gradients.get(key) for key in walk.gradients}
    return {key: x for key, x in found.items() if x is not None and not math.isclose(
        x, walk.gradients[key], rel_tol=1e-12, abs_tol=1e-300) and not math.isnan(x)}

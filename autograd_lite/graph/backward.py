"""The backward pass over recorded nodes: iterative, in floats, an error where a derivative is missing."""
from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any

from autograd_lite.errors import (DomainError, GradientError, NumericError, RangeError, ignoring, signal)
from autograd_lite.lines import Line
from autograd_lite.graph import kinks, node as nodes
from autograd_lite.graph.node import ZERO, Node, call_of, lock, plain, stored_partials
from autograd_lite.graph.walks import topological
from autograd_lite.ops.numbers import is_missing
from autograd_lite.ops.op import Op


class _Met:
    """The nodes one backward pass meets, and their gradients before it.

    A signal handler, a finalizer or a trace function may start another pass in the middle of one. That
    takes back what this one did so far, and gives it again at its end.
    """

    __slots__ = ("roots", "outer", "at_rest", "order", "again", "leaves", "suspended", "members")

    def __init__(self, *roots: Node) -> None:
        self.roots = roots                               # what its nodes lie under
        self.outer = nodes.running                       # the pass that this one interrupts
        self.at_rest = nodes.at_rest
        self.order: list[Node] = []                      # computed nodes, operands first
        self.again: list[tuple[Node, Any]] = []          # met before, with their gradients
        self.leaves: list[tuple[Node, Any]] = []         # the leaves, with their gradients before
        self.suspended: Sequence[tuple[Node, Any]] = ()  # what the outer pass had done
        self.members: set[int] | None = None             # the ids of all, once asked for

    def undo(self) -> None:
        """Give every node met so far the gradient it had."""
        for node in self.order:
            node._grad = ZERO
        for node, grad in self.again:
            node._grad = grad
        for node, grad in self.leaves:
            node._grad = grad

    def suspend(self) -> None:
        """Take back what the outer pass did."""
        outer = self.outer
        self.suspended = [(node, node._grad) for node in (
            *outer.order, *[node for node, _ in (*outer.again, *outer.leaves)])]
        outer.undo()

    def resume(self) -> None:
        """Give it back."""
        for node, grad in self.suspended:
            node._grad = grad

    def before(self, node: Node) -> Any:
        """A node's gradient before this pass."""
        for met, grad in self.leaves if node._operation is None else self.again:
            if met is node:
                return grad
        return ZERO if any([met is node for met in self.order]) else node._grad

    def keep_out(self, others: Sequence[Node]) -> None:
        """Raise an error if this pass, which was interrupted, meets one of these nodes."""
        if self.members is None:
            self.members = set(map(id, topological(self.roots, _differentiated)))
        for node in others:
            if id(node) in self.members:
                raise GradientError(f"{node!r}: a backward pass that works in its gradient was interrupted "
                                    "here (by a signal handler, a finalizer, a trace function); this must "
                                    "wait until that pass is over")
        if self.outer is not None:
            self.outer.keep_out(others)


class _Pass(_Met):
    """One backward pass."""

    __slots__ = ()

    def walk(self, root: Node) -> None:
        """List what `root` depends on, operands first (post-order, iterative).

        A fresh zero as its gradient marks a node as visited; a node resumed later goes on with its
        first unmarked operand. (Visiting order would not do: a gradient is complete only after *all*
        users of its node, even those on a longer path.)
        """
        mark: Any = ZERO + 0.0                           # (Any: in a compiled build an object, too)
        order, leaves = self.order, self.leaves
        above: list[Node | None] = [None]                # the nodes to resume
        many: list[Iterator[Node]] = []                  # where those with many operands go on
        if root._operation is None:
            leaves.append((root, root._grad))
            return
        node: Node | None = root
        a: Node
        b: Node
        while node is not None:
            grad = node._grad
            if grad is not ZERO:
                self.again.append((node, grad))
            node._grad = mark
            if node._pa is not None:
                a = node._a
                if a._grad is not mark:
                    if a._operation is not None:
                        above.append(node)
                        node = a
                        continue
                    leaves.append((a, a._grad))
                    a._grad = mark
            elif node._b is None:
                many.append(self.computed_operands(node, mark))
            while node is not None:
                if node._pb is not None:
                    if node._b is None:
                        below = next(many[-1], None)
                        if below is not None:
                            above.append(node)
                            node = below
                            break
                        many.pop()
                    else:
                        b = node._b
                        grad = b._grad
                        if grad is mark:
                            pass
                        elif b._operation is None:
                            leaves.append((b, grad))
                            b._grad = mark
                        elif (grad is ZERO and (b._pa is None or b._a._grad is mark) and (
                                b._pb is None or b._b is not None and b._b._grad is mark)):
                            b._grad = mark               # a product in a sum, say: no need to go down
                            order.append(b)
                        else:
                            above.append(node)
                            node = b
                            break
                order.append(node)
                node = above.pop()

    def computed_operands(self, node: Node, mark: Any) -> Iterator[Node]:
        """The unmarked computed operands of a node with many; its leaves are marked on the way."""
        for x, p in zip(node._a, node._pb):
            if p is not None and x._grad is not mark:
                if x._operation is not None:
                    yield x
                else:
                    self.leaves.append((x, x._grad))
                    x._grad = mark

    def propagate(self, root: Node, seed: float) -> bool:
        """Pass each node's gradient, times its partials, to its operands, from the root down.

        Returns whether the leaves' gradients are finite, or need not be.
        """
        root._grad = seed
        x: Node
        ieee = ignoring()
        for node in reversed(self.order):
            g: float = node._grad
            if g == 0.0 and not ieee:
                continue
            p: Any = node._pa
            if p is not None:
                x = node._a
                x._grad = x._grad + g * p
            p = node._pb
            if p is not None:
                if node._b is not None:
                    x = node._b
                    x._grad = x._grad + g * p
                else:
                    for operand, q in zip(node._a, p):
                        if q is not None:               # (an operand without may be a float)
                            x = operand
                            x._grad = x._grad + g * q
        total = 0.0
        for leaf, _ in self.leaves:
            total += leaf._grad
        return ieee or total - total == 0.0

    def propagate_carefully(self, root: Node, seed: float, frozen: Container[int] = ()) -> None:
        """The same, each product and sum checked; leaves whose ids are in `frozen` get nothing."""
        for node in (*self.order, *[leaf for leaf, _ in self.leaves]):
            node._grad = 0.0
        root._grad = seed
        for node in reversed(self.order):
            g = node._grad
            if g == 0.0:
                continue                    # a zero gradient adds nothing, whatever the partial
            for i, (x, p) in enumerate(zip(node.operands, stored_partials(node))):
                if p is not None and id(x) not in frozen:
                    x._grad = plus(x, x._grad, checked(g * p, node, i, g, p))

    def settle(self) -> None:
        """Add each leaf's new gradient, once, to the one it held."""
        for leaf, held in self.leaves:
            total = leaf._grad if held is None else held + leaf._grad
            if total - total != 0.0:
                total = plus(leaf, held, leaf._grad)
            leaf._grad = None if held is None else total            # None: frozen since


def _differentiated(node: Node) -> list[Node]:
    """The operands to which a gradient flows."""
    return [x for x, p in zip(node.operands, stored_partials(node)) if p is not None]


def backward(root: Node, seed: float, wanted: Sequence[Node] | None = None,
             refused: Callable[[Node], bool] | None = None) -> list[float | None] | None:
    """Set the gradients of all that `root` depends on; an exception leaves them as they were.

    With leaves `wanted`, which are frozen, no gradient changes: theirs are returned (None where no path
    leads), or None if `root` depends on others too, or a node is `refused`.
    """
    with lock:
        this, done = _Pass(root), False
        try:
            if this.outer is not None:
                this.suspend()
            nodes.running, nodes.at_rest = this, False
            this.walk(root)
            if wanted is not None:
                for _, held in this.leaves:
                    if held is not None:
                        return None
                if refused is not None and any(map(refused, this.order)):
                    return None
            elif this.outer is not None:
                this.outer.keep_out([*this.order, *[leaf for leaf, _ in this.leaves]])
            if not this.propagate(root, seed):
                frozen = {id(leaf) for leaf, held in this.leaves if held is None}
                this.propagate_carefully(root, seed, frozen.difference(map(id, wanted or ())))
            if wanted is not None:
                return [leaf._grad for leaf in wanted]
            if kinks.live:
                leaves = [leaf for leaf, _ in this.leaves]
                kinks.verify_backward(root, seed, leaves, [leaf._grad for leaf in leaves])
            this.settle()
            done = True
            return None
        finally:
            if not done:
                this.undo()
            nodes.running, nodes.at_rest = this.outer, this.at_rest
            if this.outer is not None:
                this.resume()


# -- infinite and missing derivatives, of floats or nodes -----------------------------------


def finite(x: Any) -> bool:
    """Whether a number, plain or a node's, is neither infinite nor nan."""
    data = x if type(x) is float else getattr(x, "_data", x)
    return data - data == 0.0


def plus(node: Node, a: Any, b: Any) -> Any:
    """The sum of a node's gradients a (None: nothing yet) and b; a `RangeError` if it is too large."""
    if a is None:
        return b
    total = a + b
    if not finite(total) and finite(a) and finite(b):
        signal(RangeError(f"the gradients {a!r} and {b!r} add up to more than a double holds, at "
                          f"{call_of(node)}", node.op, (node.data,), (node,), node.line))
    return total


def checked(product: Any, node: Node, i: int, g: Any, p: Any) -> Any:
    """The product g·p of a node's gradient and its i-th partial.

    It is an error if not finite, unless the user's own numbers are not finite.
    """
    if finite(product) or not finite(g) or not all(map(finite, node.operands)):
        return product
    op: Any = node._operation
    signal(no_derivative(op, i, node.data, [plain(x) for x in node.operands], plain(p), node,
                         f"the gradient {plain(g)!r} · {plain(p)!r}"))
    return product


def no_derivative(op: Op, i: int, y: float, xs: Sequence[float], p: float, node: Node | None = None,
                  large: str = "", line: Line | None = None) -> NumericError:
    """The error for a gradient through an op at xs: its i-th partial p is missing, or p or `large` is too
    large."""
    call, nodes, line = (op.call(xs), xs, line) if node is None else (
        call_of(node), node.operands, node.line)
    missing = p != p or p - p != 0.0 and is_missing(op, i, y, xs)
    why = (op.singular or "it has no finite derivative here" if missing else
           f"{large if p - p == 0.0 else 'its derivative'} is too large for a double")
    cause = op.failure(xs)
    kind: type[NumericError] = DomainError if missing else RangeError
    error = kind(f"gradient through {call}: {cause or why}", op.name, xs, nodes, line)
    error.__cause__ = cause
    return error

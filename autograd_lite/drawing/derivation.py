"""`derive`: the chain rule that was applied, written out as a person would write it."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, overload

from autograd_lite.checks.explain import explain
from autograd_lite.checks.report import count, plain_data
from autograd_lite.checks.rows import Row
from autograd_lite.drawing.chain import Chain
from autograd_lite.drawing.comparison import Comparison
from autograd_lite.drawing.dialects import Dialect
from autograd_lite.drawing.lines import Line, headed, lines_of, plain
from autograd_lite.drawing.shown import Written
from autograd_lite.drawing.symbolic import derivatives
from autograd_lite.errors import InputError, shown
from autograd_lite.graph.backward import finite
from autograd_lite.graph.labels import Names
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value, refuse_traced
from autograd_lite.lines import printable

MOST = 40                                       # derivatives with lines of their own


class Derivation(Written):
    """Derivatives written out.

    Attributes:
        root: what is differentiated; wrt: by what; values: the derivatives by these.
    """

    root: Value
    wrt: tuple[Value, ...]
    digits: int
    values: tuple[float, ...]

    def __init__(self, root: Value, wrt: Sequence[Value], program: Program, depth: int | None, digits: int,
                 values: bool):
        self.root, self.wrt, self.digits = root, tuple(wrt), digits
        self._program, self._with_values = program, values
        self._places = [program.place(node) for node in wrt]
        top: Any = program.place(root)
        self._chain = Chain(program, top, [k for k in self._places if k is not None])
        totals = self._chain.totals
        self.values = tuple([0.0 if k is None else totals[k] or 0.0 for k in self._places])
        self._blocks, self._hidden = self._chain.blocks(depth, MOST)

    def lines(self, dialect: Dialect) -> list[Line]:
        """The lines, in a dialect: those of what is used first."""
        found, name = lines_of(
            self._chain, self._blocks, dialect, self._with_values, MOST), self._chain.symbols.name
        zero = [plain(dialect.number(0.0).text)]
        return [*found, *[headed(dialect.partial(name(self._chain.root), node.label or "x").text, zero)
                          for node, k in zip(self.wrt, self._places) if k is None]]

    @property
    def notes(self) -> list[str]:
        """Why derivatives are 0 or not finite, and what is left out."""
        found, name = list[str](), self._chain.symbols.name
        for node, k, value in zip(self.wrt, self._places, self.values):
            if k is None:
                found.append(f"{name(self._chain.root)} does not depend on {node.label or 'x'}.")
            elif value == 0.0 or not finite(value):
                found += _reasons(self.root, node)
        found = [printable(note) for note in dict.fromkeys(found)][:5]
        if self._hidden:
            found.append(f"… and {count(self._hidden, 'more derivative')}, which these use (depth= says how "
                         "far to go)")
        return found

    def sympy(self) -> Any:
        """The derivative as an expression of SymPy, in symbols for the leaves that have labels; a list if
        there are several.

        Raises:
            MissingError: SymPy is not installed.
            InputError: the graph is too large for it.
        """
        chain = self._chain
        places = [chain.root if k is None else k for k in self._places]
        made = derivatives(self._program, chain.root, places, chain.symbols)
        found = [x * 0 if k is None else x for x, k in zip(made, self._places)]
        return found[0] if len(found) == 1 else found

    def as_dict(self) -> dict[str, Any]:
        """The derivatives by name, and the text, for JSON."""
        name = self._chain.symbols.name
        names = [node.label or "x" if k is None else name(k) for node, k in zip(self.wrt, self._places)]
        return {"root": name(self._chain.root), "derivatives": plain_data(dict(zip(names, self.values))),
                "text": self.text}

    def __repr__(self) -> str:
        return f"<Derivation of {self.root!r} by {count(len(self.wrt), 'node')}; print it>"


def _reasons(root: Value, node: Value) -> list[str]:
    found = explain(root, node)
    if found.findings:
        return [str(finding) for finding in found.findings[:2]]
    return [] if found.connected else [str(found).split("\n")[1].strip("()")]


@overload
def derive(root: Row, *, digits: int = 6) -> Comparison: ...


@overload
def derive(root: Value, wrt: Value | str | Iterable[Value | str] | None = None, *, depth: int | None = None,
           digits: int = 6, values: bool = False) -> Derivation: ...


def derive(root: Any, wrt: Any = None, *, depth: int | None = None, digits: int = 6, values: bool = False
           ) -> Written:
    """Write out the derivatives of a node as a person would: symbols, then formulas, numbers, the result.

    Nodes with a label are the steps; what lies between them is written out as an expression. A derivative
    that is a sum over several paths, or that is used more than once, has lines of its own. What is chosen by
    the present numbers is said: ``since h > 0``.

    Args:
        root: the node to differentiate; or the row of an audit's report: then what is claimed stands below
            what the graph gives, and the factors that differ are marked.
        wrt: by what: a node, the label of a node or of an array of them, or a list of these; by default the
            leaves that have labels and gradients.
        depth: how far to follow the derivatives that have lines of their own: 0 for those by `wrt` alone.
        digits: of the numbers.
        values: also show what has a name: how it was computed, and its number.

    Returns:
        A `Derivation` (of a row a `Comparison`); print it. It has `.text`, `.latex`, `.markdown`, `.html`
        and `.sympy()`, and notebooks show it.

    Raises:
        LabelError: a label names no node, or several.
        InputError: `root` is not a Value, or `wrt` is neither a node nor a label nor a list of them.

    >>> from autograd_lite import label, sigmoid
    >>> x, w, t = Value(0.5, "x"), Value(0.8, "w"), Value(1.0, "t")
    >>> z = w * x; y = sigmoid(z); E = (t - y) ** 2; label(z=z, y=y, E=E)
    >>> print(derive(E, "w"))
    ∂E/∂w = ∂E/∂y · ∂y/∂z · ∂z/∂w
          = 2·(y − t) · y·(1 − y) · x
          = −0.802625 · 0.240261 · 0.5
          = −0.096420
    """
    refuse_traced("derive")
    if not (isinstance(digits, int) and 1 <= digits <= 17):
        raise InputError(f"derive: digits is a whole number from 1 to 17, not {shown(digits)}")
    if isinstance(root, Row):
        if wrt is not None or depth is not None:
            raise InputError("derive: a row of a report is of one derivative; give no wrt and no depth")
        return Comparison(root, digits)
    if not isinstance(root, Value):
        raise InputError(f"derive: {shown(root)} is not a Value, and a plain number has no history")
    if depth is not None and not (isinstance(depth, int) and depth >= 0):
        raise InputError(f"derive: depth is how far to go, a whole number of at least 0, not {shown(depth)}")
    program = Program([root])
    if wrt is None:
        wrt = [node for node in program.nodes if not node.operands and node.label and node.requires_grad]
    nodes = list(dict.fromkeys(_nodes(Names(program.nodes), wrt)))
    return Derivation(root, nodes, program, depth, digits, values)


def _nodes(names: Names, wrt: Any) -> Iterable[Value]:
    if isinstance(wrt, Value):
        return [wrt]
    if isinstance(wrt, str):
        return [node for node in names.array(wrt)[1] if node is not None]
    if isinstance(wrt, Iterable):
        return [node for x in wrt for node in _nodes(names, x)]
    raise InputError(f"derive: {shown(wrt)} is neither a node nor a label, nor a list of them")

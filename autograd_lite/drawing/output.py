"""`draw` a graph, `render` it to a file."""
from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Unpack

from autograd_lite.drawing.dot import Dot
from autograd_lite.errors import InputError, RenderError, type_name
from autograd_lite.extras import missing
from autograd_lite.files import AnyPath, path_text, write
from autograd_lite.graph.value import Value

if TYPE_CHECKING:
    from autograd_lite.checks.rows import AuditReport
    from autograd_lite.drawing.drawn import Drawing

Path = TypeVar("Path", bound=AnyPath)
ENDINGS = (".png", ".svg", ".html", ".pdf", ".dot")             # of the files that `render` writes


def draw(root: Value | Iterable[Value], *, max_nodes: int = 100, sample: int | Literal["all"] | None = None,
         focus: Value | str | None = None, gradients: Value | Iterable[Value] = (), digits: int | None = None,
         direction: Literal["LR", "RL", "TB", "BT"] | None = None, caption: str = "",
         style: Literal["full", "compact"] | None = None, theme: Literal["light", "dark"] = "light",
         colour: Literal["kind", "grad"] = "kind", report: AuditReport | None = None) -> Drawing:
    """The graph below a Value, or below several, as a `graphviz.Digraph` that a notebook shows.

    Each node is a card with its label and op, its data and its gradient (– before `backward`). Leaves are
    yellow, nodes without gradient are grey and dashed, roots have a heavy border; plain numbers have no card.
    What is not finite has a red border, and the first such numbers, from which the others come, are filled
    red. Each operand is an arrow with the local derivative ∂head/∂tail; among very many arrows only tooltips
    say it. Scopes are nested boxes, in which cards show the rest of the names that these begin. Pointing at a
    card or an arrow of an SVG shows its numbers in full. The source is the same in every run, and no program
    is needed to make it.

    Args:
        root: a Value, or several.
        max_nodes: a larger (or very dense) graph is folded: scopes, and in each scope what lies between its
            ends, are boxes that say how many nodes of which kind they hold. They are opened a level at a
            time, as far as this allows.
        sample: of samples for which a loss computes the same from the same parameters, the one to draw;
            "all" draws each. By default the first one, in graphs of more than 40 nodes.
        focus: a node, or its label: only the paths that carry the most gradient to it are drawn.
        gradients: derivatives of the root that are Values, as `value_and_grad` gives them for Values:
            their own nodes stand beside, in a cluster.
        digits: how many significant digits of each number to show; by default 4, in compact cards 2.
        direction: where the arrows point: "LR" from left to right, "RL", "TB" (down) or "BT"; by default to
            the right, or between compact cards down if that takes less room.
        caption: a line below the picture.
        style: cards that are "full", or "compact", of one line; by default full if there are few.
        theme: "light" or "dark".
        colour: what the colours tell: "kind", leaf or result, or "grad", the sizes of the gradients and of
            what flows along each arrow, which is as thick; a legend says which colour is how much.
        report: what `audit` found of this graph: claims about an arrow's derivative are marked on it, those
            about others on the card of the input (wrong ones thick, those from wrong numbers dashed).

    Raises:
        InputError: an argument is not of the right kind, or out of range; the report is of another graph.
        RenderError: the Python package graphviz is missing.

    >>> import autograd_lite as ag
    >>> x = ag.Value(3.0, "x"); y = x * x; y.label = "y"; y.backward()
    >>> picture = ag.draw(y)
    >>> [line.split(" [")[0].strip() for line in picture.source.splitlines() if "->" in line]
    ['n0 -> n1', 'n0 -> n1']
    """
    return drawing_of(_dot(root, max_nodes=max_nodes, sample=sample, focus=focus, gradients=gradients,
                           digits=digits, direction=direction, caption=caption, style=style, theme=theme,
                           colour=colour, report=report))


def _dot(root: Value | Iterable[Value], **options: Any) -> Dot:
    """The graph as DOT, for which no package is needed; options as for `draw`."""
    from autograd_lite.drawing.picture import Options, Picture
    roots = _values(root, "")
    if not roots:
        raise InputError("draw: the list of Values is empty")
    gradients = _values(options.pop("gradients", ()), "gradients: ")
    return Picture(roots, gradients, Options(**options)).dot


def _values(given: Any, what: str) -> list[Value]:
    found = [given] if isinstance(given, Value) or not isinstance(given, Iterable) else list(given)
    for x in found:
        if not isinstance(x, Value):
            raise InputError(f"draw: {what}expected a Value or a list of Values, got {type_name(x)}")
    return found


def drawing_of(dot: Dot) -> Drawing:
    """A graph in DOT as a `graphviz.Digraph`.

    Raises:
        RenderError: the Python package graphviz is missing.
    """
    try:
        from autograd_lite.drawing.drawn import Drawing
    except ModuleNotFoundError as error:
        if error.name != "graphviz":
            raise
        raise RenderError(missing("graphviz", "pictures need the Python package")) from None
    drawing = Drawing(dot.name, graph_attr=dot.defaults["graph"], node_attr=dot.defaults["node"],
                      edge_attr=dot.defaults["edge"], body=dot.body())
    drawing.description = dot.description or drawing.description
    return drawing


class DrawOptions(TypedDict, total=False):
    """What `draw` may be told."""

    max_nodes: int
    sample: int | Literal["all"] | None
    focus: Value | str | None
    gradients: Value | Iterable[Value]
    digits: int | None
    direction: Literal["LR", "RL", "TB", "BT"] | None
    caption: str
    style: Literal["full", "compact"] | None
    theme: Literal["light", "dark"]
    colour: Literal["kind", "grad"]
    report: AuditReport | None


def render(root: Value | Iterable[Value] | Drawing, path: Path, **options: Unpack[DrawOptions]) -> Path:
    """Write the picture of a graph to a file, whole or not at all, and return the file's path.

    Args:
        root: a Value, or several; or what `draw` returned.
        path: its ending (.png, .svg, .pdf, .html or .dot) says what is written. A page (.html) needs no other
            file; in it, as in an .svg, pointing at a part shows its numbers.
        options: as for `draw`.

    Raises:
        InputError: an argument is not of the right kind, or out of range.
        RenderError: the path has another ending or cannot be written; or there is no program to draw with, or
            it fails, or does not write PDF: then the message says what to install, and the .dot file, for
            which nothing is needed, is written instead.

    >>> import os, tempfile, autograd_lite as ag
    >>> x = ag.Value(3.0, "x")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.path.basename(ag.render(x * x, os.path.join(folder, "square.dot")))
    'square.dot'
    """
    name = path_text(path, "render", "; write render(root, 'graph.png')")
    stem, suffix = os.path.splitext(name)
    kind = suffix[1:].lower()
    if suffix.lower() not in ENDINGS:
        raise RenderError(f"render: cannot tell what to write to {name!r}: "
                          "the name must end in .png, .svg, .pdf, .html or .dot")
    drawing = _drawn(root)
    if drawing and options:
        raise InputError(f"render: give {next(iter(options))}= to draw, which made this drawing")
    dot = drawing or _dot(root, **options)
    picture = source = (dot.text() if isinstance(dot, Dot) else dot.source).encode()
    if kind != "dot":
        try:
            drawing = drawing_of(dot) if isinstance(dot, Dot) else dot
            picture = drawing.html().encode() if kind == "html" else drawing.pipe(kind)
        except RenderError as error:
            try:
                _write(f"{stem}.dot", source)
            except RenderError as other:
                raise RenderError(f"{error} ({other})") from None
            raise RenderError(f"{error} (The picture's source is in {stem + '.dot'!r}.)") from None
    _write(name, picture)
    return path


def _drawn(root: Any) -> Drawing | None:
    """What `draw` returned; None for anything else."""
    drawn = sys.modules.get("autograd_lite.drawing.drawn")          # (loaded if there is a Drawing)
    return root if drawn and isinstance(root, drawn.Drawing) else None


def _write(path: str, content: bytes) -> None:
    try:
        write(path, content)
    except OSError as error:
        raise RenderError(f"render: cannot write {path!r}: {error.strerror}") from error

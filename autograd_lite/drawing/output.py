"""`draw` a graph, `render` it to a file."""
from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from autograd_lite.errors import InputError, RenderError, type_name
from autograd_lite.files import AnyPath, path_text, write
from autograd_lite.graph.value import Value

if TYPE_CHECKING:
    from autograd_lite.drawing.dot import Dot
    from autograd_lite.drawing.drawn import Drawing

Path = TypeVar("Path", bound=AnyPath)


def draw(root: Value | Iterable[Value], *, max_nodes: int = 200, digits: int = 4,
         direction: Literal["LR", "RL", "TB", "BT"] = "LR", caption: str = "") -> Drawing:
    """The graph below a Value, or below several, as a `graphviz.Digraph` that a notebook shows.

    Each node is a card with its label and op, its data and its gradient. Leaves are yellow,
    nodes without gradient are grey and dashed, roots have a heavy border, and what is not
    finite is red; plain numbers have no card. Each operand is an arrow with the local derivative
    ∂head/∂tail. Scopes are nested boxes. Pointing at a card or an arrow of an SVG shows its
    numbers in full. The source is the same in every run, and no program is needed to make it.

    Args:
        root: a Value, or several.
        max_nodes: in a larger (or very dense) graph, scopes and nodes far from the root are
            folded into boxes that say how many nodes of which kind they hold.
        digits: how many significant digits of each number to show.
        direction: where the arrows point: "LR" from left to right, "RL", "TB" (down) or "BT".
        caption: a line below the picture.

    Raises:
        InputError: an argument is not of the right kind, or out of range.
        RenderError: the Python package graphviz is missing.

    >>> import autograd_lite as ag
    >>> x = ag.Value(3.0, "x"); y = x * x; y.label = "y"; y.backward()
    >>> picture = ag.draw(y)
    >>> [line.split(" [")[0].strip() for line in picture.source.splitlines() if "->" in line]
    ['n0 -> n1', 'n0 -> n1']
    """
    return drawing_of(_dot(root, max_nodes=max_nodes, digits=digits, direction=direction, caption=caption))


def _dot(root: Value | Iterable[Value], **options: Any) -> Dot:
    """The graph as DOT, for which no package is needed; options as for `draw`."""
    from autograd_lite.drawing.picture import Options, Picture
    roots = [root] if isinstance(root, Value) else list(root) if isinstance(root, Iterable) else [root]
    for x in roots:
        if not isinstance(x, Value):
            raise InputError(f"draw: expected a Value or a list of Values, got {type_name(x)}")
    if not roots:
        raise InputError("draw: the list of Values is empty")
    return Picture(roots, Options(**options)).dot


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
        raise RenderError("pictures need the Python package graphviz; install it: "
                          "pip install 'autograd-lite[png]'") from None
    return Drawing(dot.name, graph_attr=dot.defaults["graph"], node_attr=dot.defaults["node"],
                   edge_attr=dot.defaults["edge"], body=dot.body)


def render(root: Value | Iterable[Value], path: Path, **options: Any) -> Path:
    """Write the picture of a graph to a file, whole or not at all, and return the file's path.

    Args:
        root: a Value, or several.
        path: its ending (.png, .svg or .dot) says what is written.
        options: as for `draw`.

    Raises:
        InputError: an argument is not of the right kind, or out of range.
        RenderError: the path has another ending or cannot be written; or there is no program to draw
            with, or it fails: then the message says what to install, and the .dot file is written instead.

    >>> import os, tempfile, autograd_lite as ag
    >>> x = ag.Value(3.0, "x")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.path.basename(ag.render(x * x, os.path.join(folder, "square.dot")))
    'square.dot'
    """
    name = path_text(path, "render", "; write render(root, 'graph.png')")
    stem, suffix = os.path.splitext(name)
    if suffix.lower() not in (".png", ".svg", ".dot"):
        raise RenderError(f"render: cannot tell what to write to {name!r}: "
                          "the name must end in .png, .svg or .dot")
    drawing = draw(root, **options)
    picture = source = drawing.source.encode()
    if suffix.lower() != ".dot":
        try:
            picture = drawing.pipe(suffix[1:].lower())
        except RenderError as error:
            try:
                _write(f"{stem}.dot", source)
            except RenderError as other:
                raise RenderError(f"{error} ({other})") from None
            raise RenderError(f"{error} (The picture's source is in {stem + '.dot'!r}.)") from None
    _write(name, picture)
    return path


def _write(path: str, content: bytes) -> None:
    try:
        write(path, content)
    except OSError as error:
        raise RenderError(f"render: cannot write {path!r}: {error.strerror}") from error

"""`Drawing`, a `graphviz.Digraph` that finds its own program. The one module that imports graphviz."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import graphviz
from graphviz.backend import dot_command

from autograd_lite.drawing.engine import program, run
from autograd_lite.errors import RenderError
from autograd_lite.locks import shared_lock

_BITMAPS, _DOTS_PER_INCH = {"png", "jpg", "jpeg", "gif", "bmp", "webp"}, 144
_lending = shared_lock()


class Drawing(graphviz.Digraph):  # type: ignore[misc]
    """A Digraph drawn by whichever program is found, in a notebook too."""

    def pipe(self, format: str | None = None, renderer: str | None = None, formatter: str | None = None,
             neato_no_op: bool | int | None = None, quiet: bool = True, *,
             engine: str | None = None, encoding: str | None = None) -> Any:
        """The picture as bytes, or as text if an encoding is given.

        Raises:
            RenderError: there is no program to draw with, or it fails.
        """
        format = format or self.format
        options = [f"-K{engine or self.engine}", f"-T{':'.join(filter(None, (format, renderer, formatter)))}"]
        if neato_no_op:
            options.append(f"-n{neato_no_op:d}")
        if format in _BITMAPS:
            options.append(f"-Gdpi={_DOTS_PER_INCH}")
        source = self.source
        if format == "svg":
            # Programs round the scale of an SVG made to fit a `size`, and so cut it off.
            natural = self.copy()
            natural.graph_attr.pop("size", None)
            source = natural.source
        picture = run(source, *options)
        if format == "svg":                     # a page narrower than the picture should shrink it
            picture = picture.replace(b"<svg ", b'<svg style="max-width:100%;height:auto" ', 1)
        return picture.decode(encoding) if encoding else picture

    def render(self, *args: Any, **options: Any) -> Any:
        """Save the source and the picture, as `graphviz.Digraph.render` does."""
        path = program()
        with _lending:
            # There is no other way to tell graphviz which program to run.
            before, dot_command.DOT_BINARY = dot_command.DOT_BINARY, path
            try:
                return super().render(*args, **options)
            finally:
                dot_command.DOT_BINARY = before

    def _repr_mimebundle_(self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None,
                          **options: Any) -> Any:
        try:
            return super()._repr_mimebundle_(include, exclude, **options)
        except RenderError as error:
            return {"text/plain": str(error)}

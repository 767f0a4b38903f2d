"""`Drawing`, a `graphviz.Digraph` that finds its own program. The one module that imports graphviz."""
from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

import graphviz
from graphviz.backend.rendering import get_outfile

from autograd_lite.drawing.engine import run
from autograd_lite.drawing.letters import warn_of_boxes
from autograd_lite.drawing.svg import inlined, tidied
from autograd_lite.errors import RenderError
from autograd_lite.files import AnyPath, path_text, write
from autograd_lite.lines import printable
from autograd_lite.markup import block, page, prose

_BITMAPS, _DOTS_PER_INCH = {"png", "jpg", "jpeg", "gif", "bmp", "webp"}, 144
_SVG, _CSS_COLOUR = "image/svg+xml", re.compile("#[0-9a-fA-F]{6}|[a-z]+")


class Drawing(graphviz.Digraph):  # type: ignore[misc]
    """A Digraph drawn by whichever program is found, in a notebook too.

    Its `description` says in words what it shows, for those who do not see it.
    """

    description = "computation graph"

    def copy(self) -> Drawing:
        """Another drawing of the same."""
        other: Drawing = super().copy()
        other.description = self.description
        return other

    def pipe(self, format: str | None = None, renderer: str | None = None, formatter: str | None = None,
             neato_no_op: bool | int | None = None, quiet: bool | None = None, *,
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
        if format in _BITMAPS | {"pdf"}:
            warn_of_boxes(source)
        if format == "svg":
            # Programs round the scale of an SVG made to fit a `size`, and so cut it off.
            natural = self.copy()
            natural.graph_attr.pop("size", None)
            source = natural.source
        picture = run(source, *options)
        if format == "svg" and not renderer:
            picture = tidied(picture, self.description).encode()
        return picture.decode(encoding) if encoding else picture

    def save(self, filename: AnyPath | None = None, directory: AnyPath | None = None, *,
             skip_existing: bool | None = None) -> Any:
        """Write the source to a file, as `graphviz.Digraph.save` does, but whole or not at all."""
        if filename is not None:
            self.filename = path_text(filename, "save")
        if directory is not None:
            self.directory = path_text(directory, "save")
        path = os.path.join(self.directory, self.filename)
        if not (skip_existing and os.path.exists(path)):
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            write(path, self.source.encode(self.encoding))
        return path

    def _render(self, engine: str, format: str, filepath: str, *, renderer: str | None = None,
                formatter: str | None = None, neato_no_op: bool | int | None = None,
                quiet: bool | None = None, outfile: AnyPath | None = None, raise_if_result_exists: bool,
                overwrite_filepath: bool) -> str:
        """What `graphviz.Digraph.render` calls when it has saved the source."""
        path = path_text(outfile or get_outfile(filepath, format=format, renderer=renderer,
                                                formatter=formatter), "render")
        if not overwrite_filepath and os.path.realpath(path) == os.path.realpath(filepath):
            raise ValueError(f"outfile {path!r} must be different from the file of the source "
                             "(pass overwrite_source=True to override)")
        if raise_if_result_exists and os.path.exists(path):
            raise graphviz.FileExistsError(f"output file exists: {path!r}")
        write(path, self.pipe(format, renderer, formatter, neato_no_op, engine=engine))
        return path

    def _repr_mimebundle_(self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None,
                          **options: Any) -> Any:
        wanted, unwanted = {*(include or ())}, {*(exclude or ())}
        drawn = wanted | {_SVG} if "text/html" in wanted else wanted
        try:
            bundle = super()._repr_mimebundle_(drawn or None, None, **options)
        except RenderError as error:
            bundle = {"text/html": block(prose(str(error))), "text/plain": str(error)}
        else:
            bundle["text/plain"] = printable(self.description)
            if _SVG in bundle:
                bundle["text/html"] = self._inlined(bundle[_SVG])
        return {kind: shown for kind, shown in bundle.items()
                if (not wanted or kind in wanted) and kind not in unwanted}

    def html(self) -> str:
        """The picture as an HTML page that needs no other file.

        Raises:
            RenderError: there is no program to draw with, or it fails.
        """
        paper = self.graph_attr.get("bgcolor", "")
        return page(self.description, self._inlined(self.pipe("svg", encoding="utf-8")),
                    paper if _CSS_COLOUR.fullmatch(paper) else "white")

    def _inlined(self, svg: str) -> str:
        return inlined(svg, from_right=self.graph_attr.get("rankdir") == "LR")

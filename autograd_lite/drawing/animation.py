"""`animate`: the backward pass step by step, as a page or as an animated PNG."""
from __future__ import annotations

import json
import os
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pkgutil import get_data
from typing import Any, Literal, NamedTuple
from xml.etree import ElementTree

from autograd_lite.drawing.apng import animated, size
from autograd_lite.drawing.arrows import flow_text
from autograd_lite.drawing.cards import SMALL, escape, gradient_text, ink
from autograd_lite.drawing.engine import run
from autograd_lite.drawing.given import a_text
from autograd_lite.drawing.layout import width
from autograd_lite.drawing.letters import warn_of_boxes
from autograd_lite.drawing.looks import Stage
from autograd_lite.drawing.naming import short as named
from autograd_lite.drawing.output import Path
from autograd_lite.drawing.picture import Options, Picture
from autograd_lite.drawing.steps import ORDERS, Walk, Words, differing
from autograd_lite.drawing.svg import inlined, tidied
from autograd_lite.drawing.theme import THEMES, Theme
from autograd_lite.drawing.view import View
from autograd_lite.errors import InputError, RenderError, short, type_name
from autograd_lite.files import path_text, write
from autograd_lite.graph.value import Value
from autograd_lite.lines import printable
from autograd_lite.markup import page, text

_MOST = 120                                     # results that are shown, each a step
_DOTS_PER_INCH = 96
_PIXELS = 400_000_000                           # of all frames of a PNG together
_NARROW, _LINES, _LETTERS = 420.0, 8, 11        # the text below a PNG: points, lines, and their size,
_WIDE = 75                                      # which is at least this part of the width
_LEAST = 0.7                                    # of its size, on a page; a picture that is wider scrolls
_TITLES = {"topological": "In topological order", "naive": "Depth first, without that order"}


def animate(root: Value, path: Path, *, order: Literal["topological", "naive"] = "topological",
            max_nodes: int = 40, seconds: float = 2.0, digits: int | None = None,
            direction: Literal["LR", "RL", "TB", "BT"] | None = None, caption: str = "",
            style: Literal["full", "compact"] | None = None,
            theme: Literal["light", "dark"] | None = None) -> Path:
    """Write the backward pass of a graph, step by step, to a file, and return the file's path.

    In a step a result passes on its gradient, times the partial, to each of its operands, where what arrives
    is added up; a formula says so: ``∂E/∂x += ∂E/∂y · x = 0.5 · 3 = 1.5``. The numbers are those that
    `backward` adds to the leaves' gradients; the graph's own do not change. At first no gradient has arrived
    (–); the last step is the picture after the pass.

    A page (.html) shows the steps by a slider, buttons and keys (← → Home End; space plays). It needs no
    network, runs no script but its own, and where none runs it shows the last step and a table of all. If the
    naive order gives wrong gradients, one can change to it there. A .png is animated.

    Args:
        root: a Value.
        path: its ending, .html or .png, says what is written.
        order: "topological": a node waits until all its users have passed on, as in `backward`; or "naive":
            depth first, each node once, as soon as it is met, as in an engine that does not sort its nodes. A
            node with several users may then pass on a part of its gradient, and what is wrong for it is
            marked, with what would be right.
        max_nodes: a larger graph is folded, as by `draw`; a box passes on in one step.
        seconds: how long each step is shown.
        digits, direction, caption, style: as for `draw`.
        theme: "light" or "dark"; by default a page is as its reader prefers, a .png light.

    Raises:
        InputError: an argument is not of the right kind, or out of range.
        NumericError: a derivative is missing or too large, as in `backward`.
        RenderError: the path has another ending or cannot be written; the steps are too many, or too large
            for a .png; there is no program to draw with, or it fails.

    >>> import tempfile, autograd_lite as ag
    >>> x = ag.Value(3.0, "x"); y = x * x; z = y + y * x; ag.label(y=y, z=z)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.path.basename(ag.animate(z, os.path.join(folder, "steps.html")))
    'steps.html'
    """
    name = path_text(path, "animate", "; write animate(root, 'backward.html')")
    kind = os.path.splitext(name)[1][1:].lower()
    if kind not in ("html", "png"):
        raise RenderError(f"animate: cannot tell what to write to {name!r}: "
                          "the name must end in .html or .png")
    if not isinstance(root, Value):
        raise InputError(f"animate: expected a Value, got {type_name(root)}")
    if order not in ORDERS:
        raise InputError(f"animate: order={short(order)}: choose {' or '.join(map(repr, ORDERS))}")
    if not isinstance(seconds, (int, float)) or not 0.05 <= seconds <= 60.0:
        raise InputError(f"animate: seconds={short(seconds)}: choose a number from 0.05 to 60")
    a_text(caption, "animate: caption")
    film = Film(root, Options(max_nodes, "all", digits=digits, direction=direction, style=style,
                              theme="light" if theme is None else theme, called="animate"), order)
    content = _page(film, caption, theme, seconds) if kind == "html" else _png(film, caption, seconds)
    try:
        write(name, content)
    except OSError as error:
        raise RenderError(f"animate: cannot write {name!r}: {error.strerror}") from error
    return path


class Frame(NamedTuple):
    """A moment of the pass: what is said of it, a head line first, and how the picture is."""

    lines: list[str]
    stage: Stage


class Film:
    """The frames of a pass in topological order and, if it is asked for or wrong, in the naive one.

    Attributes:
        frames: by the name of the order.
        order: which one was asked for.
    """

    def __init__(self, root: Value, options: Options, order: str):
        self.root, self.order = root, order
        self._options, self._view = options, View([root], options.max_nodes, "all")
        walks = {name: Walk(self._view, root, name) for name in ORDERS}
        right = walks[ORDERS[0]]
        if len(right.steps) > _MOST:
            raise RenderError(f"animate: the picture has {len(right.steps)} results, more steps than "
                              f"{_MOST}; give a smaller max_nodes")
        self.frames = {name: list(_frames(walk, right, options.digits or 4)) for name, walk in walks.items()
                       if name in (order, ORDERS[0]) or differing(walk, right)}
        self._stages = [frame.stage for frames in self.frames.values() for frame in frames]
        self._wrong = frozenset([key for stage in self._stages for key in stage.right])
        self._room = self._widest()

    def source(self, frame: Frame) -> Picture:
        """The picture of a frame; in all of them everything has its place."""
        stage = replace(frame.stage, room=self._room, wrong=self._wrong)
        return Picture([self.root], [], self._options, self._view, stage)

    def _widest(self) -> dict[Any, float]:
        """How wide the texts that change are at most."""
        picture, room = Picture([self.root], [], self._options, self._view), defaultdict[Any, float](float)
        digits, letters = picture.looks.digits, float(picture.dot.defaults["node"]["fontsize"])
        arrows = [(head, edge.position, edge.stored(head)) for head, edges in self._view.edges.items()
                  for edge in edges if isinstance(head, Value)]

        def make(key: Any, lines: Sequence[str], letters: float, padding: float) -> None:
            room[key] = max([room[key], *[1.06 * width(line, letters) + padding for line in lines
                                          if line != "&#160;"]])

        for stage in self._stages:
            for key in map(id, self._view.shown):
                told = gradient_text(stage.gradients.get(key), stage.right.get(key), digits)
                make(key, told, letters, 10.0)
            for head, i, p in arrows:
                g = stage.passed.get(id(head))
                told = flow_text(g, None if g is None or p is None else g * p, digits)
                make((id(head), i), told, SMALL, 4.0)
        return room


def _frames(walk: Walk, right: Walk, digits: int) -> Iterator[Frame]:
    words = Words(walk, digits)
    yield Frame(words.start(), Stage())
    gradients, passed = {id(walk.root): 1.0}, dict[int, float]()
    for step in walk.steps:
        gradients = gradients | {id(flow.tail): flow.after for flow in step.flows}
        passed = passed | {id(flow.head): flow.gradient for flow in step.flows}
        reached = frozenset([id(walk.item(flow.tail)) for flow in step.flows])
        yield Frame(words.step(step), Stage(gradients, passed, id(step.item), reached))
    yield Frame(words.end(right), Stage(gradients, passed, right=differing(walk, right)))


# -- animated PNG ----------------------------------------------------------------------------------


def _png(film: Film, caption: str, seconds: float) -> bytes:
    frames, pictures = film.frames[film.order], list[bytes]()
    last = film.source(frames[-1])
    room = max(_NARROW, size(_bitmap(last.dot.text()))[0] * 72.0 / _DOTS_PER_INCH - 40.0)
    letters = max(_LETTERS, round(room / _WIDE))
    told = [_fitted([" · ".join([f"Step {k} of {len(frames) - 1}", *[caption] * bool(caption)]),
                     *frame.lines], room, letters) for k, frame in enumerate(frames)]
    rows = max(map(len, told))
    for k, frame in enumerate(frames):
        dot = film.source(frame).dot
        lines = [*told[k], *[""] * (rows - len(told[k]))]
        dot.defaults["graph"]["label"] = _told(lines, room, letters, last.looks.theme)
        pictures.append(_bitmap(dot.text()))
        across, down = size(pictures[0])
        if across * down * len(frames) > _PIXELS:
            raise RenderError(f"animate: {len(frames)} frames of {across:,} × {down:,} pixels are too large "
                              "for a .png; write an .html, or give a smaller max_nodes")
    return animated(pictures, [*[seconds] * (len(pictures) - 1), 2.0 * seconds])


def _bitmap(source: str) -> bytes:
    warn_of_boxes(source)
    return run(source, "-Kdot", "-Tpng", f"-Gdpi={_DOTS_PER_INCH}")


def _fitted(lines: Sequence[str], room: float, letters: int) -> list[str]:
    """Lines of text, each broken where it is wider; if they are too many, run together after the second."""
    if len(lines) > _LINES:
        lines = [*lines[:2], ",   ".join(lines[2:])]
    found = list[str]()
    for whole in lines:
        line = ""
        for word in whole.split(" "):
            if line.strip() and width(f"{line} {word}", letters) > room - 10.0:
                found.append(line)
                line = "   "
            line += " " * bool(line) + word
        while width(line, letters) > room - 10.0:
            line = f"{line[:-2]}…"
        found.append(line)
    return found if len(found) <= _LINES else [*found[:_LINES - 1], "…"]


def _told(lines: Sequence[str], room: float, letters: int, theme: Theme) -> str:
    """Lines of text, as a label that is so wide."""
    cells = []
    for k, line in enumerate(lines):
        written = escape(line, len(printable(line))) or "&#160;"
        colour = theme.faint if k == 0 else theme.ink if k == 1 else theme.backward
        cells.append(f'<TR><TD ALIGN="LEFT" WIDTH="{room:.0f}" HEIGHT="{1.5 * letters:.0f}">'
                     f'{ink(f"<B>{written}</B>" if k == 1 else written, colour, letters)}</TD></TR>')
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{"".join(cells)}</TABLE>>'


# -- page ------------------------------------------------------------------------------------------


def _page(film: Film, caption: str, theme: str | None, seconds: float) -> bytes:
    walks, pictures, drawn = list[list[dict[str, Any]]](), list[str](), dict[str, str]()
    for name, frames in film.frames.items():
        for frame in frames:
            picture = film.source(frame)
            picture.dot.defaults["graph"] |= {"bgcolor": "transparent", "size": ""}
            source = picture.dot.text()
            if source not in drawn:
                drawn[source] = tidied(run(source, "-Kdot", "-Tsvg"), picture.dot.description)
            pictures.append(drawn[source])
        if name == film.order:
            last = inlined(pictures[-1], picture.dot.defaults["graph"]["rankdir"] == "LR", _LEAST)
        walks.append([{"lines": frame.lines} for frame in frames])
    slots, texts, values = _changes([[*ElementTree.fromstring(svg).iter()] for svg in pictures])
    for step, row in zip([step for steps in walks for step in steps], values):
        step["values"] = row
    data = json.dumps({"walks": walks, "slots": slots, "texts": texts, "seconds": seconds,
                       "lit": [picture.looks.theme.scale[2], picture.looks.theme.alarm],
                       "first": [*film.frames].index(film.order)}, separators=(",", ":"))
    for sign in "<>&":                          # (so that no label ends the script that it is in)
        data = data.replace(sign, f"\\u{ord(sign):04x}")
    script = (get_data("autograd_lite.drawing", "animation.js") or b"").decode().replace("\r\n", "\n")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    title = caption or "The backward pass" + f" from {named(film.root).text}" * bool(film.root.label)
    shown = film.frames[film.order]
    body = [f"<main><h1>{text(title)}</h1>", last, _panel(list(film.frames), shown[-1]), _table(shown),
            f'</main>\n<script type="application/json" id="steps">{data}</script>',
            f"<script>{script}</script>"]
    head = f"{_POLICY.format(digest)}\n<style>{_style(theme)}</style>\n"
    return page(title, "\n".join(body), "var(--paper)", head).encode()


def _changes(pictures: Sequence[Sequence[ElementTree.Element]]
             ) -> tuple[list[Any], list[str | None], list[list[int]]]:
    """What differs between pictures of the same parts: the places, by the part's number and the attribute (""
    for its text); all texts that stand there; for each picture which of these stands at each place."""
    slots, columns = list[Any](), list[list[str | None]]()
    if len({tuple([part.tag for part in parts]) for parts in pictures}) > 1:
        raise RenderError("animate: the program drew pictures of different parts; write a .png instead")
    for i, parts in enumerate(zip(*pictures)):
        names = dict.fromkeys([name for part in parts for name in part.attrib])
        found = {name: [part.get(name) for part in parts] for name in names}
        if not any(map(len, parts)):
            found[""] = [part.text or "" for part in parts]
        for name, column in found.items():
            if len({*column}) > 1 and not name.startswith("{"):
                slots.append([i, name])
                columns.append(column)
    texts = [*dict.fromkeys([x for column in columns for x in column])]
    place = {x: k for k, x in enumerate(texts)}
    return slots, texts, [[place[column[k]] for column in columns] for k in range(len(pictures))]


def _panel(names: Sequence[str], frame: Frame) -> str:
    choices = "".join([f'<label><input type="radio" name="order"> {_TITLES[name]}</label> '
                       for name in names])
    buttons = "".join([f'<button type="button" id="{name}">{shown}</button>' for name, shown in (
        ("first", "First"), ("back", "← Back"), ("play", "Play"), ("forward", "Forward →"),
        ("last", "Last"))])
    return ('<section id="panel"><div id="controls" hidden>'
            f'{f"<div>{choices}</div>" if names[1:] else ""}<div>{buttons} <output id="where"></output></div>'
            '<input type="range" id="slider" min="0" step="1" aria-label="Step"></div>'
            '<div id="told" aria-live="polite" aria-atomic="true">'
            f'<p id="head">{text(frame.lines[0])}</p><ul id="lines">'
            f'{"".join([f"<li>{text(line)}</li>" for line in frame.lines[1:]])}</ul></div></section>')


def _table(frames: Sequence[Frame]) -> str:
    rows = "".join([f"<tr><th>{k}</th><td>{'<br>'.join(map(text, frame.lines))}</td></tr>"
                    for k, frame in enumerate(frames)])
    return ('<details id="all" open><summary>All steps</summary><table><thead><tr><th>step</th>'
            f"<th>what happens</th></tr></thead><tbody>{rows}</tbody></table></details>")


_POLICY = ("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
           "'unsafe-inline'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">")
_CSS = """
body{color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.3em;margin:0 0 .5em;overflow-wrap:anywhere}
#panel{position:sticky;bottom:0;background:var(--paper);border-top:1px solid var(--line);padding:.6em 0;
margin-top:.5em}
#controls>*{margin-bottom:.4em}#controls label{margin-right:1.2em}
button{font:inherit;padding:.25em .7em;margin:0 .4em .2em 0;color:inherit;background:var(--computed);
border:1px solid var(--line);border-radius:.4em;cursor:pointer}
button:disabled{opacity:.6;cursor:default}
#slider{display:block;width:100%;margin-left:0;margin-right:0;accent-color:var(--backward)}
#told{min-height:6em;max-height:min(35vh,14em);overflow-y:auto;overflow-wrap:anywhere}
#head{font-weight:600;margin:.2em 0}#lines{margin:0;padding-left:1.2em}
.wrong{color:var(--alarm_line);font-weight:600}
table{border-collapse:collapse;margin:.5em 0}
th,td{text-align:left;vertical-align:top;padding:.3em .8em .3em 0;border-top:1px solid var(--line)}
td{overflow-wrap:anywhere}
summary{cursor:pointer;margin:.5em 0}
@media print{#panel{position:static}#controls{display:none}}
"""


def _style(theme: str | None) -> str:
    """The style of a page; without a theme it is light or dark as the reader prefers, as is its picture."""
    light, dark = [THEMES[name] for name in ("light", "dark")]
    if theme:
        return f":root{{color-scheme:{theme};{_variables(THEMES[theme])}}}{_CSS}"
    pairs = {pale: deep for pale, deep in zip(_colours(light), _colours(dark))}
    swapped = "".join([f'main svg [{kind}="{pale}"]{{{kind}:{deep}}}' for pale, deep in pairs.items()
                       for kind in ("fill", "stroke")])
    return (f":root{{color-scheme:light dark;{_variables(light)}}}{_CSS}@media screen and "
            f"(prefers-color-scheme:dark){{:root{{{_variables(dark)}}}{swapped}}}")


def _variables(theme: Theme) -> str:
    return "".join([f"--{name}:{colour};" for name, colour in zip(theme._fields, theme)
                    if isinstance(colour, str)])


def _colours(theme: Theme) -> Iterator[str]:
    for field in theme:
        yield from [field] if isinstance(field, str) else field

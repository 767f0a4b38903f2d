"""What a program draws as SVG, made fit for pages: tooltips, no ids that clash, a size that adapts."""
from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from xml.etree import ElementTree

from autograd_lite.errors import RenderError
from autograd_lite.lines import printable

_SVG, _XLINK = "http://www.w3.org/2000/svg", "{http://www.w3.org/1999/xlink}"
_REFERENCE = re.compile(r"url\(#(.*?)\)")
_KINDS = {"graph", "cluster", "node", "edge"}
_START = re.compile(r'<svg style="[^"]*"([^>]*? width="([\d.]+)pt"[^>]*>)')
_PIXELS = 4.0 / 3.0                             # of a point
_LEAST = 0.5                                    # below this scale, letters would be too small: it scrolls

# `all` keeps out what a page says of its letters; on paper nothing scrolls, so there it is fitted.
_FRAME = ('<div class="autograd-lite-drawing mathjax_ignore tex2jax_ignore" style="all:initial;direction:{};'
          'display:block;max-width:100%;overflow-x:auto"><style>@media print{{.autograd-lite-drawing>svg'
          '{{width:auto!important;max-width:100%!important}}}}</style>{}</div>')


def tidied(drawn: bytes, description: str) -> str:
    """A program's SVG, whose parts show their tooltips alone, with a description for screen readers.

    Raises:
        RenderError: it is not XML (of a control character in a label that was added to a drawing, say).
    """
    try:
        root = ElementTree.fromstring(drawn)
    except ElementTree.ParseError as error:
        raise RenderError(f"the SVG that was drawn is not XML: {error}") from None
    every = [*root.iter()]
    for element in every:
        element.tag = element.tag.removeprefix(f"{{{_SVG}}}")
        if (name := element.find(f"{{{_SVG}}}title")) is not None:
            element.remove(name)                # (it says "n0")
    wrappers = [(element, part) for element in reversed(every)              # (what is inside first)
                for part in element if len(part) == 1 and part[0].tag == "a"]
    for element, wrapper in wrappers:
        _unwrap(element, wrapper)
    _tell_apart(every, f"d{sha256(drawn).hexdigest()[:12]}-")
    root.attrib = {"style": "max-width:100%;height:auto", "role": "img", "aria-label": printable(description),
                   "xmlns": _SVG, **root.attrib}
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, "unicode")}\n'


def _unwrap(element: ElementTree.Element, wrapper: ElementTree.Element) -> None:
    """Turn what a link says into the title of its node or arrow; the link stays if it leads anywhere."""
    link, place = wrapper[0], [*element].index(wrapper)
    text, leads = (link.attrib.pop(f"{_XLINK}{name}", "") for name in ("title", "href"))
    own = leads == "#" or "graph" in element.get("class", "").split() or element.find("title") is not None
    leads = leads.removeprefix("#")             # (with which a part of a label has its tooltip)
    parts = [link] if leads else [*link]
    if leads:
        link.set("href", leads)
    title = ElementTree.Element("title")
    title.text = text
    if text.strip() and own:
        wrapper[:] = [title, *parts]            # (the whole picture, and what has a title, take no other)
        return
    element[place:place + 1] = parts
    if text.strip():
        element.insert(0, title)


def _tell_apart(every: Iterable[ElementTree.Element], prefix: str) -> None:
    """Keep only the ids that are referred to, as no other picture has them, and no class that a page has."""
    used = {name for element in every for text in element.attrib.values()
            for name in _REFERENCE.findall(text)}
    for element in every:
        for name, text in [*element.attrib.items()]:
            element.set(name, _REFERENCE.sub(rf"url(#{prefix}\1)", text))
        name = element.attrib.pop("id", "")
        if name in used:
            element.set("id", prefix + name)
        words = [word for word in element.attrib.pop("class", "").split() if word not in _KINDS]
        if words:
            element.set("class", " ".join(words))


def inlined(svg: str, from_right: bool, least: float = _LEAST) -> str:
    """A tidied SVG as HTML: no wider than the page, unless it would be too small to read; then it scrolls,
    from its right end (where the root is) or from its left one."""
    start = _START.search(svg)
    assert start
    width = float(start[2]) * _PIXELS
    style = ("display:block;direction:ltr;margin:0 auto 0 0;max-width:none;height:auto;"
             f"width:max(min(100%,{width:.0f}px),{least * width:.0f}px)")
    picture = f'<svg style="{style}"{start[1]}{svg[start.end():].rstrip()}'
    return _FRAME.format("rtl" if from_right else "ltr", picture)

"""Letters that a program has no font for, and so would draw as empty boxes; it says so in a warning."""
from __future__ import annotations

import functools
import os
import re
from unicodedata import combining

from autograd_lite.drawing.engine import SYSTEM, program, run
from autograd_lite.errors import warn
from autograd_lite.locks import shared_lock

_TOOLTIP = re.compile(r'\btooltip="(?:[^"\\]|\\.)*"')
# Latin, Greek, Cyrillic; more of Latin and Greek; punctuation, signs, arrows and mathematics.
_COMMON = [("\0", "\u052f"), ("\u1e00", "\u22ff")]
_MOST = 24                                      # letters of a picture that are tried
_trying = shared_lock()


def warn_of_boxes(source: str) -> None:
    """Warn of the letters in DOT source (but for tooltips) that the program would draw as empty boxes."""
    unusual = sorted([c for c in {*_TOOLTIP.sub("", source)} if not combining(c)
                      and not any(first <= c <= last for first, last in _COMMON)])
    path = program() if unusual else ""
    with _trying:
        missing = [c for c in unusual[:_MOST] if _boxed(path, c)]
    if missing:
        warn(f"{os.path.basename(path)} has no letters {' '.join(missing)} and draws empty boxes for them; "
             f"an .svg or .html shows them, or install a font that has them and {SYSTEM}")


@functools.cache
def _boxed(path: str, letter: str) -> bool:
    """Whether a letter looks as one does that no font has."""
    private = "\ue000" if letter < "\U00010000" else "\U000f0000"      # (as wide, as programs guess)
    return _picture(path, letter) == _picture(path, private)


@functools.cache
def _picture(path: str, letter: str) -> bytes:
    return run(f'graph {{ n [shape="plain", fontname="Helvetica", label="{letter}"] }}', "-Tpng")

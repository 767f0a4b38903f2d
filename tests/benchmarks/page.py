"""The parts of a page that a script writes: what stands between ``<!-- name -->`` and ``<!-- end -->``."""
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def fill(paths: Sequence[str], parts: Mapping[str, str]) -> None:
    """Put each part into every page that has its marks; a page that has none of them is an error."""
    for path in map(Path, paths):
        old = text = path.read_text(encoding="utf-8")
        known = 0
        for name, part in parts.items():
            marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
            text, found = marked.subn(lambda match: f"{match[1]}{part}\n{match[2]}", text)
            known += found
        if not known:
            raise SystemExit(f"{path} has none of the marks {', '.join(parts)}")
        if text != old:
            path.write_text(text, encoding="utf-8")

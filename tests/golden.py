"""Texts that are held exactly: in `golden/*.txt` each stands under a line ``== its name``.

    python tests/golden.py                  writes these files anew; then read what `git diff` shows
"""
from __future__ import annotations

import contextlib
import importlib
import io
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"
FILES = sorted([path.stem for path in Path(__file__).parent.glob("test_golden_*.py")])


def steady(text: str) -> str:
    """A text without what the last digits of doubles, and the lines of tests, change."""
    text = re.sub(r"-?\b\d(\.\d+)?e-1[4-9]\b", "tiny", text)
    text = re.sub(r" +(?:tiny|0)(?=  agrees)", "  tiny", text)
    text = re.sub(r"(test_\w+\.py):\d+|0x[0-9a-f]+", r"\1", text)
    text = re.sub(r"\d+\.\d{12,}", lambda x: f"{float(x[0]):.10g}", text)
    return "\n".join([line.rstrip() for line in text.splitlines()]).strip("\n")


def expected(name: str) -> dict[str, str]:
    """The texts of a file, by their names."""
    path = FOLDER / f"{name}.txt"
    parts = ("\n" + path.read_text(encoding="utf-8")).split("\n== ")[1:] if path.exists() else []
    return {head: text.strip("\n") for head, _, text in (part.partition("\n") for part in parts)}


def write(name: str, cases: Mapping[str, Callable[[], str]]) -> None:
    """Write what the cases give now, those that were there in their order."""
    change = str if name in ("numbers", "facts", "bounds", "kernels", "losses", "special") else steady
    order = [case for case in {**expected(name), **cases} if case in cases]
    texts = [f"== {case}\n{change(cases[case]())}\n" for case in order]
    (FOLDER / f"{name}.txt").write_text("\n".join(texts), encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    with contextlib.redirect_stdout(io.StringIO()):         # (Hypothesis tells of failures, which are wanted)
        for file in FILES:
            module = importlib.import_module(file)
            write(module.NAME, module.CASES)

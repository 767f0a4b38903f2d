"""What all commands do with the terminal: messages, letters it lacks, colour, progress."""
from __future__ import annotations

import argparse
import codecs
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import Any, NoReturn, TextIO
from unicodedata import name

from autograd_lite.checks.report import columns, filled, wrapped
from autograd_lite.errors import AutogradError, short
from autograd_lite.lines import printable

PROGRAM, WIDTH = "autograd-lite", 79
INTERRUPTED = "interrupted"

# -- messages -----------------------------------------------------------------------------------------


def failed(what: object, status: int) -> int:
    """Say what went wrong, in one line and the place in a text that it shows; return the exit status."""
    if isinstance(what, MemoryError):
        what = "not enough memory; fewer --steps need less"
    elif isinstance(what, OSError) and what.strerror:
        what = f"{what.filename or 'the standard output'}: {what.strerror}"
    say(f"{PROGRAM}: {what}", whole=isinstance(what, AutogradError))
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        discard(sys.stdout)
    return status


def say(text: str, whole: bool = False) -> None:
    """One line on the standard error, if that is possible; or all lines."""
    try:
        lines = text.split("\n") if whole else [" ".join(text.split())]
        print("\n".join(map(_visible, lines)), file=sys.stderr, flush=True)
    except OSError:
        discard(sys.stderr)


def _visible(text: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def discard(stream: TextIO) -> None:
    """Let what a stream still holds go nowhere: Python would fail with it at its own end."""
    with suppress(OSError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


# -- letters that a terminal lacks --------------------------------------------------------------------


def encode(stream: TextIO) -> None:
    """Print d for ∂, names of Greek letters, and codes for others, where the stream's encoding lacks them."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors=_LACKING)


_LACKING = "autograd_lite.lacking"
_WORDS = {"∂": "d", "…": "...", "·": "*", "−": "-", "–": "-", "×": "*", "√": "sqrt ", "½": "1/2", "¼": "1/4",
          "→": "->", "∞": "inf", "✓": "+", "✗": "x", **{c: f"^{k}" for k, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}}


def _lacking(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeEncodeError):
        c = error.object[error.start]
        words = name(c, "").split()
        if word := _WORDS.get(c) or (words[-1].lower() if words[:1] == ["GREEK"] and len(words) == 4 else ""):
            return word, error.start + 1
    return codecs.backslashreplace_errors(error)


codecs.register_error(_LACKING, _lacking)

# -- colour and progress ------------------------------------------------------------------------------


def red(text: str) -> str:
    """Red, on a terminal that shows colours, unless NO_COLOR is set."""
    return _painted(text, 31)


def green(text: str) -> str:
    """Green, likewise."""
    return _painted(text, 32)


def _painted(text: str, colour: int) -> str:
    env = os.environ
    shows = env.get("TERM") != "dumb" and (os.name == "posix" or "WT_SESSION" in env or "ANSICON" in env)
    if env.get("NO_COLOR") or not shows or not sys.stdout.isatty():
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"


def progress(steps: Iterable[Any], what: str, total: int | None = None) -> Iterable[Any]:
    """A progress bar on a terminal, if tqdm is installed."""
    if sys.stderr.isatty():
        with suppress(ImportError):
            from tqdm import tqdm
            bar: Iterable[Any] = tqdm(steps, desc=what, leave=False, ncols=80, total=total)
            return bar
    return steps


# -- arguments and tables -----------------------------------------------------------------------------


_OPTIONS: set[str] = set()


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and fails if it cannot print."""

    def __init__(self, *, description: str, **options: Any):
        super().__init__(formatter_class=_Help, allow_abbrev=False,
                         description="\n".join(wrapped(description, "", 0)), **options)

    def add_argument(self, *names: Any, **options: Any) -> argparse.Action:
        _OPTIONS.update([name for name in names if name.startswith("--")])
        return super().add_argument(*names, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(failed(f"{_clearer(message)} (see {self.prog} --help)", 2))

    def _print_message(self, message: str, file: Any = None) -> None:
        (file or sys.stderr).write(message)


class _Help(argparse.RawDescriptionHelpFormatter):

    def __init__(self, prog: str):
        super().__init__(prog, max_help_position=26, width=WIDTH)


def _clearer(message: str) -> str:
    """argparse's message, with what may be meant."""
    head, _, choices = message.partition(" (choose from ")
    if choices and (near := get_close_matches(head.rpartition("'")[0].rpartition("'")[2],
                                              [word.strip("' )") for word in choices.split(",")])):
        return f"{message}; did you mean {near[0]}?"
    unknown = re.search("unrecognized arguments: (--[a-z-]+)", message)
    if unknown and (near := get_close_matches(unknown[1], _OPTIONS, cutoff=0.8)) and near[0] != unknown[1]:
        return f"{message}; did you mean {near[0]}?"
    if "required: expression" in message or re.search(r"unrecognized arguments:.* -[^ ]*[*/+(]", message):
        return message + "; the expression stands first, or if it begins with - last, after --"
    return message


def whole(least: int, most: int, what: str) -> Callable[[str], int]:
    """For argparse: a whole number within bounds."""
    def read(text: str) -> int:
        with suppress(ValueError):
            if least <= (n := int(text)) <= most:
                return n
        end = f"{least} or more" if most == sys.maxsize else f"from {least} to {most}"
        raise argparse.ArgumentTypeError(f"{short(text)} is not {what}; give a whole number, {end}")
    return read


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Names and short texts in two columns; a name that is very wide is cut."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    names = [name.encode(encoding, _LACKING).decode(encoding) for name, _ in rows]
    width = min(max(map(columns, names)), 40)
    return "\n".join(f"  {filled(name, width)}  {text}" for name, (_, text) in zip(names, rows))


def number(x: float) -> str:
    """A number as tables show it."""
    return f"{x:.12g}"


def assigned(point: dict[str, float]) -> str:
    """A point as --at takes it."""
    return " ".join(f"{printable(key)}={x!r}" for key, x in point.items())

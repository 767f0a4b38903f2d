"""``autograd-lite audit``: a file with a derivation by hand, audited at its points."""
from __future__ import annotations

import argparse
import ast
import contextlib
import json
import linecache
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from itertools import islice
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

from autograd_lite.checks.report import clip, count, plain_data, wrapped
from autograd_lite.checks.rows import Row
from autograd_lite.commands.console import WIDTH, Parser, green, progress, red, whole
from autograd_lite.commands.several import BEGIN, audit_all
from autograd_lite.commands.wrong import Looked, add_derive, look, written_out
from autograd_lite.errors import AutogradError, InputError, MissingError, short, type_name
from autograd_lite.extras import needed
from autograd_lite.files import read
from autograd_lite.lines import Line, printable

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

POINTS, TIMEOUT = 100, 60
EXAMPLE = "autograd-lite audit derivation.py"
TEMPLATE = """\
import autograd_lite as ag

points = [(0.5, 1.5), (-1.2, 0.7), (2.1, -0.4)]     # or inputs, a strategy

def forward(point):         # the function, with names for its parts
    x, y = map(ag.Value, point)
    u = x * y
    f = ag.sin(u)
    ag.label(x=x, y=y, u=u, f=f)
    return f

def hand(point):            # what you derived: by a name, or (of, by)
    x, y = point
    return {("u", "x"): y, "u": ag.cos(x * y), "x": y * ag.cos(x * y)}
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser: Parser = commands.add_parser(
        "audit", help="audit a derivation by hand, in a file of Python",
        description="Run a file that has forward(point), hand(point) and points, and say which claims of "
                    "hand are wrong by themselves, which rest on them, and what kind of mistake it is. The "
                    "exit status is 0 if all agree, 1 if one differs, 2 if the file cannot be used. Several "
                    "files are run each by a Python of its own, and there is a line for each mistake.",
        epilog=f"example:\n  {EXAMPLE}\n\na file to begin with:\n"
               + "".join(f"  {line}\n" for line in TEMPLATE.splitlines()))
    parser.add_argument("file", nargs="+", help="a file of Python; it is run")
    parser.add_argument("--points", type=whole(1, 1_000_000, "a number of points"), metavar="N",
                        help="how many of its points to take (default: all), or to draw from its strategy "
                             f"inputs (default {POINTS})")
    add_derive(parser)
    parser.add_argument("--timeout", type=whole(1, 1_000_000, "a number of seconds"), default=TIMEOUT,
                        metavar="S", help="how many seconds each of several files may take (default "
                                          "%(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run, refused=2, failed=2)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    if len(options.file) > 1:
        points = [] if options.points is None else ["--points", str(options.points)]
        return audit_all(options.file, points, options.timeout, options.json)
    path, = options.file
    with contextlib.redirect_stdout(sys.stderr), _beside(path), _errors_of(path):   # (it may print)
        module = _loaded(path)
        forward, hand = [_function(module, name, path) for name in ("forward", "hand")]
        points = _points(module, path, options.points)
        looked = look(forward, hand, progress(points, "points"), None)
        if not looked.counts:
            raise InputError(f"{printable(path)}: hand(point) returns no claims")
    places = _places(path) if looked.wrong else {}
    if options.json:
        print(json.dumps(_facts(looked, places)))
    else:
        print("\n".join(_lines(looked, path, places, options.derive)))
    return int(bool(looked.wrong))


def _lines(looked: Looked, path: str, places: dict[Any, int], written: int) -> Iterator[str]:
    if not looked.wrong:
        n = len(looked.rows)
        agrees = green(f"all {n} claims agree" if n != 1 else "the claim agrees")
        yield f"{agrees} with the graph, at {count(looked.usable, 'point')}"
    for entry in looked.wrong:
        yield from wrapped(f"at the point {clip(short(entry.point, 400), 3 * WIDTH)}:", "", 4)
        head, *rest = entry.report.summary().split("\n")
        yield red(head)
        yield from rest
        for row in entry.report.causes:
            number = _place(row, places)
            if number:
                yield f"{row.name} is claimed {Line(path, number, linecache.getline(path, number).strip())}"
        yield from written_out(entry.report.causes, written)
        written -= len(entry.report.causes)
    if looked.undefined:
        head = str(looked.undefined[0]).split("\n")[0]
        yield from wrapped(f"(not defined at {count(len(looked.undefined), 'point')}: {head})", "", 4)


def _facts(looked: Looked, places: dict[Any, int]) -> dict[str, Any]:
    return {"ok": not looked.wrong, "points": looked.usable, "undefined": len(looked.undefined),
            "claims": [{"name": row.name, "wrong_at": n} for row, n in zip(looked.rows, looked.counts)],
            "reports": [{"point": short(entry.point, 4000),
                         "causes": [{"name": row.name, "line": _place(row, places), "text": str(row),
                                     "diagnoses": plain_data(row.diagnoses)} for row in entry.report.causes],
                         **plain_data(entry.report.as_dict())} for entry in looked.wrong]}


# -- the file -----------------------------------------------------------------------------------------


def _loaded(path: str) -> ModuleType:
    """The file as a module, which runs it. Nothing is written."""
    if os.path.isdir(path):
        raise InputError(f"{printable(path)} is a directory; give a file of Python")
    source = read(path)
    module = sys.modules["__derivation__"] = ModuleType("__derivation__")       # (dataclasses look it up)
    module.__file__ = path
    exec(compile(source, path, "exec"), vars(module))
    return module


@contextlib.contextmanager
def _beside(path: str) -> Iterator[None]:
    """Let the file import what lies beside it."""
    before = sys.path[:]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    try:
        yield
    finally:
        sys.path[:] = before


def _function(module: ModuleType, name: str, path: str) -> Callable[..., Any]:
    found = getattr(module, name, None)
    if not callable(found):
        what = f"its {name} is {short(found)}" if found is not None else f"it has no {name}(point)"
        raise InputError(f"{printable(path)}: {what}{BEGIN}\n\n{TEMPLATE}")
    return found  # type: ignore[no-any-return]


def _points(module: ModuleType, path: str, n: int | None) -> list[Any]:
    points, inputs = getattr(module, "points", None), getattr(module, "inputs", None)
    if points is not None:
        points = points() if callable(points) else points
        found = list(islice(points, n or (None if hasattr(points, "__len__") else POINTS)))
    elif inputs is not None:
        found = _drawn(inputs, n or POINTS)
    else:
        raise InputError(f"{printable(path)}: it has neither points (a list) nor inputs (a strategy of "
                         f"Hypothesis's){BEGIN}\n\n{TEMPLATE}")
    if not found:
        raise InputError(f"{printable(path)}: its list of points is empty; give at least three")
    return found


def _drawn(inputs: SearchStrategy[Any], n: int) -> list[Any]:
    """Points from a strategy of Hypothesis's, the same in each run."""
    with needed("points from a strategy need"):
        from hypothesis import HealthCheck, Phase, given, settings
    found: list[Any] = []

    def collect(point: Any) -> None:
        found.append(point)

    chosen = settings(max_examples=n, database=None, deadline=None, derandomize=True, phases=[Phase.generate],
                      suppress_health_check=list(HealthCheck))
    chosen(given(inputs)(collect))()
    return found[:n]


def _places(path: str) -> dict[Any, int]:
    """Where `hand` makes each claim, by the claim's key: the lines of the numbers in its dict, or of the last
    assignment of the names that stand there."""
    found: dict[Any, int] = {}
    for function in ast.walk(ast.parse(read(path))):
        if isinstance(function, ast.FunctionDef) and function.name == "hand":
            nodes = sorted(ast.walk(function), key=lambda node: getattr(node, "lineno", 0))
            lines = {ast.unparse(target): node.lineno for node in nodes
                     if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
                     for target in (node.targets if isinstance(node, ast.Assign) else [node.target])}
            for node in nodes:
                for key, x in zip(node.keys, node.values) if isinstance(node, ast.Dict) else ():
                    with contextlib.suppress(ValueError, TypeError):
                        found[ast.literal_eval(key or x)] = lines.get(ast.unparse(x), x.lineno)
    return found


def _place(row: Row, places: dict[Any, int]) -> int | None:
    claim = row.claim
    return places.get(claim) or places.get(claim[1] if isinstance(claim, tuple) else claim)


@contextlib.contextmanager
def _errors_of(path: str) -> Iterator[None]:
    """An error of the file's code becomes one of ours that shows its line."""
    try:
        yield
    except OSError as error:
        if error.filename == path and not _line(error.__traceback__, path):
            raise
        raise _shown(error, path) from None
    except MemoryError:
        raise
    except (Exception, SystemExit) as error:
        if str(error).startswith(printable(path)) or isinstance(error, MissingError):
            raise
        raise _shown(error, path) from None


def _shown(error: BaseException, path: str) -> AutogradError:
    text = str(error).split("\n")[:8]
    if isinstance(error, SyntaxError) and error.filename == path:
        text = [error.msg]
        line: Any = Line(path, error.lineno or 1, (error.text or "").rstrip("\n"), (error.offset or 1) - 1,
                         error.offset or 1)
    else:
        line = _line(error.__traceback__, path)
    if not isinstance(error, AutogradError):
        kind = "it calls exit" if isinstance(error, SystemExit) else type_name(error)
        text[0] = f"{kind}: {text[0]}" if error.args and error.args != (None,) else kind
        text = [clip(printable(part), WIDTH) for part in text]
    return InputError("\n".join([f"{printable(path)}: {text[0]}", *text[1:], *([str(line)] if line else [])]))


def _line(trace: TracebackType | None, path: str) -> Line | None:
    """The last line of the file that an error went through."""
    found = None
    for frame in traceback.extract_tb(trace):
        if frame.filename == path and frame.lineno:
            whole = linecache.getline(path, frame.lineno).rstrip()
            indent, here = len(whole) - len(whole.lstrip()), [frame.colno, frame.end_colno]    # (in bytes)
            ends = [len(whole.encode()[:k].decode(errors="ignore")) - indent
                    for k in here if k is not None and frame.end_lineno == frame.lineno]
            found = Line(path, frame.lineno, whole.lstrip(), *ends)
    return found

"""Do the tests notice a small fault? Faults ("mutants") are put into the library's sources, one at a time.

    python tests/campaigns/mutation.py --mutants 250 --seed 1
    python tests/campaigns/mutation.py --mutants 20 --seed 1 --modules graph/backward.py optim.py
    python tests/campaigns/mutation.py --mutants 250 --seed 1 --numbers 17 203

The tests run on each in a temporary copy: first the module's own doctests and the test files nearest to it,
then the others. It prints each mutant as a line taken out and a line put in, with what killed it or
"SURVIVED", and the share that died. What no test can notice (`equivalent.py`) is not drawn; docstrings,
annotations, overloads, messages and assertions are left alone.
"""
from __future__ import annotations

import argparse
import ast
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from equivalent import EQUIVALENT                                           # noqa: E402

ROOT = Path(__file__).parents[2]
MEMORY = 8 * 2 ** 30                            # bytes that a test process may have

OPERATORS = {ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"),
             ast.FloorDiv: ("//", "/"), ast.Mod: ("%", "*"), ast.Pow: ("**", "*"), ast.BitAnd: ("&", "|")}
COMPARISONS = {ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
               ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"),
               ast.IsNot: ("is not", "is"), ast.In: ("in", "not in"), ast.NotIn: ("not in", "in")}
OTHERS = {"abs": "", "min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list",
          "reversed": "list"}
ERRORS = {"DomainError": "RangeError", "RangeError": "DomainError", "InputError": "DomainError",
          "FormatError": "InputError", "LabelError": "InputError", "DivisionError": "RangeError",
          "ValueError": "KeyError", "TypeError": "KeyError", "OverflowError": "KeyError"}

# The test files nearest to a module, by its name or its package (and that of its own name, if there is one).
NEAREST = {
    "conventions": "kinks", "structures": "structures transforms", "geometry": "ops edges value kinks ieee",
    "backward": "value kinks ieee robustness", "trace": "transforms kinks structures ieee",
    "module": "nn robustness", "evaluation": "evaluation kinks ieee", "kinds": "evaluation custom kinks ieee",
    "rounding": "rounding series", "coefficients": "series rounding", "labels": "graph provenance",
    "quick": "quick value ops", "native": "quick value ops", "colouring": "sparse", "special": "ops edges",
    "optim": "optim", "testing": "testing fuzz", "document": "document", "cli": "document drawing",
    "ops": "ops edges value selection ieee custom", "graph": "graph value provenance collector",
    "transforms": "transforms selection", "nn": "nn", "checks": "audit claims checks",
    "explain": "provenance", "explanation": "provenance", "paths": "provenance",
    "diagnosis": "diagnosis", "drawing": "drawing notation", "": "robustness value graph"}
NEITHER = {"test_architecture.py", "test_campaigns.py"}         # they look at the sources, or run this


class Mutant(NamedTuple):
    """Another text for a part of a module, in bytes from `start` to `end`."""

    module: str
    kind: str
    start: int
    end: int
    text: bytes

    def applied(self, source: bytes) -> bytes:
        return source[:self.start] + self.text + source[self.end:]

    def lines(self, source: bytes) -> tuple[str, str]:
        """What is taken out and what is put in, as whole lines."""
        first, last = source.rfind(b"\n", 0, self.start) + 1, source.find(b"\n", self.end)
        texts = source[first:last], source[first:self.start] + self.text + source[self.end:last]
        old, new = (b" ".join(text.split()).decode() for text in texts)
        return old, new


def mutants(module: str, source: bytes) -> list[Mutant]:
    """All mutants of a module."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def first(node: ast.expr | ast.stmt) -> int:
        return starts[node.lineno - 1] + node.col_offset

    def end(node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno and node.end_col_offset is not None
        return starts[node.end_lineno - 1] + node.end_col_offset

    found: list[Mutant] = []

    def add(kind: str, start: int, stop: int, change: Callable[[str], str]) -> None:
        old = source[start:stop].decode()
        found.append(Mutant(module, kind, start, stop, change(old).encode()))

    def swap(kind: str, start: int, stop: int, names: tuple[str, str]) -> None:
        if source[start:stop].decode().count(names[0]) == 1:    # (not in a comment, too)
            add(kind, start, stop, lambda old: old.replace(*names))

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            swap("operator", end(node.left), first(node.right), OPERATORS[type(node.op)])
        elif isinstance(node, ast.AugAssign) and type(node.op) in OPERATORS:
            swap("operator", end(node.target), first(node.value), OPERATORS[type(node.op)])
        elif isinstance(node, ast.Compare):
            for op, a, b in zip(node.ops, [node.left, *node.comparators], node.comparators):
                swap("comparison", end(a), first(b), COMPARISONS[type(op)])
        elif isinstance(node, ast.BoolOp):
            names = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            for a, b in zip(node.values, node.values[1:]):
                swap("and/or", end(a), first(b), names)
        elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Invert):
            sign = "not" if isinstance(node.op, ast.Not) else "-"
            swap(f"dropped {sign}", first(node), first(node.operand), (sign, ""))
        elif isinstance(node, ast.Constant) and type(node.value) in (bool, int, float):
            x = node.value
            new = repr(not x if type(x) is bool else x + 1 if 1e-3 < abs(x) < 1e3 or x == 0 else x * 1000)
            add("constant", first(node), end(node), lambda old: new)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            if name in OTHERS:
                add("removed abs" if name == "abs" else "other function", first(node.func), end(node.func),
                    lambda old: OTHERS[name])
            elif name in ("len", "range"):
                add("off by one", first(node), end(node), lambda old: f"({old} - 1)" if name == "len" else
                    f"{old}[1:]")
        elif isinstance(node, ast.Name) and node.id in ERRORS and isinstance(node.ctx, ast.Load):
            add("error class", first(node), end(node), lambda old: ERRORS[old])
        if isinstance(node, (ast.If, ast.IfExp)) or isinstance(node, ast.comprehension) and node.ifs:
            for test in node.ifs if isinstance(node, ast.comprehension) else [node.test]:
                add("negated condition", first(test), end(test), lambda old: f"(not ({old}))")
        if isinstance(node, (ast.Expr, ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Assign)):
            if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
                add("dropped statement", first(node), end(node), lambda old: "pass")
        elif isinstance(node, ast.Return) and node.value and not (isinstance(node.value, ast.Constant) and (
                node.value.value is None or node.value.value is False)):        # (None is as good as False)
            add("dropped statement", first(node), end(node), lambda old: "return None")
        for name, field in ast.iter_fields(node):
            if name not in ("annotation", "returns"):
                for child in field if isinstance(field, list) else [field]:
                    if isinstance(child, ast.AST) and not left_alone(child):
                        visit(child)

    visit(ast.parse(source))
    return found


def left_alone(node: ast.AST) -> bool:
    """Docstrings, the text of messages, assertions, what only checkers of types read."""
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    typing = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    if isinstance(node, ast.FunctionDef):
        typing = any([isinstance(x, ast.Name) and x.id == "overload" for x in node.decorator_list])
    return text or typing or isinstance(node, (ast.JoinedStr, ast.Assert))


def nearest(module: str, tests: Sequence[str]) -> list[str]:
    """The names of the test files most likely to notice a fault in a module."""
    stem, package = Path(module).stem, str(Path(module).parent).strip(".")
    names = [stem, *NEAREST.get(stem, NEAREST.get(package, NEAREST[""])).split()]
    return [name for name in dict.fromkeys(f"test_{name}.py" for name in names) if name in tests]


class Copy:
    """A copy of the project, in which its tests are run."""

    def __init__(self, root: Path, folder: Path, package: str = "autograd_lite"):
        unwanted = shutil.ignore_patterns(".*", "build", "*.egg-info", "shared")
        self.root, self.package = Path(shutil.copytree(root, folder / "copy", ignore=unwanted)), package
        self.tests = [p.name for p in sorted((self.root / "tests").glob("test_*.py"), key=_size)
                      if p.name not in NEITHER]
        self.took: dict[str, float] = {}

    def modules(self) -> Iterator[str]:
        """All modules, by path within the package."""
        for path in sorted((self.root / self.package).rglob("*.py")):
            yield path.relative_to(self.root / self.package).as_posix()

    def run(self, files: Sequence[str], limit: float) -> str:
        """What fails in these files; "" if nothing does."""
        environment = {**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", *files],
            cwd=self.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True, preexec_fn=_limit_memory)
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return "the time limit"
        finally:
            with contextlib.suppress(ProcessLookupError):       # (what the tests started, too)
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.returncode in (0, 5):                        # (5: there are no tests)
            return ""
        failed = [line for line in output.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return failed[0].split(" - ")[0] if failed else f"exit status {process.returncode}"

    def passes(self, file: str) -> float:
        """The seconds that a file takes without a fault."""
        if file not in self.took:
            begun = time.time()
            failed = self.run([file], 3600.0)
            if failed:
                raise SystemExit(f"without a mutant: {failed}")
            self.took[file] = time.time() - begun
        return self.took[file]

    def killer(self, mutant: Mutant, others: bool = True) -> str:
        """What notices a mutant; "" if nothing does."""
        path = self.root / self.package / mutant.module
        first = nearest(mutant.module, self.tests)
        stages = [(f"{self.package}/{mutant.module}", *[f"tests/{name}" for name in first])]
        if others:
            stages.append(tuple(f"tests/{name}" for name in self.tests if name not in first))
        before, times = path.read_bytes(), path.stat()
        for files in stages:
            limit = 4.0 * sum(map(self.passes, files)) + 10.0
            path.write_bytes(mutant.applied(before))
            try:
                failed = self.run(files, limit)
            finally:
                path.write_bytes(before)
                os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
            if failed:
                return failed
        return ""


def _limit_memory() -> None:
    import resource                             # (Unix alone has it)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _size(path: Path) -> int:
    return path.stat().st_size


def chosen(copy: Copy, number: int, seed: int, modules: Sequence[str] = ()) -> list[Mutant]:
    """Mutants drawn at random of all those of the modules (of all of them, if none is given)."""
    found = []
    for module in modules or copy.modules():
        source = (copy.root / copy.package / module).read_bytes()
        found += [m for m in mutants(module, source) if (module, *m.lines(source)) not in EQUIVALENT]
    return random.Random(seed).sample(found, min(number, len(found)))


def main(arguments: list[str] | None = None, root: Path = ROOT, package: str = "autograd_lite"
         ) -> list[Mutant]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--modules", nargs="*", default=[], help="such as optim.py graph/backward.py")
    parser.add_argument("--numbers", type=int, nargs="*", default=[],
                        help="of those drawn, these alone: to go on, or to look at survivors again")
    parser.add_argument("--nearest", action="store_true", help="run the nearest test files alone")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        copy, survivors = Copy(root, Path(folder), package), []
        drawn = dict(enumerate(chosen(copy, options.mutants, options.seed, options.modules), 1))
        drawn = {i: drawn[i] for i in options.numbers or drawn}
        for i, mutant in drawn.items():
            old, new = mutant.lines((copy.root / package / mutant.module).read_bytes())
            failed = copy.killer(mutant, others=not options.nearest)
            survivors += [] if failed else [mutant]
            print(f"{i} {mutant.module}, {mutant.kind}: {failed or 'SURVIVED'}\n  - {old}\n  + {new}",
                  flush=True)
        died = len(drawn) - len(survivors)
        print(f"{died} of {len(drawn)} died ({100.0 * died / max(len(drawn), 1):.1f} %)")
    return survivors


if __name__ == "__main__":
    main()

"""Do the tests notice a small fault? Faults ("mutants") are put into the library's sources, one at a time.

    python tests/campaigns/mutation.py --mutants 250 --seed 1
    python tests/campaigns/mutation.py --mutants 20 --seed 1 --modules graph/backward.py optim.py
    python tests/campaigns/mutation.py --mutants 250 --seed 1 --numbers 17 203

The tests run on each in a temporary copy: first the module's own doctests and the test files nearest to it,
then the others. It prints each mutant as a line taken out and a line put in, with what killed it or
"SURVIVED", and the share that died. What no test can notice (`EQUIVALENT`) is not drawn; docstrings,
annotations, messages and assertions are left alone.
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

# (module, line, line of the mutant): faults that no test can notice.
EQUIVALENT = {(module, old, new) for module, old, *others in (
    # The cost alone: to which power a rounding is worked out exactly, how many bits more than enough,
    # the weights of a sum that tells whether to look closer, in how many parts a power is taken, how many
    # accents a text may have, and what is quicker on a Python.
    ("transforms/rounding.py", "whole = b % 1.0 == 0.0 and 0.0 <= b <= 16.0",
     "whole = b % 1.0 == 0.0 and 0.0 <= b <= 17.0"),
    ("transforms/kinds.py",
     "with self.mp.workprec(self.iv.prec + 30): # (the slack covers the square of its error)",
     "with self.mp.workprec(self.iv.prec + 31): # (the slack covers the square of its error)"),
    ("transforms/rounding.py", "(y, k, weight * random.choice((1.0, -1.0)) * random.uniform(0.5, 1.0))",
     "(y, k, weight * random.choice((1.0, -1.0)) / random.uniform(0.5, 1.0))",
     "(y, k, weight * random.choice((2.0, -1.0)) * random.uniform(0.5, 1.0))"),
    ("ops/special.py", "parts = 1 if reach < 600.0 else 2 if reach < 1200.0 else 4",
     "parts = 2 if reach < 600.0 else 2 if reach < 1200.0 else 4"),
    ("checks/report.py", "if columns(text) <= width and len(text) <= 4 * width:",
     "if columns(text) <= width and len(text) <= 5 * width:"),
    ("ops/special.py", "added = sum if sys.version_info < (3, 12) else _one_by_one",
     "added = sum if (not (sys.version_info < (3, 12))) else _one_by_one"),
    ("ops/branches.py", "if condition is False or type(condition) is float:",
     "if condition is False and type(condition) is float:"),
    # What is the last of the outputs is taken out of the places afterwards.
    ("diagnosis/view.py",
     "places = {k for k in view.places(name) if low < k < max(self.outputs)} - self.outputs",
     "places = {k for k in view.places(name) if low < k <= max(self.outputs)} - self.outputs"),
    # Its type alone is looked at.
    ("transforms/trace.py", "several = (False,)", "several = (True,)"),
    # How deep a list may be, so that one that holds itself is noticed.
    ("checks/claims.py",
     "def _flat(tree: Any, where: str, kinds: set[str], depth: int = 0) -> tuple[Shape, list[Any]]:",
     "def _flat(tree: Any, where: str, kinds: set[str], depth: int = 1) -> tuple[Shape, list[Any]]:"),
    # Which of two groups comes first.
    ("checks/chain_rule.py", "by_halves([i for i in call.by if (call.given[i] == 0.0) == zeros],",
     "by_halves([i for i in call.by if (call.given[i] != 0.0) == zeros],",
     "by_halves([i for i in call.by if (call.given[i] == 0.0) != zeros],"),
    # Without rows no way takes a sweep.
    ("transforms/colouring.py",
     "widest, tallest = max(map(len, rows), default=0), max(map(len, columns), default=0)",
     "widest, tallest = max(map(len, rows), default=1), max(map(len, columns), default=0)"),
    # Any two places near and far from a kink.
    ("checks/slopes.py", "still = not any(side(op, at(x)) for x in (xs[i] - 0.5, 0.5 * xs[i] + 1.0))",
     "still = not any(side(op, at(x)) for x in (xs[i] - 0.5, 1.5 * xs[i] + 1.0))"),
    # Numbers of the document, which agree to the last digits or not at all.
    ("document.py", 'return "agree" if relative_error(published, ours) < 1e-12 else otherwise',
     'return "agree" if relative_error(published, ours) < 1e-09 else otherwise',
     'return "agree" if relative_error(published, ours) <= 1e-12 else otherwise'),
    # LLVM does it when an address is asked for.
    ("native/engine.py", "self.engine.finalize_object()", "pass"),
    # How much is kept of what can be made again; what is set before each run; any negative number; the cost
    # alone: whether a loop that calls others is for this processor, and whether garbage is looked for.
    ("native/kernels.py", "@functools.lru_cache(maxsize=4096, typed=True)",
     "@functools.lru_cache(maxsize=4096000, typed=True)"),
    ("native/loop.py", "@functools.lru_cache(maxsize=4096)", "@functools.lru_cache(maxsize=4096000)"),
    ("native/language.py", "@functools.lru_cache(maxsize=1024)", "@functools.lru_cache(maxsize=1024000)"),
    ("native/many.py", "len(self.into), self.n_sums, 0, 0, 0])", "len(self.into), self.n_sums, 1, 0, 0])",
     "len(self.into), self.n_sums, 0, 1, 0])", "len(self.into), self.n_sums, 0, 0, 1])"),
    ("native/many.py", "library = Library(_over_lanes(width()) + _POINT_BY_POINT, vectors=True)",
     "library = Library(_over_lanes(width()) + _POINT_BY_POINT, vectors=False)"),
    ("native/tables.py", "self.slots = np.full(forms.size, -1, np.int64)",
     "self.slots = np.full(forms.size, -2, np.int64)"),
    ("native/replay.py", "gc.disable()", "pass"),
    # The first step of a search has neither an operand nor a partial, and no way before it; a walk down may
    # end at the second place (the first is a leaf); steps of the lowest place change nothing above it.
    ("checks/paths.py",
     "heap: list[tuple[float, int, int, list[Edge], int, Edge]] = [(0.0, 0, 0, [], 0, (self.root, 0, 1.0))]",
     "heap: list[tuple[float, int, int, list[Edge], int, Edge]] = [(0.0, 0, 0, [], 0, (self.root, 0, 2.0))]",
     "heap: list[tuple[float, int, int, list[Edge], int, Edge]] = [(0.0, 0, 0, [], 0, (self.root, 1, 1.0))]",
     "heap: list[tuple[float, int, int, list[Edge], int, Edge]] = [(0.0, 0, 0, [], 1, (self.root, 0, 1.0))]",
     "heap: list[tuple[float, int, int, list[Edge], int, Edge]] = [(0.0, 0, 1, [], 0, (self.root, 0, 1.0))]"),
    ("checks/latent.py", "for k in range(output, -1, -1):", "for k in range(output, 1, -1):"),
    ("checks/rule.py", "if not any(low < k <= output for k in variant.steps) or all(",
     "if not any(low <= k <= output for k in variant.steps) or all("),
    ("checks/rule.py", "for k in range(output, min(claims, default=0) - 1, -1):",
     "for k in range(output, min(claims, default=1) - 1, -1):"),
    # Pictures: no colour of 8 bits is at the border, the first node is a leaf, only whether sides are alike
    # counts, an array may be longer, what is written twice is the same, a term of no tokens has no sign.
    ("drawing/theme.py",
     "return [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]",
     "return [x / 12.92 if x < 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]"),
    ("drawing/samples.py", "for head in reversed(range(len(nodes))):",
     "for head in reversed(range(len(nodes))[1:]):"),
    ("drawing/samples.py", "stack = [(head, 0, 1.0, True)]", "stack = [(head, 1, 1.0, True)]"),
    ("drawing/sketch.py", 'uses = array("i", bytes(4 * (size + 1)))',
     'uses = array("i", bytes(4 * (size + 2)))'),
    ("drawing/lines.py",
     "todo += itertools.islice(symbols.used, len(todo), None) # (what it is made of)",
     "todo += itertools.islice(symbols.used, (len(todo) - 1), None) # (what it is made of)"),
    ("drawing/lines.py", "return False, []", "return True, []"),
    ("drawing/view.py", "uses, ends = Counter([link.tail for link in links]), fan // 2",
     "uses, ends = Counter([link.tail for link in links]), fan / 2"),
    # Formulas have no power and no factor 0; numbers of few digits are exact; any place that no node has;
    # of marks the group does not matter; bounds have two digits.
    ("drawing/arrows.py", "bounds, steps = [number(x, 3) for x in looks.scale.bounds], len(looks.scale)",
     "bounds, steps = [number(x, 4) for x in looks.scale.bounds], len(looks.scale)"),
    ("drawing/formulas.py", "if coefficient < 0.0: # −(a − b) is b − a",
     "if coefficient <= 0.0: # −(a − b) is b − a"),
    ("drawing/formulas.py", "return split(x)[0] < 0.0", "return split(x)[0] <= 0.0"),
    ("drawing/dialects.py",
     "[(base, n) for base, n in powers if n > 0], [(base, -n) for base, n in powers if n < 0]))",
     "[(base, n) for base, n in powers if n >= 0], [(base, -n) for base, n in powers if n < 0]))",
     "[(base, n) for base, n in powers if n > 0], [(base, -n) for base, n in powers if n <= 0]))"),
    ("drawing/dialects.py",
     'return f"{x:.{digits}f}" if max(1e-2, 10.0 ** (1 - digits)) <= abs(x) < 10.0 else f"{x:.{digits}g}"',
     'return f"{x:.{digits}f}" if max(1e-2, 10.0 ** (1 - digits)) < abs(x) < 10.0 else f"{x:.{digits}g}"'),
    ("drawing/focus.py", "_END = -1 # uses all roots: a place above them",
     "_END = -2 # uses all roots: a place above them"),
    ("drawing/marks.py", "for index, line, number in zip(indices, claim.lines(0), derived):",
     "for index, line, number in zip(indices, claim.lines(1), derived):"),
    # Checks: a list may be longer; an input at 0 may move by any step; how much is looked at before it is too
    # much; so many steps of Newton's; what is no smaller than a part of itself is as large as that; what may
    # fit is looked at closely afterwards, so that more of it costs time alone.
    ("checks/rule.py", "derived: list[Any] = [None] * (output + 1)",
     "derived: list[Any] = [None] * (output + 2)"),
    ("checks/rule.py", "masks, low = [0] * (output + 1), min(claims)",
     "masks, low = [0] * (output + 2), min(claims)"),
    ("checks/nearby.py", "j: self.point[j] or 1.0 for j in group})))",
     "j: self.point[j] or 2.0 for j in group})))"),
    ("checks/latent.py", "found, work = [], 4 * len(rule.steps) + 100_000",
     "found, work = [], 5 * len(rule.steps) + 100_000",
     "found, work = [], 4 / len(rule.steps) + 100_000",
     "found, work = [], 4 * (len(rule.steps) - 1) + 100_000"),
    ("checks/latent.py", "work -= (max(places) - min(lines)) * (1 + len(places) // 100)",
     "work -= (max(places) - min(lines)) / (1 + len(places) // 100)",
     "work -= (max(places) + min(lines)) * (1 + len(places) // 100)",
     "work -= (min(places) - min(lines)) * (1 + len(places) // 100)",
     "work -= (max(places) - max(lines)) * (1 + len(places) // 100)",
     "work -= (max(places) - min(lines)) * (1 - len(places) // 100)",
     "work -= (max(places) - min(lines)) * (2 + len(places) // 100)",
     "work -= (max(places) - min(lines)) * (1 + len(places) / 100)",
     "work -= (max(places) - min(lines)) * (1 + (len(places) - 1) // 100)",
     "work -= (max(places) - min(lines)) * (1 + len(places) // 101)"),
    ("checks/latent.py", "if work < 0 or len(places) * len(lines) > _LARGEST:",
     "if work <= 0 or len(places) * len(lines) > _LARGEST:",
     "if work < 1 or len(places) * len(lines) > _LARGEST:",
     "if work < 0 or len(places) * len(lines) >= _LARGEST:",
     "if work < 0 or (len(places) - 1) * len(lines) > _LARGEST:",
     "if work < 0 or len(places) * (len(lines) - 1) > _LARGEST:"),
    ("checks/forward.py", "for _ in range(60):", "for _ in range(60)[1:]:", "for _ in range(61):"),
    ("checks/forward.py", "sizes.append(max(abs(number), size if abs(number) < 1e-9 * size else 0.0))",
     "sizes.append(max(abs(number), size if abs(number) <= 1e-9 * size else 0.0))"),
    ("diagnosis/view.py",                       # (the last is the output, of which none of these arrays is)
     "return [walk.onward[k] or 0.0 if 0 <= k < len(walk.onward) else 0.0 for k in places]",
     "return [walk.onward[k] or 0.0 if 0 <= k < (len(walk.onward) - 1) else 0.0 for k in places]"),
    ("diagnosis/hypotheses.py",
     "_ROUGHLY = 1e-5 # of numbers so near to each other it is seen whether they agree",
     "_ROUGHLY = 0.01 # of numbers so near to each other it is seen whether they agree"),
    ("diagnosis/hypotheses.py", "order = np.argsort(-abs(claimed) * (right != 0.0))[:2]",
     "order = np.argsort(-abs(claimed) / (right != 0.0))[:2]",
     "order = np.argsort(abs(claimed) * (right != 0.0))[:2]",
     "order = np.argsort(-(claimed) * (right != 0.0))[:2]",
     "order = np.argsort(-abs(claimed) * (right == 0.0))[:2]",
     "order = np.argsort(-abs(claimed) * (right != 1.0))[:2]"),
    ("diagnosis/hypotheses.py",
     "near = [np.isclose(x * u[1], y * u[0], _ROUGHLY, 0.0) for u in (a / b, b / a)]",
     "near = [np.isclose(x * u[1], y * u[0], _ROUGHLY, 1.0) for u in (a / b, b / a)]"),
    ("diagnosis/hypotheses.py",
     "for j, k in np.argwhere(abs(x - x[:, None] - error[i]) <= _ROUGHLY * (abs(x) + abs(x[:, None]))):",
     "for j, k in np.argwhere(abs(x - x[:, None] - error[i]) < _ROUGHLY * (abs(x) + abs(x[:, None]))):"),
    # Programs and graphs. How much is kept of what can be made again; how long is waited, measured and
    # searched, and from which size on a thing is done at once, by names, or looked up; any number that is
    # not the chosen slope; what is set before it is read; a counter;
    # what only takes a place, such as the point of an empty batch; a sum of one term; a sum
    # of which only counts whether it is finite.
    ("programs/names.py", "@functools.lru_cache(maxsize=4096)", "@functools.lru_cache(maxsize=4096000)"),
    ("programs/reach.py", "@functools.lru_cache(maxsize=1024)", "@functools.lru_cache(maxsize=1024000)"),
    ("programs/reach.py", "self.consulted = -1", "self.consulted = -2"),
    ("programs/templates.py", "@functools.lru_cache(maxsize=4096)",
     "@functools.lru_cache(maxsize=4096000)"),
    ("programs/progress.py", "AFTER, EVERY = 1.0, 0.2 # seconds", "AFTER, EVERY = 2.0, 0.2 # seconds",
     "AFTER, EVERY = 1.0, 1.2 # seconds"),
    ("programs/stats.py", "_REPEATS, _ENOUGH = 5, 0.2 # at most so many, and so many seconds",
     "_REPEATS, _ENOUGH = 5, 1.2 # at most so many, and so many seconds"),
    ("programs/stats.py", "while len(found) < _REPEATS and time.perf_counter() - start < _ENOUGH:",
     "while len(found) < _REPEATS and time.perf_counter() - start <= _ENOUGH:"),
    ("programs/stats.py", "pass_on([Value(0.0) for _ in xs], gradients, True)",
     "pass_on([Value(1.0) for _ in xs], gradients, True)"),
    ("programs/runs.py", "_BLOCK = 1 << 12 # how many points are computed at a time by NumPy",
     "_BLOCK = 1 << 13 # how many points are computed at a time by NumPy",
     "_BLOCK = 2 << 12 # how many points are computed at a time by NumPy"),
    ("programs/runs.py", "self.n = self.end = 1", "self.n = self.end = 2"),
    ("programs/runs.py", "if not native and len(where) > _BLOCK:", "if not native and len(where) >= _BLOCK:",
     "if not native and (len(where) - 1) > _BLOCK:"),
    ("programs/program.py", "self.paid = self._spent > choice.cost(self.recording)",
     "self.paid = self._spent >= choice.cost(self.recording)"),
    ("programs/sweeps.py",
     "_NAMED = 10_000 # gradients have names in a smaller program, which people may read",
     "_NAMED = 10000000 # gradients have names in a smaller program, which people may read"),
    ("programs/sweeps.py", "if len(terms) > 1:", "if len(terms) >= 1:"),
    ("programs/sweeps.py", "named = len(order) < _NAMED", "named = len(order) <= _NAMED",
     "named = (len(order) - 1) < _NAMED"),
    ("programs/targets.py",
     "return (k * 0.6180339887498949 % 1.0 * 0.5 + 0.25 for k in itertools.count(1))",
     "return (k * 1.618033988749895 % 1.0 * 0.5 + 0.25 for k in itertools.count(1))",
     "return (k / 0.6180339887498949 % 1.0 * 0.5 + 0.25 for k in itertools.count(1))"),
    ("programs/pickling.py",
     "result = rebuild(self.result, lambda x: Value(0.0) if isinstance(x, Value) else x, lambda x: x)",
     "result = rebuild(self.result, lambda x: Value(1.0) if isinstance(x, Value) else x, lambda x: x)"),
    ("graph/conventions.py",
     'number = low + (high - low) * random.Random(f"{self._seed} {key}").uniform(0.1, 0.9)',
     'number = low + (high - low) * random.Random(f"{self._seed} {key}").uniform(1.1, 0.9)',
     'number = low + (high - low) * random.Random(f"{self._seed} {key}").uniform(0.1, 1.9)',
     'number = low - (high - low) * random.Random(f"{self._seed} {key}").uniform(0.1, 0.9)',
     'number = low + (high + low) * random.Random(f"{self._seed} {key}").uniform(0.1, 0.9)',
     'number = low + (high - low) / random.Random(f"{self._seed} {key}").uniform(0.1, 0.9)'),
    ("graph/conventions.py",
     "_replays[program] = {seed: _Replay(program, Chooser(seed)) for seed in (1, 2)}",
     "_replays[program] = {seed: _Replay(program, Chooser(seed)) for seed in (2, 2)}",
     "_replays[program] = {seed: _Replay(program, Chooser(seed)) for seed in (1, 3)}"),
    ("graph/conventions.py", "guilty = [k for k, key in zip(slopes[:100], keys) if apart(",
     "guilty = [k for k, key in zip(slopes[:101], keys) if apart("),
    ("graph/conventions.py", "return str(float(x) + 0.0)", "return str(float(x) + 1.0)"),
    ("graph/backward.py", "total = 0.0", "total = 1.0"),
    ("graph/backward.py", "total += leaf._grad", "total -= leaf._grad"),
    ("graph/linear.py", "for k in range(max(seeds, default=-1), -1, -1):",
     "for k in range(max(seeds, default=-2), -1, -1):"),
    ("graph/program.py", "SMALL = 1024", "SMALL = 1024000"),
    ("graph/program.py", "if len(self.nodes) < SMALL:", "if len(self.nodes) <= SMALL:",
     "if (len(self.nodes) - 1) < SMALL:"),
    ("graph/node.py", "turned = 0 # how often a `requires_grad` was assigned",
     "turned = 1 # how often a `requires_grad` was assigned"),
    ("graph/node.py", "turned += 1", "turned += 2"),
    ("graph/states.py", "_UNREACHED = 0 # `ZERO`, in a pickle: an int, which no gradient is",
     "_UNREACHED = 1 # `ZERO`, in a pickle: an int, which no gradient is"),
    ("graph/value.py",
     "special = False # whether any thread is in a special mode; if not, the hot path asks no further",
     "special = True # whether any thread is in a special mode; if not, the hot path asks no further"),
    ("graph/value.py", "entered = [False, False, True]", "entered = [True, False, True]",
     "entered = [False, False, False]"),
    # The least power that has all its digits, a power of two, is exact either way.
    ("optim.py", "if not self.lr or sys.float_info.min < power < math.inf:",
     "if not self.lr or sys.float_info.min <= power < math.inf:"),
    # How much is kept of what is read again.
    ("lines.py", "@functools.lru_cache(maxsize=4096)", "@functools.lru_cache(maxsize=4096000)"),
    # Any numbers that are others for what looks otherwise.
    ("nn/module.py",
     "look = self.kind, self.facts, self.all_own, *[(len(x), x[0].name, x[0].look) for x in self.groups]",
     "look = self.kind, self.facts, self.all_own, "
     "*[((len(x) - 1), x[0].name, x[0].look) for x in self.groups]"),
    ("nn/module.py", "self.look = looks.setdefault(look, len(looks))",
     "self.look = looks.setdefault(look, (len(looks) - 1))"),
    # The cost alone: what is looked at more closely than needed, or in more parts or bits; thresholds between
    # two ways that are as exact there; any seeds, signs and weights; what a sign flips throughout.
    ("transforms/rounding.py", "if len(some) < 2 or not all(roundings.bound([",
     "if (len(some) - 1) < 2 or not all(roundings.bound([",
     "if len(some) <= 2 or not all(roundings.bound([", "if len(some) < 3 or not all(roundings.bound(["),
    ("transforms/rounding.py", "(y, k, weight * random.choice((1.0, -1.0)) * random.uniform(0.5, 1.0))",
     "(y, k, weight * random.choice((1.0, 1.0)) * random.uniform(0.5, 1.0))",
     "(y, k, weight * random.choice((1.0, -2.0)) * random.uniform(0.5, 1.0))",
     "(y, k, weight * random.choice((1.0, -1.0)) * random.uniform(0.5, 2.0))",
     "(y, k, weight * random.choice((1.0, -1.0)) * random.uniform(1.5, 1.0))"),
    ("transforms/rounding.py",
     "for y, k, weight in some]) <= 1e-3 * most for random in map(Random, (1, 2))):",
     "for y, k, weight in some]) <= 1e-3 * most for random in map(Random, (1, 3))):",
     "for y, k, weight in some]) <= 1e-3 * most for random in map(Random, (2, 2))):",
     "for y, k, weight in some]) < 1e-3 * most for random in map(Random, (1, 2))):"),
    ("transforms/rounding.py", "if not roundings.bound([(y, k, weight)]) <= most:",
     "if not roundings.bound([(y, k, weight)]) < most:"),
    ("transforms/rounding.py", "self.track(s).bar[k] += weight", "self.track(s).bar[k] -= weight"),
    ("transforms/rounding.py", "inexact[x] = inexact.get(x, 0.0) + p",
     "inexact[x] = inexact.get(x, 0.0) - p"),
    ("transforms/rounding.py", "terms[x] = terms.get(x, 0.0) + p", "terms[x] = terms.get(x, 0.0) - p"),
    ("transforms/rounding.py",
     "if x.error > LOST * abs(x.c[0]): # then it may be anywhere within the error",
     "if x.error >= LOST * abs(x.c[0]): # then it may be anywhere within the error",
     "if x.error > LOST * (x.c[0]): # then it may be anywhere within the error"),
    ("transforms/rounding.py", "if self.error > LOST * abs(y): # (what depends on its square is not 0)",
     "if self.error >= LOST * abs(y): # (what depends on its square is not 0)",
     "if self.error > LOST * (y): # (what depends on its square is not 0)"),
    ("transforms/rounding.py", "while numbers[-1] == 0.0 and len(numbers) > 1:",
     "while numbers[-1] == 0.0 and (len(numbers) - 1) > 1:",
     "while numbers[-1] == 0.0 and len(numbers) > 2:"),
    ("transforms/rounding.py",
     "for k in range(1, min(self.order + 1, max([len(x.times) for x in terms], default=0))):",
     "for k in range(1, min(self.order + 2, max([len(x.times) for x in terms], default=0))):",
     "for k in range(1, min(self.order + 1, max([len(x.times) for x in terms], default=1))):"),
    ("transforms/rounding.py", "track.bar[:] = track.share[:] = [0.0] * (track.order + 1)",
     "track.bar[:] = track.share[:] = [0.0] * (track.order + 2)"),
    ("transforms/rounding.py", "found = [0.0, 1.0, 0.0] if xs[0] else [0.0, 0.0, 1.0]",
     "found = [1.0, 1.0, 0.0] if xs[0] else [0.0, 0.0, 1.0]",
     "found = [0.0, 1.0, 0.0] if xs[0] else [1.0, 0.0, 1.0]"),
    ("transforms/rounding.py",
     "wanted = [bool(x) and has for x, has in zip(series, op.differentiable(len(xs)))]",
     "wanted = [bool(x) or has for x, has in zip(series, op.differentiable(len(xs)))]"),
    ("transforms/series.py", "for seed in (1, 2) if wanted else ():",
     "for seed in (2, 2) if wanted else ():", "for seed in (1, 3) if wanted else ():"),
    ("transforms/evaluation.py", "for seed in (1, 2): # with other numbers for the slopes at kinks",
     "for seed in (2, 2): # with other numbers for the slopes at kinks",
     "for seed in (1, 3): # with other numbers for the slopes at kinks"),
    ("transforms/evaluation.py", "found = _gradient(program, twins, top, places, True)",
     "found = _gradient(program, twins, top, places, False)"),
    ("transforms/kinds.py", "with mp.workprec(2 * bits + 60):", "with mp.workprec(3 * bits + 60):",
     "with mp.workprec(2 * bits + 61):"),
    ("transforms/kinds.py", "with m.extraprec(2 * m.prec):", "with m.extraprec(3 * m.prec):"),
    ("transforms/kinds.py",
     'return self.hull(f or self.mp.gamma, [low, high, *[least for _ in "1" if low < least < high]], slack)',
     'return self.hull(f or self.mp.gamma, [low, high, *[least for _ in "1" if low <= least < high]], slack)',
     'return self.hull(f or self.mp.gamma, [low, high, *[least for _ in "1" if low < least <= '
     'high]], slack)'),
    ("transforms/kinds.py", "least = self.mp.findroot(self.mp.digamma, 1.4616321449683623)",
     "least = self.mp.findroot(self.mp.digamma, 2.4616321449683625)"),
    ("ops/special.py", "parts = 1 if reach < 600.0 else 2 if reach < 1200.0 else 4",
     "parts = 1 if reach <= 600.0 else 2 if reach < 1200.0 else 4",
     "parts = 1 if reach < 601.0 else 2 if reach < 1200.0 else 4",
     "parts = 1 if reach < 600.0 else 2 if reach <= 1200.0 else 4",
     "parts = 1 if reach < 600.0 else 3 if reach < 1200.0 else 4",
     "parts = 1 if reach < 600.0 else 2 if reach < 1200.0 else 5"),
    ("ops/special.py", "return -y if b < 0.0 and y and (k + n) % 2.0 else y",
     "return -y if b < 0.0 and y and (k - n) % 2.0 else y"),
    ("ops/special.py", "sign = _power_polynomial(math.log(abs(a)) if a else -1e99, b, k, n)",
     "sign = _power_polynomial(math.log(abs(a)) if a else -1e+102, b, k, n)"),
    ("ops/special.py",
     "return math.copysign(inf, sign * (math.copysign(1.0, a) if (b - k) % 2.0 == 1.0 else 1.0))",
     "return math.copysign(inf, sign * (math.copysign(1.0, a) if (b + k) % 2.0 == 1.0 else 1.0))"),
    ("ops/special.py", "if not -6.0 < z < 28.0: # 1 or 0 to the last bit, or a nan",
     "if not -6.0 <= z < 28.0: # 1 or 0 to the last bit, or a nan",
     "if not -6.0 < z <= 28.0: # 1 or 0 to the last bit, or a nan",
     "if not -7.0 < z < 28.0: # 1 or 0 to the last bit, or a nan",
     "if not -6.0 < z < 29.0: # 1 or 0 to the last bit, or a nan"),
    ("ops/special.py", "if x > -30.0 or x != x:", "if x >= -30.0 or x != x:", "if x > -31.0 or x != x:"),
    ("ops/special.py", "t = 1.0 # Laplace's continued fraction for −φ(x)/(x·Φ(x))",
     "t = 2.0 # Laplace's continued fraction for −φ(x)/(x·Φ(x))"),
    ("ops/special.py", "for k in range(20, 0, -1):", "for k in range(20, 0, -1)[1:]:",
     "for k in range(21, 0, -1):"),
    ("ops/special.py", "if x > -700.0 or x != x:", "if x >= -700.0 or x != x:", "if x > -701.0 or x != x:"),
    ("ops/special.py", "if abs(x) > 40.0:", "if abs(x) >= 40.0:", "if abs(x) > 41.0:"),
    ("ops/special.py", "if half * square < 600.0:", "if half * square <= 600.0:",
     "if half * square < 601.0:"),
    ("ops/special.py", "if x < -100.0:", "if x <= -100.0:", "if x < -101.0:"),
    ("ops/special.py", "while x + k < 12.0 + n:", "while x + k <= 12.0 + n:", "while x + k < 13.0 + n:"),
    ("ops/special.py", "scale = 2.0 ** 600 if top < 1e-150 else 2.0 ** -600 if top > large else 1.0",
     "scale = 2.0 ** 600 if top <= 1e-150 else 2.0 ** -600 if top > large else 1.0",
     "scale = 2.0 ** 600 if top < 1e-150 else 2.0 ** -600 if top > large else 2.0",
     "scale = 2.0 ** 600 if top < 1e-150 else 2.0 ** -600 if top >= large else 1.0",
     "scale = 2.0 ** 601 if top < 1e-150 else 2.0 ** -600 if top > large else 1.0",
     "scale = 2.0 ** 600 if top < 1e-150 else 2.0 ** -601 if top > large else 1.0"),
    ("ops/special.py", "if less * log_a < -3000.0:", "if less * log_a <= -3000.0:"),
    # The code model says it already; where Python exports its functions LLVM finds them itself; how well a
    # function is made that only calls another.
    ("native/engine.py", 'return target.create_target_machine(opt=level, codemodel="jitdefault", jit=True,',
     'return target.create_target_machine(opt=level, codemodel="jitdefault", jit=False,'),
    ("native/engine.py",
     "llvm.add_symbol(name, ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value)", "pass"),
    ("native/replay.py", '""", 0, stored=False)["core"])', '""", 1, stored=False)["core"])'),
    # Compiled functions: the cost alone (what is looked at again, or kept; quick ways that slow ones after
    # them repeat); any number that is finite; no place is on a side of its own condition; of two sides as
    # deep both are left; a check asks about what its place uses; no row has this number; a run given up.
    ("programs/layout.py",
     "for other in (0.0, 2.0): # (which suffice for all ops that come here)",
     "for other in (0.0, 3.0): # (which suffice for all ops that come here)"),
    ("programs/layout.py",
     "return next((side.outer for side in self.path() if side.condition > k), self)",
     "return next((side.outer for side in self.path() if side.condition >= k), self)"),
    ("programs/layout.py",
     "if a.depth >= b.depth:",
     "if a.depth > b.depth:"),
    ("programs/layout.py",
     "uses += [(x, where) for check in plan.checks.get(k, ()) for x in check.operands]",
     "pass"),
    ("programs/layout.py",
     "@functools.lru_cache(maxsize=4096)",
     "@functools.lru_cache(maxsize=4096000)"),
    ("programs/arrays.py",
     "@functools.lru_cache(maxsize=4096)",
     "@functools.lru_cache(maxsize=4096000)"),
    ("programs/inline.py",
     "@functools.lru_cache(maxsize=4096)",
     "@functools.lru_cache(maxsize=4096000)"),
    ("programs/environment.py",
     "@lru_cache(maxsize=1024)",
     "@lru_cache(maxsize=1024000)"),
    ("programs/inline.py",
     "if len(xs) < op.most and not op.open: # options that were not given",
     "if len(xs) < op.most or not op.open: # options that were not given",
     "if (len(xs) - 1) < op.most and not op.open: # options that were not given"),
    ("programs/iteration.py",
     "as_it_is = list(sources) == list(range(len(self.program.recording.outputs)))",
     "as_it_is = list(sources) == list(range(len(self.program.recording.outputs))[1:])",
     "as_it_is = list(sources) == list(range((len(self.program.recording.outputs) - 1)))"),
    ("programs/iteration.py",
     "_MOST = 1000 # how many entries of several kinds are read at a time",
     "_MOST = 1000000 # how many entries of several kinds are read at a time"),
    ("programs/indices.py",
     "type(x) is int or type(x) in (list, tuple) and set(map(type, x)) == {int} or "
     'getattr(getattr(x, "dtype", None), "kind", "") in ("i", "u")):',
     "type(x) is int or type(x) in (list, tuple) and set(map(type, x)) == {int} and "
     'getattr(getattr(x, "dtype", None), "kind", "") in ("i", "u")):'),
    ("programs/indices.py",
     "tape.tables[id(rows)] = (rows, list(map(list, listed))), ids, tables, same",
     "pass"),
    ("programs/indices.py",
     "if not all([type(row) in (list, tuple) and len(row) == len(first) and "
     "_PLAIN.issuperset(map(type, row))",
     "if not all([type(row) in (list, tuple) and len(row) != len(first) and "
     "_PLAIN.issuperset(map(type, row))",
     "if not all([type(row) in (list, tuple) and (len(row) - 1) == len(first) and "
     "_PLAIN.issuperset(map(type, row))",
     "if not all([type(row) in (list, tuple) and len(row) == (len(first) - 1) and "
     "_PLAIN.issuperset(map(type, row))"),
    ("programs/lookups.py",
     "rows = xp.stack([xp.broadcast_to(row + zero, shape) for row in rows])",
     "rows = xp.stack([xp.broadcast_to(row - zero, shape) for row in rows])"),
    ("programs/lookups.py",
     "whole = found.where(within(index, size), _whole(index) % int(size), -1)",
     "whole = found.where(within(index, size), _whole(index) % int(size), -2)"),
    ("programs/integers.py",
     'raise InputError("a number that is traced has no hash")',
     "pass"),
) for new in others}


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
    """Docstrings, the text of messages, assertions, imports for annotations."""
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    typing = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
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

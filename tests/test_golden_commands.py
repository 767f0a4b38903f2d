"""What the commands print, on both streams, and how they end: held to the letter."""
from __future__ import annotations

import contextlib
import functools
import io
import linecache
import shlex
import sys
import tempfile
from pathlib import Path

import pytest
from golden import expected, steady

from autograd_lite import cli
from autograd_lite.commands.audit import TEMPLATE


def ran(line, files=(), stdin=None):
    """What a command prints and its status, in a folder with these files."""
    out, errors = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name, text in dict(files).items():
            Path(folder, name).write_text(text, encoding="utf-8")
        patch.chdir(folder)
        patch.setattr(sys, "stdin", io.StringIO(stdin))
        linecache.clearcache()                  # (of other files of these names)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            try:
                status = cli.main(shlex.split(line))
            except SystemExit as ended:
                status = ended.code
    return f"{out.getvalue()}--\n{errors.getvalue()}--\n{status}"


GRAD = [
    'grad "x**3*y**2*z" --at x=2 y=3 z=5 --order 3', 'grad "x**3*y**2*z" --at x=2 y=3 z=5 --order 4 --json',
    'grad "x**3" --at x=2 --order 4 --json', 'grad "x**3*y**2" --at x=2 y=3 --order 3 --json',
    'grad "x**12*y" --at x=1 y=2 --order 12 --wrt x',
    'grad "x**14*y**2" --at x=1 y=1 --order 13 --wrt x y',
    'grad "a*b*c*d*g" --at a=1 b=2 c=3 d=4 g=5 --order 3', 'grad "a*b*c*d" --at a=1 b=2 c=3 d=4 --order 4',
    'grad "a*b*c*d*g" --at a=1 b=2 c=3 d=4 g=5 --order 4 --json',
    'grad "x**2*y" --at x=2 y=3 --order 2 --wrt y x', 'grad "2*3" --order 3', 'grad "x < y" --at x=1 y=2',
    'grad "abs(x) + relu(y) + maximum(x, y) + tanh(y)" --at x=0 y=0', 'grad "log(x)" --at x=0 --ieee',
    'grad "u = x*y; v = u + x; sin(v)*u" --at x=1.5 y=2 --wrt u v', 'grad "f = x*2; f*x" --at x=3',
    'grad "f = x*2; y = f*x; f + y" --at x=3', 'grad "f = x*2; y = f*x; z = y*f; z + 1" --at x=3',
    'grad "f = x*2; g = f*x" --at x=3', 'grad "f = x*2; f" --at x=3', 'grad "y=x*x" --at "x = pi/2"',
    'grad x --at x=1e-300', f'grad "{"w" * 50}*2" --at {"w" * 50}=1', 'grad "x + 1" --at x=inf --json',
    'grad "x*x" --at x=inf', "grad x", "grad x*y --at x=1 y=2 --wrt z", "grad x*y --at x=1 y=2 --wrt x y x",
    'grad "speed*2" --at spede=3', 'grad "u=x; u*2" --at x=1 u=2', "grad x --at x=1 x=2", "grad x --at x",
    "grad x --at 3=4", f"grad x --at {'q' * 41}=1", f"grad x --at {'q' * 40}=1", "grad x --at sin=3",
    "grad x --at e=3", "grad x --at x=y", "grad x --at x=",
    f'grad "{"+".join(f"x{k}" for k in range(9))}"', f'grad "{"+".join(f"x{k}" for k in range(10))}"',
    'grad "u=x*x; u*2" --at x=1 --wrt u --order 2', "grad x --order 0 --at x=1", "grad x --order x --at x=1",
    "grad x --at x=1 --order 31", "grad x --at x=1 --ordre 2", "grad -x**2 --at x=1",
    'grad --at x=1 "x**2"', 'grad "sqrt(x)*2" --at x=0', 'grad "x*sqrt(x)" --at x=0 --order 2',
    "draw x*y --at x=2 y=3 --json", "draw x --at x=1 --digits 18", "draw x --at x=1 --max-nodes 0",
    'draw "log(x)" --at x=0 --ieee', 'draw "x < 1" --at x=2', "draw x*x --at x=2 --focus y"]

LONG = "u = " + "*".join(f"x{k}" for k in range(12)) + "; v = u*u + x0; w = sin(v)*u; w*v + u"
CHECK = [
    'check "sin(x*y)" --claim "x: y*cos(x*y)" --claim "y: x*sin(x*y)"',
    'check "sin(x*y)" --claim "x: y*cos(x*y)" --claim "y: x*cos(x*y)" --points 7 --seed 3',
    'check "sin(x*y)" --claim "x: y*cos(x*y)" --at x=1 y=2', 'check "x**2" --claim "x: 2*x"',
    'check "x**2*y" --claim "x: 3*x*y" --at x=3 y=4', 'check "x**2*y" --claim "x: x*y" --at y=4 --json',
    'check "u = x*y; sin(u)" --claim "u: cos(u)" --claim "∂u/∂x: x" --claim "x: x*cos(u)" --claim "y: u"',
    'check "u = x*y; sin(u)" --claim "u: -cos(u)" --claim "x: -y*cos(u)" --claim "y: -x*cos(u)" --json',
    'check "u = x; k = 3; k*u*y" --claim "u: 3*y" --claim "k: x*y" --claim "∂x/∂y: 1" --claim "du/dk = 0"',
    'check "relu(x)*y" --claim "x: y" --claim "y: x" --derive 2',
    'check "relu(x)*relu(y)*z" --claim "x: relu(y)*z" --claim "y: relu(x)*z" --claim "z: x*y" --points 30',
    'check "maximum(x, y)*z" --claim "x: z" --claim "y: z" --claim "z: x" --derive 0',
    'check "x*y*z" --claim "x: y" --claim "z: y" --derive 2', 'check "x*y*z" --claim "x: 0" --claim "y: x"',
    'check "log(x)*asin(y)" --claim "x: asin(y)" --points 9',
    'check "log(x)*asin(y)" --claim "x: asin(y)/x" --claim "y: log(x)/sqrt(1 - y**2)" --points 20 --json',
    'check "log(x)" --claim "x: 1/x" --at x=-1', 'check "log(x)" --claim "x: sqrt(-x)"',
    'check "x*y" --claim "x: y" --at y=inf x=2', 'check "x*y" --claim "x: y" --at y=inf --points 3',
    'check "x*y" --claim "x: sqrt(-y*y)" --at x=1', 'check "x" --claim "x: 1/0"', 'check "x*y" --claim "x y"',
    'check "exp(x)" --claim "x: exp(x)*(1 + 1e-7)"', 'check "exp(x)" --claim "x: exp(x)*(1 + 1e-4)"',
    'check "exp(x)" --claim "x: exp(x)*(1 + 1e-4)" --rtol 1e-3', 'check x --claim "x: 1" --rtol 1',
    'check x --claim "x: 1" --rtol 0', 'check x --claim "x: 1" --rtol abc',
    'check x --claim "x: 1" --rtol nan',
    'check x --claim "x: 1" --points 0', 'check x --claim "x: 1" --points 100001',
    'check x --claim "x: 1" --seed -1', 'check x --claim "x: 1" --derive 1001', 'check x --claim "x:"',
    'check "x*y" --claim "x: z"', 'check "x*y" --claim "z: y"', 'check "x*y" --claim "f: 1"',
    'check "x*y" --claim "∂z/∂x: 1"', 'check "u = x*y" --claim "u: 1" --claim "∂u/∂x: y"',
    'check "x*y" --claim "x: y" --claim "∂f/∂x = y"', 'check "speed*2" --claim "spede: 2"', "check x*y",
    'check "2*cbrt(x)" --claim "x: 1" --at x=0', 'check "1 + tanh(x)" --claim "x: 1 - tanh(x)**2"',
    'check "x**3 + x" --claim "x: 3*x**2" --claim "x = 1"', 'check "x*x*x" --claim "x: -3*x**2" --points 2',
    f'check "{LONG}" --claim "x1: u" --claim "x2: v" --derive 1 --points 3',
    'check "a = x*y; b = a*x + a; c = b*a + x; d = c*b*a + b; g = d*c + a*x; h = g*d + c*c; h*g*a*b*c*d + h" '
    '--claim "x: y" --points 3',
    'check "a + b + c + d + g + h + k + m + n" --points 2 --claim "a: 1" --claim "b: 2" --claim "c: 1" '
    '--claim "d: 1" --claim "g: 1" --claim "h: 1" --claim "k: 1" --claim "m: 1" --claim "n: 3"',
    'check "tanh(x)*y" --claim "x: (1 + tanh(x)**2)*y" --claim "y: tanh(y)"',
    'check "a = x*y; b = a*x; a*b" --claim "a: b" --claim "b: a" --claim "∂b/∂x: 2*a" --claim "∂a/∂y: x"',
    'check "exp((2 - y)**3)" --claim "y: -3*(2 - y)**2*exp(8)*exp(-12*y)*exp(6*y**2)*exp(-y**3)" '
    "--at y=10.48"]

POINTS = "points = [(0.5, 1.5), (-1.2, 0.7), (2.1, -0.4)]     # or inputs, a strategy\n"


def changed(*changes, tail=""):
    """The file to begin with, changed."""
    text = TEMPLATE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text + tail


U = ('("u", "x"): y, "u": ag.cos(x * y)', '("u", "x"): x, "u": ag.cos(x * y)')
BOTH = ('return {("u", "x"): y, "u": ag.cos(x * y), "x": y * ag.cos(x * y)}', """\
du = -ag.cos(x * y)
    dx = du
    dx *= x
    d: dict = {
        ("u", "x"): x, ("f", "u"): du,
        "x": dx, "y": x * ag.cos(x * y)}
    return d""")
FILES = {
    "right": changed(), "one claim": changed(('("u", "x"): y, "u": ag.cos(x * y), ', "")),
    "wrong": changed(U),
    "two wrong": changed(BOTH), "two points": changed(U, (", (2.1, -0.4)]", "]")),
    "no points": changed((POINTS, "points = []\n")), "neither": changed((POINTS, "")),
    "endless points": changed(U, (POINTS, "import itertools\npoints = ((0.5 + k, 1.5 - k * k) for k in "
                                          "itertools.count())\n")),
    "endless points, right": changed((POINTS, "import itertools\npoints = ((0.5 + k, 1.5) for k in "
                                              "itertools.count())\n")),
    "a function of points": changed((POINTS, "def points():\n    yield 0.5, 1.5\n    yield 1.0, 2.0\n")),
    "a strategy": changed((POINTS, "from hypothesis import strategies as st\n"
                                   "inputs = st.tuples(*[st.floats(-4, 4)] * 2)\n")),
    "different mistakes at different points": changed(
        ('("u", "x"): y, "u": ag.cos(x * y), "x": y * ag.cos(x * y)',
         '("u", "x"): y if x > 0 else x, "u": ag.cos(x * y), "x": y * ag.cos(x * y) * (1 + (x > 0.6))')),
    "fewer claims at the last point": changed(
        U, ("return {", "return {'x': y * ag.cos(x * y)} if y < 0 else {")),
    "not defined at two": changed(("ag.sin(u)", "ag.log(u)"), ('"u": ag.cos(x * y), "x": y * ag.cos(x * y)',
                                                               '"x": 1/x')),
    "defined nowhere": changed(("ag.sin(u)", "ag.log(-u*u)")), "not a function": "forward = 3",
    "a long derivation": changed(
        ("f = ag.sin(u)", "f = ag.sum([ag.sin(u * k) * x for k in range(1, 40)])"),
        ('"u": ag.cos(x * y), ', "")), "no hand": changed(("def hand", "def other")),
    "a wrong name": changed(('"u":', '"v":')), "no root": changed(("return f", "return 3")),
    "a syntax error of nowhere": "raise SyntaxError('odd', (__file__, 0, 0, 'some text \\n'))",
    "a syntax error of no line": "raise SyntaxError('odd', (__file__, 3, None, 'some text'))",
    "a syntax error elsewhere": "raise SyntaxError('odd', ('e.py', 3, 1, 'some text'))",
    "a syntax error": changed(("u = x * y", "u = x * * y")), "cut short": "x = (1,\n",
    "an error in hand": changed(("x, y = point\n", "x, y = point[0]\n")),
    "an error over two lines": changed(("u = x * y", "u = float(\n        'x')")),
    "an error below": changed(("u = x * y", "u = below(x)"), tail="\n\ndef below(x):\n    if x:\n"
                              "        return x + 1 / 0\n"),
    "it calls exit": "import sys; sys.exit(3)", "an exit without a word": "exit()",
    "a point with a long text": changed(U,
                                        (POINTS, "points = [(0.5 + k, 1.5, 'z' * 5000) for k in range(3)]\n"),
                                        ("map(ag.Value, point)", "map(ag.Value, point[:2])"),
                                        ("x, y = point\n", "x, y = point[:2]\n")),
    "an error about itself": changed(
        ("x, y = point\n", "x, y = point; raise OSError(2, 'not there', __file__)\n")),
    "a file is not there": "open('no such file')", "an error of many lines": "raise ValueError('a\\n' * 100)",
    "an error without a word": "raise KeyError", "memory": "raise MemoryError",
    "an import": "import nothing_of_this_name", "a claim that is reversed": changed(('("u", "x")',
                                                                                     '("x", "u")')),
    "points with long numbers": changed(U,
                                        (POINTS,
                                         "points = [([k / 7] * 60, 1.5 - k / 3) for k in range(3)]\n"),
                                        ("x, y = map(ag.Value, point)", "x, y = map(ag.Value, (point[0][0], "
                                         "point[1]))"), ("x, y = point\n", "x, y = point[0][0], point[1]\n"))}
AUDIT = {**{name: ("audit d.py", text) for name, text in FILES.items()},
         **{f"{name} in JSON": ("audit d.py --json", FILES[name]) for name in (
             "right", "two wrong", "not defined at two", "different mistakes at different points",
             "a point with a long text")},
         "wrong, derive 0": ("audit d.py --derive 0", FILES["wrong"]),
         "two wrong, derive 2": ("audit d.py --derive 2", FILES["two wrong"]),
         "two of endless points": ("audit d.py --points 2", FILES["endless points"]),
         "two of three points": ("audit d.py --points 2", FILES["right"]),
         "a strategy, 20": ("audit d.py --points 20", FILES["a strategy"]),
         "reversed, one point": ("audit d.py --points 1", FILES["a claim that is reversed"]),
         "a directory": ("audit .", ""), "no file": ("audit no.py", ""),
         "0 points": ("audit d.py --points 0", ""),
         "a timeout": ("audit d.py --timeout 0", "")}
READ = {"u = θ*2\nsin(u) * x\n": "θ=-pi/5 x=1e3", "\ufeffx*2": "x=1", "ï»¿x*3": "x=1", "": "x=1"}

NAME = "commands"
CASES = {**{f"autograd-lite {line}"[:100]: functools.partial(ran, line) for line in (*GRAD, *CHECK)},
         **{f"audit: {name}": functools.partial(ran, line, {"d.py": text})
            for name, (line, text) in AUDIT.items()},
         **{f"standard input {text!r}": functools.partial(ran, f"grad - --at {at} --json", stdin=text)
            for text, at in READ.items()}}


@pytest.mark.parametrize("case", CASES)
def test_a_command_prints_what_is_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]


def test_what_lies_beside_a_file_is_imported_before_what_lies_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "lies_here_too.py").write_text("FACTOR = 3")
    monkeypatch.syspath_prepend(str(tmp_path))
    files = {"d.py": "from lies_here_too import FACTOR\n" + changed(("x * y\n", "x * y * FACTOR\n")),
             "lies_here_too.py": "FACTOR = 1"}
    try:
        assert ran("audit d.py", files) == "all 3 claims agree with the graph, at 3 points\n--\n--\n0"
    finally:
        sys.modules.pop("lies_here_too", None)


def test_a_file_knows_its_own_path():
    files = {"d.py": changed(("x * y\n", "x * y if __file__ == 'd.py' else x\n"))}
    assert ran("audit d.py", files).startswith("all 3 claims agree")


def test_letters_that_an_encoding_lacks_are_written_in_others():
    def plain(text, encoding="ascii"):
        return text.encode(encoding, "autograd_lite.lacking").decode(encoding)

    for text, written in {"∂f/∂x₁": "df/dx\\u2081", "…·−–×": "...*--*", "√½¼": "sqrt 1/21/4",
                          "→∞✓✗": "->inf+x",
                          "x⁰¹²³⁴⁵⁶⁷⁸⁹": "x^0^1^2^3^4^5^6^7^8^9", "θΩ": "thetaomega", "ä": "\\xe4",
                          "ά": "\\u03ac",
                          "Ж": "\\u0416", "\U0001f600": "\\U0001f600"}.items():
        assert plain(text) == written
    assert plain("½·θ", "latin-1") == "½·theta"


def test_with_the_standard_output_closed_a_command_fails_in_a_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", None)
    assert cli.main(["grad", "x", "--at", "x=1"]) == 1
    assert capsys.readouterr().err == "autograd-lite: the standard output: it is closed\n"

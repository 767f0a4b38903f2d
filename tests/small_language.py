"""Functions of the small language, which `autograd_lite.native.language` explains, and what is not in it."""
from __future__ import annotations

import ast
import math
from typing import Any

from autograd_lite.native import objects, runtime
from autograd_lite.native.language import Function
from autograd_lite.native.objects import Floats
from autograd_lite.ops import special


def doubled(x: float, y: float = 2.0, z: float = -0.5) -> float:
    """A function that others call, with defaults."""
    return x * y + z


def halves(n: int) -> int:
    return n >> 1


def entry(xs: Floats, i: int) -> float:
    return xs[i]


def own(x: float) -> float:
    """A function that is Python's alone."""
    return {1.0: x}[x]


NAMES = {"math": math, "special": special, "doubled": doubled, "halves": halves, "entry": entry,
         "nan": math.nan, "inf": math.inf, "less": -math.inf, "minus": -2.5, "three": 3, "few": -3,
         "word": "text", "flag": True, "modulo": runtime.modulo, "square": runtime.square,
         "Floats": Floats, "dict_item": objects.dict_item, "drop": objects.drop, "run": objects.run,
         "stack": objects.stack, "own": own, "as_words": objects.as_words, "raised": objects.raised}

# By a name: the parameters and the type of the result; the statements.
BODIES = {
    "numbers": ("x", "return x * 1.5 + 2 - 1e300 + 0 * x"),
    "names": ("x", "return x + nan - inf * less + minus * -three - few + math.pi"),
    "truth": ("x", "return x + True - False"),
    "signs": ("x, y", "return -x - -y - -(x + y) + +x * -(x * y) - -minus + -3 * x + (not x)"),
    "sums": ("x, y", "return x - (y - x) + (x + y) - x - y"),
    "products": ("x, y", "return x / (y * x) * (x / y) / x / (x + y) * (x - y) + x * y * x"),
    "whole": ("n: int, m: int", "return n * m - (n - 3) / (m + n) + n / m + n * 0.5"),
    "whole result": ("n: int, m: int -> int", "return (n & 7) + (n + 1 >> m) - -n * m + (n & (m >> 1))"),
    "remainders": ("x, y", "return x % y + x // (y + 1.0) - (x + y) % 2.0"),
    "comparisons": ("x, y, n: int", "return (x < y) + (x <= y) + (x > y) + (x >= y) + (x == y) + (x != y) + "
                    "(n < 2) + (2 <= n) + (n == 3) + (n != 4) + (n > x)"),
    "chains": ("x, y", "return (x < y + 1.0 < 2.0 <= y) + (x == y == x * y)"),
    "both": ("x, y", "return 1.0 if x < y and y < 1.0 and x + y > 0.0 else 0.0"),
    "either": ("x, y", "return 1.0 if x < y or not y < 1.0 or x and y else 0.0"),
    "mixed": ("x, y", "return 1.0 if (x < y or y < 1.0) and not (x > 0.0 and y > 0.0) else -1.0"),
    "asked last": ("x, y", "return 1.0 if x < y and (z := x * y) > 0.0 and z < 1.0 else 0.0"),
    "asked last, or": ("x, y", "return 1.0 if x < y or (z := x * y) > 0.0 else y"),
    "calls asked": ("x, y", "return 1.0 if x < y and math.sin(x) > 0.0 or math.cos(y) < 0.0 else 0.0"),
    "choices": ("x, y, n: int", "return (x if x < y else y) * (n if x < y else x) + (1 if n else 2) + "
                                "(n if y else n + 1)"),
    "choice of choices": ("x, y", "return x if x < y else y if x < 1.0 else x + y if y else -x"),
    "choice with a name": ("x, y", "return (z := x * y) + z * x if x < y else y - (w := y + 1.0) * w"),
    "choices of kinds with names": (
        "x, n: int", "return (n * (m := n + 1) if x else 2) + ((w := x * 2.0) * w if n else n) + "
        "(n if x else (v := n) * v)"),
    "choice of calls": ("x, y", "return math.sin(x) if x < y else math.cos(y) if y < 1.0 else y"),
    "names made": ("x", "return (y := x + 1.0) * y * (z := y) - z + (v := 2) * v"),
    "lists": ("x, y", "xs = [x, y, x * y]\nreturn xs[0] * xs[-1] + xs[2] - xs[-3]"),
    "empty list": ("x", "xs = []\nreturn x"),
    "tuple": ("x, y", "xs = (x, y)\nreturn xs[1]"),
    "repeated": ("x", "xs = [x + 1.0] * 4\nxs[1] = 2.0\nxs[-1] += x\nreturn xs[0] + xs[3]"),
    "places": ("x, n: int", "xs = [x, 2.0]\nreturn xs[n] + xs[n + 1] * xs[2] + xs[-3]"),
    "places of a program": ("x: float, n: int, out: Floats -> int",
                            "xs = [x, 2.0]\nout[0] = xs[n] + xs[1]\nout[n] = xs[-3]\nreturn 0"),
    "arrays": ("xs: Floats, n: int", "return xs[0] + xs[n] * xs[n + 1] - xs[-1]"),
    "ints and words": ("xs: Ints, ys: Words, n: int -> int",
                       "ys[n] = xs[n] * 2\nxs[0] = ys[1]\nreturn xs[1]"),
    "called": ("x, y", "return math.exp(x) + math.sqrt(y) - math.floor(x) * math.atan2(x, y) + abs(x) + "
               "math.copysign(x, y) + math.fmod(x, y) - math.fabs(x) + math.ceil(y)"),
    "powers": ("x, y", "return math.pow(x, 2.0) + math.pow(x + 1.0, 2.0) * math.pow(x, y) + math.pow(x, 2)"),
    "extremes": ("x, y", "return max(x, y) + min(x, y + 1.0, 2.0) * max(x * y, x)"),
    "defaults": ("x, y", "return doubled(x) + doubled(x, y) + doubled(x, y, 3.0)"),
    "calls of ints": ("n: int, xs: Floats", "return halves(n) + halves(n + 1) * entry(xs, n)"),
    "conversions": ("x, n: int",
                    "return float(n) + float(n + 1) + int(x) * int(n) + int(x * 2.0) - float(x)"),
    "conversions in a program": ("x: float, out: Floats -> int",
                                 "out[0] = int(x) * 0.5\nout[1] = int(x * x)\nreturn int(2.0 * x)"),
    "many": ("x, y", "return special.fsum(x, y, 1.0) + special.mean(x, y) * special.logsumexp(x, y)"),
    "shares": ("x: float, y: float, out: Floats -> int",
               "p = special.shares(x, y, 1.0)\n"
               "out[0] = p[0] + p[-1] * special.fdot(x, y, 2.0, 3.0)\nreturn 0"),
    "kernels": ("x: float, out: Floats -> int",
                "out[0] = special.sigmoid(x)\nout[1] = math.lgamma(x) + math.hypot(x, 1.0)\n"
                "out[2] = math.gamma(x) * special.power_slope(x, 2.5, 1.0, 0.0)\nreturn -2"),
    "called back": ("x, n: int", "return own(x) + own(n) * own(x)"),
    "called back by a program": ("x: float, out: Floats -> int", "out[0] = own(x)"),
    "assigned once": ("x, y", "a = x * y\nb: float = a + 1\nn = 3\nreturn a * b * n"),
    "assigned again": ("x, y", "a = x * y\na = a + 1.0\nx = a\nx += y\ny *= 2.0\nreturn x / y"),
    "in a branch": ("x, y", "if x < y:\n    a = x\n    n = 1\nelse:\n    a = y\n    n = 2\nreturn a * n"),
    "swapped": ("x, y", "x, y = y, x\na, b = x + y, x\nreturn x - y * a * b"),
    "not used": ("x, y, z", "a = x * y\nb = a + 1.0\nc = b * b\nd = x * x\nreturn d"),
    "taken names": ("double, α, ag_x",
                    "int_ = double * α\nif α > 0.0:\n    int_ = int_ + ag_x\nt = int_\n"
                    "return max(t, double * t)"),
    "one name twice": ("x", "y = (z := x + 1.0) * z\nreturn (z := y + 2.0) * z"),
    "nothing returned": ("x", "if x:\n    return 1.0"),
    "nothing returned by a program": ("x: float, out: Floats -> int", "if x < 1.0:\n    out[0] = x"),
    "bare return": ("x: float, out: Floats -> int", "return"),
    "raised": ("x", "if x < 0.0:\n    raise ValueError\nreturn x"),
    "raised by a program": ("x: float, out: Floats -> int",
                            "if x < 0.0:\n    raise ValueError\nout[0] = x\nreturn -2"),
    "branches": ("x, y", "'''A docstring.'''\nif x < y:\n    return x\nif y:\n    return y\n"
                 "elif x > 2.0:\n    pass\n    y = x\nelse:\n    if x and y:\n        return -x\n    x = 3.0"
                 "\nreturn x + y"),
    "a loop": ("x, n: int", "total = 0.0\nfor i in range(n):\n    total += x * i\nreturn total"),
    "loops": ("x, n: int", "total = 0.0\nfor i in range(1, n + 1):\n    for j in range(n, 0, -2):\n"
              "        total = total + i * j\n    for j in range(0, 9, 3):\n        total -= j\n"
              "for i in range(2, 5):\n    x *= i\nreturn total * x"),
    "left and gone on": ("x, n: int", "for i in range(n):\n    if i > 3:\n        break\n    if x > 2.0:\n"
                         "        x = x - 1.0\n        continue\n    x *= 2.0\nreturn x"),
    "while": ("x, y", "while x < y and y > 0.0:\n    x = x * 2.0\n    if x > 1e9:\n        break\nreturn x"),
    "while truth": ("x, n: int", "while n:\n    n = n - 1\n    x *= x\nwhile True:\n    if x > 1.0:\n"
                    "        return x\n    x += 1.0"),
    "after a return": ("x", "return x\nx = 2.0\nreturn 2.0 * x"),
    "objects": ("self: Object, args: Objects, i: int -> Object",
                "found = dict_item(args[i], self)\nif found is None:\n    return self\ndrop(found)\n"
                "return found if found is not self else args[0]"),
    "objects and words": ("self: Object, n: int -> int",
                          "words = as_words(self)\nxs = stack(words[1])\nxs[0] = xs[n] = 2.0\n"
                          "words[n] = n\nif raised() is None:\n    return -1\nreturn run(self, xs, xs)"),
}

# What is not in the language, as the last statements of a function of x: float, n: int, xs: Floats.
REFUSED = [
    "return x ** 2.0", "return x @ x", "return x & 1", "return x >> 1", "return n & x", "return ~n",
    "return n << 1", "return 'a'", "return 1j", "return None", "return word", "return flag",
    "return unknown", "return math.none", "return math", "return math.pi.real", "return x.real",
    "return [x]", "return (x, x)", "return {x: x}", "return f'{x}'", "return x[0]", "return xs[x]",
    "return xs[0.0]", "return xs[0:1]", "return lambda: x", "return [y for y in xs]", "return unknown(x)",
    "return math.exp(x=x)", "return x < x in xs", "return x is n", "return x in xs", "return doubled()",
    "return doubled(x, x, x, x)", "return entry(xs)", "return round(x, 1)", "return special.shares([x])",
    "return (lambda x: x)(x)", "return n if x else 'a'", "return x < 9007199254740993",
    "ys = [x, x] * 2\nreturn x", "ys = [x] / 2\nreturn x", "ys = [x] + 2\nreturn x",
    "ys = [x] * n\nreturn x", "y: float\nreturn x",
    "x.real: float = x\nreturn x", "x.real = x\nreturn x", "x.real += x\nreturn x", "n[0] = x\nreturn x",
    "y, x.real = x, x\nreturn x", "y, z = xs\nreturn x", "y, z = x, n, x\nreturn x",
    "y, z, w = x, n\nreturn x", "y = z = x\nreturn y * z", "math.exp(x)\nreturn x",
    "xs[0]\nreturn x", "while (y := x) > 0.0:\n    x = y - 1.0\nreturn x",
    "for y in xs:\n    x += y\nreturn x", "for y in map(x):\n    pass\nreturn x",
    "for i in range(3):\n    pass\nelse:\n    x = 2.0\nreturn x",
    "for xs[0] in range(3):\n    pass\nreturn x", "with x:\n    pass\nreturn x", "del x\nreturn n",
    "assert x\nreturn x", "def g(): pass\nreturn x", "import math\nreturn x",
]


def function(params: str, body: str) -> Function:
    """A function of the language; a program, if it has numbers for its results."""
    params, _, result = params.partition(" -> ")
    text = "\n    ".join(body.split("\n"))
    tree = ast.parse(f"def f({params}) -> {result or 'float'}:\n    {text}")
    [node] = tree.body
    assert isinstance(node, ast.FunctionDef)
    return Function(node, NAMES, "out: Floats" in params)


def refusal(write: Any, text: str) -> str:
    """What is said of a function that ends in these statements."""
    try:
        write(function("x: float, n: int, xs: Floats", text))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "it is in the language"

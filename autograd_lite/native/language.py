"""The small language that is compiled to native code: functions of floats, in Python.

A function holds assignments, ``if``, ``for i in range(…)``, ``while`` and ``return``; expressions of floats,
whole numbers (``int``) and truth values; ``math`` and other such functions; and arrays, which are parameters
annotated ``Floats`` or ``Ints``, or lists of floats made in the function. It runs in Python, too, and there
gives the same numbers, but that nothing raises: what is not defined is nan, or infinite. (Those that work on
Python's own objects, see `objects`, are for native code alone.)

The generated source of programs and most float kernels (`ops.special`) are in this language.
"""
from __future__ import annotations

import ast
import builtins
import functools
import inspect
import math
import textwrap
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from autograd_lite.errors import InputError

FLOAT, INT, BOOL, OBJECT = "float", "int", "bool", "object"
FLOATS, INTS, WORDS, OBJECTS = "floats", "ints", "words", "objects"     # arrays; ints have 32 bits, words 64
_ANNOTATIONS = {"": FLOAT, "Any": FLOAT, **{x: x for x in (FLOAT, INT, BOOL)},
                **{x.capitalize(): x for x in (OBJECT, FLOATS, INTS, WORDS, OBJECTS)}}

# The functions of `math` that are those of the C library, to the last bit, by their names there.
LIBM = {getattr(math, name): name for name in (
    "exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh "
    "erf erfc pow atan2 fmod cbrt remainder").split() if hasattr(math, name)}
# Those that are instructions.
PLAIN = {math.sqrt: "sqrt", math.fabs: "fabs", abs: "fabs", math.floor: "floor", math.ceil: "ceil",
         math.copysign: "copysign"}


class Untranslatable(InputError):
    """What is not in the language."""


def refused(node: ast.AST, why: str = "") -> Untranslatable:
    """The error for a part of a function."""
    return Untranslatable(f"line {getattr(node, 'lineno', '?')}: {why or 'not in the language'}: "
                          f"{ast.unparse(node)}")


class Function:
    """A function of the language.

    Attributes:
        name: its name; params: the types of its parameters, by name; defaults: their numbers.
        result: its type.
        body: its statements.
        names: what it refers to.
        is_program: whether it goes the eager way where a kernel gives nan.
    """

    def __init__(self, tree: ast.FunctionDef, names: Mapping[str, Any], is_program: bool = False):
        self.is_program = is_program
        self.name, self.body, self.names = tree.name, tree.body, names
        args = tree.args
        if args.vararg or args.kwarg or args.kwonlyargs or args.posonlyargs:
            raise refused(tree, "only plain parameters")
        self.params = {arg.arg: _type_of(arg.annotation) for arg in args.args}
        self.defaults = [ast.literal_eval(x) for x in args.defaults]
        self.result = _type_of(tree.returns)

    def __repr__(self) -> str:
        return f"<native function {self.name}>"

    def named(self, node: ast.expr) -> Any:
        """What a name or an attribute of a module refers to, if it is no variable."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return getattr(self.named(node.value), node.attr, None)
        if isinstance(node, ast.Name):
            return self.names.get(node.id, getattr(builtins, node.id, None))
        return None

    @functools.cached_property
    def changing(self) -> frozenset[str]:
        """The variables that are assigned in branches or loops, or several times."""
        found, seen = set[str](), set(self.params)

        def visit(statements: list[ast.stmt], inner: bool) -> None:
            for node in statements:
                targets = (node.targets if isinstance(node, ast.Assign) else
                           [node.target] if isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.For)) else [])
                for target in [x for t in targets for x in (t.elts if isinstance(t, ast.Tuple) else [t])]:
                    if isinstance(target, ast.Name):
                        if inner or target.id in seen or isinstance(node, (ast.For, ast.AugAssign)):
                            found.add(target.id)
                        seen.add(target.id)
                for part in ("body", "orelse"):
                    visit(getattr(node, part, []), True)

        visit(self.body, False)
        return frozenset(found)


def _type_of(annotation: ast.expr | None) -> str:
    text = "" if annotation is None else ast.unparse(annotation)
    if text not in _ANNOTATIONS:
        raise Untranslatable(f"a parameter or result of type {text}")
    return _ANNOTATIONS[text]


@functools.lru_cache(maxsize=1024)
def function_of(f: Callable[..., Any]) -> Function:
    """A Python function as one of the language.

    Raises:
        Untranslatable: it has no source, or holds what is not in the language.
    """
    name = getattr(f, "__name__", type(f).__name__)
    if type(f) is not FunctionType or f.__closure__ or name == "<lambda>":
        raise Untranslatable(f"{name} has no source of its own")
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(f))).body[0]
    except (OSError, TypeError, SyntaxError) as error:
        raise Untranslatable(f"{name} has no source") from error
    if not isinstance(tree, ast.FunctionDef):
        raise Untranslatable(f"{name} is no function")
    return Function(tree, f.__globals__)


def functions_in(source: str, names: Mapping[str, Any]) -> list[Function]:
    """The functions that the source of a program defines."""
    return [Function(node, names, True) for node in ast.parse(source).body
            if isinstance(node, ast.FunctionDef)]

"""The quick methods written out for mypyc, which compiles them with `Value` in an optional build."""
from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from textwrap import indent
from typing import Any

from autograd_lite.graph.quick import MANY, Source, call_source, method_source, methods_of, sources_of
from autograd_lite.ops.branches import QUESTIONS
from autograd_lite.ops.op import TABLE
from autograd_lite.ops.operators import Operators

_IMPORTS = """\
from typing import Final
import autograd_lite.ops.op as ops_op
from autograd_lite.graph.node import lasting, settle
from autograd_lite.ops import activations, geometry, normal, sequences
from autograd_lite.ops.branches import QUESTIONS
from autograd_lite.ops.elementwise import as_float, in_floats
from autograd_lite.ops.op import TABLE
"""
_CONSTANTS = """\
from autograd_lite.ops.operators import Operators
absent: Final[Any] = object()
BLANK: Final[Any] = object()


class Flags:
    special: bool = False


flags: Final = Flags()


"""
_NEW = """\
def new() -> Value:
    return Value(BLANK)


def raw() -> Value:
    return Value(BLANK)
"""
_COLLECTOR = """

def settle(node: Any) -> None: pass
def lasting(op: Any) -> None: pass
"""
# What these do, in C. A node is raw until it is settled: then the collector looks at it only if it looks at
# something that the node refers to. (A tuple of what it does not look at is left out, too.)
_IN_C = {
    "PyObject *CPyDef_value___raw(void) {": """
    autograd_lite___graph___value___ValueObject *self;
    self = PyObject_GC_New(autograd_lite___graph___value___ValueObject, CPyType_value___Value);
    if (self == NULL) return NULL;
    memset((PyObject *)self + 1, 0, sizeof(*self) - sizeof(PyObject));
    self->vtable = value___Value_vtable;
    self->__data = -113.0;
    return (PyObject *)self;""",
    "char CPyDef_node___settle(PyObject *cpy_r_node) {": """
    int kept = Py_TYPE(cpy_r_node)->tp_traverse(cpy_r_node, seen, NULL);
    if (!kept) PyObject_GC_UnTrack(cpy_r_node);
    else if (!PyObject_GC_IsTracked(cpy_r_node)) PyObject_GC_Track(cpy_r_node);
    return 1;""",
    "char CPyDef_node___lasting(PyObject *cpy_r_op) {": "    PyObject_GC_UnTrack(cpy_r_op);"}
_SEEN = """
static int seen(PyObject *x, void *nothing) {
    if (!PyType_IS_GC(Py_TYPE(x)) || !PyObject_GC_IsTracked(x)) return 0;
    if (!PyTuple_Check(x) || Py_TYPE(x)->tp_dictoffset) return 1;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(x); i++)
        if (seen(PyTuple_GET_ITEM(x, i), nothing)) return 1;
    if (PyTuple_CheckExact(x)) PyObject_GC_UnTrack(x);
    return 0;
}
"""


class Native(Source):
    """An op in Python that names what it needs by where it is found, in place of a closure."""

    def named(self, hint: str, thing: Any) -> str:
        name = getattr(thing, "__name__", hint)
        if getattr(math, name, None) is thing:
            return f"math.{name}"
        return self.kept(next(_places(thing)))

    def kept(self, place: str) -> str:
        """The name of an object that is kept."""
        return str(self.names.setdefault(place, f"k{len(self.names)}"))

    def node(self, operands: Sequence[str], kinds: str) -> str:
        text = re.sub(r"(?<=out\._p[ab] = )-?[01]\.0", lambda p: self.kept(f"float({p[0]})"),
                      super().node(operands, kinds))            # (one object, as in Python, for all nodes)
        return _settled(text)

    def traced(self, operands: Sequence[str], known: str) -> str:
        return ""

    def quick(self, operands: Sequence[str], known: str) -> str:
        text = super().quick(operands, known)
        number = re.search(r"( +)(x\d) = (\w+) if type\(\3\) is float else \3 \+ 0\.0\n", text)
        if not number:
            return text
        margin, x, other = number.groups()                      # (the object that is given, as in Python)
        return (text[:number.start()]
                + f"{margin}given = float({other}) if type({other}) is int else {other}\n"
                f"{margin}{x} = given\n"
                + re.sub(rf"(out\._p?[ab] = ){x}$", r"\1given", text[number.end():], flags=re.M))


def _places(thing: Any) -> Iterator[str]:
    """Expressions for where a function is kept."""
    for name, op in TABLE.items():
        if op.forward is thing:
            yield f"TABLE[{name!r}].forward"
        for i, rule in enumerate(op.rules):
            if rule is thing:
                yield f"TABLE[{name!r}].rules[{i}]"
    for key, question in QUESTIONS.items():
        if question.holds is thing:
            yield f"QUESTIONS[{key!r}].holds"


def _settled(text: str) -> str:
    """The same, the new node settled."""
    return _replaced(text, {r"out = new\(\)": "out = raw()", r"^( *)return out$": r"\1settle(out)\n\g<0>"})


def _typed(text: str, general: str, name: str, tag: str) -> str:
    """A function's source with types, its own names and those of module level."""
    text = re.sub(r"(\w+) if type\(\1\) is float else \1 \+ 0\.0", r"float(\1)", text)
    text = re.sub(r"\bmixed(\d)\(", rf"mixed{tag}_\1(", text)
    text = re.sub(r"\bgeneral\(", f"{general}(", text)
    text = text.replace(" special and", " flags.special and").replace("not special", "not flags.special")
    text = re.sub(r"\bop\b", f"op{tag}", text)
    head, body = text.split(":\n", 1)
    found = dict.fromkeys(re.findall(r"\b(?:[xp]\d|y|e|given|tape)\b", body))
    loose = {"given", "tape", *re.findall(r"\b(p\d) = (?:None if g\d is None else )?k\d+\(", body),
             *[x for x in found if x[0] == "p" and "is None or" in body]}
    declared = "".join([f"    {x}: {'Any' if x in loose else 'float'}\n" for x in found])
    head = re.sub(r"def \w+", f"def {name}", head)
    head = re.sub(r"\b(other|a\d|at_zero|slope|alpha|modulo|more|options|operands)\b", r"\1: Any", head)
    return f"{head} -> Any:\n{declared}{body}"


def backward_source(text: str) -> str:
    """The source of the backward pass, in which products and sums are of floats."""
    return _replaced(text, {
        r"x\._grad = x\._grad \+ g \* (\w)": r"x._grad = _plus_product(x._grad, g, \1)",
        r"b\._(\w)\._grad is mark": r"_has(b._\1, mark)",
        r"\nclass _Pass\(_Met\):": """
def _plus_product(held: float, g: float, p: float) -> float:
    return held + g * p


def _has(x: Node, mark: Any) -> bool:
    return x._grad is mark


class _Pass(_Met):"""})


def node_source(text: str) -> str:
    """The source of the node, whose setters say themselves what they refuse."""
    return _replaced(text, {
        r"def label\(self\) -> str": "def label(self) -> Any",
        r"def data\(self\) -> float": "def data(self) -> Any",          # (a node, in a trace)
        r"def label\(self, label: str\)": "def label(self, label: Any)",
        r"def scope\(self, scope: Iterable\[str\]\)": "def scope(self, scope: Any)",
        r"def requires_grad\(self, wanted: bool\)": "def requires_grad(self, wanted: Any)",
        # (a name is a plain str: it refers to nothing)
        r"scope=names\)": "scope=tuple([''.join([name]) for name in names]))",
        r"labels=labels\)": "labels=tuple([x._replace(name=''.join([x.name])) for x in labels]))",
        r"\Z": _COLLECTOR})


def states_source(text: str) -> str:
    """The source of what nodes hold."""
    return _replaced(text, {
        r"import Node, Note, held": "import Node, Note, held, settle",
        r"kind\.__new__\(kind\)": "getattr(kind, '__call__')(0.0)",
        r"^(        node\._note = note)\n": r"\1\n    settle(node)\n"})


def operators_source(text: str) -> str:
    """The source of the operators; mypyc knows methods only as functions."""
    return methods_source(_replaced(text, {
        r"-> bool: return self\.__compare__": "-> Any: return self.__compare__",      # (or NotImplemented)
        r"(def __compare__.*) -> bool:": r"\1 -> Any:",
        r"if TYPE_CHECKING:\n        def __hash__.*\n    else:\n        __hash__ = object.__hash__":
        "def __hash__(self) -> int: return object.__hash__(self)"}))


def methods_source(text: str) -> str:
    """The source of the methods that apply ops."""
    return _replaced(text, {
        r"^class .*:": "if TYPE_CHECKING:\n    from mypy_extensions import mypyc_attr\n\n\n"
                       r"@mypyc_attr(allow_interpreted_subclasses=True)\n\g<0>",
        r"Numeric\[Self\]|Plain \| None": "Any",
        r"type\(self\)\.__apply_op__": "getattr(type(self), '__apply_op__')",      # (it is not virtual)
        r"^    __slots__ = .*\n": r"\g<0>" + _STATE,
        r"-> Self": "-> Any"})


# (mypyc's own copies nothing of what a class that is derived in Python adds)
_STATE = """
    def __getstate__(self) -> Any:
        return getattr(object, "__getstate__")(self)
"""


def c_source(text: str) -> str:
    """What mypyc made in C, where the garbage collector looks only at what may be part of a cycle.

    It need not look at the numbers that a node holds; nor, as with its own tuples, at a node that refers to
    nothing it looks at, since a node is made after all that it refers to.
    """
    return _replaced(text, {
        r"^ +Py_VISIT\(self->__(grad|pa|pb)\);\n": "",
        r"alloc\(type, 0\);\n +if \(self == NULL\)\n +return NULL;\n +self->vtable = value___Value_vtable;\n"
        r" +self->bitmap = 0;\n +self->__data = -113\.0;\n +return \(Py": r"\g<0>",         # (as in `raw`)
        r'^#include "__native_internal_.*\n': rf"\g<0>{_SEEN}",
        **{f"^ *{re.escape(head)}\n": f"{head}\n#ifndef Py_GIL_DISABLED\n{body}\n#endif\n"
           for head, body in _IN_C.items()}})


def _replaced(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        text, n = re.subn(old, new, text, flags=re.M)
        if not n:
            raise LookupError(f"nothing like {old!r} is in the source")
    return text


def value_source(text: str) -> str:
    """The source of the module of `Value`, with the quick methods in it."""
    names: dict[str, Any] = {}
    methods, functions, calls, ops = "", "", "", ""
    for k, op in enumerate(TABLE.values()):
        tag = str(k)
        ops += f"op{tag}: Final[Any] = TABLE[{op.name!r}]\n"
        if op.open:
            names[f"TABLE[{op.name!r}].rules[0]"] = f"rule{tag}"
            names[f"TABLE[{op.name!r}].forward"] = f"forward{tag}"
            many = _settled(MANY).replace("forward(", f"forward{tag}(").replace("rule(", f"rule{tag}(")
            functions += _typed(many, f"op{tag}.apply", f"call{tag}", tag) + "\n\n"
        else:
            sources = sources_of(op, names, Native)
            for source in sources:
                functions += _typed(source.mixed(), "", f"mixed{tag}_{source.n}", tag) + "\n\n"
            functions += _typed(call_source(sources[0]), f"op{tag}.apply", f"call{tag}", tag) + "\n\n"
            for name, reflected in methods_of(op):
                general = getattr(Operators, name)
                source_text = method_source(sources[0], general, reflected)
                methods += _typed(source_text, f"Operators.{name}", name, tag) + "\n"
        calls += f"    op{tag}.calls(call{tag})\n    op{tag}.quick = True\n    lasting(op{tag})\n"
    constants = "".join([f"{name}: Final[Any] = {place}\n" for place, name in names.items()])
    text = _replaced(text, {
        r"else number\(x, op\.name\)": "else getattr(ops_op, 'number')(x, op.name)",  # (a `Constant` is kept)
        r"^new: Callable.*\n": _NEW,
        r'build = "python"': 'build = "mypyc"',
        r"^    special = True in": "    special = flags.special = True in",         # (quicker to read)
        r"^        self\._data = .*number\(data\)\n": "        if data is BLANK:\n            return\n"
        "        self._data = 0.0 if flags.special and tracing.get() else number(data)\n",
        r"^( +)(self\._note = .*line=user_line\(\)\))\n": r"\1\2\n        settle(self)\n",
        r"^(        self\._note = .*)\n(        return self)\n": r"\1\n        settle(self)\n\2\n",
        r"^( +)return out$": r"\1settle(out)\n\g<0>",
        r"^( +)(net\._note = out\._note = note) .*\n": r"\1\2\n\1settle(net)\n\1settle(out)\n",
        r"^    def backward": (indent(methods, "    ") + "\n    def backward").replace("\\", r"\\"),
        r'label: str = "", requires_grad: bool = True': 'label: Any = "", requires_grad: Any = True',
        r"def backward\(self, seed: float = 1.0": "def backward(self, seed: Any = 1.0"})
    start = text.index("def set_special(")
    future = "from __future__ import annotations\n"
    return (text[:start].replace(future, future + _IMPORTS) + _CONSTANTS + ops + constants + "\n\n"
            + text[start:] + "\n\n" + functions + "def bind_calls() -> None:\n"
            "    setattr(Value, '__index__', vars(Value)['__index__'])       # (for Python, too)\n" + calls)

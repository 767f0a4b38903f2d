"""What recording runs: the quick calls and methods that are written from the table, and how the sources are
changed for the compiled build (whose own tests run where there is a compiler, as `.ci/run` does)."""
from __future__ import annotations

import difflib
import functools
import re
from pathlib import Path
from unittest.mock import patch

import pytest
from golden import expected, steady

import autograd_lite
from autograd_lite.graph import native
from autograd_lite.graph.quick import Source, call_source, method_source, methods_of, sources_of
from autograd_lite.ops.custom import Custom
from autograd_lite.ops.op import TABLE
from autograd_lite.ops.operators import Operators
from graphs import python_build

SOURCES = Path(autograd_lite.__file__).parent
# An op with an operator, one with options, one that chooses, one of any number of operands, and so on.
FEW = ["+", "**", "elu", "where", "polygamma", "sum"]
# (all alike)
MANY = re.compile(r"def (?!exp|__abs__|__add__)\w+\(self(, other: [^ ]+)?\) -> \w+: return self\._")
# As mypyc writes it, as far as `c_source` looks at it.
C = """\
#include "__native_internal_0a1b.h"
static int traverse(Object *self, visitproc visit, void *arg)
{
    Py_VISIT(self->__a);
    Py_VISIT(self->__grad);
    Py_VISIT(self->__pa);
    Py_VISIT(self->__pb);
    Py_VISIT(self->__note);
}
    self = (Object *)alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->vtable = value___Value_vtable;
    self->bitmap = 0;
    self->__data = -113.0;
    return (PyObject *)self;
PyObject *CPyDef_value___raw(void) {
    CPyL1: ;
}
char CPyDef_node___settle(PyObject *cpy_r_node) {
    return 1;
}
char CPyDef_node___lasting(PyObject *cpy_r_op) {
    return 1;
}
"""


def in_line(op) -> str:
    """What each op computes, for each number of operands."""
    lines = []
    for source in sources_of(op, {}, Source):
        lines.append(f"y = {source.y}")
        lines += [" if ".join([f"p{i} = {p}", *asked]) for i, (p, asked) in enumerate(source.partials)]
        lines.append(", ".join(source.names))
    return "\n".join(lines)


def functions(op) -> str:
    """The functions of an op."""
    names: dict[str, object] = {}
    sources = sources_of(op, names, Source)
    texts = [*[source.mixed() for source in sources], call_source(sources[0])]
    for name, reflected in methods_of(op):
        texts.append(f"# {name}\n{method_source(sources[0], getattr(Operators, name), reflected)}")
    return "\n".join([*texts, ", ".join(names)])


def for_mypyc(name: str) -> str:
    """What is changed in the source of a module."""
    before = (SOURCES / name).read_text(encoding="utf-8") if name != "c" else C
    with patch.object(native, "TABLE", {name: TABLE[name] for name in FEW}):
        after = getattr(native, f"{Path(name).stem}_source")(before)
    lines = list(difflib.ndiff(before.split("\n"), after.split("\n")))
    return "\n".join([line for line in lines if line[0] in "+-" and not MANY.search(line)])


NAME = "quick"
CASES = {f"in line: {name}": functools.partial(in_line, op) for name, op in TABLE.items()
         if not op.open and not isinstance(op, Custom)}
CASES |= {f"functions: {name}": functools.partial(functions, TABLE[name]) for name in [*FEW[:-1], "neg"]}
CASES |= {f"for mypyc: {name}": functools.partial(for_mypyc, name) for name in (
    "ops/methods.py", "ops/operators.py", "graph/node.py", "graph/states.py", "graph/backward.py",
    "graph/value.py", "c")}


@python_build
@pytest.mark.parametrize("case", CASES)
def test_what_is_written_from_the_table_is_what_is_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]


@pytest.mark.parametrize("name", ["node", "c"])
def test_a_source_in_which_nothing_is_as_the_changes_expect_is_refused(name):
    with pytest.raises(LookupError, match="nothing like '.*' is in the source"):
        getattr(native, f"{name}_source")("x = 1\n")

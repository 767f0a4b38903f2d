"""The quick methods of `Value`, in Python and as the optional build compiles them, held to the letter."""
from __future__ import annotations

import difflib
import functools
from pathlib import Path

import pytest
from golden import expected, steady

import autograd_lite
from autograd_lite.graph import native, quick
from autograd_lite.ops.op import TABLE
from autograd_lite.ops.operators import Operators

FOLDER = Path(autograd_lite.__file__).parent


def quick_source(name):
    """All that `quicken` writes for an op."""
    op = TABLE[name]
    names = {"op": op, "absent": object()}
    texts = []
    for n in range(op.least, int(op.most) + 1):
        texts.append(quick.Source(op, n, names).mixed())
    source = quick.Source(op, op.least, names)
    texts.append(quick.call_source(source))
    for method, reflected in quick.methods_of(op)[:2]:
        texts += [f"# {method}{', reflected' * reflected}",
                  quick.method_source(source, getattr(Operators, method), reflected)]
    return "\n".join([*texts, f"# {', '.join(names)}"])


def changes(module, ops=()):
    """The lines that the build has in place of others."""
    before = (FOLDER / module).read_text(encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "TABLE", {name: TABLE[name] for name in ops})
        after = getattr(native, f"{Path(module).stem}_source")(before)
    diff = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join([line for line in list(diff)[2:] if not line.startswith("@@")])


NAME = "quick"
CASES = {
    **{f"in Python: {name}": functools.partial(quick_source, name)
       for name in ("*", "**", "sin", "relu", "where", "atan2", "softplus", "polygamma")},
    **{f"in the build: {module}": functools.partial(changes, module)
       for module in ("ops/operators.py", "graph/node.py", "graph/states.py",
                      "graph/backward.py")},
    "in the build: graph/value.py": functools.partial(
        changes, "graph/value.py", ("*", "relu", "tanh", "log1p", "sum")),
}


@pytest.mark.parametrize("case", CASES)
def test_the_source_is_the_one_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]


def test_a_change_of_a_source_that_is_not_there_is_an_error():
    with pytest.raises(LookupError, match="nothing like 'nowhere' is in the source"):
        native._replaced("some text", {"nowhere": ""})

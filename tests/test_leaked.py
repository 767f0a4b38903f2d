"""A traced number that was kept, and is used after the trace, is refused wherever it is used."""
import copy
import itertools
import math
import operator
import pickle

import pytest

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.ops.op import TABLE

pytestmark = pytest.mark.filterwarnings("error")
NUMBERS = 0.0, 1.0, -1.0, 2.5, math.inf         # where one of an op's operands alone may decide
OTHERS = {"float": float, "value": Value, "constant": lambda x: Value(x, requires_grad=False)}
refused = pytest.raises(ag.InputError, match=r"compile traced in .*test_leaked.py:\d+, was kept")


def leaked():
    kept = []
    ag.compile(lambda x: kept.append(x * 1.5) or x * x)(2.0)
    return kept[0]


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("other", OTHERS)
def test_as_any_operand_of_any_op(name, other):
    op, kept = TABLE[name], leaked()
    tried = 0
    for n in range(op.least, int(min(op.most, 4)) + 1):
        for place in range(n):
            for numbers in itertools.product(NUMBERS[:5 if n < 4 else 2], repeat=n - 1):
                operands = [*map(OTHERS[other], numbers)]
                operands.insert(place, kept)
                if any(i < n and i != place and other == "value" for i in op.options):
                    continue                    # (a Value with a gradient is refused there)
                with refused:
                    op(*operands)
                tried += 1
    assert tried or other == "value"


@pytest.mark.parametrize("mode", [ag.no_grad, ag.record_lines, lambda: ag.errstate("ignore")])
def test_in_any_mode(mode):
    kept = leaked()
    for use in (lambda: kept ** 0.0, lambda: 1.0 ** kept, lambda: ag.less(Value(1.0), kept),
                lambda: Value(1.0) < kept, lambda: ag.sum([kept, 1.0])):
        with mode(), refused:
            use()


@pytest.mark.parametrize("sign", [getattr(operator, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")])
@pytest.mark.parametrize("other", [0.0, 1, math.inf, math.nan, Value(1.0), Value(1.0, requires_grad=False)])
def test_compared(sign, other):
    kept = leaked()
    with refused:
        sign(kept, other)
    with refused:
        sign(other, kept)


def test_an_op_of_ones_own_that_looks_at_no_number():
    one = ag.custom_op(lambda x: 1.0, (lambda y, x: 0.0,), name="one of one")
    second = ag.custom_op(lambda a, b: b, (None, lambda y, a, b: 1.0), name="second of two")
    count = ag.custom_op(lambda *xs: float(len(xs)), lambda y, xs: [0.0 for _ in xs], name="how many")
    kept = leaked()
    for use in (lambda: one(kept), lambda: second(kept, 1.0), lambda: second(kept, Value(1.0)),
                lambda: count(kept), lambda: count(Value(1.0), kept, 2.0), lambda: count(1.0, 2.0, kept)):
        for _ in range(2):                      # (the first call writes the quick one)
            with refused:
                use()


@pytest.mark.parametrize("use", {
    "data": lambda x: x.data, "grad": lambda x: x.grad, "requires_grad": lambda x: x.requires_grad,
    "operands": lambda x: x.operands, "partials": lambda x: x.partials, "detach": lambda x: x.detach(),
    "backward": lambda x: x.backward(), "a format": "{:.2f}".format, "float": float, "int": int,
    "round": round, "floor": math.floor, "bool": bool, "copy": copy.copy, "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps, "min": lambda x: min(x, Value(1.0)), "max": lambda x: max(Value(1.0), x),
    "sorted": lambda x: sorted([Value(1.0), x]), "in": lambda x: x in [1.0],
    "divmod": lambda x: divmod(2.0, x), "sum": lambda x: sum([x]), "softmax": lambda x: ag.softmax([x]),
    "the only one of log_softmax": lambda x: ag.log_softmax([x]), "isfinite": ag.isfinite, "isnan": ag.isnan,
    "select": lambda x: ag.select(x, lambda: 1.0, lambda: 2.0),
    "a side of select": lambda x: ag.select(ag.greater(Value(1.0), 0.0), lambda: Value(1.0), lambda: x),
    "grad's argument": ag.grad(lambda x: x ** 0.0), "compile's": ag.compile(lambda x: x ** 0.0),
    "in a list": lambda x: ag.compile(lambda v: v[0] ** 0.0)([x]),
    "in a cell, in grad": lambda x: ag.grad(lambda y: y * x ** 0.0)(1.0),
    "in a cell, in compile": lambda x: ag.compile(lambda y: y * x ** 0.0)(1.0),
    "jvp": lambda x: ag.jvp(lambda y: y ** 0.0, (x,), (1.0,)),
    "a tangent": lambda x: ag.jvp(lambda y: y * y, (1.0,), (x,)),
    "hessian": ag.hessian(lambda x: x ** 0.0),
    "propagate's result": lambda x: ag.propagate(lambda y: x, 1.0, 0.1),
    "one of its results": lambda x: ag.propagate(lambda y: [y, {"x": x}], 1.0, 0.1),
    "one of its many": lambda x: ag.propagate(lambda *y: [y[0], x], *[1.0] * 9, cov=0.1),
    "in propagate": lambda x: ag.propagate(lambda y: y * x ** 0.0, 1.0, 0.1),
    "check_gradients": lambda x: ag.check_gradients(lambda y: y ** 2.0, x),
    "a claimed gradient": lambda x: ag.check_gradients(lambda y: y ** 2.0, 1.0, claimed=x),
    "check_op": lambda x: ag.check_op(ag.hypot, [1.0, x])}.items(), ids=lambda use: use[0])
def test_in_any_other_way(use):
    with refused:
        use[1](leaked())


def test_how_it_looks():
    """It can be looked at: a debugger does."""
    kept = leaked()
    assert repr(kept) == str(kept) == f"{kept}"
    assert repr(kept).startswith("<a number compile traced in <lambda>, at ")
    assert repr(kept).endswith("kept after the trace>") and kept.op == "traced"

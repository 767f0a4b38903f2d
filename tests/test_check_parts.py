"""Parts of the checks by themselves: how often they run a function, names of entries, paths, slopes of ops."""
from __future__ import annotations

import itertools
import math

import pytest

import autograd_lite as ag
from autograd_lite import Value, audit, check_gradients, explain, label
from autograd_lite.checks.check_gradients import CORRECT, KINK, NOISY, WRONG
from autograd_lite.checks.slopes import UNKNOWN, Estimate, op_slope
from autograd_lite.ops.op import TABLE

# -- slopes of ops --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["%", "//"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_among_floats_that_are_all_multiples_of_a_tiny_one_no_slope_is_told(name, sign):
    for tiny in (5e-324, 1e-323, 1e-300, 1e-16):
        assert op_slope(TABLE[name], [0.0, sign * tiny], 0) == UNKNOWN
    assert op_slope(TABLE[name], [0.0, sign * 1e-323], 1) == Estimate(0.0, 0.0)


# -- names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4,), (2, 3), (3, 2), (2, 3, 2)])
def test_entries_that_have_labels_of_their_own_are_named_by_them(shape):
    places = list(itertools.product(*map(range, shape)))
    nodes = {place: Value(1.0 + k, f"leaf{'abcdefghijkl'[k]}") for k, place in enumerate(places)}
    y = ag.sum([x * x for x in nodes.values()])
    label(y=y)

    def nested(entries, *before):
        if len(before) == len(shape):
            return entries[before]
        return [nested(entries, *before, i) for i in range(shape[len(before)])]

    for wrong, x in nodes.items():
        claims = {place: 2.0 * node.data + (place == wrong) for place, node in nodes.items()}
        row, = audit(y, [(("y", nested(nodes)), nested(claims))]).rows
        assert row.worst[0] == wrong and row.ends == ("y", x.label)


# -- paths ----------------------------------------------------------------------------------------------


def test_a_path_is_named_by_its_ends_and_its_labels():
    for length, labelled in itertools.product((1, 3, 9, 14, 20), ("", "x")):
        x = y = Value(0.5, labelled)
        for k in range(length):
            y = y * 1.5
            y.label = "mid" if k == 4 < length - 1 else ""
        path, = explain(y, x).paths
        assert path.named == [0] + [length - 5] * (length > 5) + [length]
        assert path.brief() == " ← ".join(["*"] + ["mid"] * (length > 5) + [labelled or "0.5"])


# -- how often a function is run ------------------------------------------------------------------------


FUNCTIONS = {
    "smooth": (lambda p: ag.sum([x * x for x in p]), [7, 13, 25], CORRECT),
    "steps at 1": (lambda p: ag.sum([x * float(x.data > 1.0) for x in p]), [106, 211, 853], NOISY),
    "steps near 1": (lambda p: ag.sum([x * float(x.data > 1.0 + 1e-9) for x in p]), [106, 211, 853], CORRECT),
    "steps further": (lambda p: ag.sum([x * float(x.data > 1.01) for x in p]), [106, 211, 421], CORRECT),
    "one bypasses": (lambda p: ag.sum([x * x for x in p]) + 2.0 * p[0].data, [13, 19, 63], WRONG),
    "all bypass": (lambda p: ag.sum([x + math.sin(x.data) for x in p]), [13, 25, 109], WRONG),
    "branches at 1": (lambda p: ag.sum([2.0 * x if x > 1.0 else x * x for x in p]), [7, 13, 61], KINK),
    "branches further": (lambda p: ag.sum([2.0 * x if x > 1.01 else x * x for x in p]), [7, 13, 25], CORRECT),
    "kinks": (lambda p: ag.sum([ag.abs(x - 1.0) for x in p]), [1, 1, 1], KINK),
    "kinks nearby": (lambda p: ag.sum([ag.abs(x - 1.0 - 1e-7) for x in p]), [7, 13, 25], CORRECT),
    "noise": (lambda p: ag.sum([(x + 1e17) - 1e17 for x in p]), [7, 13, 25], CORRECT),
    "no number nearby": (lambda p: ag.sum([x * (math.nan if x.data != 1.0 else 1.0) for x in p]), [106, 211, 853], KINK),
    "fails nearby": (lambda p: ag.sum([x / float(x.data == 1.0) for x in p]), [7, 13, 61], KINK),
    "fails further": (lambda p: ag.sum([x / float(x.data < 1.01) for x in p]), [7, 13, 25], CORRECT),
    "a constant": (lambda p: 3.0, [7, 13, 25], CORRECT)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_how_often_a_function_is_run_depends_on_where_it_branches_and_its_constants_vary(name):
    f, expected, verdict = FUNCTIONS[name]
    for n, times in zip((1, 2, 8), expected):
        ran = []

        def counted(p):
            ran.append(p)
            return f(p)
        assert (check_gradients(counted, [1.0] * n, order=1).verdict, len(ran)) == (verdict, times)

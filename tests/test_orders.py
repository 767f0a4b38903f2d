"""The orders in which `backward` meets nodes: against a plain recursion, and what is looked at for them."""
from __future__ import annotations

import random
from types import SimpleNamespace

import pytest
from test_sides import of_many_choices

import autograd_lite as ag
from autograd_lite.ops.elementary import add, mul, sin
from autograd_lite.ops.op import TABLE
from autograd_lite.ops.selection import choose
from autograd_lite.ops.sequences import sum_op
from autograd_lite.programs.orders import Orders, by_rank, depends_on_others, order_under

step = TABLE["step"]


def recorded(chance, size=14):
    """A tape of random operations; the places of its nodes in the code are others than in it."""
    ops, operands, flows = [None] * 5, [()] * 5, [chance.random() < 0.7 for _ in range(5)]
    for _ in range(size):
        op = [add, mul, sin, step, choose, sum_op, TABLE["relu"]][int(chance.random() * 7)]
        count = {add: 2, mul: 2, sin: 1, step: 3, choose: 3, sum_op: 3}.get(op, 2)
        below = tuple([int(chance.random() * len(ops)) for _ in range(count)])
        ops.append(op)
        operands.append(below)
        flows.append(any([flows[x] for x in below]) and chance.random() < 0.95)
    return SimpleNamespace(ops=ops, operands=operands, flows=flows, sources=[], looked=0,
                           places=[7 * k + 3 for k in range(len(ops))])


def met(tape, roots, everything, assumed):
    """The same as `order_under`, by recursion."""
    found = []

    def go(k):
        if k in seen:
            return
        seen.add(k)
        below, op = tape.operands[k], tape.ops[k]
        has = [True] * len(below)
        if below and not everything:
            has = op.differentiable(len(below))
            if op is choose and tape.places[below[0]] in assumed:
                answer = assumed[tape.places[below[0]]]
                has = False, answer, not answer
        for x, wanted in zip(below, has):
            if everything or wanted and tape.flows[x]:
                go(x)
        found.append(k)
    seen = set()
    for root in roots:
        go(root)
    return found


def test_nodes_are_met_as_by_a_recursion():
    chance = random.Random(3)
    for _ in range(300):
        tape = recorded(chance)
        n = len(tape.ops)
        roots = [n - 1, *[int(chance.random() * n) for _ in range(2)]][:1 + int(chance.random() * 3)]
        assumed = {place: chance.random() < 0.5 for place in tape.places if chance.random() < 0.6}
        for everything in (False, True):
            assert order_under(tape, roots, everything) == met(tape, roots, everything, {})
            assert order_under(tape, roots, everything, assumed) == met(tape, roots, everything, assumed)


def test_gradients_depend_on_others_if_they_flow_to_a_leaf_that_is_not_own():
    chance = random.Random(4)
    answers = set()
    for _ in range(300):
        tape = recorded(chance, 6)
        n = len(tape.ops)
        roots = [n - 1, n - 2]
        for _ in range(2):
            own = [k for k in range(5) if chance.random() < 0.7]
            under = met(tape, [k for k in roots if tape.flows[k]], False, {})
            ends = [k for k in under if tape.flows[k] and not any([tape.flows[x] for x in tape.operands[k]])]
            found = depends_on_others(tape, roots, own)
            assert found is (not set(own).issuperset(ends))
            assert tape.looked == len(tape.ops) and len(tape.sources) == len(set(tape.sources))
            answers.add(found)
            tape.ops.append(None), tape.operands.append(()), tape.flows.append(True), tape.places.append(0)
            tape.ops.append(add), tape.operands.append((n, n - 1)), tape.flows.append(True)
            tape.places.append(1)
            n, roots = n + 2, [n + 1]
        tape.ops.append(None), tape.operands.append(()), tape.flows.append(True), tape.places.append(2)
        assert depends_on_others(tape, [n], own) and not depends_on_others(tape, [n], [n])
    assert answers == {False, True}


# -- how much is looked at -------------------------------------------------------------------------------


def with_choices(count, size):
    """Orders of so many conditions, and of so many nodes."""
    ops, operands = [None] * (count + 1), [()] * (count + 1)
    for k in range(count):
        ops.append(choose)
        operands.append((k + 1, len(ops) - 2 if k else 0, 0))
    n = len(ops)
    tape = SimpleNamespace(ops=ops, operands=operands, places=[k + 50 for k in range(n)],
                           flows=[not 0 < k <= count for k in range(n)])
    order = [0] * (size - count) + list(range(count + 1, n))
    found = Orders(tape, [n - 1], order)
    assert found.conditions == [k + 51 for k in range(count)] and found.size == size
    return found


@pytest.mark.parametrize("count, size, few, left", [
    (1, 100, True, 20_000), (3, 25_000, True, 400_000), (3, 25_001, False, 400_016), (8, 781, True, 20_000),
    (8, 782, False, 20_000), (8, 2_000, False, 32_000), (9, 9, False, 20_000), (9, 5_000, False, 20_000)])
def test_all_answers_are_gone_through_if_they_are_few_and_then_without_a_limit(count, size, few, left):
    found = with_choices(count, size)
    assert (found.few, found.left) == (few, left)
    answers = [frozenset({(c, answer)}) for c in found.conditions for answer in (True, False)]
    ranks = [found.rank(answer) for answer in answers]
    allowed = len(answers) if few else min(left // size, len(answers))
    assert [rank is not None for rank in ranks] == [k < allowed for k in range(len(answers))]
    assert found.left == (left if few else left - size * len(answers))
    assert [found.rank(answer) for answer in answers] == ranks and len(found.ranks) == len(answers)
    for rank, answer in zip(ranks, answers):
        if rank is not None:
            order = order_under(found.tape, found.roots, False, dict(answer))
            assert rank == {k: -i for i, k in enumerate(order)}


def test_terms_are_left_as_they_are_unless_there_are_three_of_known_users():
    terms = [("g", "p", ())] * 4
    for count, known in ((1, 1), (2, 2), (3, 2), (3, 4), (4, 0)):
        found = with_choices(2, 6)
        found.users[1] = [3] * known
        given = terms[:count]
        assert found.sorted(None, 1, given) is given and 1 not in found.users
    assert by_rank([(4, "a"), (2, "b"), (9, "c"), (3, "d")], {2: -3, 3: -1, 4: 0}) == [
        (2, "b"), (3, "d"), (4, "a"), (9, "c")]


# How many choices the gradients of `of_many_choices` have, by seeds.
CHOICES = {
    5: [28, 28, 24, 18, 24, 10, 21, 22, 29, 18, 26, 15, 18, 19, 28, 28],
    8: [39, 31, 31, 26, 32, 31, 43, 32, 32, 23, 36, 40, 25, 28, 30, 24],
    9: [37, 48, 27, 42, 33, 35, 35, 37, 40, 23, 27, 58, 28, 32, 45, 34],
    12: [42, 45, 38, 56, 55, 73, 65, 24, 41, 31, 48, 55, 47, 33, 45, 50],
}


@pytest.mark.parametrize("count", CHOICES)
def test_sums_are_chosen_only_where_their_order_depends_on_a_condition(count):
    found = []
    for seed in range(len(CHOICES[count])):
        fast = ag.compile(ag.grad(of_many_choices(seed, count), argnums=(0, 1)), target="python")
        fast(0.3, -0.4)
        found.append(next(iter(fast.programs)).recording.code.ops.count(choose))
    assert found == CHOICES[count]


def met_on_one_side(x, c):
    """sin(x) is met first, and if c is not positive, last."""
    b, d = ag.sin(x), ag.cos(x)
    return ag.where(ag.greater(c, 0.0), b * 2.0, c) + d + (ag.exp(x) + b)


def met_on_each_side(x, c):
    """Whichever side is taken, the terms are in another order than with both."""
    b, d = ag.sin(x), ag.cos(x)
    return ag.where(ag.greater(c, 0.0), b * 2.0, d * 2.0) + ag.exp(x) + (d + b)


@pytest.mark.parametrize("f", [met_on_one_side, met_on_each_side])
def test_three_terms_are_in_the_order_of_the_side_taken(f):
    chance = random.Random(5)
    gradient = ag.grad(f)
    fast = ag.compile(gradient, target="python")
    for _ in range(60):
        x, c = chance.uniform(-2.0, 2.0), chance.uniform(-1.0, 1.0)
        assert fast(x, c) == gradient(x, c)

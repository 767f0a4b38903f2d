"""Depth, width, copies, interruptions, threads: nothing recurses, and nothing is half done."""
import asyncio
import contextlib
import copy
import gc
import io
import itertools
import math
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import warnings
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import AutogradError, DomainError, RangeError, Value, errstate, no_grad
from autograd_lite import errors as errors_module, modes as modes_module, optim
from autograd_lite.graph import (backward as backward_module, changes as changes_module, node as node_module,
                                 recording as recording_module, value as value_module)
from autograd_lite.nn import module as nn_module
from autograd_lite.graph.walks import topological
from autograd_lite.graph.node import lock
from autograd_lite.ops.op import TABLE
from graphs import computations, gradients, python_build, recorded
from instructions import Interrupt, codes_of, interrupted_at, let_go

DEEP = 20_000


@contextlib.contextmanager
def little_stack(frames=60):
    """So few frames more that whatever recurses with the depth of a graph fails."""
    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + frames)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def chain(length):
    x = Value(1.0, "x")
    y = x
    for _ in range(length):
        y = y * 1.0
    return x, y, 1.0


def chain_on_the_second_operand(length):
    x = Value(1.0, "x")
    y = x
    for _ in range(length):
        y = 1.0 * y
    return x, y, 1.0


def chain_of_sums(length):
    """Nodes of many operands, each inside the next."""
    x = Value(1.0, "x")
    y = x
    for _ in range(length // 2):
        y = ag.sum([0.0, y, 0.0]) * 1.0
    return x, y, 1.0


def ladder(length):
    """Both operands of every node are the node before: a diamond on each level."""
    x = Value(1.0, "x")
    y = x
    for _ in range(length):
        y = y * 0.5 + y * 0.5
    return x, y, 1.0


def fibonacci(length):
    """Every node is used by the two after it: more paths than could ever be walked one by one."""
    x = Value(1.0, "x")
    older, y = x, x
    for _ in range(length):
        older, y = y, 0.5 * (older + y)
    return x, y, 1.0


def star(length):
    """One node used many times, by a chain of sums."""
    x = Value(1.0, "x")
    y = Value(0.0)
    for _ in range(length):
        y = y + x
    return x, y, float(length)


def wide(length):
    """One sum of many operands, all one node."""
    x = Value(1.0, "x")
    return x, ag.sum([x] * length), float(length)


def broad(length):
    """One sum of many computed nodes."""
    x = Value(1.0, "x")
    return x, ag.sum([x * 1.0 for _ in range(length)]), float(length)


def zigzag(length):
    """A first operand met first by the short way, then by the long one."""
    x = Value(1.0, "x")
    rungs = [x]
    for _ in range(length):
        rungs.append(rungs[-1] * 1.0)
    y = rungs[0]
    for rung in rungs:
        y = 0.5 * y + 0.5 * rung
    return x, y, 1.0


SHAPES = {f.__name__: (f, size) for f, size in (
    (chain, DEEP), (chain_on_the_second_operand, DEEP // 4), (chain_of_sums, DEEP // 4), (ladder, DEEP // 10),
    (fibonacci, DEEP // 8), (star, DEEP // 4), (wide, 2 * DEEP), (broad, DEEP // 4), (zigzag, DEEP // 16))}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_graph_of_any_shape_is_differentiated_printed_copied_pickled_and_deleted(shape):
    make, size = SHAPES[shape]
    x, y, slope = make(size)
    with little_stack():
        y.backward()
        assert x.grad == pytest.approx(slope, rel=1e-9)
        once = x.grad
        y.backward()
        assert x.grad == 2.0 * once
        assert len(repr(y)) < 100
        for both in (copy.deepcopy((x, y)), pickle.loads(pickle.dumps((x, y)))):
            new_x, new_y = both
            assert (new_x.data, new_x.grad, new_x.label) == (x.data, x.grad, "x")
            assert (new_y.data, new_y.grad, new_y.op) == (y.data, y.grad, y.op)
            assert new_x is not x and new_y is not y
            new_x.grad = 0.0
            new_y.backward()
            assert (new_x.grad, x.grad) == (once, 2.0 * once)
            del both, new_x, new_y
        del y


def test_a_thousand_levels_of_diamonds_are_no_thousand_powers_of_two():
    x, y, slope = ladder(1000)
    assert len(topological([y])) == 3001
    y.backward()
    assert x.grad == slope


# -- copies ---------------------------------------------------------------------------------------

def state(root):
    """All a graph is, node by node in its own order."""
    order = topological([root])
    place = {id(node): i for i, node in enumerate(order)}
    return [(node.data, node.grad, node.requires_grad, node.op, node.label, node.scope, node.partials,
             [place[id(x)] if type(x) is Value else x for x in node.operands]) for node in order]


class PurePickler(pickle._Pickler):
    """Python's own pickler, which has no C stack to spare."""


def dumps_purely(thing):
    file = io.BytesIO()
    PurePickler(file).dump(thing)
    return file.getvalue()


COPIES = {"deepcopy": copy.deepcopy, "pure": lambda x: pickle.loads(dumps_purely(x)),
          **{f"pickle {n}": lambda x, n=n: pickle.loads(pickle.dumps(x, n))
             for n in range(pickle.HIGHEST_PROTOCOL + 1)}}


@pytest.mark.parametrize("how", COPIES)
@given(f=computations(), data=st.data())
@settings(max_examples=12, deadline=None)
def test_a_copy_is_the_same_graph_with_labels_and_gradients(how, f, data):
    leaves, nodes = recorded(f)
    for i in data.draw(st.lists(st.integers(0, 12), max_size=3)):
        nodes[i % len(nodes)].label = f"n{i}"
        nodes[i % len(nodes)].scope = ("layer", str(i))
    leaves[0].requires_grad = leaves[0].grad == 1.0
    for node in nodes[-2:]:
        if node.requires_grad:
            node.backward(2.0)
    before = [state(node) for node in nodes]
    copies = COPIES[how](nodes)
    assert [state(node) for node in copies] == before == [state(node) for node in nodes]
    places = [next(i for i, node in enumerate(nodes) if node is other) for other in nodes]
    assert [next(i for i, node in enumerate(copies) if node is other) for other in copies] == places
    assert not {id(node) for node in topological(copies)} & {id(node) for node in topological(nodes)}


@pytest.mark.parametrize("how", COPIES)
def test_sharing_survives_a_copy(how):
    x = Value(3.0, "x")
    h = x * x
    y, z = h + x, h * 2.0
    new_z, new_h, new = COPIES[how]([z, h, {"x": x, "y": (y,)}])
    assert new_z.operands[0] is new_h is new["y"][0].operands[0] and new_h.operands[0] is new["x"]
    (new_z + new["y"][0]).backward()
    assert new["x"].grad == 3 * 6.0 + 1.0 and x.grad == 0.0


@pytest.mark.parametrize("how", ["deepcopy", "pure", "pickle 2", "pickle 5"])
@pytest.mark.parametrize("order", ["forwards", "backwards", "shuffled"])
def test_many_roots_of_one_chain_are_copied_in_linear_time_and_size(how, order):
    nodes = [Value(1.0)]
    for _ in range(800):
        nodes.append(nodes[-1] * 1.0)
    where = list(range(len(nodes)))
    if order != "forwards":
        where.reverse() if order == "backwards" else random.Random(1).shuffle(where)
    calls = 0

    def count(frame, event, arg):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        with little_stack(100):
            copies = COPIES[how]([nodes[i] for i in where])
    finally:
        sys.setprofile(None)
    assert calls < 200 * len(nodes)                             # a root each would be 320,000 and more
    by_place = dict(zip(where, copies))
    assert all(by_place[i + 1].operands[0] is by_place[i] for i in range(800))
    assert len(pickle.dumps([nodes[i] for i in where])) < 200 * len(nodes)


def test_two_picklers_taking_turns_do_not_disturb_each_other():
    _, y, _ = chain(2000)
    nodes = topological([y])
    files = io.BytesIO(), io.BytesIO()
    picklers = [pickle.Pickler(file) for file in files]
    turns = [(0, y), (1, nodes[900]), (0, nodes[30]), (1, y), (0, nodes[1500]), (1, nodes[901]), (0, y)]
    with little_stack():
        for which, thing in turns:
            picklers[which].dump(thing)
    for which, file in enumerate(files):
        file.seek(0)
        unpickler = pickle.Unpickler(file)
        for turn, thing in turns:
            if turn == which:
                assert unpickler.load().data == thing.data


def test_a_pickle_that_fails_halfway_leaves_the_next_one_in_order():
    class Full(io.RawIOBase):
        def write(self, data):
            raise OSError("disk full")

    _, y, _ = chain(2000)
    with little_stack():
        for _ in range(3):
            with pytest.raises(OSError):
                pickle.dump([y, y], Full())
            with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
                pickle.dumps([y, lambda: 0])
            assert pickle.loads(pickle.dumps(y)).data == 1.0


def test_graphs_are_pickled_in_many_threads_at_once():
    _, y, _ = chain(1000)
    found = []

    def work():
        for _ in range(3):
            found.append(len(topological([pickle.loads(pickle.dumps(y))])))

    run_in_threads(work, 4)
    assert found == [1001] * 12


def test_a_pickle_is_read_by_another_process():
    x = Value(3.0, "x")
    y = x * x + x.exp()
    program = """if True:
        import pickle, sys
        x, y = pickle.load(sys.stdin.buffer)
        y.backward()
        print(x.label, x.grad == 6.0 + x.data.__class__.fromhex(sys.argv[1]))
    """
    slope = math.exp(3.0).hex()
    done = subprocess.run([sys.executable, "-c", program, slope], input=pickle.dumps((x, y)),
                          capture_output=True, check=True)
    assert done.stdout.split() == [b"x", b"True"]


def test_a_shallow_copy_has_the_same_operands():
    x = Value(3.0, "x")
    y = x * x
    y.label = "y"
    z = copy.copy(y)
    assert z is not y and z.operands[0] is x and (z.data, z.label, z.op) == (9.0, "y", "*")
    z.backward()
    assert (x.grad, y.grad) == (6.0, 0.0)
    leaf = copy.copy(x)
    assert leaf is not x and (leaf.data, leaf.grad, leaf.label) == (3.0, 6.0, "x")


# -- an exception leaves every gradient as it was -----------------------------------------------------

@given(computations(), st.integers(0, 12), st.integers(0, 12),
       st.lists(st.tuples(st.integers(0, 12), st.floats(-2, 2)), max_size=3))
@settings(max_examples=100, deadline=None)
def test_a_domain_error_in_backward_leaves_every_gradient_as_it_was(f, i, j, passes):
    leaves, nodes = recorded(f)
    for node, seed in passes:                   # so that there are gradients to lose
        nodes[node % len(nodes)].backward(seed)
    zero = nodes[i % len(nodes)] - nodes[i % len(nodes)].data
    nodes += [zero, zero * zero, (zero * zero).sqrt(), nodes[j % len(nodes)] * 2.0]
    nodes += [nodes[-2] + nodes[-1], nodes[-1] + nodes[-2], nodes[-2] * 0.0]
    before = gradients(nodes)
    for root in nodes[-3:-1]:
        with pytest.raises(DomainError, match="for sqrt.* use"):
            root.backward()
        assert gradients(nodes) == before
    nodes[-1].backward()                        # a zero gradient may arrive there; the engine works on
    assert nodes[-1].grad == 1.0 and nodes[-5].grad == 0.0


def test_an_overflow_in_backward_leaves_every_gradient_as_it_was():
    x = Value(1e-300, "x")
    y = x * 1e200
    z = y * 1e100
    z.backward()
    root = z * 1e100
    before = gradients([x, y, z])
    with pytest.raises(RangeError, match="too large"):
        root.backward()
    assert gradients([x, y, z, root]) == [*before, 0.0] == [1e300, 1e100, 1.0, 0.0]


def test_a_warning_made_an_error_leaves_every_gradient_as_it_was():
    x, w = Value(0.0, "x"), Value(2.0)
    y = (x * w).sqrt() + w
    with errstate("warn"), pytest.raises(ag.AutogradWarning):
        y.backward()
    assert gradients([x, w, y]) == [0.0, 0.0, 0.0]


def interrupted_graph():
    x, w, frozen = Value(2.0), Value(3.0), Value(5.0, requires_grad=False)
    h = x * w + frozen
    k = h.relu() - 2.0 * x
    s = ag.sum([k, h, 1.0, x, h * k, ag.dot([x, k], [w, 2.0])])
    root = s / h
    nodes = [x, w, frozen, *topological([root])]
    k.backward(3.0)                             # so that the graph holds gradients to lose
    s.backward(0.5)
    return root, nodes


@python_build
def test_an_interruption_at_any_instruction_leaves_every_gradient_as_it_was_or_all_done():
    root, nodes = interrupted_graph()
    before = gradients(nodes)
    root.backward()
    after = gradients(nodes)
    assert before != after
    # Not in `undo`, and not where a lock is released: there Python itself lets no signal come between.
    codes = [*codes_of(backward_module, without=("undo", "backward"))]
    instruction, undone, done = 0, 0, 0
    while True:
        instruction += 1
        root, nodes = interrupted_graph()
        with interrupted_at(instruction, codes) as left:
            try:
                root.backward()
            except Interrupt:
                pass
        if left() > 0:
            break
        assert gradients(nodes) in (before, after), instruction
        undone, done = undone + (gradients(nodes) == before), done + (gradients(nodes) == after)
        root.backward()                         # the pass after an interrupted one is right
        if gradients(nodes) != after:
            assert nodes[0].grad - before[0] == 2.0 * (after[0] - before[0])
    assert undone > 500 and done < 30           # only at the very end is everything done already


def training(kind):
    model = ag.nn.Layer(1, 2, bias="layer")
    for i, p in enumerate(model.parameters()):
        p.data, p.grad = 0.5 * i, 1.0 + i
    optimizer = kind(model.parameters(), optim.linear(0.1, 4))
    optimizer.step()
    return model, optimizer


def loaded(model, optimizer):
    model.load_state_dict({name: 7.0 for name in model.state_dict()})


def resumed(model, optimizer):
    state = optimizer.state_dict()
    optimizer.load_state_dict({**state, "steps": 9, "counts": [9, 8, 7],
                               **{name: [4.0, 5.0, 6.0] for name in optimizer.memory}})


def stepped(model, optimizer):
    optimizer.step()


def joined(model, optimizer):
    optimizer.add([Value(3.0)])


@python_build
@pytest.mark.parametrize("kind, act", [
    (lambda ps, lr: optim.SGD(ps, lr, momentum=0.5), stepped), (optim.Adam, stepped), (optim.AdamW, stepped),
    (optim.SGD, resumed), (optim.Adam, resumed), (optim.SGD, loaded), (optim.Adam, joined)])
def test_a_step_or_a_load_interrupted_at_any_instruction_is_undone_or_all_done(kind, act):
    def state():
        return model.state_dict(), optimizer.state_dict(), len(optimizer.parameters)

    model, optimizer = training(kind)
    before = state()
    act(model, optimizer)
    after = state()
    assert before != after
    codes = [*codes_of(optim, nn_module, node_module, changes_module, without=(
        "named_parameters", "_reached", "_parts", "_samples", "_entries", "_attributes"))]     # (only look)
    instruction, undone, done = 0, 0, 0
    while True:
        instruction += 1
        model, optimizer = training(kind)
        with interrupted_at(instruction, codes) as left:
            try:
                act(model, optimizer)
            except Interrupt:
                pass
        let_go(node_module.lock)
        if left() > 0:
            break
        assert state() in (before, after), instruction
        undone, done = undone + (state() == before), done + (state() == after)
        if state() == before:
            act(model, optimizer)
            assert state() == after
    assert undone > 100 and done < 20


def test_ctrl_c_leaves_every_gradient_as_it_was_or_all_done():
    x, y, _ = chain(20_000)
    y.backward()
    nodes = topological([y])
    rng = random.Random(2)
    armed, hits = False, 0

    def interrupt(number, frame):
        if armed:
            raise KeyboardInterrupt

    handler = signal.signal(signal.SIGALRM, interrupt)
    gc.disable()                                # its callbacks, Hypothesis's, would be interrupted too
    try:
        for _ in range(40):
            x.grad = 7.0
            signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-4, 8e-3))
            try:
                armed = True
                y.backward()
                armed = False
            except KeyboardInterrupt:
                hits += 1
            armed = False
            assert x.grad in (7.0, 8.0)
            assert all(node.grad == 1.0 for node in nodes[1:])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        gc.enable()
    assert hits


def test_warnings_shown_in_the_middle_of_a_pass_may_use_the_engine():
    """A hook of the user's runs inside `backward`: it is in the same thread, so it must not wait."""
    x = Value(0.0)
    y = x.sqrt()
    seen = []

    def show(*args):
        other = Value(3.0)
        (other * other).backward()
        with no_grad():
            seen.append(other.grad)

    with warnings.catch_warnings(), errstate("warn"):
        warnings.simplefilter("always")
        warnings.showwarning = show
        y.backward()
    assert seen == [6.0] and x.grad == math.inf


# -- threads ------------------------------------------------------------------------------------------

def run_in_threads(work, count):
    """Run `work` in `count` threads that switch as often as they can; raise what they raise."""
    errors, interval = [], sys.getswitchinterval()

    def guarded():
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(count)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(interval)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


def test_threads_that_share_leaves_lose_no_gradient():
    leaves = [Value(float(i), f"w{i}") for i in range(5)]

    def work():
        for _ in range(20):
            total = Value(0.0)
            for _ in range(40):
                for leaf in leaves:
                    total = total + leaf * 2.0
            total = total + ag.sum([leaf * 2.0 for leaf in leaves * 10]) + leaves[0] * leaves[1]
            total.backward()

    run_in_threads(work, 6)
    assert gradients(leaves) == [120 * 101.0, 120 * 100.0, 12000.0, 12000.0, 12000.0]


def test_threads_may_differentiate_one_graph():
    x = Value(3.0)
    h = x * x
    for _ in range(300):
        h = h * 0.5 + h * 0.5
    roots = [h * float(i) for i in range(1, 5)]
    left = list(range(80))

    def work():
        while True:
            try:
                i = left.pop()
            except IndexError:
                return
            roots[i % 4].backward()

    run_in_threads(work, 4)
    assert x.grad == 20 * (1 + 2 + 3 + 4) * 6.0


def test_graphs_of_different_threads_do_not_disturb_each_other():
    found = []

    def work():
        rng = random.Random(threading.get_ident())
        for _ in range(20):
            a, b = rng.randint(1, 9), rng.randint(1, 9)
            x, y = Value(float(a)), Value(float(b))
            z = x * y + x * x
            for _ in range(50):
                z = z + x
            z.backward()
            found.append((x.grad, y.grad) == (b + 2.0 * a + 50, a))

    run_in_threads(work, 6)
    assert len(found) == 120 and all(found)


def test_a_thread_never_reads_half_a_pass():
    x = Value(1.0)
    total = ag.sum([x] * 500) + x
    stop, seen = threading.Event(), set()

    def watch():
        while not stop.is_set():
            seen.add((x.grad, float(repr(x).partition("grad=")[2][:-1])))

    watcher = threading.Thread(target=watch)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        watcher.start()
        for _ in range(200):
            total.backward()
    finally:
        stop.set()
        watcher.join(60)
        sys.setswitchinterval(interval)
    assert all(first % 501 == 0.0 and second % 501 == 0.0 for first, second in seen)


def test_no_grad_in_one_thread_leaves_the_others_alone():
    inside, done = threading.Event(), threading.Event()
    found = {}

    def work():
        with no_grad():
            found["before"] = (Value(2.0) * Value(3.0)).requires_grad
            inside.set()
            done.wait(60)
            found["after"] = (Value(2.0) * 3.0).requires_grad

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(60)
    x = Value(2.0)
    for y in (x * x, x + x, 2 * x, x.exp(), ag.sum([x, x])):
        assert y.requires_grad and y.operands
    with no_grad():
        assert not (x * x).requires_grad
    assert (x * x).requires_grad
    done.set()
    thread.join(60)
    assert found == {"before": False, "after": False}


def test_no_grad_in_one_task_leaves_the_others_alone():
    async def constant(turn):
        with no_grad():
            await turn
            return (Value(2.0) * 3.0).requires_grad

    async def main():
        turn = asyncio.get_running_loop().create_future()
        tasks = [asyncio.ensure_future(constant(turn)) for _ in range(2)]
        await asyncio.sleep(0)
        outside = (Value(2.0) * 3.0).requires_grad, Value(2.0).exp().requires_grad
        turn.set_result(None)
        return outside, await asyncio.gather(*tasks)

    assert asyncio.run(main()) == ((True, True), [False, False])


def test_a_generator_ended_in_another_thread_leaves_both_threads_as_they_should_be():
    def paused():
        with no_grad():
            yield

    generator = paused()
    thread = threading.Thread(target=next, args=(generator,))
    thread.start()
    thread.join(60)
    generator.close()
    x = Value(2.0)
    assert (x * x).requires_grad
    with no_grad():
        assert not (x * x).requires_grad and not x.exp().requires_grad
    assert (x * x).requires_grad and x.exp().requires_grad


def modes_are_off():
    x = Value(2.0)
    with pytest.raises(DomainError):
        ag.log(0.0)
    return (x * x).requires_grad and (x * x).line is None


@pytest.mark.parametrize("mode", [lambda: errstate("ignore"), no_grad, ag.record_lines])
def test_a_mode_ends_also_where_another_thread_or_task_ends_the_generator_it_is_in(mode):
    def generator():
        with mode():
            yield 1

    async def agenerator():
        with mode():
            yield 1

    async def broken_off():
        async for _ in agenerator():
            break
        gc.collect()
        await asyncio.sleep(0.01)
        assert modes_are_off()
    running = generator()
    next(running)
    closer = threading.Thread(target=running.close)
    closer.start()
    closer.join()
    assert modes_are_off()
    asyncio.run(broken_off())
    mode().__exit__()                           # never entered: nothing to leave
    with no_grad():
        assert not (Value(2.0) * 3.0).requires_grad
    assert modes_are_off()


@python_build
@pytest.mark.parametrize("kept, most", [(False, 0), (True, 20)])
def test_an_interruption_at_any_instruction_leaves_no_mode_on_to_which_nothing_else_refers(
        monkeypatch, kept, most):
    monkeypatch.setattr(sys, "unraisablehook", lambda found: None)      # (within a weak reference's end)

    def entered():
        variable = (errstate("ignore"), no_grad()) if kept else ()
        try:
            with variable[0] if kept else errstate("ignore"):
                with variable[1] if kept else no_grad():
                    Value(2.0) * 3.0
        except Interrupt:
            pass
        return errors_module.raising() and Value(2.0).exp().requires_grad

    # Not in `_recount`, which holds a lock: where that is released Python itself lets no signal come between.
    codes = [*codes_of(modes_module, errors_module, recording_module, without=(
        "raising", "current", "_recount", "_held")), entered.__code__]
    left_on = 0
    for instruction in itertools.count(1):
        with contextlib.suppress(Interrupt), interrupted_at(instruction, codes) as left:
            left_on += not entered()
        assert modes_are_off() and not errors_module.unusual and not value_module.special, instruction
        if left() > 0:
            break
    assert instruction > 150 and left_on <= most


def test_a_mode_that_nothing_refers_to_is_left():
    no_grad().__enter__()
    assert modes_are_off() and not value_module.special
    mode = no_grad().__enter__()
    assert not Value(2.0).exp().requires_grad
    del mode
    assert modes_are_off()


def test_interleaved_generators_leave_the_mode_that_is_still_entered():
    def generator(choice):
        with errstate(choice):
            yield
    first, second = generator("ignore"), generator("raise")
    next(first), next(second)
    first.close()
    with pytest.raises(DomainError):
        ag.log(0.0)
    second.close()
    assert modes_are_off()


MODES = {"no_grad": no_grad, "errstate": lambda: errstate("ignore"), "record_lines": ag.record_lines}


def mode_is(name):
    """Whether a mode holds here."""
    x = Value(2.0)
    if name == "no_grad":
        return not (x * x).requires_grad
    if name == "record_lines":
        return (x * x).line is not None
    try:
        return math.isinf(ag.log(0.0))
    except DomainError:
        return False


@pytest.mark.parametrize("name", MODES)
def test_a_mode_is_a_decorator_of_functions_and_methods(name):
    mode = MODES[name]()

    @mode
    def fib(n):
        """Words."""
        assert mode_is(name)
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    class Thing:
        @mode
        def method(self, n):
            return self, mode_is(name), n

        @staticmethod
        @mode
        def static():
            return mode_is(name)

    thing = Thing()
    assert fib(6) == 8 and (fib.__name__, fib.__doc__) == ("fib", "Words.")
    assert thing.method(n=3) == (thing, True, 3) and Thing.static()

    @mode
    def failing():
        raise KeyError
    with pytest.raises(KeyError):
        failing()
    assert not mode_is(name)
    with mode, mode:                            # one instance, entered again and again
        assert fib(3) == 2 and mode_is(name)
    assert not mode_is(name) and modes_are_off()


@pytest.mark.parametrize("name", MODES)
def test_a_mode_above_a_generator_holds_only_while_it_runs(name):
    closed = []

    @MODES[name]()
    def generator(n):
        seen = []
        try:
            while len(seen) < n:
                assert mode_is(name)
                try:
                    seen.append((yield len(seen)))
                except KeyError as error:
                    seen.append(error.args[0])
            return seen
        finally:
            closed.append(mode_is(name))

    steps = generator(3)
    assert closed == [] and next(steps) == 0 and not mode_is(name)
    assert steps.send("a") == 1 and not mode_is(name)
    assert steps.throw(KeyError("b")) == 2 and not mode_is(name)
    with pytest.raises(StopIteration) as stopped:
        steps.send("c")
    assert stopped.value.value == ["a", "b", "c"] and closed == [True]
    steps = generator(3)
    next(steps)
    steps.close()
    assert closed == [True, True] and not mode_is(name)
    steps = generator(3)
    next(steps)
    with pytest.raises(ZeroDivisionError):
        steps.throw(ZeroDivisionError())
    assert closed == [True] * 3 and list(generator(2)) == [0, 1] and modes_are_off()


@pytest.mark.parametrize("name", MODES)
def test_a_mode_above_a_coroutine_holds_for_it_alone(name):
    @MODES[name]()
    async def coroutine(turn):
        before = mode_is(name)
        await turn
        return before, mode_is(name)

    @MODES[name]()
    async def agenerator():
        try:
            for k in range(2):
                assert mode_is(name)
                assert (yield k) is None
        finally:
            assert mode_is(name)

    async def main():
        turn = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(coroutine(turn))
        await asyncio.sleep(0)
        outside = mode_is(name)
        turn.set_result(None)
        found = []
        async for k in agenerator():
            found.append((k, mode_is(name)))
        half = agenerator()
        await half.asend(None)
        with pytest.raises(KeyError):
            await half.athrow(KeyError())
        half = agenerator()
        await half.asend(None)
        await half.aclose()
        return outside, await task, found

    assert asyncio.run(main()) == (False, (True, True), [(0, False), (1, False)])
    assert modes_are_off()


@pytest.mark.parametrize("name", MODES)
def test_a_with_in_a_generator_holds_for_the_caller_too_until_it_ends(name):
    """As Mode's docstring says: Python has no context of a generator's own."""
    def generator():
        with MODES[name]():
            yield mode_is(name)
    steps = generator()
    assert next(steps) and mode_is(name)
    steps.close()
    assert not mode_is(name) and "paused" in (ag.no_grad.__doc__ or "")


@pytest.mark.parametrize("wrong", [
    lambda: no_grad(lambda: 1.0), lambda: ag.record_lines(len), lambda: errstate(len), lambda: no_grad()(3.0),
    lambda: errstate("ignore")(ag.sqrt(4.0))])
def test_a_mode_above_what_is_no_function_or_without_brackets_is_refused(wrong):
    with pytest.raises(ag.InputError):
        wrong()


def test_errstate_in_one_thread_leaves_the_others_alone():
    found = []

    def work():
        with pytest.raises(DomainError):
            Value(-1.0).log()
        found.append(True)

    with errstate("ignore"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(60)
        assert math.isnan(Value(-1.0).log().data)
    assert found == [True]


def test_computing_does_not_wait_for_a_pass_in_another_thread():
    found = []

    def work():
        x = Value(2.0)
        with no_grad():
            x.exp()
        found.append((x * x + 1.0).data)

    with lock:                           # as during a long pass
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(60)
    assert found == [5.0]


# -- nothing but our errors, whatever is thrown at it -----------------------------------------------------

THINGS = [Value(0.5), Value(-2.0), Value(0.0), Value(1e-320), Value(math.nan), Value(math.inf), Value,
          0, 1, 2, True, -1.5, 1e308, 10 ** 400, math.nan, math.inf, "x", b"", None, 1j, [], {}, object(),
          Fraction(1, 3)]


@pytest.mark.parametrize("name", TABLE)
def test_a_row_on_any_sort_of_thing_gives_a_number_or_an_error_of_ours(name):
    row, rng = TABLE[name], random.Random(name)
    for _ in range(200):
        count = rng.randint(1, 4) if row.open else row.most
        operands = [rng.choice(THINGS) if rng.random() < 0.5 else rng.choice(THINGS[:5])
                    for _ in range(count)]
        with contextlib.suppress(AutogradError):
            result = row(*operands)
            assert type(result) in (float, Value)
            if type(result) is Value and result.requires_grad:
                result.backward()


def test_gradients_that_add_up_to_more_than_a_double_are_refused_and_leave_all_as_it_was():
    x = Value(1e-10, "x")
    y = x * 1.7e308 + x * 1.7e308
    with pytest.raises(ag.RangeError, match="add up.*'x'"):
        y.backward()
    assert x.grad == y.grad == 0.0
    with pytest.raises(ag.RangeError, match="add up"):
        ag.grad(lambda x: x * 1.7e308 + x * 1.7e308)(1e-10)
    (x * 1.7e308).backward()
    with pytest.raises(ag.RangeError, match="add up.*'x'"):
        (x * 1.7e308).backward()
    assert x.grad == 1.7e308
    with ag.errstate("ignore"):
        y.backward()
    assert x.grad == float("inf")


# -- forks ----------------------------------------------------------------------------------------


BUSY = ["y.backward()", "ag.grad(lambda v: ag.exp(v) * v)(2.0)", "x.grad", "copy.deepcopy(y)",
        "ag.hessian(lambda v: ag.exp(v[0]) * v[1])([1.0, 2.0])", "with ag.no_grad(): pass",
        "with ag.record_lines(): pass", "y.grad = 0.0",
        "engine._trouble.cache_clear(); engine.program()"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_forked_while_another_thread_is_busy_works_and_finds_nothing_half_done():
    printed = run_alone(f"""
        import copy, os, signal, sys, threading
        import autograd_lite as ag
        from autograd_lite.drawing import engine
        engine._candidates = lambda: iter([("true", "/bin/true")] * 3)
        engine._trouble = __import__("functools").cache(lambda path: "cannot")
        x = ag.Value(0.5, "x")
        y = x
        for _ in range(2000):
            y = y * 0.999 + 0.001
        sys.setswitchinterval(1e-4)
        for busy in {BUSY}:
            x.grad = 0.0
            stop = False
            again = compile(busy, busy, "exec")
            def work():
                while not stop:
                    try:
                        exec(again)
                    except ag.RenderError:
                        pass
            thread = threading.Thread(target=work)
            thread.start()
            ends = []
            try:
                for _ in range(12):
                    child = os.fork()
                    if child == 0:
                        signal.alarm(10)                # a child that hangs dies of it
                        ok = False
                        try:
                            seen = x.grad / 0.999 ** 2000
                            ok = abs(seen - round(seen)) < 1e-6         # whole passes, and no half one
                            z = ag.Value(2.0)
                            ag.hessian(lambda v: v[0] * v[1])([1.0, 2.0])
                            (z * z + x).backward()
                            with ag.no_grad(), ag.record_lines():
                                ok = ok and z.grad == 4.0
                            try:
                                engine.program()
                            except ag.RenderError:
                                pass
                        finally:
                            os._exit(0 if ok else 1)
                    ends.append(os.waitpid(child, 0)[1])
            finally:
                stop = True
                thread.join()
            print(busy, ends)
    """)
    assert printed.splitlines() == [f"{busy} {[0] * 12}" for busy in BUSY]


def run_alone(program):
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", "if True:" + program], capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout

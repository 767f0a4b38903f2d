"""export_c: a compiled function in C, equal to Python's to the last bit."""
import ctypes
import itertools
import math
import pickle
import random
import re
import shutil
import subprocess

import pytest

import autograd_lite as ag
from autograd_lite import InputError, Value, compile, grad, nn, value_and_grad
from autograd_lite.document import Network
from autograd_lite.native import families, runtime
from autograd_lite.native.c import Unit
from autograd_lite.native.c_expressions import name_in_c
from autograd_lite.native.export import CWriter, Parameter
from autograd_lite.native.language import Untranslatable, function_of
from autograd_lite.ops.op import TABLE
from autograd_lite.programs.code import Code
from autograd_lite.programs.recording import Recording

GCC = shutil.which("gcc")
needs_gcc = pytest.mark.skipif(not GCC, reason="needs a compiler of C")


def built(text, folder, name="model"):
    """The functions of a file of C, compiled without a warning."""
    source, library = folder / f"{name}.c", folder / f"{name}.so"
    source.write_text(text)
    done = subprocess.run([GCC, "-std=c99", "-Wall", "-Wextra", "-pedantic", "-O2", "-ffp-contract=off",
                           "-fPIC", "-shared", "-o", library, source, "-lm"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return ctypes.CDLL(str(library))


def array(xs):
    return (ctypes.c_double * max(len(xs), 1))(*xs)


def called(function, *args, number=False):
    """What a function of C returns, given floats and lists of them; the arrays that it was given."""
    given = [array(x) if isinstance(x, list) else ctypes.c_double(x) for x in args]
    function.restype = ctypes.c_double if number else ctypes.c_int
    return function(*given), [list(x) for x in given if hasattr(x, "__len__")]


# -- ops ----------------------------------------------------------------------------------------


def operands(op, n):
    """Points for an op of n operands."""
    chance = random.Random(op.name)
    edges = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 1e-9, 1e200, -1e-200]
    found = [[chance.choice(edges) for _ in range(n)] for _ in range(60)]
    for scale in (1.0, 3.0, 30.0):
        found += [[chance.uniform(-scale, scale) for _ in range(n)] for _ in range(200)]
    found += [[abs(x) for x in xs] for xs in found[60:160]]
    found += [[float(round(x)) for x in xs] for xs in found[260:360]]
    return [[float(chance.randint(0, 2)) if i in op.options else x for i, x in enumerate(xs)] for xs in found]


def written(op, n, unit, name):
    """A function of C for an op of n operands."""
    code = Code()
    inputs = [code.input(0.5) for _ in range(n)]
    recording = Recording(code, inputs, [], [code.new(op, tuple(inputs), 0.5)], [], {}, {})
    x = Parameter("x", [f"x{i}" for i in range(n)], False)
    unit.add(CWriter(recording, [x], x.places(), [0]).function(name),
             f"int {name}(const double x[{n}], double out[1])")


@needs_gcc
def test_every_op_is_that_of_python_to_the_last_bit(tmp_path):
    unit, ops = Unit(), []
    for number, (name, op) in enumerate(list(TABLE.items())):
        for n in (2, 3, 5) if op.open else range(op.least, int(op.most) + 1):
            try:
                written(op, n, Unit(), "alone")
                written(op, n, unit, f"op_{number}_{n}")
                ops.append((op, n, f"op_{number}_{n}"))
            except Untranslatable:
                assert type(op).__name__ == "Custom"
    library = built("#include <math.h>\n" + "\n".join(unit.texts), tmp_path)
    for op, n, name in ops:
        function, known = getattr(library, name), 0
        for xs in operands(op, n):
            try:
                want = float(op.forward(*xs))
            except (ValueError, ArithmeticError):
                continue
            status, (_, [y]) = called(function, xs, [0.0])
            assert status == -1 or y == want or y != y and want != want, (op, xs, y, want)
            known += status == 0
        assert known > 20, op


@pytest.mark.parametrize("name, f", [("hypot", math.hypot), ("lgamma", math.lgamma)])
def test_functions_of_cpython_that_are_written_out(name, f):
    chance, known = random.Random(name), 0
    for _ in range(3000):
        x = [chance.uniform(-9, 9), chance.uniform(-200, 200), math.exp(chance.uniform(-200, 200)),
             float(chance.randint(1, 40))][chance.randint(0, 3)]
        xs = (x, x * chance.uniform(-2, 2))[:len(function_of(getattr(runtime, name)).params)]
        y = getattr(runtime, name)(*xs)
        assert y == f(*xs), xs
        known += 1
    assert known == 3000 and runtime.hypot(0.0, -0.0) == 0.0
    for a, b in ((math.inf, 1.0), (1.0, math.nan), (1e-310, 0.0)):
        assert math.isnan(runtime.hypot(a, b))
    assert all(math.isnan(runtime.lgamma(x)) for x in (-3.0, 0.0, math.nan))
    assert runtime.lgamma(1.0) == runtime.lgamma(2.0) == 0.0


# -- functions ------------------------------------------------------------------------------------


def branching(x, y):
    """Guards, sides, a list that is chosen from, and a while."""
    total = ag.where(ag.greater(x[0], x[1]), ag.exp(x[0] * 0.1), ag.log(abs(x[1]) + 1.0) / (x[0] ** 2 + 1.0))
    while total < 2.0:
        total = total * 1.7 + 0.1
    if y > 0.5 and x[0] < y:
        total = total + ag.softmax([x[0], x[1], y])[1] * ag.gelu(y)
    return total + ag.relu(x[0]) + max(x[0], y) + ag.maximum(x[1], y) * ag.hypot(x[0], y)


def compiled_branching():
    fast = compile(branching)
    fast([1.0, 2.0], 0.5)
    fast([1.0, 2.0], 0.25)
    return fast


@needs_gcc
def test_after_backward_it_is_the_same_function(tmp_path):
    w = Value(2.0, label="w")
    fast = compile(lambda x: ag.sin(x * w))
    assert fast.backward(0.5) == math.sin(1.0)
    library = built(fast.source("c"), tmp_path)
    assert called(library.f, 0.25, [2.0], number=True)[0] == math.sin(0.5)
    found = called(library.f_gradient, 0.25, [2.0], [0.0], [0.0], [0.0])
    assert found == (0, [[2.0], [math.sin(0.5)], [2.0 * math.cos(0.5)], [0.25 * math.cos(0.5)]])


@needs_gcc
def test_a_function_with_branches_and_its_gradient(tmp_path):
    fast, chance = compile(branching), random.Random(2)
    points = [([chance.uniform(-3, 3), chance.uniform(-3, 3)], chance.uniform(-1, 2)) for _ in range(60)]
    for x, y in points[:40]:
        fast(x, y)
    assert len(fast.programs) > 5
    fast.export_c(tmp_path / "out.c")
    library = built((tmp_path / "out.c").read_text(), tmp_path)
    assert (tmp_path / "out.c").read_text() == fast.source("c")
    done, gradient = 0, value_and_grad(branching, (0, 1))
    for x, y in points:
        found, _ = called(library.branching, x, y, number=True)
        status, (_, value, d_x, d_y) = called(library.branching_gradient, x, y, [0.0], [0.0, 0.0], [0.0])
        if status == 0:
            assert found == fast(x, y) == value[0]
            assert (value[0], (d_x, d_y[0])) == gradient(x, y)
            done += 1
        else:
            assert status > 0 and math.isnan(found)
    assert done >= 40


@needs_gcc
def test_the_network_of_the_document_and_its_parameters(tmp_path):
    network = Network()
    fast = compile(network.error)
    fast()
    library = built(fast.source("c"), tmp_path)
    now = [x.data for x in [*network.weights, *network.biases]]
    names = re.search(r"parameters: (.*)", fast.source("c"))[1].split(", ")
    order = [next(x for x in [*network.weights, *network.biases] if x.label == name) for name in names]
    assert sorted(x.data for x in order) == sorted(now) and len(order) == 10
    for _ in range(5):
        network.zero_grad()
        y = network.error()
        y.backward()
        status, found = called(library.error_gradient, [x.data for x in order], [0.0], [0.0] * 10)
        assert (status, *found[1:]) == (0, [y.data], [x.grad for x in order])
        for x in order:
            x.data -= 0.5 * x.grad


@needs_gcc
def test_an_mlp_over_its_inputs(tmp_path):
    model = nn.MLP(3, [4, 4, 1], activation="tanh")
    fast = compile(lambda x: model(x))
    x = [0.3, -0.7, 1.1]
    y = fast(x)
    library = built(fast.source("c"), tmp_path)
    parameters = [p.data for p in fast.latest.captured]
    assert called(library.f, x, parameters, number=True)[0] == y
    status, found = called(library.f_gradient, x, parameters, [0.0], [0.0] * 3, [0.0] * len(parameters))
    x = list(map(Value, x))
    model(x).backward()
    assert found[3] == [v.grad for v in x]


@needs_gcc
def test_constant_results_have_no_gradient_or_zeros(tmp_path):
    for k, (f, args, y) in enumerate([(lambda x: 3.0, (1.0,), 3.0), (lambda: 3.0, (), 3.0),
                                      (lambda x: x * 0.0 + Value(2.0).data, (1.0,), 2.0)]):
        fast = compile(f)
        fast(*args)
        library = built(fast.source("c"), tmp_path, f"constant{k}")
        assert called(library.f, *args, number=True)[0] == y and hasattr(library, "f_gradient") is (k == 2)
    fast = compile(lambda x, y: x * y if x > 0.0 else 0.5)
    fast(-1.0, 2.0)
    fast(1.0, 2.0)
    library = built(fast.source("c"), tmp_path, "mixed")
    assert called(library.f_gradient, 3.0, 4.0, [9.0], [9.0], [9.0]) == (0, [[12.0], [4.0], [3.0]])
    assert called(library.f_gradient, -3.0, 4.0, [9.0], [9.0], [9.0]) == (0, [[0.5], [0.0], [0.0]])
    fast = compile(lambda n: n * 2)             # (an int is no number to differentiate)
    fast(3)
    assert called(built(fast.source("c"), tmp_path, "whole").f, 4.0, [0.0]) == (0, [[8.0]])


@needs_gcc
def test_results_and_arguments_of_any_structure(tmp_path):
    def f(double, *, status, d_x=(1.0, 2.0), out=0.5, i=3, β=1.0):
        return {"a": [double["p"] * out + status, 7.0, d_x[1] ** i], "b": (β / status, "text")}

    fast = compile(f)
    want = fast({"p": 2.0, "q": [1.5]}, status=3.0, d_x=(1.5, 2.5), out=0.25, i=3, β=4.0)
    text = fast.source("c")
    assert "beta" in text and "double_: double_p, double_q_0" in text
    found = called(built(text, tmp_path).f, [2.0, 1.5], 3.0, [1.5, 2.5], 0.25, 3.0, 4.0, [0.0] * 4)
    assert found[0] == 0 and found[1][-1] == [*want["a"], want["b"][0]]


@needs_gcc
def test_indices_and_a_gradient_that_is_compiled(tmp_path):
    rows = [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)]
    fast = compile(grad(lambda w, i: ag.take(rows, i)[1] * w ** 2 * ag.take(rows, i)[0]), indices="i")
    fast(0.5, 1)
    function = built(fast.source("c"), tmp_path).f
    for i in range(-3, 3):
        assert called(function, 1.5, float(i), number=True)[0] == fast(1.5, i)
    assert math.isnan(called(function, 1.5, 3.0, number=True)[0])


@needs_gcc
def test_what_is_not_finite_is_said(tmp_path):
    fast = compile(lambda x: ag.log(x) * 1e200 * x)
    fast(2.0)
    library = built(fast.source("c"), tmp_path)
    for x in (0.0, -1.0, 1e200, math.nan, math.inf):
        assert math.isnan(called(library.f, x, number=True)[0])
        assert called(library.f_gradient, x, [5.0], [6.0]) == (-1, [[5.0], [6.0]])


@needs_gcc
def test_random_functions(tmp_path):
    chance = random.Random(4)
    unary = [ag.exp, ag.sin, ag.tanh, ag.sigmoid, ag.softplus, abs, ag.relu, ag.atan, lambda x: x ** 2,
             lambda x: x ** 3, lambda x: 1.0 / (x * x + 1.0), ag.erf, ag.normal_cdf, lambda x: -x, ag.silu]
    fasts = []
    for number in range(12):
        plan = [(chance.choice(unary), chance.randint(0, 3), chance.random()) for _ in range(12)]

        def f(a, b, plan=plan):
            xs = [a, b]
            for one, how, c in plan:
                x, y = one(xs[-1]), xs[-2]
                xs.append([x + y * c, x * y - c, ag.where(ag.less(x, y), x - c, y * c), c - (x - y)][how])
            return xs[-1]

        f.__name__ = f"f{number}"
        fast = compile(f)
        fast(0.5, -0.25)
        fasts.append(fast)
    functions = [built(fast.source("c"), tmp_path, fast.__name__) for fast in fasts[:4]]
    for fast, library in zip(fasts, functions):
        for a, b in itertools.product((0.5, -1.25, 2.0), (0.1, -0.7)):
            try:
                want = value_and_grad(fast.f, (0, 1))(a, b)
            except ArithmeticError:
                continue
            status, found = called(library[f"{fast.__name__}_gradient"], a, b, [0.0], [0.0], [0.0])
            assert status or (found[0][0], (found[1][0], found[2][0])) == want


# -- what cannot be ---------------------------------------------------------------------------------


def test_what_is_python_alone_is_an_error_that_names_it(tmp_path):
    own = ag.custom_op(lambda x: {}.get(1, x), (lambda y, x: 1.0,), name="own_in_python")
    for f, x, words in [(lambda x: own(x) * 2.0, 1.0, "own_in_python"),
                        (lambda x: x if f"{x:.1f}" == "1.5" else -x, 1.5, "cannot be written in C")]:
        fast = compile(f)
        fast(x)
        with pytest.raises(InputError, match=words):
            fast.export_c(tmp_path / "x.c")
    assert list(tmp_path.iterdir()) == []


@needs_gcc
def test_the_value_is_written_where_its_derivatives_cannot_be(tmp_path):
    fast = compile(lambda x: ag.polygamma(18, x) * 2.0)     # (18! is the last factorial that is a float)
    fast(1.5)
    text = fast.source("c")
    assert "Its derivatives are not here, for a part of them is Python's alone (polygamma(19.0, x)" in text
    library = built(text, tmp_path)
    assert called(library.f, 2.5, number=True)[0] == fast(2.5) and not hasattr(library, "f_gradient")
    fast = compile(lambda x: ag.lgamma(x))
    fast(1.5)
    gradient = built(fast.source("c"), tmp_path, "lgamma").f_gradient
    assert called(gradient, 2.5, [0.0], [0.0]) == (0, [[ag.lgamma(2.5)], [grad(ag.lgamma)(2.5)]])


@pytest.mark.parametrize("name, operands", [
    ("digamma", 1), ("polygamma", 2), ("power_slope", 4), ("gauss", 2), ("normal_pdf", 2)])
def test_families_are_those_of_the_table_to_the_last_bit(name, operands):
    chance, known, op = random.Random(name), 0, TABLE[name]
    for _ in range(2000):
        x = [chance.uniform(-9, 9), chance.uniform(-200, 200), math.exp(chance.uniform(-200, 200)),
             float(chance.randint(-3, 40))][chance.randint(0, 3)]
        counts = [float(chance.randint(1, 5)) for _ in range(2)]
        xs = {1: (x,), 2: (counts[0], x) if name == "polygamma" else (x, counts[0]),
              4: (x, chance.choice([x / 3.0, 0.5, 1 / 3, counts[1]]), *counts)}[operands]
        try:
            want = op.forward(*xs)
        except (ValueError, ArithmeticError):
            continue
        y = getattr(families, name)(*xs)
        assert y == want or y != y, xs
        known += y == want
    assert known > 900


def test_other_refusals(tmp_path):
    fast = compile(lambda x: x * 2.0)
    with pytest.raises(InputError, match="no program yet"):
        fast.source("c")
    fast(1.0)
    again = pickle.loads(pickle.dumps(compiled_branching()))
    again([1.0, 2.0], 0.5)
    with pytest.raises(InputError, match="came with a pickle"):
        again.source("c")
    with pytest.raises(InputError, match="choose 'python' or 'c'"):
        fast.source("rust")
    with pytest.raises(InputError, match="expected a path"):
        fast.export_c(3)
    with pytest.raises(OSError):
        fast.export_c(tmp_path / "none" / "x.c")
    with pytest.raises(InputError, match="compiled for a batch"):
        batch = compile(lambda x: x * 2.0, batch="x")
        batch(1.0)
        batch.source("c")


def test_names_and_texts_of_users_do_no_harm():
    x = Value(1.0, label="a */ int main(void) { /* \n b")
    fast = compile(lambda: x * 2.0)
    fast()
    text = fast.source("c")
    assert text.count("*/") == 1 and "\n b" not in text
    assert [name_in_c(x) for x in ("int", "α", "Ω_1", "exp", "ag_pow", "naïve", "Άά", "ag", "x__y", "ç")] == [
        "int_", "alpha", "Omega_1", "exp", "ag_pow_", "na_ef_ve", "Alphaalpha", "ag", "x_y", "_e7_"]


def test_the_file_grows_with_the_program():
    def f(xs):
        total = 0.0
        for x in xs:
            total = ag.sin(total + x) * x
        return total

    sizes = []
    for n in (100, 400):
        fast = compile(f)
        fast([0.1] * n)
        sizes.append(len(fast.source("c")))
    assert sizes[1] < 4.5 * sizes[0]

"""Every op over arrays, held against its float kernel: in NumPy, and in JAX and torch where they are."""
from __future__ import annotations

import functools
import math
import random
import types
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from truth import OURS, points

import autograd_lite as ag
from autograd_lite.ops import arrays
from autograd_lite.ops.notation import Form
from autograd_lite.ops.op import TABLE, Op
from autograd_lite.programs.namespaces import Functions, array_text, functions, mapped, quiet

inf, nan = math.inf, math.nan

# The ops of the library that have no array form: a new one is written over arrays, or stands here.
WITHOUT: set[str] = set()
# NumPy has not what these need: their float kernels are mapped over the array.
MAPPED = {"erf", "erfc", "normal_cdf", "gelu", "gamma", "lgamma", "digamma", "polygamma"}

# -- where to look -----------------------------------------------------------------------------

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 800.0, -800.0, 1e308, -1e308, inf, -inf, nan]


def rows(name: str, many: int = 150) -> list[tuple[float, ...]]:
    """Operands at the edges and at random, inside the domain or not."""
    op, chance = TABLE[name], random.Random(name)

    def anywhere() -> float:
        return chance.choice([chance.uniform(-50, 50), chance.uniform(-3, 3), float(chance.randint(-9, 9)),
                              math.ldexp(chance.uniform(-1, 1), chance.randint(-1080, 1023))])

    def option() -> float:
        return float(chance.randint(0, 2))
    found = list(points(name))
    for length in (2, 3, 5) if op.open else range(op.least, int(op.most) + 1):
        for draw in [anywhere] * many + [lambda: chance.choice(SPECIAL)] * (4 * many // (1 + op.open)):
            found.append(tuple(option() if i in op.options else draw() for i in range(length)))
    return found


def alike(op: Op, given: Sequence[tuple[float, ...]]) -> list[list[tuple[float, ...]]]:
    """The rows in groups of one length and the same options."""
    groups: dict[Any, list[tuple[float, ...]]] = {}
    for xs in given:
        groups.setdefault((len(xs), *[xs[i] for i in op.options if i < len(xs)]), []).append(xs)
    return list(groups.values())


# -- the two sides -----------------------------------------------------------------------------


def over_arrays(found: Functions, op: Op, group: Sequence[tuple[float, ...]],
                array: Callable[..., Any]) -> list[float]:
    """The form of an op, at all the rows of a group at once."""
    columns = dict(enumerate(zip(*group)))
    text = array_text(op, [xs[0] if i in op.options else f"x{i}" for i, xs in columns.items()])
    assert text is not None
    names = {f"x{i}": array(xs) for i, xs in columns.items()}
    with quiet(found.namespace):
        y = eval(text, {"xp": found, "inf": inf, "nan": nan, **names})
    for i, xs in columns.items():               # (no form changes its operands)
        assert np.array_equal(np.asarray(names[f"x{i}"]), xs, equal_nan=True)
    return np.broadcast_to(np.asarray(y), len(group)).tolist()


def eagerly(op: Op, xs: Sequence[float]) -> float:
    """What the op gives; nan where it refuses."""
    try:
        y: float = op(*xs)
    except ag.NumericError:
        return nan
    return y


def wrong(op: Op, xs: Sequence[float], y: float, units: float = 4.0) -> bool:
    """Whether y is not what the op gives: too far off, or finite where the op refuses.

    (At infinite operands it may be nan, and where a sum leaves the doubles on the way.)
    """
    true = eagerly(op, xs)
    if not math.isfinite(true) or not math.isfinite(y):
        far = 1e150 if op.name in ("mean", "fsum", "fdot") else inf
        return math.isfinite(y) or math.isfinite(true) and all(abs(x) < far for x in xs)
    size = max(map(abs, xs)) if op is TABLE["logsumexp"] else 0.0           # (its terms cancel beside 0)
    if op is TABLE["power_slope"] and sum(xs[2:]) > 1.0:                    # (a second derivative: 1e-13)
        units = 450.0
    return abs(y - true) > units * (1 + op.open) * math.ulp(max(abs(true), size))


def mistakes(op: Op, given: Sequence[tuple[float, ...]], found: Functions) -> list[str]:
    return [f"{op.name}{xs}: {y!r}, eagerly {eagerly(op, xs)!r}" for group in alike(op, given)
            for xs, y in zip(group, over_arrays(found, op, group, np.array)) if wrong(op, xs, y)]


# -- NumPy -------------------------------------------------------------------------------------


def test_every_op_of_the_table_has_an_array_form_or_is_known_to_have_none():
    assert {name for name in OURS if array_text(TABLE[name], ["x"] * 4) is None} == WITHOUT


def test_what_numpy_lacks_is_known():
    found = functions(np, [TABLE[name] for name in OURS - WITHOUT])
    mapping = mapped(TABLE["erf"]).__code__
    assert {name for name, f in vars(found).items() if getattr(f, "__code__", None) is mapping} == MAPPED


@pytest.mark.parametrize("name", sorted(OURS - WITHOUT))
def test_an_op_over_numpy_arrays_gives_what_it_gives_eagerly_and_nothing_finite_where_it_refuses(name):
    found = mistakes(TABLE[name], rows(name), functions(np))
    assert not found, f"{len(found)}: " + "\n".join(found[:5])


def test_a_power_of_a_negative_base_is_refused_though_its_exponent_less_1_is_rounded():
    assert not mistakes(TABLE["power_slope"], [(-2.5, b, k, 0.0) for b in (1e-103, -2e-292, 1e-17)
                                               for k in (0.0, 1.0, 2.0)], functions(np))


@pytest.mark.parametrize("name, form", [
    ("softplus", "xp.log(1.0 + xp.exp(#1))"), ("gauss", "xp.exp(-#1 * #1)"),
    ("silu", "#1 / (1.0 + xp.exp(-#1))"), ("sech2", "1.0 - xp.tanh(#1) * xp.tanh(#1)"),
    ("log", "xp.log(xp.abs(#1))"), ("%", "xp.fmod(#1, #2)"),
    ("hypot", "xp.sqrt(#1 * #1 + #2 * #2)"), ("**", "xp.power(xp.abs(#1), #2)"),
    ("sin", "xp.sin(#1) * 1.000000001"),
    ("step", "xp.where(#1 > #2, 1.0, xp.where(#1 < #2, 0.0, #3))")])
def test_a_form_that_loses_digits_or_hides_a_refusal_is_noticed(name, form, monkeypatch):
    notation = TABLE[name].notation
    monkeypatch.setattr(TABLE[name], "notation", notation._replace(targets={"array": Form(form)}))
    assert mistakes(TABLE[name], rows(name), functions(np))


def mixtures(op: Op, found: Functions, array: Callable[..., Any], units: float = 4.0) -> list[Any]:
    """Where an op is wrong with one operand an array, and the others numbers or arrays of no places."""
    wrongs = []
    for xs in [(0.75, 1.0, 1.0, 0.0), (2.0, 0.0, 2.0, 0.0), (1.0, 2.0, 1.0, 1.0)]:
        xs = xs[:4 if op.open else int(op.most)]
        if math.isnan(eagerly(op, xs)):
            continue
        kept = [i for i in range(len(xs)) if i not in op.options]
        text = array_text(op, [f"x{j}" if j in kept else xs[j] for j in range(len(xs))])
        assert text is not None
        for i in kept:
            for other in (float, array):
                names: dict[str, Any] = {f"x{j}": other(xs[j]) for j in kept}
                names[f"x{i}"] = array([xs[i]] * 3)
                with quiet(found.namespace):
                    y = np.broadcast_to(np.asarray(eval(text, {"xp": found, **names})), 3)
                wrongs += [(op.name, xs, i) for t in y.tolist() if wrong(op, xs, t, units)]
    return wrongs


@pytest.mark.parametrize("name", sorted(OURS - WITHOUT))
def test_some_operands_may_be_numbers_and_arrays_of_fewer_places(name):
    assert mixtures(TABLE[name], functions(np), np.array) == []


@pytest.mark.parametrize("name, operands, text", [
    ("-", ["x", -2.0], "x - -2.0"), ("**", [-2.0, "x"], "(-2.0) ** x"),
    ("relu", ["x", 1.0], "xp.maximum(x, 0.0)"),
    ("leaky_relu", ["x"], "xp.where(x > 0.0, x, 0.01 * x)"), ("gauss", ["x"], "xp.gauss(x, 0.0)"),
    ("dot", ["a", "b", "c", "d", "e"], "a * c + b * d + e"), ("mean", ["a", "b"], "(a + b) / 2.0"),
    ("greater", ["x", 0.0], "xp.where(x > 0.0, 1.0, 0.0)")])
def test_how_an_op_is_written_over_arrays(name, operands, text):
    assert array_text(TABLE[name], operands) == text


@pytest.mark.parametrize("name", ["sum", "mean", "dot", "fsum", "logsumexp"])
def test_a_sum_of_thousands_of_arrays_is_still_an_expression_that_python_compiles(name):
    chance = random.Random(0)
    xs = [tuple(chance.uniform(0.0, 1.0) for _ in range(8000))] * 2
    [y, again] = over_arrays(functions(np), TABLE[name], xs, np.array)
    assert y == again and math.isclose(y, TABLE[name](*xs[0]), rel_tol=1e-15)


def test_exact_sums_are_added_in_twice_the_digits():
    found = functions(np)
    assert over_arrays(found, TABLE["fsum"], [(1e20, 1.0, -1e20)], np.array) == [1.0]
    assert over_arrays(found, TABLE["fdot"], [(1e10, 1.0, 1e10, 1e10, 3.0, -1e10)], np.array) == [3.0]
    assert over_arrays(found, TABLE["sum"], [(1e20, 1.0, -1e20)], np.array) == [0.0]


# -- namespaces --------------------------------------------------------------------------------


def namespace(name: str, *names: str, **more: Any) -> types.ModuleType:
    """A namespace with these of NumPy's functions."""
    module = types.ModuleType(name)
    vars(module).update({name: getattr(np, name) for name in names}, **more)
    return module


def test_a_function_is_found_under_its_other_name():
    names = ["arcsin", "arccos", "arctan", "arctan2", "arcsinh", "arccosh", "arctanh"]
    found = functions(namespace("old", "where", *names, pow=np.power))
    assert found.asin is np.arcsin and found.atan2 is np.arctan2 and found.power is np.power


@pytest.mark.parametrize("x", [0.0, 5e-324, -1e-310, 1e-300, 0.3, -8.0, 27.1, 1e200, -1.7976931348623157e308])
def test_a_namespace_without_a_cube_root_has_one(x):
    found = functions(namespace("none", "where", "abs", "power"))
    with quiet(np):
        y = found.cbrt(np.array([x]))
    assert abs(y[0] - math.cbrt(x)) <= 2.0 * math.ulp(math.cbrt(x))


def test_what_a_namespace_lacks_is_an_error_that_names_it_and_the_op():
    lacking = namespace("lacking", "where", "exp")
    functions(lacking, [TABLE["exp"], TABLE["+"]])
    with pytest.raises(ag.InputError, match="^sin cannot .* for lacking: lacking has no function sin;"):
        functions(lacking, [TABLE["exp"], TABLE["sin"]])
    with pytest.raises(ag.InputError, match="^gelu cannot .* has no function erfc, of which gelu is made"):
        functions(lacking, [TABLE["gelu"]])
    with pytest.raises(ag.InputError, match="no function nonsense"):
        functions(np).nonsense
    for target in (None, "numpy", math, np.array([1.0])):
        with pytest.raises(ag.InputError, match="must be a namespace of arrays, such as numpy"):
            functions(target)


def test_an_op_of_a_user_has_no_array_form_even_if_the_namespace_has_one_of_that_name():
    op = ag.custom_op(lambda x: x, (lambda y, x: 1.0,), name="sinc")
    try:
        assert array_text(op, ["x"]) is None
        with pytest.raises(ag.InputError, match="sinc has no form over arrays"):
            functions(np, [op])
        assert mapped(op)(np.array([[1.0, 2.0]])).tolist() == [[1.0, 2.0]]
    finally:
        del TABLE["sinc"]


def test_a_kernel_mapped_over_arrays_broadcasts_and_marks_what_it_refuses():
    y = mapped(TABLE["/"])(np.array([[1.0], [0.0]]), np.array([2.0, 0.0, 4.0]))
    assert y.shape == (2, 3) and y[:, ::2].tolist() == [[0.5, 0.25], [0.0, 0.0]]
    assert not np.isfinite(y[:, 1]).any()
    assert mapped(TABLE["erf"])(0.0).shape == ()


# -- JAX and torch -----------------------------------------------------------------------------

# Their own functions are less exact than NumPy's, and JAX takes subnormal numbers as 0.
LEAST, RELATIVE = 1e-290, 1e-13


def ordinary(x: float) -> bool:
    return x == 0.0 or not abs(x) < LEAST


def disagreements(found: Functions, array: Callable[..., Any]) -> list[str]:
    """Where an op is not what it is eagerly, to 1e-13, at ordinary numbers."""
    wrongs = []
    for name in sorted(OURS - WITHOUT):
        op, gamma = TABLE[name], name in ("lgamma", "digamma", "polygamma")
        for group in alike(op, [xs for xs in rows(name, 20) if all(map(ordinary, xs))]):
            for xs, y in zip(group, over_arrays(found, op, group, array)):
                true = eagerly(op, xs)
                if math.isfinite(y) and math.isfinite(true):        # (beside 0 the largest term counts)
                    size = max(abs(true), LEAST, float(gamma), *map(abs, xs if op.open else ()))
                    agree = abs(y - true) <= RELATIVE * size
                else:                                               # (those of gamma are nan below 0)
                    agree = not ordinary(true) or not wrong(op, xs, y) or y != y and (
                        xs[-1] < 0.0 if gamma else name == "%" and math.isinf(xs[0] / xs[1]))
                if not agree:
                    wrongs.append(f"{name}{xs}: {y!r}, eagerly {true!r}")
    return wrongs


def test_the_forms_hold_in_jax_compiled_and_mapped_too():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    found = functions(jax.numpy)
    wrongs = disagreements(found, jax.numpy.array)
    assert not wrongs, f"{len(wrongs)}: " + "\n".join(wrongs[:20])
    assert not [t for name in OURS - WITHOUT for t in mixtures(TABLE[name], found, jax.numpy.array, 1000.0)]
    text = array_text(TABLE["logsumexp"], ["x", "-1.0", array_text(TABLE["gelu"], ["x"]) or ""])
    f = jax.jit(jax.vmap(lambda x: eval(text or "", {"xp": found, "x": x})))
    y = f(jax.numpy.array([0.5, -0.25]))
    assert np.allclose(y, [ag.logsumexp([x, -1.0, ag.gelu(x)]) for x in (0.5, -0.25)], rtol=1e-14)


def test_the_forms_hold_in_torch():
    torch = pytest.importorskip("torch")

    def array(xs: Any) -> Any:
        return torch.tensor(xs, dtype=torch.float64)
    found = functions(torch)
    wrongs = disagreements(found, array)
    assert not wrongs, f"{len(wrongs)}: " + "\n".join(wrongs[:20])
    assert not [t for name in OURS - WITHOUT for t in mixtures(TABLE[name], found, array, 1000.0)]
    y = found.maximum(torch.tensor([1.0, -1.0], dtype=torch.float32), 0.1)
    assert y.dtype == torch.float32


def test_what_holds_jax_and_torch_holds_numpy_too():
    assert disagreements(functions(np), np.array) == []


@pytest.fixture(scope="module")
def with_scipy() -> Functions:
    """NumPy's functions beside SciPy's special ones, as JAX has them, of which the rest is made."""
    return functions(namespace("scipy", *[name for name in np.__all__ if hasattr(np, name)]))


def test_what_is_made_of_special_functions_holds_with_those_of_scipy(with_scipy):
    assert all(getattr(with_scipy, name).func is arrays.KERNELS[name] for name in
               ("normal_cdf", "gelu", "digamma", "polygamma"))
    assert disagreements(with_scipy, np.array) == []


@pytest.mark.parametrize("name", ["normal_cdf", "gelu"])
def test_what_is_made_of_an_exact_erfc_keeps_its_digits_in_both_tails(name):
    kernel = functools.partial(arrays.KERNELS[name], np.vectorize(math.erfc), functions(np))
    xs = [sign * k / 16 for k in range(610) for sign in (1.0, -1.0)]
    xs += [-38.4, -39.5, 45.0, -60.0, 300.0, -1e200]
    with quiet(np):
        ys = kernel(np.array(xs)).tolist()
    assert [(x, y) for x, y in zip(xs, ys) if wrong(TABLE[name], (x,), y)] == []


@pytest.mark.parametrize("n", [0.0, 1.0, 2.0, 5.0, 30.0, 169.0, 170.0])
def test_polygammas_up_to_the_largest_factorial_are_made_of_zeta(with_scipy, n):
    xs = [(n, x) for x in (0.3, 0.9, 1.4, 7.0, 40.0, 1e9) if not (n > 20 and x < 1.0)]
    ys = over_arrays(with_scipy, TABLE["polygamma"], xs, np.array)
    for (_, x), y in zip(xs, ys):
        assert y == pytest.approx(TABLE["polygamma"](n, x), rel=1e-13, abs=1e-300)
    assert np.isnan(over_arrays(with_scipy, TABLE["polygamma"], [(n, x) for x in (-0.5, -3.0)],
                                np.array)).all()


def test_polygammas_above_the_largest_factorial_and_gammas_at_0_are_nan(with_scipy):
    assert np.isnan(over_arrays(with_scipy, TABLE["polygamma"], [(171.0, 40.0)], np.array)).all()
    for name, xs in (("polygamma", (2.0, 0.0)), ("digamma", (0.0,)), ("digamma", (-0.5,))):
        assert not np.isfinite(over_arrays(with_scipy, TABLE[name], [xs], np.array)).any()


# The same operands times any power of two that leaves them normal numbers: the same to the last bit.
SHIFTS = [*range(-1020, -480, 20), -300, -100, -1, 0, 1, 300, *range(480, 1020, 20)]


@pytest.mark.parametrize("name, factor", [("cos_angle", 0), ("over_square", -1)])
def test_angles_are_the_very_same_at_any_scale(name, factor):
    chance = random.Random(4)
    pairs = [(sign * chance.uniform(1.0, 2.0), chance.uniform(1.0, 2.0)) for sign in (1.0, -1.0, 1.0, -1.0)]
    for a, b in pairs:
        ones = [(math.ldexp(a, k), math.ldexp(b, k)) for k in SHIFTS]
        for found in (over_arrays(functions(np), TABLE[name], ones, np.array),
                      [TABLE[name](*xs) for xs in ones]):
            assert {y if not factor else math.ldexp(y, k) for k, y in zip(SHIFTS, found)
                    if abs(y) > 1e-300} == {found[SHIFTS.index(0)]}


def test_a_product_of_arrays_loses_nothing_of_what_it_rounds():
    numbers = random.Random(5)
    a, b = ([numbers.uniform(-1e3, 1e3) for _ in range(300)] for _ in range(2))
    p = [x * y for x, y in zip(a, b)]
    rest = over_arrays(functions(np), TABLE["fdot"], list(zip(a, p, b, [-1.0] * 300)), np.array)
    assert rest == [float(Fraction(x) * Fraction(y) - Fraction(z)) for x, y, z in zip(a, b, p)]


def test_an_option_that_varies_from_point_to_point_is_taken_by_the_op_itself():
    xs, places = np.array([-1.0, 0.0, 2.0, 0.5]), np.array([0.0, 1.0, 2.0, 3.0])
    for op in (ag.relu, lambda x, k: ag.grad(ag.relu)(x, k), TABLE["gauss"], TABLE["normal_pdf"],
               lambda x, k: ag.polygamma(k, x * x + 1.0)):
        found = ag.compile(op, target=np)
        assert found(xs, places).tolist() == list(map(op, xs.tolist(), places.tolist()))
        assert "xp." not in found.source()

"""Transforms as objects: pickled, copied, bound as methods, and refused at once where they select nothing."""
from __future__ import annotations

import copy
import functools
import inspect
import pickle
import subprocess
import sys
import weakref
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import grad, hessian, jacobian, value_and_grad


def curve(x: Any, scale: Any = 1.0) -> Any:
    """A curve."""
    return scale * x * ag.sin(x)


@grad
def slope(x: Any) -> Any:
    return x ** 3


class Spring:
    """Something with a function of a number as a method."""

    def __init__(self, k: float):
        self.k = k

    def energy(self, x: Any) -> Any:
        return 0.5 * self.k * x * x

    @grad
    def of_k(self, x: Any) -> Any:
        return x

    pull = grad(energy, 1)

    def __call__(self, x: Any) -> Any:
        return self.energy(x)


TRANSFORMS = {
    "grad": lambda f: grad(f), "value_and_grad": lambda f: value_and_grad(f),
    "jacobian": lambda f: jacobian(f),
    "hessian": lambda f: hessian(f), "derivative": lambda f: ag.derivative(f, 3),
    "grad of grad": lambda f: grad(grad(f)),
    "jacobian of derivative": lambda f: jacobian(ag.derivative(f)),
    "with options": lambda f: value_and_grad(f, (0,), unused="raise")}
FUNCTIONS = {"function": curve, "partial": functools.partial(curve, scale=3.0), "op": ag.exp,
             "method": Spring(2.0).energy, "callable": Spring(3.0), "decorated": slope}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("f", FUNCTIONS)
def test_a_transform_is_pickled_and_copied_where_its_function_is(transform: str, f: str) -> None:
    made = TRANSFORMS[transform](FUNCTIONS[f])
    for again in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert again(0.7) == made(0.7) and again.__name__ == made.__name__
        assert inspect.signature(again) == inspect.signature(made)


def test_what_a_decorator_made_is_pickled_by_its_name_and_a_lambda_is_not() -> None:
    assert pickle.loads(pickle.dumps(slope)) is slope and slope(2.0) == 12.0
    assert copy.deepcopy(slope) is slope
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(grad(lambda x: x))


def test_other_processes_take_a_transform(tmp_path: Any) -> None:
    (tmp_path / "mine.py").write_text("def f(x, y):\n    return x * x * y\n")
    (tmp_path / "main.py").write_text("""if __name__ == "__main__":
    import multiprocessing
    import mine
    from autograd_lite import grad, hessian
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.starmap(grad(mine.f, 1), [(1.0, 2.0), (3.0, 4.0)]),
              pool.starmap(hessian(mine.f), [(1.0, 5.0)]))
""")
    done = subprocess.run([sys.executable, "main.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.split("\n")[0] == "[1.0, 9.0] [10.0]", done.stderr


def test_the_pull_of_a_vjp_is_pickled_and_copied() -> None:
    _, pull = ag.vjp(lambda x, y: [x * y, x + y], 2.0, 5.0)
    for again in (pickle.loads(pickle.dumps(pull)), copy.deepcopy(pull)):
        assert again([1.0, 0.0]) == pull([1.0, 0.0]) == (5.0, 2.0)


def test_a_transform_is_a_method_where_its_function_is() -> None:
    assert Spring(3.0).pull(2.0) == 6.0 and Spring.pull(Spring(3.0), 2.0) == 6.0
    assert pickle.loads(pickle.dumps(Spring.pull))(Spring(3.0), 2.0) == 6.0
    assert grad(Spring(3.0).energy)(2.0) == 6.0


def test_a_transform_shows_what_it_is_and_keeps_what_the_function_has() -> None:
    def f(x: Any, /, *, self: Any = 1.0, f: Any = 2.0, argnums: Any = 3.0) -> Any:
        """Words."""
        return x * x * self * f * argnums
    f.unit = "m"  # type: ignore[attr-defined]
    made: Any = grad(f)
    assert (made.__name__, made.__doc__, made.__module__, made.unit) == ("f", "Words.", __name__, "m")
    assert made.__qualname__ == f.__qualname__ and made.__wrapped__ is f
    assert repr(made).startswith("<grad of <function")
    assert made(2.0, self=1.0, f=1.0, argnums=1.0) == 4.0
    made.note = "mine"
    assert made.note == "mine" and {made: 1}[made] == 1 and weakref.ref(made)() is made


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, hessian,
                                       functools.partial(hessian, sparse=True)])
@pytest.mark.parametrize("argnums", [
    2.0, None, 1.5j, True, b"x", [1.0], (0, None), [0, [1]], len, (0, 0), ["x", "x"], [0, 1, 0], 2,
    "width", ("x", "width"), (0, 5), np.array(0.0), np.array([0.0])])
def test_wrong_argnums_are_noticed_at_once(transform: Any, argnums: Any) -> None:
    with pytest.raises(ag.InputError, match="argnums"):
        transform(curve, argnums)


@pytest.mark.parametrize("argnums, expected", [
    (np.int64(0), 1.0), (np.array(0), 1.0), ("scale", 2.0), (iter([0, "scale"]), (1.0, 2.0)),
    (range(2), (1.0, 2.0)), ([], ()), (np.array([1, 0]), (2.0, 1.0))])
def test_right_argnums_are_any_positions_and_names(argnums: Any, expected: Any) -> None:
    def f(x: Any, scale: Any) -> Any:
        return x + 2.0 * scale
    made = grad(f, argnums)
    assert made(1.0, 1.0) == expected and made(1.0, 1.0) == expected


def test_argnums_may_name_what_only_the_call_brings() -> None:
    def anything(*args: Any, **kwargs: Any) -> Any:
        return ag.sum([*args, *kwargs.values()])
    assert grad(anything, (2, "more"))(1.0, 2.0, 3.0, more=4.0) == (1.0, 1.0)
    with pytest.raises(ag.InputError, match="mass"):
        grad(anything, "mass")(1.0)
    assert grad(functools.partial(curve, scale=2.0), "x")(0.0) == 0.0

"""Optimisers, and schedules for their learning rates.

>>> from autograd_lite import Value
>>> x = Value(5.0)
>>> optimizer = SGD([x], lr=0.1)
>>> for _ in range(100):
...     optimizer.zero_grad()
...     ((x - 2.0) ** 2).backward()
...     optimizer.step()
>>> round(x.data, 6)
2.0
"""
from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from autograd_lite.errors import AutogradError, FormatError, InputError, RangeError, short, signal, type_name
from autograd_lite.graph.changes import (attributes_now, change, data_now, gradients_now, setting,
                                         setting_data, zero_grad)
from autograd_lite.graph.foreign import lacking
from autograd_lite.graph.value import Value
from autograd_lite.ops.op import number
from autograd_lite.ops.whole import whole

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "Schedule", "constant", "cosine", "exponential", "linear",
           "step_decay", "warmup"]
__dir__ = __all__.copy                          # (completion offers no more)
globals()["__getattr__"] = lacking(__name__)    # (unseen by type checkers, for which there would be any name)
Schedule = Callable[[int], float]
State = tuple[Sequence[float], tuple[Value, ...], int, Sequence[int], Sequence[tuple[float, ...]]]
_STATE = "parameters", "steps", "_counts", "_memories"          # (after the parameters' data)


class _Shown:
    """How an optimiser shows itself."""

    parameters: tuple[Value, ...]
    steps: int

    def _facts(self) -> dict[str, str]:
        """The settings, and how far it is."""
        settings = {name: short(x, 200) for name, x in vars(self).items()
                    if not name.startswith("_") and name not in ("parameters", "steps")}
        return {**settings, "parameters": f"{len(self.parameters):,}", "steps": f"{self.steps:,}"}

    def __repr__(self) -> str:
        return f"<{type_name(self)}: {', '.join([f'{name} {x}' for name, x in self._facts().items()])}>"

    def __str__(self) -> str:
        return "\n  ".join([type_name(self), *[f"{name}: {x}" for name, x in self._facts().items()]])

    def _repr_html_(self) -> str:
        from autograd_lite.markup import block, named, table
        return block(named(type_name(self), ""), table("lr", (), list(self._facts().items())))


class Optimizer(_Shown):
    """The base of the optimisers: parameters, a learning rate, and what `step` remembers.

    A parameter with ``requires_grad=False`` is frozen: no step moves it, nor changes what is
    remembered for it, its own count of steps included.

    Args:
        parameters: the leaves to move, such as ``model.parameters()``.
        lr: the learning rate: a number, or a schedule, a function of the number of steps taken before.

    Attributes: `parameters`, a tuple (see `add`); `lr`; `steps`, the number of steps taken.

    Raises:
        InputError: there is no parameter, one is not a leaf or occurs twice, or a setting is out of range.
    """

    #: What is remembered for each parameter, 0 at first, and the least it can be.
    memory: dict[str, float] = {}
    lr: float | Schedule

    def __init__(self, parameters: Iterable[Value], lr: float | Schedule):
        self.parameters: tuple[Value, ...] = ()
        self.steps = 0
        self._counts: Sequence[int] = ()                    # the steps that each parameter has taken
        self._memories: Sequence[tuple[float, ...]] = ()
        self.add(parameters)
        self.lr = lr if callable(lr) else _setting("lr", lr)

    def add(self, parameters: Iterable[Value]) -> None:
        """Move these parameters, too; the first step of each is still to come.

        Raises:
            InputError: one is not a leaf, or is there already.
        """
        if not isinstance(parameters, Iterable) or isinstance(parameters, Mapping):
            remedy = "; give its values()" if isinstance(parameters, Mapping) else ""
            raise InputError(f"{self._kind}: expected a list of parameters, such as model.parameters(), "
                             f"not {type_name(parameters)}{remedy}")
        parameters = tuple(parameters)
        self._become(lambda: self._joined(parameters))

    def _joined(self, parameters: tuple[Value, ...]) -> State:
        every = (*self.parameters, *parameters)
        if not every:
            raise InputError(f"{self._kind}: there are no parameters to optimise")
        for i, p in enumerate(every):
            if not isinstance(p, Value) or p.op:
                raise InputError(f"{self._kind}: parameter {i} must be a leaf (a Value made from a number, "
                                 f"not computed), got {short(p, 200)}")
        if len(set(map(id, every))) < len(every):
            raise InputError(f"{self._kind}: a parameter occurs twice; it would be moved twice")
        more = len(every) - len(self.parameters)
        return ((), every, self.steps, [*self._counts, *[0] * more],
                [*self._memories, *[(0.0,) * len(self.memory)] * more])

    @property
    def _kind(self) -> str:
        return type_name(self)

    def rate(self) -> float:
        """The learning rate of the next step."""
        if callable(self.lr):
            return _setting(f"the schedule's lr at step {self.steps}", self.lr(self.steps))
        return _setting("lr", self.lr)

    def moved(self, x: float, g: float, memory: tuple[float, ...], lr: float,
              steps: int) -> tuple[float, ...]:
        """A parameter `x` with gradient `g` after this step, and what to remember for it.

        `steps` counts those that this parameter has taken, this one included.
        """
        raise NotImplementedError

    def step(self) -> None:
        """Move every parameter against its gradient; an exception leaves everything as it was.

        Raises:
            RangeError: a number would become infinite or a nan.
            GradientError: its state or a parameter changes whenever the step is worked out.
        """
        self._become(self._stepped)

    def _stepped(self) -> State:
        lr, steps = self.rate(), self.steps + 1
        grads = gradients_now(self.parameters)
        moving = [g is not None for g in grads]
        counts = [*map(operator.add, self._counts, moving)]
        after = [(p.data, *memory) if g is None else self.moved(p.data, g, memory, lr, n)
                 for p, memory, n, g in zip(self.parameters, self._memories, counts, grads)]
        for i, (p, numbers) in enumerate(zip(self.parameters, after)):
            if moving[i] and not all(map(math.isfinite, numbers)):
                signal(RangeError(f"{self._kind}, step {steps}: parameter {i}, {p!r}, would leave the range "
                                  "of a double; its gradient, the square of that or the rate "
                                  f"{lr!r} is out of scale", self._kind, (p.data, grads[i]), (p,)))
        return ([numbers[0] for numbers in after], self.parameters, steps, counts,
                [numbers[1:] for numbers in after])

    def _become(self, after: Callable[[], State]) -> None:
        """Take the state `after`, all of it or, if it is interrupted, nothing."""
        def now() -> Iterable[Any]:
            return chain(attributes_now(self, _STATE), data_now(self.parameters))

        def changes() -> Iterable[Iterable[Any]]:
            data, *facts = after()
            return setting_data(self.parameters, data), setting(self, _STATE, facts)

        change(self._kind, now, changes)

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        zero_grad(self.parameters)

    def state_dict(self) -> dict[str, Any]:
        """What `step` remembers, for JSON: with this and the parameters, training continues exactly.

        "counts" are the steps that each parameter has taken; they are there if not all have taken each.
        The settings are not part of it.
        """
        columns = map(list, zip(*self._memories))
        counts = {"counts": list(self._counts)} if {*self._counts} != {self.steps} else {}
        return {"optimizer": self._kind, "steps": self.steps, **counts, **dict(zip(self.memory, columns))}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state_dict` of the same kind of optimiser with as many parameters.

        Raises:
            FormatError: the state does not fit; nothing has changed then.
        """
        self._become(lambda: self._resumed(state))

    def _resumed(self, state: Mapping[str, Any]) -> State:
        names = {"optimizer", "steps", *self.memory}
        if not isinstance(state, Mapping) or state.keys() - {"counts"} != names:
            raise FormatError(f"a state of {self._kind} (but for the counts of parameters once frozen) is a "
                              f"mapping with exactly {', '.join(sorted(names))}")
        if state["optimizer"] != self._kind:
            raise FormatError(f"optimizer: the state is not one of {self._kind}")
        size = len(self.parameters)
        steps = _counted("steps", state["steps"], 2 ** 53 - 1)
        counts = [_counted(f"counts[{i}]", n, steps) for i, n in enumerate(
            _listed("counts", state.get("counts", [steps] * size), size))]
        columns = [_column(name, state[name], size, least) for name, least in self.memory.items()]
        return (), self.parameters, steps, counts, list(zip(*columns)) if columns else [()] * size


def _counted(name: str, x: Any, most: int) -> int:
    try:
        if whole(x, name) <= most:
            return int(x)
    except InputError:
        pass
    raise FormatError(f"{name}: expected a count of at most {most}, got {type_name(x)}")


def _listed(name: str, entries: Any, size: int) -> list[Any]:
    if not isinstance(entries, list) or len(entries) != size:
        raise FormatError(f"{name}: expected a list of {size} numbers, one for each parameter")
    return entries


def _column(name: str, entries: Any, size: int, least: float) -> list[float]:
    for i, x in enumerate(_listed(name, entries, size)):
        try:
            fits = not isinstance(x, bool) and math.isfinite(number(x)) and x >= least
        except AutogradError:
            fits = False
        if not fits:
            what = repr(x) if isinstance(x, float) else type_name(x)
            raise FormatError(f"{name}[{i}]: expected a finite number >= {least}; got {what}")
    return [float(x) for x in entries]


def _setting(name: str, x: Any, below: float = math.inf) -> float:
    setting = number(x, name)
    if not 0.0 <= setting < below:
        raise InputError(f"{name} must be at least 0 and {'finite' if below == math.inf else 'below 1'}, "
                         f"not {short(setting)}")
    return setting


class SGD(Optimizer):
    """Gradient descent: x ← x − lr·d, with d = g + weight_decay·x for the gradient g.

    With momentum, v ← momentum·v + d takes the place of d; with Nesterov's,
    d + momentum·v does.
    """

    memory: dict[str, float] = {"velocity": -math.inf}
    momentum: float
    nesterov: bool
    weight_decay: float

    def __init__(self, parameters: Iterable[Value], lr: float | Schedule = 0.01, *,
                 momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0):
        super().__init__(parameters, lr)
        self.momentum = _setting("momentum", momentum, 1.0)
        self.nesterov, self.weight_decay = nesterov, _setting("weight_decay", weight_decay)
        if nesterov and not self.momentum:
            raise InputError("nesterov=True needs a momentum above 0")

    def moved(self, x: float, g: float, memory: tuple[float, ...], lr: float,
              steps: int) -> tuple[float, ...]:
        d = g + self.weight_decay * x
        v = self.momentum * memory[0] + d
        return x - lr * (d + self.momentum * v if self.nesterov else v), v


class Adam(Optimizer):
    """Adam: x ← x − lr·m̂/(√v̂ + eps), m and v the running means of d and d².

    d is g + weight_decay·x; m̂ and v̂ are m and v over 1 − beta^steps, for the steps that the
    parameter itself has taken. (Kingma & Ba, "Adam: a method for stochastic optimization", 2015,
    algorithm 1.)
    """

    memory: dict[str, float] = {"mean": -math.inf, "square": 0.0}
    betas: tuple[float, float]
    eps: float
    weight_decay: float
    decoupled: bool = False               # is the weight decay kept apart from the gradient?

    def __init__(self, parameters: Iterable[Value], lr: float | Schedule = 0.001, *,
                 betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0.0):
        super().__init__(parameters, lr)
        try:
            first, second = betas
        except (TypeError, ValueError):
            raise InputError(f"betas are two numbers, not {short(betas)}") from None
        self.betas = _setting("betas[0]", first, 1.0), _setting("betas[1]", second, 1.0)
        self.eps, self.weight_decay = _setting("eps", eps), _setting("weight_decay", weight_decay)
        if not self.eps:
            raise InputError("eps must be above 0; it keeps the division by √v̂ finite")

    def moved(self, x: float, g: float, memory: tuple[float, ...], lr: float,
              steps: int) -> tuple[float, ...]:
        if not self.decoupled:
            d = g + self.weight_decay * x
        else:
            d, x = g, x - lr * self.weight_decay * x
        first, second = self.betas
        m = first * memory[0] + (1.0 - first) * d
        v = second * memory[1] + (1.0 - second) * d * d
        if v < 1e-290 and d and self.eps < 1e-140:          # the digits of d² that eps does not outweigh
            v = math.nan
        root = math.sqrt(v) / math.sqrt(1.0 - second ** steps) + self.eps
        return x - lr * (m / (1.0 - first ** steps)) / root, m, v


class AdamW(Adam):
    """Adam with the weight decay apart from the gradient: x ← (1 − lr·weight_decay)·x first.

    (Loshchilov & Hutter, "Decoupled weight decay regularization", 2019.)
    """

    decoupled: bool = True

    def __init__(self, parameters: Iterable[Value], lr: float | Schedule = 0.001, *,
                 betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0.01):
        super().__init__(parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay)


# -- schedules: functions of the number of steps taken before ------------------------------


class _Schedule:
    """A schedule of checked settings."""

    _at: Callable[[int], float]                 # the rate after so many steps

    def __post_init__(self) -> None:
        for name, x in [*vars(self).items()]:
            counts = name in ("steps", "every")
            object.__setattr__(self, name, whole(x, name, 1) if counts else _setting(name, x))

    def __call__(self, k: int) -> float:
        rate = self._at(whole(k, f"{type_name(self)}: the number of steps taken"))
        if rate - rate != 0.0:
            signal(RangeError(f"{self!r}: the rate after {k} steps is too large for a double",
                              type_name(self), (k,)))
        return rate


def _between(a: float, b: float, t: float, rest: float) -> float:
    """a + (b − a)·t, from the nearer end; `rest` is 1 − t. Exact at both ends."""
    return a + (b - a) * t if t <= rest else b + (a - b) * rest


@dataclass(frozen=True)
class constant(_Schedule):
    """Always `lr`.

    >>> constant(0.1)(1000)
    0.1
    """

    lr: float

    def _at(self, k: int) -> float:
        return self.lr


@dataclass(frozen=True)
class step_decay(_Schedule):
    """`lr`, multiplied by `factor` each time `every` steps have passed.

    Raises:
        RangeError: (when called) the rate is too large for a double.

    >>> [step_decay(8.0, 2, 0.5)(k) for k in range(5)]
    [8.0, 8.0, 4.0, 4.0, 2.0]
    """

    lr: float
    every: int
    factor: float = 0.1

    def _at(self, k: int) -> float:
        n = min(k // self.every, int(sys.float_info.max))   # (any factor but 1 has had its effect by then)
        power = _power(self.factor, n)
        if not self.lr or sys.float_info.min < power < math.inf:
            return self.lr * power if self.lr else 0.0
        rate = self.lr                          # the product may be in range where the power is not
        for part in (n // 3, (n + 1) // 3, (n + 2) // 3):
            rate *= _power(self.factor, part)
        return rate


def _power(x: float, n: int) -> float:
    try:
        return x ** n
    except OverflowError:
        return math.inf


def exponential(lr: float, factor: float) -> Schedule:
    """`lr`, multiplied by `factor` after each step: a `step_decay`.

    >>> [exponential(8.0, 0.5)(k) for k in range(3)]
    [8.0, 4.0, 2.0]
    """
    return step_decay(lr, 1, factor)


@dataclass(frozen=True)
class linear(_Schedule):
    """In a straight line from `lr` to `last`, which it reaches after `steps` steps and keeps.

    >>> [linear(1.0, 2)(k) for k in range(4)]
    [1.0, 0.5, 0.0, 0.0]
    """

    lr: float
    steps: int
    last: float = 0.0

    def _at(self, k: int) -> float:
        k = min(k, self.steps)
        return _between(self.lr, self.last, k / self.steps, (self.steps - k) / self.steps)


@dataclass(frozen=True)
class cosine(_Schedule):
    """Half a cosine wave from `lr` to `last`, which it reaches after `steps` steps and keeps.

    >>> [round(cosine(1.0, 2)(k), 15) for k in range(4)]
    [1.0, 0.5, 0.0, 0.0]
    """

    lr: float
    steps: int
    last: float = 0.0

    def _at(self, k: int) -> float:
        k = min(k, self.steps)                              # (1 − cos πt)/2 is sin² πt/2
        t, rest = [math.sin(0.5 * math.pi * (part / self.steps)) ** 2 for part in (k, self.steps - k)]
        return _between(self.lr, self.last, t, rest)


@dataclass(frozen=True)
class warmup(_Schedule):
    """The first `steps` steps at 1/steps, 2/steps, … of `lr`, a number or a schedule.

    >>> [warmup(1.0, 4)(k) for k in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    lr: float | Schedule
    steps: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "lr", self.lr if callable(self.lr) else _setting("lr", self.lr))
        object.__setattr__(self, "steps", whole(self.steps, "steps", 1))

    def _at(self, k: int) -> float:
        rate = self.lr(k) if callable(self.lr) else self.lr
        return _setting(f"the schedule's lr at step {k}", rate) * (min(k + 1, self.steps) / self.steps)

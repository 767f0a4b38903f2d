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
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autograd_lite.errors import AutogradError, FormatError, InputError, RangeError, signal
from autograd_lite.ops.op import number
from autograd_lite.graph.value import Value

Schedule = Callable[[int], float]


class Optimizer:
    """The base of the optimisers: parameters, a learning rate, and what `step` remembers.

    A parameter with ``requires_grad=False`` is frozen: no step moves it.

    Args:
        parameters: the leaves to move, such as ``model.parameters()``.
        lr: the learning rate: a number, or a schedule, a function of the number of steps
            taken before (0 at the first step).

    Raises:
        InputError: there is no parameter, one is not a leaf or occurs twice, or a setting lies
            outside its range.
    """

    #: What is remembered for each parameter, 0 at first, and the least it can be.
    memory: dict[str, float] = {}

    def __init__(self, parameters: Iterable[Value], lr: float | Schedule):
        if not isinstance(parameters, Iterable) or isinstance(parameters, Mapping):
            remedy = "; give its values()" if isinstance(parameters, Mapping) else ""
            raise InputError(f"{self._kind}: expected a list of parameters, such as model.parameters(), "
                             f"not {type(parameters).__name__}{remedy}")
        self.parameters = list(parameters)
        self.lr = lr if callable(lr) else _setting("lr", lr)
        self.steps = 0
        if not self.parameters:
            raise InputError(f"{self._kind}: there are no parameters to optimise")
        for i, p in enumerate(self.parameters):
            if not isinstance(p, Value) or p.op:
                raise InputError(f"{self._kind}: parameter {i} must be a leaf (a Value made from a number, "
                                 f"not computed), got {p!r}")
        if len(set(map(id, self.parameters))) < len(self.parameters):
            raise InputError(f"{self._kind}: a parameter occurs twice; it would be moved twice")
        self._memories = [(0.0,) * len(self.memory) for _ in self.parameters]

    @property
    def _kind(self) -> str:
        return type(self).__name__

    def rate(self) -> float:
        """The learning rate of the next step."""
        if callable(self.lr):
            return _setting(f"the schedule's lr at step {self.steps}", self.lr(self.steps))
        return self.lr

    def moved(self, x: float, g: float, memory: tuple[float, ...], lr: float,
              steps: int) -> tuple[float, ...]:
        """A parameter `x` with gradient `g` after this step, and what to remember for it.

        `steps` includes this one.
        """
        raise NotImplementedError

    def step(self) -> None:
        """Move every parameter against its gradient.

        Raises:
            RangeError: a number would become infinite or a nan; nothing has changed then.
        """
        lr, steps = self.rate(), self.steps + 1
        after = [self.moved(p.data, p.grad, memory, lr, steps) if p.requires_grad else (p.data, *memory)
                 for p, memory in zip(self.parameters, self._memories)]
        for i, (p, numbers) in enumerate(zip(self.parameters, after)):
            if p.requires_grad and not all(map(math.isfinite, numbers)):
                signal(RangeError(f"{self._kind}, step {steps}: parameter {i}, {p!r}, would leave the range "
                                  f"of a double; its gradient or the rate {lr!r} is too large",
                                  self._kind, (p.data, p.grad), (p,)))
        for p, numbers in zip(self.parameters, after):
            p.data = numbers[0]
        self.steps, self._memories = steps, [numbers[1:] for numbers in after]

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for p in self.parameters:
            p.grad = 0.0

    def state_dict(self) -> dict[str, Any]:
        """What `step` remembers, for JSON: with this and the parameters, training continues exactly.

        The settings are not part of it.
        """
        columns = map(list, zip(*self._memories))
        return {"optimizer": self._kind, "steps": self.steps, **dict(zip(self.memory, columns))}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state_dict` of the same kind of optimiser with as many parameters.

        Raises:
            FormatError: the state does not fit; nothing has changed then.
        """
        names = {"optimizer", "steps", *self.memory}
        if not isinstance(state, Mapping) or state.keys() != names:
            raise FormatError(f"a state of {self._kind} is a mapping with exactly {', '.join(sorted(names))}")
        if state["optimizer"] != self._kind:
            raise FormatError(f"optimizer: the state is not one of {self._kind}")
        steps = state["steps"]
        if type(steps) is not int or not 0 <= steps < 2 ** 53:
            raise FormatError(f"steps: expected a count, got {type(steps).__name__}")
        columns = [_column(name, state[name], len(self.parameters), least)
                   for name, least in self.memory.items()]
        self.steps = steps
        self._memories = list(zip(*columns)) if columns else [() for _ in self.parameters]


def _column(name: str, entries: Any, size: int, least: float) -> list[float]:
    if not isinstance(entries, list) or len(entries) != size:
        raise FormatError(f"{name}: expected a list of {size} numbers, one for each parameter")
    for i, x in enumerate(entries):
        try:
            fits = not isinstance(x, bool) and math.isfinite(number(x)) and x >= least
        except AutogradError:
            fits = False
        if not fits:
            what = repr(x) if isinstance(x, float) else type(x).__name__
            raise FormatError(f"{name}[{i}]: expected a finite number >= {least}; got {what}")
    return [float(x) for x in entries]


def _setting(name: str, x: Any, below: float = math.inf) -> float:
    setting = number(x, name)
    if not 0.0 <= setting < below:
        raise InputError(f"{name} must be at least 0 and {'finite' if below == math.inf else 'below 1'}, "
                         f"not {setting!r}")
    return setting


class SGD(Optimizer):
    """Gradient descent: x ← x − lr·d, with d = g + weight_decay·x for the gradient g.

    With momentum, v ← momentum·v + d takes the place of d; with Nesterov's,
    d + momentum·v does.
    """

    memory = {"velocity": -math.inf}

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

    d is g + weight_decay·x; m̂ and v̂ are m and v over 1 − beta^steps. (Kingma & Ba,
    "Adam: a method for stochastic optimization", 2015, algorithm 1.)
    """

    memory = {"mean": -math.inf, "square": 0.0}
    decoupled = False               # is the weight decay kept apart from the gradient?

    def __init__(self, parameters: Iterable[Value], lr: float | Schedule = 0.001, *,
                 betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0.0):
        super().__init__(parameters, lr)
        try:
            first, second = betas
        except (TypeError, ValueError):
            raise InputError(f"betas are two numbers, not {betas!r}") from None
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
        root = math.sqrt(v) / math.sqrt(1.0 - second ** steps) + self.eps
        return x - lr * (m / (1.0 - first ** steps)) / root, m, v


class AdamW(Adam):
    """Adam with the weight decay apart from the gradient: x ← (1 − lr·weight_decay)·x first.

    (Loshchilov & Hutter, "Decoupled weight decay regularization", 2019.)
    """

    decoupled = True

    def __init__(self, parameters: Iterable[Value], lr: float | Schedule = 0.001, *,
                 betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0.01):
        super().__init__(parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay)


# -- schedules: functions of the number of steps taken before ------------------------------


def constant(lr: float) -> Schedule:
    """Always `lr`.

    >>> constant(0.1)(1000)
    0.1
    """
    lr = _setting("lr", lr)
    return lambda k: lr


def step_decay(lr: float, every: int, factor: float = 0.1) -> Schedule:
    """`lr`, multiplied by `factor` each time `every` steps have passed.

    >>> [step_decay(8.0, 2, 0.5)(k) for k in range(5)]
    [8.0, 8.0, 4.0, 4.0, 2.0]
    """
    lr, every, factor = _setting("lr", lr), _count("every", every), _setting("factor", factor)
    return lambda k: lr * factor ** (k // every)


def exponential(lr: float, factor: float) -> Schedule:
    """`lr`, multiplied by `factor` after each step.

    >>> [exponential(8.0, 0.5)(k) for k in range(3)]
    [8.0, 4.0, 2.0]
    """
    return step_decay(lr, 1, factor)


def linear(lr: float, steps: int, last: float = 0.0) -> Schedule:
    """In a straight line from `lr` to `last`, which it reaches after `steps` steps and keeps.

    >>> [linear(1.0, 2)(k) for k in range(4)]
    [1.0, 0.5, 0.0, 0.0]
    """
    lr, steps, last = _setting("lr", lr), _count("steps", steps), _setting("last", last)
    return lambda k: lr + (last - lr) * min(k / steps, 1.0)


def cosine(lr: float, steps: int, last: float = 0.0) -> Schedule:
    """Half a cosine wave from `lr` to `last`, which it reaches after `steps` steps and keeps.

    >>> [round(cosine(1.0, 2)(k), 15) for k in range(4)]
    [1.0, 0.5, 0.0, 0.0]
    """
    lr, steps, last = _setting("lr", lr), _count("steps", steps), _setting("last", last)
    return lambda k: last + (lr - last) * 0.5 * (1.0 + math.cos(math.pi * min(k / steps, 1.0)))


def warmup(lr: float | Schedule, steps: int) -> Schedule:
    """The first `steps` steps at 1/steps, 2/steps, … of `lr`, a number or a schedule.

    >>> [warmup(1.0, 4)(k) for k in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """
    rate, steps = lr if callable(lr) else constant(lr), _count("steps", steps)
    return lambda k: rate(k) * min((k + 1) / steps, 1.0)


def _count(name: str, x: Any) -> int:
    if not isinstance(x, int) or x < 1:
        raise InputError(f"{name} must be a whole number of at least 1, not {x!r}")
    return x

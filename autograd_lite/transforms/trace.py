"""`Trace`: a function run once on Values of its own, and the sweeps over its graph."""
from __future__ import annotations

import functools
import inspect
import operator
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import FunctionType, MethodType
from typing import Any

from autograd_lite.errors import InputError, errstate, ignoring, short, shown
from autograd_lite.graph.backward import backward, checked, finite, plus
from autograd_lite.graph.linear import Algebra, Edge, Linear
from autograd_lite.graph import kinks, value
from autograd_lite.graph.node import freeze, op_of, plain, stored_partials
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value
from autograd_lite.lines import printable
from autograd_lite.locks import computed_once
from autograd_lite.modes import apart
from autograd_lite.ops.branches import Guard
from autograd_lite.ops.elementary import identity
from autograd_lite.ops.numbers import partials_or_nan
from autograd_lite.ops.op import number
from autograd_lite.ops.selection import stopped
from autograd_lite.transforms.gates import Gate, Gated, idle, merged, opened, through
from autograd_lite.transforms.trees import leaves, rebuild, refill

Function = Callable[..., Any]
Selection = int | str | Sequence[int | str]


class Trace:
    """One run of a function on Values of its own.

    `selected` are the arguments that `argnums` names (a tuple of several), `inputs` the
    Values made of their numbers, `result` what the function returned."""

    _swept, _kept = False, list[list[Edge]]()

    def __init__(self, f: Function, args: Sequence[Any], kwargs: Mapping[str, Any], argnums: Selection = 0):
        self.inputs: list[Value] = []
        self.linked = False                 # whether an input is made from a node of the caller's
        self.closed: list[Any] = []         # results known to depend on the inputs alone
        self.selected: Any = []
        self.tape = value.tracing.get() if value.special else None         # where `compile` records
        first = type(argnums) is int and 0 <= argnums < len(args)
        places: Any = [argnums] if first else _places(f, argnums, args, kwargs)
        run = functools.partial(apart, value.not_recording, self._run) if value.special else self._run
        self.result = run(f, list(args), kwargs, places)
        self.selected = self.selected[0] if first or isinstance(argnums, (int, str)) else tuple(self.selected)
        for x in self.inputs:
            if not (self.tape or self.linked and x.operands):
                freeze(x)                   # an input that escapes is a constant

    def _run(self, f: Function, args: Any, kwargs: Any, places: Sequence[int | str]) -> Any:
        """What f returns if the numbers in its arguments at `places` are inputs, even inside a `no_grad`."""
        if value.special:
            value.not_recording.set(())
        try:
            for place in places:
                given = args if type(place) is int else kwargs
                tree, before = given[place], len(self.inputs)
                self.selected.append(tree)
                given[place] = self._input(tree) if type(tree) is float else rebuild(tree, self._input)
                if not self.inputs[before:]:
                    leaves(tree)
        except InputError as error:
            raise InputError(f"{name_of(f)}: {error}") from None
        return f(*args, **kwargs)

    def shape(self, entries: Sequence[Any]) -> Any:
        """The entries, one for each input (0 for None), in the shape of the selected arguments."""
        if type(self.selected) is float:
            return 0.0 if entries[0] is None else entries[0]
        return refill(self.selected, [0.0 if entry is None else entry for entry in entries])

    def lower_all(self, tree: Any) -> Any:
        """`lower` for the numbers of a structure; the rest stays."""
        return rebuild(tree, self.lower, lambda x: x)

    def _input(self, x: Any) -> Value:
        """A Value of our own, linked to the caller's if x is one."""
        if self.tape:
            own: Value = self.tape.alias(x, True)
        elif not isinstance(x, Value):
            own = Value(x)
        else:
            self.linked |= x.requires_grad
            own = identity(x) if x.requires_grad else Value(x.data)
            own.label = x.label
        self.inputs.append(own)
        return own

    @computed_once
    def outputs(self) -> list[Any]:
        """The numbers of the result."""
        return leaves(self.result)

    @computed_once
    def program(self) -> Program:
        """What the result depends on, down to the inputs."""
        return Program(self.outputs, self.inputs)

    @computed_once
    def inputs_at(self) -> list[int | None]:
        """The places of the inputs; None for one on which nothing depends."""
        return [self.program.place(x) for x in self.inputs]

    @computed_once
    def varies(self) -> list[bool]:
        """For each place whether it is an input or depends on one."""
        return self.program.dependent(self.inputs_at, list(map(op_of, self.program.nodes)))

    @computed_once
    def outer(self) -> list[bool]:
        """For each place whether it depends on the caller's Values: leaves, or inputs linked to them."""
        own = set(map(id, self.inputs))
        return self.program.dependent([k for k, x in enumerate(self.program.nodes) if (
            x.operands if id(x) in own else x.requires_grad and not x.operands)])

    def lower(self, x: Any) -> Any:
        """A result for the caller: a float, unless it depends on the caller's Values."""
        if not isinstance(x, Value):
            return x
        if self.tape:
            return self.tape.lower(self, x)
        if not any([x is y for y in self.closed]):
            k = self.program.place(x)
            if k is not None and self.outer[k]:
                return x
        return x.data

    def pull(self, *seeded: tuple[Any, Any]) -> list[Any]:
        """Σ seed · ∂output/∂input by each input (a reverse sweep); None where no path leads."""
        if self.tape:
            return self.tape.pull(self, seeded)  # type: ignore[no-any-return]
        if len(seeded) == 1 and not self.linked:
            output, seed = seeded[0]
            if type(seed) is float and isinstance(output, Value) and output.requires_grad:
                found = backward(output, seed, self.inputs)
                if found is not None:
                    self.closed.append(output)
                    if kinks.live:
                        self.verify({self.program.place(output): seed}, found)
                    return found
        algebra, seeds = Checked(self), dict[int, Any]()
        for output, seed in seeded:
            k = self.program.place(output)
            if k is not None:
                seeds[k] = seed if k not in seeds else algebra.plus(seeds[k], seed, k)
        arrived = self.linear.pull(seeds, algebra)
        found = [None if k is None else opened(arrived[k]) for k in self.inputs_at]
        if kinks.live:
            self.verify(seeds, found)
        return found

    def verify(self, seeds: Any, found: Sequence[Any], outputs: Sequence[int | None] = ()) -> None:
        """Signal an error if what a sweep found (to the outputs, if given) depends on a convention."""
        kinks.verify_sweep(self.program, self.inputs_at, {k: plain(seed) for k, seed in seeds.items()},
                           outputs or self.inputs_at, found, bool(outputs))

    @property
    def linear(self) -> Linear:
        """The partials by operands that vary: floats, or Values where they depend on the caller's.

        They are kept for a second sweep."""
        edges: Any = functools.partial(_edges, self)
        if self._swept:
            self._kept = self._kept or list(map(edges, range(len(self.program))))
        self._swept = True
        return Linear(len(self.program), self._kept.__getitem__ if self._kept else edges)

    @computed_once
    def guards(self) -> list[Sequence[Guard]]:
        """For each place the guards on which its recorded partials depend."""
        return [node.__guards__ if varies else () for node, varies in zip(self.program.nodes, self.outer)]

    @computed_once
    def idle(self) -> list[bool]:
        """For each place whether only branches not taken need it."""
        return idle(self.program, list(map(self.program.place, self.outputs)))


def _edges(trace: Trace, k: int) -> list[Edge]:
    """The partials of a node by the operands that vary."""
    varies, operands = trace.varies, trace.program.operands[k]
    moved = [i for i, x in enumerate(operands) if x is not None and varies[x]]
    if not moved:
        return []
    partials = _recorded(trace, k, moved) if trace.outer[k] else stored_partials(trace.program.nodes[k])
    return [(operands[i], i, partials[i]) for i in moved if partials[i] is not None]


def _recorded(trace: Trace, k: int, moved: Sequence[int]) -> Sequence[Any]:
    """The partials of a node as nodes, by the operands that moved."""
    node, outer = trace.program.nodes[k], trace.outer
    op: Any = op_of(node)
    xs = [x if place is None or outer[place] else x.data
          for x, place in zip(node.operands, trace.program.operands[k])]
    if op.chooses and isinstance(xs[0], Value):
        return [None, Gate(xs[0], True), Gate(xs[0], False)]
    wanted = [False] * len(xs)
    for i in moved:
        wanted[i] = i not in op.options
    if not trace.idle[k]:
        partials = partials_or_nan(op, node, xs, wanted)
        if op.kink:
            kinks.mark(node, partials)
        return [p * node if type(p) is float and p != p else p for p in partials]
    return errstate("ignore").run(partials_or_nan, op, node, xs, wanted)     # (right where it is taken)


class Checked(Algebra):
    """Gradients, floats or nodes, each product and sum checked; `Gated` behind a `Gate`."""

    def __init__(self, trace: Trace):
        self.nodes, self.guards, self.ieee = trace.program.nodes, trace.guards, ignoring()

    def times(self, g: Any, p: Any, k: int, i: int) -> Any:
        if type(p) is Gate or type(g) is Gated:
            return through(g, p, lambda g, p: self.times(g, p, k, i))
        if self.ieee:
            term = g * p
        elif not finite(p) and plain(g) == 0.0:
            term = stopped(g, self.nodes[k])
        else:
            term = _times(g, p)
            if not finite(term):
                term = checked(term, self.nodes[k], i, g, p)
        for guard in self.guards[k]:                                    # (they hold for its partials too)
            term = (term if isinstance(term, Value) else Value(term, requires_grad=False)).__guarded__(guard)
        return term

    def plus(self, a: Any, b: Any, k: int) -> Any:
        if type(a) is Gated or type(b) is Gated:
            return merged(a, b, lambda a, b: self.plus(a, b, k))
        return plus(self.nodes[k], a, b)


def _times(g: Any, p: Any) -> Any:
    if type(p) is float and p in (0.0, 1.0, -1.0):
        return g if p == 1.0 else -g if p else 0.0
    if type(g) is float and g in (0.0, 1.0):
        return p if g else 0.0
    return g * p


def selection(f: Function, argnums: Any) -> Any:
    """`argnums`, once it is clear that f may have such arguments; several in a tuple."""
    one = (isinstance(argnums, str) or not isinstance(argnums, Iterable)
           or getattr(argnums, "shape", None) == ())
    try:
        several = tuple([x if isinstance(x, str) or type(x) is bool else operator.index(x)
                         for x in ((argnums,) if one else argnums)])
    except TypeError:
        several = (False,)
    if bool in map(type, several):
        raise InputError(f"argnums={short(argnums)}: give the position or the name of an argument of "
                         f"{name_of(f)}, or several; for a point write grad(f)(x)")
    if len(set(several)) < len(several):
        raise InputError(f"argnums={short(argnums)} names an argument of {name_of(f)} twice")
    if type(f) is FunctionType:
        code = f.__code__
        known = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]
        for wanted in several:
            missing, more = ((wanted not in known, inspect.CO_VARKEYWORDS) if isinstance(wanted, str) else
                             (wanted >= code.co_argcount, inspect.CO_VARARGS))
            if missing and not code.co_flags & more:
                raise InputError(f"argnums={short(argnums)}: {name_of(f)} has no such argument; its "
                                 f"parameters are {', '.join(known) or 'none'}")
    return several[0] if one else several


def _places(f: Function, argnums: Selection, args: Sequence[Any],
            kwargs: Mapping[str, Any]) -> list[int | str]:
    """Where the selected arguments stand in this call."""
    places: list[int | str] = []
    for wanted in [argnums] if isinstance(argnums, (int, str)) else argnums:
        if isinstance(wanted, str):
            if wanted not in kwargs:
                parameters = list(inspect.signature(f).parameters)
                if wanted not in parameters[:len(args)]:
                    raise InputError(f"{name_of(f)} is called without an argument {wanted!r}; its parameters "
                                     f"are {', '.join(parameters)}")
                wanted = parameters.index(wanted)
        elif -len(args) <= wanted < len(args):
            wanted %= len(args)
        else:
            raise InputError(f"{name_of(f)} has no positional argument number {wanted} in this call, which "
                             f"gives {len(args)}")
        places.append(wanted)
    if len(set(places)) < len(places):
        raise InputError(f"argnums={short(argnums)} names an argument of {name_of(f)} twice")
    return places


def name_of(f: Function) -> str:
    """A function's name, for messages."""
    return printable(str(getattr(f, "__name__", type(f).__name__)))


class Transform(functools.partial[Any]):
    """A function made of f, which can be pickled if f can; see `transform`."""

    def __get__(self, thing: Any, kind: Any = None) -> Any:
        return self if thing is None else MethodType(self, thing)

    def __reduce__(self) -> Any:
        path: str = getattr(self, "__qualname__", "")
        found: Any = sys.modules.get(self.__module__)
        for name in path.split("."):
            found = getattr(found, name, None)
        return path if found is self else (transform, (self.func, *self.args))

    def __repr__(self) -> str:
        return f"<{self.func.__name__[1:]} of {short(self.args[0])}>"


def transform(run: Function, f: Any, argnums: Any = 0, *options: Any) -> Function:
    """The function that calls ``run(f, argnums, *options, *arguments)``, with f's name, doc and signature."""
    kind = type(f)
    if kind is not FunctionType:
        require_function(run.__name__[1:], f)
    if type(argnums) is not int or kind is FunctionType and argnums >= f.__code__.co_argcount:
        argnums = selection(f, argnums)
    transformed: Any = Transform(run, f, argnums, *options)
    if kind is FunctionType or kind is Transform:       # (as `functools` does, faster)
        names = {"__name__": f.__name__, "__qualname__": f.__qualname__, "__module__": f.__module__,
                 "__doc__": f.__doc__, "__wrapped__": f}
        transformed.__dict__ = {**f.__dict__, **names} if f.__dict__ else names
    else:
        functools.update_wrapper(transformed, f)
        for name in ("__name__", "__qualname__"):               # (some callables have none)
            vars(transformed).setdefault(name, name_of(f))
    return transformed  # type: ignore[no-any-return]


def require_function(where: str, f: Any) -> None:
    """Raise an error if f is not a function."""
    if not callable(f):
        remedy = ("; for the gradient of a Value call its backward()" if isinstance(f, Value) else
                  "; give one that computes the result from its arguments")
        raise InputError(f"{where} takes a function, got {shown(f)}{remedy}")


def scalar_result(f: Function, y: Any) -> Any:
    """The one number that f returned."""
    if isinstance(y, Value):
        return y
    try:
        if getattr(y, "shape", None) == ():
            y, = leaves(y)
        return y if isinstance(y, Value) else number(y, name_of(f))
    except InputError:
        raise InputError(f"{name_of(f)} returned {shown(y)}; a gradient needs one number (of an array its "
                         "item(); jacobian takes several; has_aux=True takes a second result)") from None

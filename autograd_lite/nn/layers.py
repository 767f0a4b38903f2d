"""Neurons, layers and losses, and modules whose parameters have names and can be saved.

>>> import random; random.seed(1)
>>> model = MLP(2, [3, 1])
>>> loss = squared_error(model([0.5, -1.0]), 1.0)
>>> loss.backward()
>>> len(model.parameters()), list(model.named_parameters())[:2]
(13, ['layers[0].neurons[0].w[0]', 'layers[0].neurons[0].w[1]'])
"""
from __future__ import annotations

import json
import math
import operator
import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from autograd_lite.graph import value
from autograd_lite.errors import AutogradError, FormatError, InputError
from autograd_lite.graph.node import Note
from autograd_lite.ops.elementary import dot_row, logsumexp, relu, softplus, sum
from autograd_lite.ops.op import TABLE, Op, Operators, number, short
from autograd_lite.graph.value import Value

Scope = tuple[str, ...]
FORMAT = "autograd_lite parameters, version 1"


class Module:
    """Something with parameters; derive your own models from it.

    The parameters are the leaves among its attributes, also those in lists, tuples, dicts,
    modules and object arrays there. Attributes whose names begin with an underscore are passed over.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    >>> Line().state_dict()
    {'slope': 2.0, 'offset': 1.0}
    """

    def named_parameters(self) -> dict[str, Value]:
        """The parameters by name, in order; one that is met twice keeps its first name."""
        named: dict[str, Value] = {}
        seen: dict[int, object] = {}            # kept alive, so that no id comes twice
        stack: list[tuple[str, object]] = [("", self)]
        while stack:
            name, thing = stack.pop()
            if id(thing) in seen:
                continue
            seen[id(thing)] = thing
            if not isinstance(thing, Value):
                stack += [(name + key, part) for key, part in reversed([*_parts(thing)])]
            elif not thing.op:
                named[name.removeprefix(".")] = thing
        return named

    def parameters(self) -> list[Value]:
        """The parameters, each once, in order."""
        return list(self.named_parameters().values())

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for p in self.parameters():
            p.grad = 0.0

    def state_dict(self) -> dict[str, float]:
        """The parameters' numbers by name."""
        return {name: p.data for name, p in self.named_parameters().items()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Give every parameter the number `state` has for it.

        Raises:
            FormatError: a name is missing or unknown, or an entry is no finite number; no
                parameter has changed then.
        """
        named = self.named_parameters()
        if not isinstance(state, Mapping):
            raise FormatError(f"a state is a mapping of names to numbers, not {type(state).__name__}")
        for names, have, verbs, what in ((named, state, ("is", "are"), "missing from the state"),
                                         (state, named, ("names", "name"), "no parameter of this model")):
            absent = [name for name in names if name not in have]
            if absent:
                more = f" (and {len(absent) - 1} more)" if absent[1:] else ""
                what = f"{verbs[len(absent) > 1]} {what}"
                raise FormatError(f"{short(absent[0])}{more} {what}; was it saved from a model of "
                                  "another shape?")
        data = {name: _finite(name, state[name]) for name in named}
        for name, p in named.items():
            p.data = data[name]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters to a JSON file, exactly; a file of that name is replaced whole.

        Raises:
            FormatError: a parameter is not finite, which JSON cannot say; nothing is written.
            OSError: the file cannot be written.
        """
        state = {name: _finite(name, x) for name, x in self.state_dict().items()}
        part = Path(f"{os.fspath(path)}.part")
        try:
            part.write_text(json.dumps({"format": FORMAT, "parameters": state}, indent=1) + "\n", "utf-8")
            part.replace(path)
        except OSError as error:                # of the file that was asked for
            raise OSError(error.errno, error.strerror, os.fspath(path)) from None

    def load(self, path: str | os.PathLike[str]) -> None:
        """Read the parameters from a file that `save` wrote.

        Raises:
            FormatError: the file is not one, or not of this model; no parameter has changed.
        """
        try:
            content = _strict_json(Path(path).read_bytes())
            if not isinstance(content, dict) or content.get("format") != FORMAT:
                raise FormatError(f"it is no file of parameters (its 'format' is not {FORMAT!r})")
            if content.keys() != {"format", "parameters"}:
                raise FormatError("it must have 'format' and 'parameters', and nothing else")
            self.load_state_dict(content["parameters"])
        except FormatError as error:
            raise FormatError(f"{os.fspath(path)}: {error}") from None


def _parts(thing: object) -> Iterator[tuple[str, object]]:
    """What lies in something that may hold parameters, and how it is reached."""
    if isinstance(thing, Module):
        yield from ((f".{name}", part) for name, part in vars(thing).items() if name[0] != "_")
    elif isinstance(thing, Mapping):
        yield from ((f"[{key!r}]", part) for key, part in thing.items())
    elif isinstance(thing, (list, tuple)):
        yield from ((f"[{i}]", part) for i, part in enumerate(thing))
    elif getattr(thing, "dtype", None) == object:
        yield "", thing.tolist()  # type: ignore[attr-defined]


def _finite(name: str, x: Any) -> float:
    try:
        data = math.nan if isinstance(x, bool) else number(x)
    except AutogradError:
        data = math.nan
    if not math.isfinite(data):
        raise FormatError(f"{name}: expected a finite number, got {type(x).__name__} {short(x)}")
    return data


def _strict_json(text: bytes) -> Any:
    """JSON as its standard has it: no NaN, no key twice; every number a float."""
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        for key, entry in pairs:
            if key in entries:
                raise FormatError(f"{short(key)} occurs twice")
            entries[key] = entry
        return entries

    def refuse(token: str) -> Any:
        raise FormatError(f"{token} is no JSON number")

    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse,
                          parse_int=float)
    except FormatError:
        raise
    except RecursionError:
        raise FormatError("it is nested too deeply") from None
    except ValueError as error:
        raise FormatError(f"it is not JSON, or only a part of it: {error}") from None


# -- neurons -----------------------------------------------------------------------------


def linear(x: Any) -> Any:
    """The activation that changes nothing."""
    return x


def activation_names() -> list[str]:
    """What an activation can be called: "linear", and each op of one number with a derivative everywhere.

    >>> {"linear", "relu", "tanh", "sigmoid", "gelu"} <= set(activation_names())
    True
    """
    return ["linear", *(name for name, row in TABLE.items() if _serves(row))]


def _serves(row: Op) -> bool:
    if callable(row.partials) or row.singular:
        return False
    optional = getattr(row.forward, "__defaults__", None) or ()
    return (len(row.partials) - len(optional) == 1
            and all(row.domain(x) for x in (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5)))


def _activation(wanted: str | Callable[[Any], Any]) -> Callable[[Any], Any]:
    if callable(wanted):
        return wanted
    if wanted == "linear":
        return linear
    if not isinstance(wanted, str) or wanted not in TABLE or not _serves(TABLE[wanted]):
        raise InputError(f"no activation is called {short(wanted)}; there are "
                         f"{', '.join(activation_names())}; or give a function of one Value")
    fast: Callable[[Any], Any] | None = vars(Value).get(wanted)     # the few that `Value` writes out
    return fast or TABLE[wanted]


def _name(activation: Callable[[Any], Any]) -> str:
    name: str = getattr(activation, "name", "") or getattr(activation, "__name__", "")
    return "ReLU" if name == "relu" else name[:1].upper() + name[1:]


def _size(x: Any, what: str) -> int:
    try:
        size = operator.index(x)
    except TypeError:
        raise InputError(f"{what} must be a whole number, not {short(x)}") from None
    if size < 1:
        raise InputError(f"{what} must be at least 1, not {size}")
    return size


def _entries(where: str, xs: Any) -> list[Any]:
    """A number or Value, or many, as a list; plain numbers as floats."""
    try:
        entries = list(xs)
    except TypeError:
        entries = [xs]
    return [x if isinstance(x, Operators) else number(x, where) for x in entries]


class Neuron(Module):
    """activation(Σ w[i]·x[i] + b): one `dot` node and the activation's.

    Args:
        nin: the number of inputs.
        nonlin: False for the linear activation.
        activation: a name from `activation_names`, or a function of one Value.
        bias: "neuron" for a bias of its own, None for none.
        scope: the names of the layers its nodes lie in, outermost first, for pictures.

    The weights start at ``random.uniform(-1, 1)``, the bias at 0.

    >>> Neuron(3, activation="tanh")
    TanhNeuron(3)
    """

    def __init__(self, nin: int, nonlin: bool = True, *, activation: str | Callable[[Any], Any] = "relu",
                 bias: Literal["neuron"] | None = "neuron", scope: str | Sequence[str] = ("neuron",)):
        if bias not in ("neuron", None):
            raise InputError(f"the bias of a neuron is 'neuron' or None, not {short(bias)}")
        self.w = [Value(random.uniform(-1, 1)) for _ in range(_size(nin, "the number of inputs"))]
        self.b = Value(0.0) if bias else None
        self.activation = _activation(activation) if nonlin else linear
        self._note = Note(scope=_scope(scope))
        for p in self.parameters():
            p.scope = self._note.scope

    def __call__(self, x: Any, bias: Value | None = None) -> Any:
        """The output for the inputs `x`; `bias` stands in for its own where a layer shares one.

        Raises:
            InputError: `x` has another length than the weights, or holds no number.
        """
        return self._output(_inputs(self._note.scope, x, len(self.w)), self.b if bias is None else bias)

    def _output(self, xs: list[Any], bias: Value | None) -> Any:
        net = dot_row(*self.w, *xs) if bias is None else dot_row(*self.w, *xs, bias)
        out: Any = self.activation(net)
        if getattr(out, "_a", self) is net and not value._special:
            net._note = out._note = self._note      # both are new, and nobody has named them yet
        else:
            _place(net, self._note)
            _place(out, self._note)
        return out

    @property
    def nonlin(self) -> bool:
        """Whether the activation is not the linear one."""
        return self.activation is not linear

    def __repr__(self) -> str:
        return f"{_name(self.activation)}Neuron({len(self.w)})"


class Layer(Module):
    """Neurons over the same inputs.

    Args:
        nin, nout: the numbers of inputs and of neurons.
        nonlin, activation: as for `Neuron`.
        bias: "neuron" for one each, "layer" for one that all share, None for none.
        scope: the names of the layers it lies in, its own last.

    >>> Layer(2, 3, bias="layer").parameters()[-1].scope
    ('layer',)
    """

    def __init__(self, nin: int, nout: int, nonlin: bool = True, *,
                 activation: str | Callable[[Any], Any] = "relu",
                 bias: Literal["neuron", "layer"] | None = "neuron", scope: str | Sequence[str] = ("layer",)):
        if bias not in ("neuron", "layer", None):
            raise InputError(f"the bias of a layer is 'neuron', 'layer' or None, not {short(bias)}")
        self._scope = _scope(scope)
        self.neurons = [Neuron(nin, nonlin, activation=activation, scope=(*self._scope, f"neuron{i + 1}"),
                               bias="neuron" if bias == "neuron" else None)
                        for i in range(_size(nout, "the number of neurons"))]
        self.b = Value(0.0) if bias == "layer" else None
        if self.b is not None:
            self.b.scope = self._scope

    def __call__(self, x: Any) -> Any:
        """The outputs for the inputs `x`, in a list; a single one by itself.

        Raises:
            InputError: `x` has the wrong length, or holds no number.
        """
        outputs = self._outputs(x)
        return outputs if outputs[1:] else outputs[0]

    def _outputs(self, x: Any) -> list[Any]:
        xs = _inputs(self._scope, x, len(self.neurons[0].w))
        return [n._output(xs, n.b if self.b is None else self.b) for n in self.neurons]

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """A multi-layer perceptron: layers one after the other, the last one linear.

    Args:
        nin: the number of inputs.
        nouts: the number of neurons of each layer.
        activation: that of the inner layers; output: that of the last.
        bias: as for `Layer`.

    >>> MLP(2, [2, 1], activation="sigmoid")
    MLP of [Layer of [SigmoidNeuron(2), SigmoidNeuron(2)], Layer of [LinearNeuron(2)]]
    """

    def __init__(self, nin: int, nouts: Iterable[int], activation: str | Callable[[Any], Any] = "relu", *,
                 output: str | Callable[[Any], Any] = "linear",
                 bias: Literal["neuron", "layer"] | None = "neuron", scope: str | Sequence[str] = ()):
        if not isinstance(nouts, Iterable):
            raise InputError("MLP: nouts is a list with the number of neurons of each layer, not "
                             f"{short(nouts)}; for one layer write [{short(nouts)}]")
        sizes = [nin, *nouts]
        if not sizes[1:]:
            raise InputError("an MLP needs at least one layer; give the number of neurons of each")
        activation, output = _activation(activation), _activation(output)
        self.layers = [Layer(a, b, activation=output if i == len(sizes) - 1 else activation, bias=bias,
                             scope=(*_scope(scope), f"layer{i}"))
                       for i, (a, b) in enumerate(zip(sizes, sizes[1:]), 1)]

    def __call__(self, x: Any) -> Any:
        """The outputs of the last layer for the inputs `x`, in a list; a single one by itself.

        Raises:
            InputError: `x` has the wrong length, or holds no number.
        """
        for layer in self.layers[:-1]:
            x = layer._outputs(x)
        return self.layers[-1](x)

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


def _scope(scope: str | Sequence[str]) -> Scope:
    return (scope,) if isinstance(scope, str) else tuple(scope)


def _place(node: Any, note: Note) -> None:
    """Put a node into a neuron's scope, unless it lies in one."""
    if type(node) is Value and not node.scope:
        node.scope = note.scope


def _inputs(scope: Scope, x: Any, size: int) -> list[Any]:
    where = "/".join(scope)
    try:
        xs = _entries(where, x)
    except InputError:
        if getattr(x, "shape", ())[1:] or isinstance(x, (list, tuple)) and any(
                isinstance(row, (list, tuple)) or getattr(row, "shape", ()) for row in x):
            raise InputError(f"{where} takes one sample; for many write [model(row) for row in x]") from None
        raise
    if len(xs) != size:
        raise InputError(f"{where} takes {size} input{'s' * (size != 1)}, got {len(xs)}")
    return xs


# -- losses, of one sample: over a list of outputs they add -------------------------------


def _paired(name: str, outputs: Any, targets: Any) -> list[tuple[Any, Any]]:
    left, right = _entries(name, outputs), _entries(name, targets)
    if len(left) != len(right) or not left:
        raise InputError(f"{name}: there must be as many targets as outputs, and at least one; got "
                         f"{len(right)} for {len(left)}")
    return list(zip(left, right))


def _total(losses: list[Any]) -> Any:
    return sum(losses) if losses[1:] else losses[0]


def squared_error(outputs: Any, targets: Any) -> Any:
    """Σ ½(target − output)², over a single output or a list.

    >>> squared_error([0.5, 1.0], [1.0, 3.0])
    2.125
    """
    return _total([0.5 * (t - o) ** 2 for o, t in _paired("squared_error", outputs, targets)])


def hinge(scores: Any, targets: Any) -> Any:
    """Σ max(0, 1 − target·score); each target is −1 or 1.

    >>> hinge([0.25, 3.0], [-1, 1])
    1.25
    """
    pairs = _paired("hinge", scores, targets)
    for _, t in pairs:
        if t != 1.0 and t != -1.0:
            raise InputError(f"hinge: a target is -1 or 1, not {t!r}")
    return _total([relu(1.0 - t * s) for s, t in pairs])


def binary_cross_entropy(logits: Any, targets: Any) -> Any:
    """−Σ (t·log p + (1 − t)·log(1 − p)) with p = sigmoid(logit), exact at any logit.

    A target is the probability of the class, 0 ≤ t ≤ 1, mostly 0 or 1.

    >>> binary_cross_entropy(1000.0, 0), binary_cross_entropy(-1000.0, 0)
    (1000.0, 0.0)
    """
    losses = []
    for x, t in _paired("binary_cross_entropy", logits, targets):
        if not 0.0 <= t <= 1.0:
            raise InputError(f"binary_cross_entropy: a target is a probability from 0 to 1, not {t!r}")
        if type(t) is float and t in (0.0, 1.0):
            losses.append(softplus(-x if t else x))
        else:
            losses.append(t * softplus(-x) + (1.0 - t) * softplus(x))
    return _total(losses)


def softmax_cross_entropy(logits: Iterable[Any], target: int) -> Any:
    """−log softmax(logits)[target]; `target` is the index of the class.

    >>> softmax_cross_entropy([1000.0, 0.0], 1)
    1000.0
    """
    name = "softmax_cross_entropy"
    if not isinstance(logits, Iterable):
        raise InputError(f"{name}: expected a list of logits, one for each class, got {logits!r}")
    xs = _entries(name, logits)
    try:
        k = operator.index(target)
    except TypeError:
        raise InputError(f"{name}: the target is the index of a class, not {short(target)}") from None
    if not 0 <= k < len(xs):
        raise InputError(f"{name}: there are {len(xs)} classes, from 0 on; {k} is none of them")
    # Over the differences a small loss keeps its digits, which logsumexp(xs) − xs[k] cancels.
    return logsumexp([0.0, *(x - xs[k] for i, x in enumerate(xs) if i != k)])

"""Neurons, layers and networks of layers.

>>> import random; random.seed(1)
>>> from autograd_lite.nn import squared_error
>>> model = MLP(2, [3, 1])
>>> loss = squared_error(model([0.5, -1.0]), 1.0)
>>> loss.backward()
>>> len(model.parameters()), list(model.named_parameters())[:2]
(13, ['layers[0].neurons[0].w[0]', 'layers[0].neurons[0].w[1]'])
"""
from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from autograd_lite.errors import InputError, short
from autograd_lite.graph import value
from autograd_lite.graph.node import Note
from autograd_lite.graph.value import Value, name_new
from autograd_lite.lines import printable
from autograd_lite.nn.module import Module
from autograd_lite.ops.op import TABLE, Op, number
from autograd_lite.ops.operators import Operators
from autograd_lite.ops.sequences import dot_op
from autograd_lite.ops.whole import whole

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import Mixed, Plain

    Inputs = Value | Plain | Mixed[Value]       # one or many

X = TypeVar("X")
Scope = tuple[str, ...]


def entries(where: str, xs: Any) -> list[Any]:
    """A number or Value, or many, as a list; plain numbers as floats."""
    try:
        entries = list(xs)
    except TypeError:
        entries = [xs]
    return [x if isinstance(x, Operators) else number(x, where) for x in entries]


# -- neurons -----------------------------------------------------------------------------


def linear(x: X) -> X:
    """The activation that changes nothing."""
    return x


def activation_names() -> list[str]:
    """The names of activations: "linear", and each op of one number with a derivative everywhere.

    >>> {"linear", "relu", "tanh", "sigmoid", "gelu"} <= set(activation_names())
    True
    """
    return ["linear", *(name for name, op in TABLE.items() if _serves(op))]


def _serves(op: Op) -> bool:
    return (op.least == 1 and not op.open and op.differentiable(1)[0] and not op.singular
            and all(op.domain(x) for x in (-1.5, 0.0, 1.5)))


def _activation(wanted: str | Callable[[Any], Any]) -> Callable[[Any], Any]:
    if callable(wanted):
        return wanted
    if wanted == "linear":
        return linear
    if not isinstance(wanted, str) or wanted not in TABLE or not _serves(TABLE[wanted]):
        raise InputError(f"no activation is called {short(wanted)}; there are "
                         f"{', '.join(activation_names())}; or give a function of one Value")
    op = TABLE[wanted]
    if not op.quick:
        value.quicken(op)                       # (so that it is the same in every process)
    return vars(Value).get(wanted, op)  # type: ignore[no-any-return]


def activation_name(activation: Callable[[Any], Any]) -> str:
    """What an activation is called; "" if it has no name.

    >>> activation_name(Neuron(1, activation="tanh").activation)
    'tanh'
    """
    return str(getattr(activation, "name", "") or getattr(activation, "__name__", ""))


def _title(activation: Callable[[Any], Any]) -> str:
    name = activation_name(activation)
    op = TABLE.get(name)
    return op.notation.title if op and op.notation.title else name[:1].upper() + name[1:]


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

    w: list[Value]
    b: Value | None
    activation: Callable[[Any], Any]

    def __init__(self, nin: int, nonlin: bool = True, *, activation: str | Callable[[Any], Any] = "relu",
                 bias: Literal["neuron"] | None = "neuron", scope: str | Sequence[str] = ("neuron",)):
        if bias not in ("neuron", None):
            raise InputError(f"the bias of a neuron is 'neuron' or None, not {short(bias)}")
        self.w = [Value(random.uniform(-1, 1)) for _ in range(whole(nin, "the number of inputs", 1))]
        self.b = Value(0.0) if bias else None
        self.activation = _activation(activation) if nonlin else linear
        self._note = Note(scope=_scope(scope))
        for p in self.parameters():
            p.scope = self._note.scope
        self.label_parameters()

    def __call__(self, x: Inputs, bias: Value | None = None) -> Value:
        """The output for the inputs `x`; `bias`, if given, is used in place of its own.

        Raises:
            InputError: `x` has more or fewer entries than there are weights, or one is not a number.
        """
        return self._output(_inputs(self._note.scope, x, len(self.w)), self.b if bias is None else bias)

    def _output(self, xs: list[Any], bias: Value | None) -> Value:
        net = dot_op(*self.w, *xs) if bias is None else dot_op(*self.w, *xs, bias)
        out: Value = self.activation(net)
        name_new(self._note, net, out)
        return out

    @property
    def nonlin(self) -> bool:
        """Whether the activation is not the linear one."""
        return self.activation is not linear

    def __repr__(self) -> str:
        return f"{_title(self.activation)}Neuron({len(self.w)})"


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

    neurons: list[Neuron]
    b: Value | None

    def __init__(self, nin: int, nout: int, nonlin: bool = True, *,
                 activation: str | Callable[[Any], Any] = "relu",
                 bias: Literal["neuron", "layer"] | None = "neuron", scope: str | Sequence[str] = ("layer",)):
        if bias not in ("neuron", "layer", None):
            raise InputError(f"the bias of a layer is 'neuron', 'layer' or None, not {short(bias)}")
        self._scope = _scope(scope)
        self.neurons = [Neuron(nin, nonlin, activation=activation, scope=(*self._scope, f"neurons[{i}]"),
                               bias="neuron" if bias == "neuron" else None)
                        for i in range(whole(nout, "the number of neurons", 1))]
        self.b = Value(0.0) if bias == "layer" else None
        if self.b is not None:
            self.b.scope = self._scope
        self.label_parameters()

    def __call__(self, x: Inputs) -> Value | list[Value]:
        """The outputs for the inputs `x`, in a list; a single one by itself.

        Raises:
            InputError: `x` has the wrong length, or an entry is not a number.
        """
        outputs = self.outputs(x)
        return outputs if outputs[1:] else outputs[0]

    def outputs(self, x: Inputs) -> list[Value]:
        """The outputs for the inputs `x`, in a list, also a single one."""
        xs = _inputs(self._scope, x, len(self.neurons[0].w))
        return [n._output(xs, n.b if self.b is None else self.b) for n in self.neurons]

    def __repr__(self) -> str:
        return f"Layer of [{_listed(self.neurons)}]"


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

    layers: list[Layer]

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
        self.layers = [Layer(a, b, activation=output if i == len(sizes) - 2 else activation, bias=bias,
                             scope=(*_scope(scope), f"layers[{i}]"))
                       for i, (a, b) in enumerate(zip(sizes, sizes[1:]))]
        self.label_parameters()

    def __call__(self, x: Inputs) -> Value | list[Value]:
        """The outputs of the last layer for the inputs `x`, in a list; a single one by itself.

        Raises:
            InputError: `x` has the wrong length, or an entry is not a number.
        """
        for layer in self.layers[:-1]:
            x = layer.outputs(x)
        return self.layers[-1](x)

    def outputs(self, x: Inputs) -> list[Value]:
        """The outputs of the last layer for the inputs `x`, in a list, also a single one."""
        for layer in self.layers[:-1]:
            x = layer.outputs(x)
        return self.layers[-1].outputs(x)

    def __repr__(self) -> str:
        return f"MLP of [{_listed(self.layers)}]"


def _listed(parts: Sequence[Module]) -> str:
    rest = f", … and {len(parts) - 32} more" * (len(parts) > 32)
    return ", ".join(map(repr, parts[:32])) + rest


def _scope(scope: str | Sequence[str]) -> Scope:
    return (scope,) if isinstance(scope, str) else tuple(scope)


def _inputs(scope: Scope, x: Any, size: int) -> list[Any]:
    where = ".".join(scope)
    try:
        xs = entries(where, x)
    except InputError:
        if getattr(x, "shape", ())[1:] or isinstance(x, (list, tuple)) and any(
                isinstance(row, (list, tuple)) or getattr(row, "shape", ()) for row in x):
            raise InputError(f"{printable(where)} takes one sample; for many write "
                             "[model(row) for row in x]") from None
        raise
    if len(xs) != size:
        raise InputError(f"{printable(where)} takes {size} input{'s' * (size != 1)}, got {len(xs)}")
    return xs

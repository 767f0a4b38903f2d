"""The layers of a model, in the order in which they are applied."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from autograd_lite.errors import InputError, short, type_name
from autograd_lite.graph.value import Value
from autograd_lite.nn.layers import Layer, Neuron
from autograd_lite.nn.module import Module


class Stage(NamedTuple):
    """A layer: the name by which the model holds it, its neurons, and the bias that they share."""

    name: str
    neurons: Sequence[Neuron]
    shared: Value | None

    @property
    def parameters(self) -> list[Value]:
        """Weights and biases, each as often as it serves."""
        own = [b for n in self.neurons for b in (*n.w, self.bias(n)) if b is not None]
        return own if self.shared is None else [*own, self.shared]

    def bias(self, neuron: Neuron) -> Value | None:
        """The bias that only this neuron has."""
        return neuron.b if self.shared is None else None


def stack(model: object) -> tuple[list[Stage], dict[int, str]]:
    """The layers of a model, and by id the names of its parameters.

    Raises:
        InputError: the model holds no layers, or not one after the other.
    """
    if isinstance(model, (list, tuple)):
        holder = Module()
        holder.layers = list(model)             # type: ignore[attr-defined]
        model = holder
    if not isinstance(model, Module):
        raise InputError(f"draw_network: got {type_name(model)} {short(model)}; {_CAN}")
    stages: list[Stage] = []
    held: dict[int, str] = {}
    for name, part in _parts(model, "", set()):
        stage = _stage(name, part)
        if id(part) in held:
            raise InputError(f"draw_network: {held[id(part)]} and {name} are one layer; {_ORDER}")
        held[id(part)] = name
        takes = len(stage.neurons[0].w)
        if stages and takes != len(stages[-1].neurons):
            raise InputError(f"draw_network: {name} takes {takes} input{'s' * (takes != 1)}, but "
                             f"{stages[-1].name} before it has {len(stages[-1].neurons)} neurons; {_ORDER}")
        stages.append(stage)
    if not stages:
        raise InputError(f"draw_network: {type_name(model)} holds no layers; {_CAN}")
    return stages, {id(p): name for name, p in model.named_parameters().items()}


_CAN = ("it can draw an MLP, a Layer, a Neuron, a list of layers, or a Module whose attributes hold layers "
        "in the order in which they are applied")
_ORDER = "give the layers in the order in which they are applied: draw_network([first, second])"


Part = Layer | Neuron | list[Neuron]


def _parts(thing: object, name: str, above: set[int]) -> Iterator[tuple[str, Part]]:
    """What a picture shows as a layer, by name; a list of neurons alone is a layer too."""
    if isinstance(thing, (Layer, Neuron)):
        yield name or type(thing).__name__.lower(), thing
    elif isinstance(thing, list) and thing and all(isinstance(part, Neuron) for part in thing):
        yield name, thing
    elif isinstance(thing, (Module, list, tuple, Mapping)) and id(thing) not in above:
        if isinstance(thing, Module):
            inside = [(f"{name}.{key}" if name else key, part) for key, part in vars(thing).items()
                      if not key.startswith("_")]
        elif isinstance(thing, Mapping):
            inside = [(f"{name}[{short(key)}]", part) for key, part in thing.items()]
        else:
            inside = [(f"{name}[{i}]", part) for i, part in enumerate(thing)]
        for key, part in inside:
            yield from _parts(part, key, above | {id(thing)})


def _stage(name: str, part: Part) -> Stage:
    neurons = part.neurons if isinstance(part, Layer) else part if isinstance(part, list) else [part]
    stage = Stage(name, neurons, part.b if isinstance(part, Layer) else None)
    sizes = sorted({len(neuron.w) for neuron in neurons})
    if len(sizes) != 1 or not sizes[0]:
        raise InputError(f"draw_network: the neurons of {name} take {' and '.join(map(str, sizes)) or 'no'} "
                         "inputs; those of a layer must take the same number, at least 1")
    for p in stage.parameters:
        if not isinstance(p, Value):
            raise InputError(f"draw_network: {name} has a parameter that is {type_name(p)} {short(p)}; "
                             "make it a Value")
    return stage

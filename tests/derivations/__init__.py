"""Gradients that people derive by hand, right, and with the mistakes that people make.

A derivation is a module with three functions. `point(rng)` draws numbers, `forward(point)` computes with
them and returns the labelled root or roots, and `hand(point, write)` derives the gradients line by line
with NumPy and returns the claims. Every line goes through `write(key, right, **wrongs)`: the key is a
claim's, each wrong a function without arguments that makes one mistake, named by its kind (`sign`; of
several, `sign_2`, …). Later lines use what `write` returned, so a mistake spoils what follows from it, as
on paper.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

import autograd_lite
from autograd_lite import Value

KINDS = ("sign", "factor", "missing_factor", "extra_factor", "missing_path", "extra_path", "substitution",
         "transposition", "missing_term", "shift", "zero")
Key = str | tuple[str, str]


class Mistake(NamedTuple):
    """One mistake: the claim's key of the line in which it is made, and the name that the line gives it."""
    key: Key
    name: str

    @property
    def kind(self) -> str:
        """The name without the number that tells several of a kind apart."""
        return re.sub(r"_\d+$", "", self.name)


class Writer:
    """Writes a derivation down: each line right, or with the one of its mistakes that is chosen."""

    def __init__(self, *chosen: Mistake | tuple[Key, str]) -> None:
        self.chosen = dict(chosen)
        self.claims: dict[Key, Any] = {}
        self.wrongs: dict[Key, dict[str, Callable[[], Any]]] = {}

    def __call__(self, key: Key, right: Any, **wrongs: Callable[[], Any]) -> Any:
        if key in self.claims:
            raise ValueError(f"{key!r} is written twice")
        self.wrongs[key] = wrongs
        self.claims[key] = wrongs[self.chosen[key]]() if key in self.chosen else right
        return self.claims[key]


def run(derivation: ModuleType, point: Any, *chosen: Mistake | tuple[Key, str]) -> dict[Key, Any]:
    """The claims of a derivation at a point, with the mistakes chosen; right if there is none."""
    write = Writer(*chosen)
    claims = derivation.hand(point, write)
    if unknown := write.chosen.keys() - write.wrongs.keys():
        raise KeyError(f"{derivation.__name__} has no line {unknown.pop()!r}")
    return claims


def mistakes(derivation: ModuleType, seed: int = 0) -> list[Mistake]:
    """All the mistakes of a derivation, in the order of its lines."""
    write = Writer()
    derivation.hand(point(derivation, seed), write)
    return [Mistake(key, name) for key, wrongs in write.wrongs.items() for name in wrongs]


def point(derivation: ModuleType, seed: int = 0) -> dict[str, Any]:
    """A generic point of a derivation; another seed draws another."""
    return derivation.point(np.random.default_rng([seed, *derivation.__name__.encode()]))


def labelled(derivation: ModuleType, point: Any) -> tuple[tuple[Value, ...], dict[str, Any]]:
    """The roots of a forward pass, and what it labelled: every name with its node or its array of nodes.

    The names are those given to `label`, so that they say nothing about how the library keeps them.
    """
    names: dict[str, Any] = {}

    def remember(more: Mapping[str, Any] | None = None, /, **given: Any) -> None:
        names.update({**(more or {}), **given})
        really(more, **given)

    really = autograd_lite.label
    with mock.patch.object(autograd_lite, "label", remember):
        roots = derivation.forward(point)
    return roots if isinstance(roots, tuple) else (roots,), names


def leaves(numbers: Any) -> np.ndarray:
    """An array of Values that are the numbers given."""
    return np.vectorize(Value, otypes=[object])(numbers)


DERIVATIONS = [import_module(f"{__name__}.{name}") for name in (
    "mazur", "softmax", "log_softmax", "classifier", "svm", "batchnorm", "layernorm", "residual",
    "attention", "embedding", "convolution", "rnn", "lstm", "vae", "reinforce", "logistic_hessian",
    "factorisation", "cosine", "gaussian", "arrhenius", "michaelis_menten", "black_scholes", "kalman",
    "robot_arm", "pendulum")]

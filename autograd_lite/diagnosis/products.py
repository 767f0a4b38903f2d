"""`Product`: what a gradient makes with labelled numbers: sums, outer and matrix products."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from autograd_lite.diagnosis.evidence import Evidence
from autograd_lite.diagnosis.forms import FORMS, MASKS, filled, wrapped
from autograd_lite.diagnosis.view import Array

# How a gradient {0}, alone or with numbers {1}, takes a shape: as people write it, and for `einsum`.
ALONE = (("{0}.T", "ij->ji"), ("{0} summed over axis 0", "ij->j"), ("{0} summed over axis 1", "ij->i"),
         ("the sum of {0}", "i->"), ("the sum of {0}", "ij->"))
TOGETHER = (
    ("{0} * {1}", "i,i->i"), ("{0} * {1}", "ij,ij->ij"), ("{0} * {1} summed over axis 0", "ij,ij->j"),
    ("{0} * {1} summed over axis 1", "ij,ij->i"), ("the sum of {0} * {1}", "i,i->"),
    ("the sum of {0} * {1}", "ij,ij->"), ("outer({0}, {1})", "i,j->ij"), ("outer({1}, {0})", "j,i->ij"),
    ("{0} @ {1}", "ij,jk->ik"), ("{0} @ {1}.T", "ij,kj->ik"), ("{0}.T @ {1}", "ji,jk->ik"),
    ("{0}.T @ {1}.T", "ji,kj->ik"), ("{1} @ {0}", "jk,ij->ik"), ("{1} @ {0}.T", "kj,ij->ik"),
    ("{1}.T @ {0}", "jk,ji->ik"), ("{1}.T @ {0}.T", "kj,ji->ik"), ("{0} @ {1}", "i,ij->j"),
    ("{1} @ {0}", "j,ij->i"), ("{0} @ {1}", "ij,j->i"), ("{1} @ {0}", "ij,i->j"))


class Product(NamedTuple):
    """A product: how it is written, the gradient and the numbers in it, what it is at the wrong entries."""

    text: str
    gradient: str
    factor: str
    numbers: Array


def products(evidence: Evidence) -> Iterator[Product]:
    """All that have the shape of the claim."""
    factors = [(filled(text, name), list(map(f, arrays))) for name, arrays in evidence.numbers.items()
               if arrays[0].ndim for text, f in (*FORMS[:5], *MASKS)]
    factors += [(name, arrays) for name, arrays in evidence.gradients.items() if arrays[0].ndim]
    for gradient, gs in evidence.gradients.items():
        for text, spec in ALONE:
            if all(_fits(spec, [g], evidence.shape) for g in gs):
                yield Product(text.format(gradient), gradient, "",
                              evidence.chosen([np.einsum(spec, g) for g in gs]))
        for factor, xs in factors:
            for text, spec in TOGETHER:
                if factor != gradient and all(_fits(spec, pair, evidence.shape) for pair in zip(gs, xs)):
                    yield Product(text.format(gradient, wrapped(factor)), gradient, factor,
                                  evidence.chosen([np.einsum(spec, g, x) for g, x in zip(gs, xs)]))


def _fits(spec: str, arrays: Sequence[Array], shape: tuple[int, ...]) -> bool:
    """Whether arrays of these shapes make the wanted one."""
    inputs, _, output = spec.partition("->")
    sizes: dict[str, int] = {}
    for letters, array in zip(inputs.split(","), arrays):
        if len(letters) != array.ndim or any([sizes.setdefault(letter, n) != n
                                              for letter, n in zip(letters, array.shape)]):
            return False
    return tuple([sizes[letter] for letter in output]) == shape

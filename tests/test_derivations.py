"""The derivations made by hand are right where they say so, and each mistake makes its own line wrong."""
import re
from pathlib import Path

import numpy as np
import pytest

import derivations
from autograd_lite import Value, audit
from derivations import DERIVATIONS, KINDS, labelled, mistakes, run
from derivations import point as drawn

SEEDS = (0, 1, 2)
DERIVATION = pytest.mark.parametrize("derivation", DERIVATIONS,
                                     ids=lambda module: module.__name__.split(".")[1])


def indices(name):
    """The name of an array and the index in it, of an entry's label in either notation."""
    base, *rest = re.split(r"[\[\],\s]+", name.rstrip("]"))
    return base, tuple(map(int, rest))


def named(names, name):
    """What a name stands for: one node, or an array of them."""
    if name in names:
        return np.asarray(names[name], dtype=object)
    base, index = indices(name)
    return np.asarray(np.asarray(names[base], dtype=object)[index], dtype=object)


def nodes(names):
    """Every labelled node with all its labels, each as its array's name and the index in it."""
    found = {}
    for name, given in names.items():
        for index, node in np.ndenumerate(np.asarray(given, dtype=object)):
            found.setdefault(node, []).append((name, index))
    return found


def truth(roots, names, key):
    """The derivatives that a claim is about, by one backward pass from each output."""
    output, source = (roots[0], key) if isinstance(key, str) else (named(names, key[0]), key[1])
    outputs, inputs = np.asarray(output, dtype=object), named(names, source)
    result = np.empty(outputs.shape + inputs.shape)
    for at, node in np.ndenumerate(outputs):
        for other in nodes(names):
            other.grad = 0.0
        node.backward()
        for k, leaf in np.ndenumerate(inputs):
            result[at + k] = leaf.grad
    return result


def same(a, b):
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-9, atol=1e-12)


@DERIVATION
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_claimed_without_a_mistake_is_what_the_graph_gives(derivation, seed):
    point = drawn(derivation, seed)
    roots, names = labelled(derivation, point)
    for key, claimed in run(derivation, point).items():
        assert same(claimed, truth(roots, names, key)), key


@DERIVATION
@pytest.mark.parametrize("seed", SEEDS)
def test_a_mistake_changes_the_number_of_its_own_line_and_none_before_it(derivation, seed):
    point = drawn(derivation, seed)
    right = run(derivation, point)
    for mistake in mistakes(derivation):
        wrong = run(derivation, point, mistake)
        assert list(wrong) == list(right)
        for key in right:
            if key == mistake.key:
                break
            assert np.array_equal(wrong[key], right[key]), (mistake, key)
        a, b = np.asarray(wrong[mistake.key], float), np.asarray(right[mistake.key], float)
        assert a.shape == b.shape and np.all(np.isfinite(a)), mistake
        assert np.any(np.abs(a - b) > 1e-3 * np.maximum(np.abs(a), np.abs(b)).max()), mistake


@DERIVATION
def test_every_label_is_one_that_was_given_and_every_root_has_one(derivation):
    roots, names = labelled(derivation, drawn(derivation))
    found = nodes(names)
    assert all(isinstance(node, Value) for node in found)
    assert all(indices(node.label) in labels for node, labels in found.items())
    assert set(roots) <= set(found)


def test_there_are_many_and_every_mistake_has_a_kind():
    found = {derivation: mistakes(derivation) for derivation in DERIVATIONS}
    assert len(found) >= 20 and min(map(len, found.values())) >= 6 and sum(map(len, found.values())) >= 140
    assert {mistake.kind for some in found.values() for mistake in some} == set(KINDS)
    assert all(derivation.__doc__ for derivation in found)


def test_every_file_is_in_the_list():
    files = {path.stem for path in Path(derivations.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == {derivation.__name__.split(".")[1] for derivation in DERIVATIONS}


def test_several_mistakes_can_be_made_at_once_and_one_that_is_not_there_is_an_error():
    from derivations import mazur
    point = drawn(mazur)
    right, wrong = run(mazur, point), run(mazur, point, ("w7", "missing_factor"), ("b2", "zero"))
    assert {key for key in right if right[key] != wrong[key]} == {"w7", "b2"}
    with pytest.raises(KeyError, match="w9"):
        run(mazur, point, ("w9", "sign"))
    with pytest.raises(KeyError, match="shift"):
        run(mazur, point, ("w7", "shift"))


@DERIVATION
@pytest.mark.parametrize("seed", SEEDS)
def test_the_audit_calls_a_right_derivation_right_and_names_the_line_of_each_mistake_alone(derivation, seed):
    point = drawn(derivation, seed)
    roots = derivation.forward(point)
    assert audit(roots, run(derivation, point)).differing == ()
    for mistake in mistakes(derivation):
        claims = run(derivation, point, mistake)
        rows = audit(roots, claims).rows
        assert [key for key, row in zip(claims, rows) if row.verdict == "cause"] == [mistake.key], mistake


@DERIVATION
def test_of_final_gradients_alone_a_wrong_derivative_on_the_way_is_mostly_found(derivation):
    point = drawn(derivation)
    _, names = labelled(derivation, point)
    final = {name for name, given in names.items()
             if not any(node.op for node in np.asarray(given, dtype=object).flat)}
    for mistake in mistakes(derivation):
        claims = {key: given for key, given in run(derivation, point, mistake).items() if key in final}
        report = audit(derivation.forward(point), claims)
        places = {latent.claim[1] for latent in report.latent}
        assert len(places) <= 4 and not places & claims.keys()
        if len(report.causes) > 1 and isinstance(mistake.key, str) and mistake.key not in final | MISSED:
            assert mistake.key in places, mistake


# Lines of which a mistake is told as another's, nearer the root, or is contradicted by a right claim.
MISSED = {"norm", "s", "hpre", "a"}

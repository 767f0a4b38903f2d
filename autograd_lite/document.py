"""The worked example: a 2-2-2 sigmoid network, its published hand derivation, and our check.

The document is an unsigned Chinese web article on back-propagation, whose Python example is headed
「BP反向传播算法Python简单实现」 ("a simple Python implementation of the BP algorithm"). Such scripts
circulate on programming blogs; network and numbers are those of Matt Mazur's "A Step by Step
Backpropagation Example" (2015). The script derives the gradients of w1…w8 by hand and trains for 10,000
steps. It has two mistakes: its forward pass takes outh2 where outh1 belongs in neto2, and its derivation
takes w5 where w7 belongs in ∂neto2/∂outh1. And it never updates the biases, though its text says it does.
Everything below has its names and its order.
"""
from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from autograd_lite.checks.audit import audit
from autograd_lite.checks.claims import claim_name
from autograd_lite.checks.report import wrapped
from autograd_lite.checks.rows import AuditReport
from autograd_lite.checks.rule import relative_error
from autograd_lite.diagnosis.diagnose import diagnose
from autograd_lite.drawing import derive
from autograd_lite.errors import InputError, MissingError
from autograd_lite.extras import missing, needed
from autograd_lite.files import write, write_figure
from autograd_lite.graph.labels import label
from autograd_lite.markup import named, page
from autograd_lite.nn import Layer, Module, squared_error
from autograd_lite.ops.activations import sigmoid
from autograd_lite.optim import SGD
from autograd_lite.ops.special import added
from autograd_lite.graph.value import Value

INPUTS, TARGETS = (0.05, 0.10), (0.01, 0.99)
WEIGHTS, BIASES = (0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55), (0.35, 0.60)
RATE, STEPS = 0.5, 10_000

Claims = dict[tuple[str, str], float]
Progress = Callable[[Iterable[int], str], Iterable[int]]
Variant = Literal["published", "corrected", "with_biases"]


class Network(Module):
    """Two layers of two sigmoid neurons, each layer with one bias for both.

    Args:
        weights, biases: w1…w8 and b1, b2 at the start.
        published: take the forward pass as published, outh2·w7 in neto2.

    >>> network = Network()
    >>> network.error().data
    0.2983711087600027
    """

    def __init__(self, weights: Iterable[float] = WEIGHTS, biases: Iterable[float] = BIASES,
                 published: bool = False):
        self.hidden = Layer(2, 2, activation="sigmoid", bias="layer", scope=("hidden layer",))
        self.output = Layer(2, 2, activation="sigmoid", bias="layer", scope=("output layer",))
        self._published = published
        layers = (self.hidden, self.output)
        self._weights = [w for layer in layers for neuron in layer.neurons for w in neuron.w]
        self._biases = [layer.b for layer in layers if layer.b is not None]
        for parameter, data in zip(self.weights + self.biases, (*weights, *biases)):
            parameter.data = data
        label({f"w{k}": w for k, w in enumerate(self.weights, 1)})
        label({f"b{k}": b for k, b in enumerate(self.biases, 1)})

    @property
    def weights(self) -> list[Value]:
        """w1…w8."""
        return self._weights

    @property
    def biases(self) -> list[Value]:
        """b1 and b2."""
        return self._biases

    def layers(self, inputs: Iterable[Any]) -> tuple[list[Value], list[Value]]:
        """The outputs of the hidden and of the output neurons."""
        hidden = self.hidden.outputs(inputs)
        crossed = [hidden[1] if self._published else hidden[0], hidden[1]]
        first, second = self.output.neurons
        return hidden, [first(hidden, self.biases[1]), second(crossed, self.biases[1])]

    def error(self, inputs: Iterable[Any] = INPUTS, targets: Iterable[Any] = TARGETS) -> Value:
        """E = ½(t1 − outo1)² + ½(t2 − outo2)²."""
        error: Value = squared_error(self.layers(inputs)[1], targets)
        return error

    def graph(self, inputs: Iterable[float] = INPUTS, targets: Iterable[float] = TARGETS) -> Value:
        """E, with every node that the document names labelled."""
        names = zip(("i1", "i2", "t1", "t2"), (*inputs, *targets))
        constants = [Value(x, name, requires_grad=False) for name, x in names]
        hidden, outputs = self.layers(constants[:2])
        error: Value = squared_error(outputs, constants[2:])
        for layer, nodes in (("h", hidden), ("o", outputs)):
            label({f"out{layer}{k}": node for k, node in enumerate(nodes, 1)})
            label({f"net{layer}{k}": node.operands[0] for k, node in enumerate(nodes, 1)})
        label({f"E{k}": part for k, part in enumerate(error.operands, 1)}, E=error)
        return error


def forward(network: Network, inputs: Iterable[float] = INPUTS) -> dict[str, float]:
    """The net inputs and outputs of the four neurons, by the document's formulas, in floats."""
    i1, i2 = inputs
    w1, w2, w3, w4, w5, w6, w7, w8 = (w.data for w in network.weights)
    b1, b2 = (b.data for b in network.biases)
    neth1, neth2 = i1 * w1 + i2 * w2 + b1, i1 * w3 + i2 * w4 + b1
    outh1, outh2 = sigmoid(neth1), sigmoid(neth2)
    neto1 = outh1 * w5 + outh2 * w6 + b2
    neto2 = (outh2 if network._published else outh1) * w7 + outh2 * w8 + b2
    return {"neth1": neth1, "neth2": neth2, "outh1": outh1, "outh2": outh2, "neto1": neto1,
            "neto2": neto2, "outo1": sigmoid(neto1), "outo2": sigmoid(neto2)}


def derivation(network: Network, published: bool, inputs: Iterable[float] = INPUTS,
               targets: Iterable[float] = TARGETS) -> Claims:
    """The hand derivation, factor by factor, as claims: as published, or with its factor corrected.

    The corrected one includes the biases.
    """
    (i1, i2), (t1, t2) = inputs, targets
    at = forward(network, (i1, i2))
    outh1, outh2, outo1, outo2 = at["outh1"], at["outh2"], at["outo1"], at["outo2"]
    _, _, _, _, w5, w6, w7, w8 = (w.data for w in network.weights)
    c: Claims = {
        ("E", "outo1"): -(t1 - outo1), ("E", "outo2"): -(t2 - outo2),
        ("outo1", "neto1"): outo1 * (1 - outo1), ("outo2", "neto2"): outo2 * (1 - outo2),
        ("neto1", "w5"): outh1, ("neto1", "w6"): outh2,
        ("neto2", "w7"): outh1, ("neto2", "w8"): outh2,
        ("neto1", "outh1"): w5, ("neto1", "outh2"): w6,
        ("neto2", "outh1"): w5 if published else w7, ("neto2", "outh2"): w8,
        ("outh1", "neth1"): outh1 * (1 - outh1), ("outh2", "neth2"): outh2 * (1 - outh2)}
    d1 = c["E", "outo1"] * c["outo1", "neto1"]
    d2 = c["E", "outo2"] * c["outo2", "neto2"]
    for outh in ("outh1", "outh2"):
        c["E", outh] = d1 * c["neto1", outh] + d2 * c["neto2", outh]
    e1 = c["E", "outh1"] * c["outh1", "neth1"]
    e2 = c["E", "outh2"] * c["outh2", "neth2"]
    c |= {("E", "w1"): e1 * i1, ("E", "w2"): e1 * i2, ("E", "w3"): e2 * i1, ("E", "w4"): e2 * i2}
    c |= {("E", f"w{5 + 2 * k + j}"): d * c[f"neto{k + 1}", f"w{5 + 2 * k + j}"]
          for k, d in enumerate((d1, d2)) for j in (0, 1)}
    if not published:
        c |= {("E", "b1"): e1 + e2, ("E", "b2"): d1 + d2}
    return c


def gradients(claims: Mapping[tuple[str, str], float]) -> dict[str, float]:
    """The derivatives of E by the parameters among the claims, by name."""
    return {i: x for (o, i), x in claims.items() if o == "E" and i[0] in "wb"}


def automatic_gradients(network: Network) -> dict[str, float]:
    """∂E/∂w1 … ∂E/∂w8, ∂E/∂b1, ∂E/∂b2 by one backward pass."""
    network.zero_grad()
    network.error().backward()
    return {p.label: p.grad for p in network.weights + network.biases}


def audits() -> dict[str, AuditReport]:
    """The published derivation against the corrected and against the published forward pass."""
    return {forward: audit(network.graph(), derivation(network, published=True))
            for forward, network in (("corrected", Network()), ("published", Network(published=True)))}


def script_audit() -> AuditReport:
    """The published script as it stands, its forward numbers and its derivation, against the network that it
    describes.

    >>> [row.name for row in script_audit().causes]
    ['neto2', '∂neto2/∂outh1']
    """
    script = Network(published=True)
    return audit(Network().graph(), derivation(script, published=True),
                 values=forward(script) | {"E": script.error().data})


def diagnosed(count: int = 3) -> AuditReport:
    """The published derivation on the correct forward pass, at random weights, with its kind of mistake."""
    draw = random.Random(1)
    weights = [[draw.uniform(-1.0, 1.0) for _ in WEIGHTS] for _ in range(count)]
    try:
        return diagnose(lambda point: Network(point).graph(),
                        lambda point: derivation(Network(point), published=True), weights)
    except MissingError:                        # (this extra brings all that the example needs)
        raise MissingError(missing("numpy", "the worked example's diagnosis needs", "demos")) from None


@dataclass(frozen=True)
class Training:
    """The result of training a network.

    Attributes:
        errors: E before each update, and after the last.
        differences: t1 − outo1 and t2 − outo2 before the first and the last update, as printed by
            the document.
        last_outputs: the outputs before the last update, as printed by the document.
        weights, biases, outputs, error: after the last update.
    """

    errors: list[float]
    differences: tuple[tuple[float, float], tuple[float, float]]
    last_outputs: tuple[float, float]
    weights: list[float]
    biases: list[float]
    outputs: tuple[float, float]
    error: float

    def as_dict(self) -> dict[str, Any]:
        """The final state, for JSON."""
        return {"weights": self.weights, "biases": self.biases, "outputs": list(self.outputs),
                "error": self.error}


def train(variant: Variant, steps: int = STEPS, progress: Progress = lambda steps, _: steps) -> Training:
    """Train the document's network.

    Args:
        variant: "published" (the forward pass and derivation as published, by hand), "corrected"
            (our gradients, weights only) or "with_biases" (ours, and the biases too).
        steps: the number of updates, at least 1.
        progress: wraps the range of the steps, given the variant's name.

    >>> train("corrected", 1).weights[0]
    0.1497807161327628
    """
    network = Network(published=variant == "published")
    trained = network.weights + (network.biases if variant == "with_biases" else [])
    optimiser = SGD(trained, lr=RATE)
    errors: list[float] = []
    seen: list[tuple[float, float]] = []
    for _ in progress(range(steps), variant):
        if variant == "published":
            at = forward(network)
            outputs = at["outo1"], at["outo2"]
            errors.append(0.5 * added((t - o) ** 2 for t, o in zip(TARGETS, outputs)))
            found = gradients(derivation(network, published=True))
            for w in network.weights:
                w.grad = found[w.label]
        else:
            out = network.layers(INPUTS)[1]
            outputs = out[0].data, out[1].data
            error = squared_error(out, TARGETS)
            errors.append(error.data)
            optimiser.zero_grad()
            error.backward()
        optimiser.step()
        seen = [*seen[:1], outputs]
    at = forward(network)
    final = at["outo1"], at["outo2"]
    errors.append(0.5 * added((t - o) ** 2 for t, o in zip(TARGETS, final)))
    first, last = [(TARGETS[0] - a, TARGETS[1] - b) for a, b in (seen[0], seen[-1])]
    return Training(errors, (first, last), seen[-1], [w.data for w in network.weights],
                    [b.data for b in network.biases], final, errors[-1])


# -- for people ----------------------------------------------------------------------------


def write_derivation(path: str) -> None:
    """The derivatives by w1…w8, b1 and b2 written out, and the published lines that are wrong, as a page.

    Args:
        path: a file, whose name ends in ``.html``, ``.md`` or ``.txt``.

    Raises:
        InputError: it ends otherwise.
        OSError: it cannot be written.
    """
    network = Network()
    right = derive(network.graph(), network.weights + network.biases, values=True)
    wrong = [derive(row) for row in audits()["corrected"].differing]
    titles = ("The gradients of the document's network, written out",
              "Where the published derivation is wrong")
    form = path.rpartition(".")[2].lower()
    if form == "html":
        body = [named(titles[0], ""), right.html, named(titles[1], ""),
                *[found.html for found in wrong]]
        text = page(titles[0], "\n".join(body), "white")
    elif form == "md":
        text = "\n\n".join([f"# {titles[0]}", right.markdown, f"# {titles[1]}",
                            *[found.markdown for found in wrong]]) + "\n"
    elif form == "txt":
        text = "\n\n".join([titles[0].upper(), right.text, titles[1].upper(),
                            *[found.text for found in wrong]]) + "\n"
    else:
        raise InputError(f"a derivation is written to a file that ends in .html, .md or .txt, not {path!r}")
    write(path, text.encode())


def tables() -> str:
    """What is wrong with the script, its numbers beside the right ones, and the audits, at 80 columns."""
    network, script = Network(), Network(published=True)
    report, right, wrong = script_audit(), forward(network), forward(script)
    kinds = _FORWARD | {cause.name: f"{cause.diagnoses[0].text}, at each of {cause.points} random points"
                        for cause in diagnosed().causes}
    lines = [f"The published script has {len(report.causes)} mistakes, and never updates its biases:"]
    for cause in report.causes:
        lines += [f"  {cause.name:<15}{kinds[cause.name]}",
                  *wrapped(", ".join(map(claim_name, cause.spoils)), " " * 17 + "spoils ", 24)]
    lines += ["", "THE DOCUMENT", "", *_IDENTITY, "",
              "FORWARD, at the start", "",
              f"  {'':5}  {'published':>15}  {'autograd_lite':>15}  verdict"]
    for name, x in right.items():
        verdict = _verdict(wrong[name], x, "DIFFER")
        lines.append(f"  {name:5}  {wrong[name]:>15.12f}  {x:>15.12f}  {verdict}")
    lines += ["", "GRADIENTS, at the start (the published derivation on the correct forward pass)", "",
              f"  {'':5}  {'published':>17}  {'autograd_lite':>17}  verdict"]
    published = gradients(derivation(network, published=True))
    corrected = gradients(derivation(network, published=False))
    ours = automatic_gradients(network)
    for name, x in ours.items():
        hand, verdict = "not derived", ""
        if name in published:
            hand = f"{published[name]:.13f}"
            verdict = _verdict(published[name], x, "PUBLISHED WRONG")
        lines.append(f"  ∂E/∂{name}  {hand:>16}  {x:>17.13f}  {verdict}".rstrip())
    error = max(relative_error(corrected[name], x) for name, x in ours.items())
    lines += [f"  With w7 for w5, the derivation agrees with ours within {error:.0e} in all {len(ours)}.", ""]
    titles = {"AUDIT of the script, forward numbers and derivation, by the network it describes": report,
              "AUDIT of the published derivation on the correct forward pass": audits()["corrected"],
              "AUDIT of the published derivation on its own forward pass": audits()["published"]}
    for title, found in titles.items():
        lines += [title, "", *("  " + line for line in found.summary().split("\n")), ""]
    return "\n".join(lines[:-1])


def _verdict(published: float, ours: float, otherwise: str) -> str:
    return "agree" if relative_error(published, ours) < 1e-12 else otherwise


_FORWARD = {"neto2": "takes outh2·w7: outh2 where neto2 needs outh1"}
_IDENTITY = (
    "  An unsigned Chinese web article on back-propagation in Python; its example",
    "  is headed 「BP反向传播算法Python简单实现」. Such scripts circulate on",
    "  programming blogs. Network and numbers are those of Matt Mazur's \"A Step by",
    "  Step Backpropagation Example\" (2015). It learns in spite of its mistakes.")


_NAMES: dict[Variant, str] = {"published": "as published", "corrected": "corrected",
                              "with_biases": "corrected, biases too"}


def training_table(trainings: Mapping[Variant, Training]) -> str:
    """First and last step as the document prints them, and the end, at 80 columns."""
    steps = len(next(iter(trainings.values())).errors) - 1
    lines = [f"TRAINING, {steps:,} update{'s' * (steps != 1)} at rate {RATE}", "",
             f"  {'':21}  {'t1 - outo1':>17}  {'t2 - outo2':>17}"]
    for name, run in trainings.items():
        for step, (a, b) in dict(zip((1, steps), run.differences)).items():
            head = _NAMES[name] if step == 1 else ""
            lines.append(f"  {head:<21}  {a:>17.14f}  {b:>17.14f}  step {step:,}")
    lines += ["", f"  {'':21}  {'outo1':>17}  {'outo2':>17}  {'E':>14}"]
    for name, run in trainings.items():
        a, b = run.last_outputs
        lines.append(f"  {_NAMES[name]:<21}  {a:>17.14f}  {b:>17.14f}  {run.errors[-2]:>14.8e}")
        a, b = run.outputs
        lines.append(f"  {'  after the update':<21}  {a:>17.14f}  {b:>17.14f}  {run.error:>14.8e}")
    return "\n".join(lines)


def plot_training(trainings: Mapping[Variant, Training], path: str) -> None:
    """The error curves, on logarithmic axes, to an image file."""
    with needed("the curves of a training need"):
        import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    figure, axes = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
    styles: dict[Variant, dict[str, Any]] = {
        "corrected": {"color": "#1f4e79", "lw": 3.2, "alpha": 0.55},
        "published": {"color": "#b5342b", "lw": 1.4, "ls": (0, (4, 2))},   # (drawn on top of the former)
        "with_biases": {"color": "#3a7d44", "lw": 1.8}}
    for name, style in styles.items():
        run = trainings[name]
        axes.plot(range(1, len(run.errors) + 1), run.errors, **style,
                  label=f"{_NAMES[name]}: E = {run.error:.3e} at the end")
    axes.set(xscale="log", yscale="log", xlabel="step", ylabel="error E",
             title="The document's network in training")
    axes.grid(which="major", color="#dddddd", lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    write_figure(figure, path, dpi=150)
    plt.close(figure)

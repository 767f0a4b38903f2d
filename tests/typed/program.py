"""What a user may write, checked by mypy and pyright in strict mode, and run."""
import math
import random
from collections.abc import Sequence

import autograd_lite as ag
from autograd_lite import Value, nn, optim
from autograd_lite.nn import MLP, squared_error


# -- a fit -----------------------------------------------------------------------------------
def model(p: Sequence[Value], t: float) -> Value:
    """A decay with an offset."""
    return p[0] * ag.exp(-p[1] * t) + p[2]


def misfit(p: list[Value], ts: list[float], ys: list[float]) -> Value:
    """The sum of squares."""
    return ag.sum((model(p, t) - y) ** 2 for t, y in zip(ts, ys))


def fit(steps: int = 200) -> list[float]:
    """The parameters, by gradient descent."""
    ts = [0.1 * i for i in range(20)]
    ys = [2.0 * math.exp(-1.5 * t) + 0.5 for t in ts]
    slope = ag.compile(ag.value_and_grad(misfit))
    p = [1.0, 1.0, 0.0]
    for _ in range(steps):
        loss, g = slope(p, ts, ys)
        p = [x - 0.02 * d for x, d in zip(p, g)]
        assert loss >= 0.0
    curvature = ag.hessian(misfit)(p, ts, ys)
    assert curvature[0][0] > 0.0
    return p


# -- a network of one's own ------------------------------------------------------------------
class Classifier(nn.Module):
    """A network and a temperature."""

    def __init__(self) -> None:
        self.net = MLP(2, [4, 2], activation="tanh")
        self.temperature = Value(1.0, "T")

    def __call__(self, x: Sequence[float]) -> list[Value]:
        return [y / self.temperature for y in self.net.outputs(x)]


def train(rounds: int = 20) -> float:
    """The loss after some rounds."""
    random.seed(1)
    samples = [([0.0, 0.0], 0), ([0.0, 1.0], 1), ([1.0, 0.0], 1), ([1.0, 1.0], 0)]
    network = Classifier()
    optimizer = optim.Adam(network.parameters(), lr=optim.cosine(0.05, rounds))
    losses: list[float] = []
    for _ in range(rounds):
        optimizer.zero_grad()
        loss = ag.mean([nn.softmax_cross_entropy(network(x), k) for x, k in samples])
        loss.backward()
        optimizer.step()
        losses.append(loss.data)
    with ag.no_grad():
        shares = ag.softmax(network([0.0, 1.0]))
    assert max(shares) > min(shares) and losses[-1] < losses[0]
    return losses[-1]


# -- transforms, and an audit ----------------------------------------------------------------
def potential(x: Value, y: Value) -> Value:
    """Something with a saddle."""
    return ag.where(ag.greater(x, y), x * y, ag.hypot(x, y)) - 2 * x ** 2


@ag.errstate("ignore")
def checked(at: float) -> bool:
    """Whether derivations by hand hold."""
    x, w = Value(at, "x"), Value(0.8, label="w")
    y = ag.sigmoid(w * x)
    loss = squared_error(y, 1.0)
    ag.label(y=y, loss=loss)
    report = ag.audit(loss, {("y", "w"): y.data * (1.0 - y.data) * x.data})
    report.check()
    print(report.summary(), ag.derive(loss, "w").text, ag.explain(loss, w).summary())
    return report.ok and ag.check_gradients(ag.tanh, 0.3).ok and abs(-y) < 1


if __name__ == "__main__":
    print(fit(), train(), checked(0.5))
    dx, dy = ag.grad(potential, argnums=(0, 1))(3.0, 2.0)
    print(round(dx, 6) + dy, ag.taylor(ag.sin, 0.0, 3), ag.derivative(ag.exp, 2)(0.0))

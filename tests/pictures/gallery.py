"""The pictures that people look at before a release, and those of the README and the docs.

    python tests/pictures/gallery.py [FOLDER]

writes each as a PNG, and all on contact sheets, `sheet-1.png` …; with ``--docs`` it writes those
that pages show to `docs/pictures` instead, each with the source that it was drawn from, by which a test knows
that it is current.
"""
from __future__ import annotations

import argparse
import io
import math
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.document import Network, derivation
from autograd_lite.nn import MLP

DOCS = Path(__file__).parents[2] / "docs" / "pictures"
SHOWN = ("document", "network-gradients", "sample", "audited")
CAPTION = "data: the value · grad: ∂E/∂node · on each arrow: the local derivative ∂head/∂tail"
WIDTH, COLUMNS, ROOM = 900, 2, 620               # of a picture on a sheet, in pixels; and its greatest height


def backward(root: Value) -> Value:
    root.backward()
    return root


def neuron() -> Value:
    """The neuron of micrograd's lecture."""
    x1, x2, w1, w2 = map(Value, (2.0, 0.0, -3.0, 1.0))
    b = Value(6.8813735870195432)
    x1w1, x2w2 = x1 * w1, x2 * w2
    both = x1w1 + x2w2
    n = both + b
    o = ag.tanh(n)
    ag.label({"x1": x1, "x2": x2, "w1": w1, "w2": w2, "b": b, "x1*w1": x1w1, "x2*w2": x2w2,
              "x1*w1 + x2*w2": both, "n": n, "o": o})
    return backward(o)


def document() -> Value:
    return backward(Network().graph())


def square() -> Value:
    x = Value(3.0, "x")
    y = x * x
    y.label = "y"
    return backward(y)


def diamond() -> Value:
    x = Value(0.5, "x")
    a, b = ag.sin(x), ag.cos(x)
    y = a * b
    ag.label(a=a, b=b, y=y)
    return backward(y)


def not_a_number() -> Value:
    x, w = Value(-1.0, "x"), Value(2.0, "w")
    with ag.errstate("ignore"):
        bad = ag.log(x)
        y = (bad * w + ag.exp(w)) ** 2.0
        ag.label({"log(x)": bad, "y": y})
        return backward(y)


def chain(length: int) -> Value:
    v = Value(0.5, "x")
    for _ in range(length // 2):
        v = ag.sin(v) * 1.01
    return backward(v)


def recursion() -> Value:
    """The logistic map."""
    x, r = Value(0.3, "x"), Value(3.7, "r")
    for _ in range(30):
        x = r * x * (1.0 - x)
    return backward(x)


def wide_sum() -> Value:
    return backward(ag.sum([ag.sin(Value(0.01 * i, f"x[{i}]")) for i in range(5000)]))


def model(inputs: int, sizes: Iterable[int]) -> MLP:
    random.seed(3)
    return MLP(inputs, sizes, activation="tanh")


def loss(network: MLP, count: int) -> Value:
    draw = random.Random(4)
    inputs = len(network.layers[0].neurons[0].w)
    total = sum((network([draw.uniform(-1, 1) for _ in range(inputs)]) - draw.choice((-1.0, 1.0))) ** 2
                for _ in range(count)) / count
    total.label = "loss"
    return backward(total)


def plain_network(count: int) -> Value:
    """A network of 2-16-16-1 as people write it themselves, without scopes or labels."""
    draw = random.Random(5)
    layers, n = [], 2
    for size in (16, 16, 1):
        layers.append([([Value(draw.uniform(-1, 1)) for _ in range(n)], Value(0.0)) for _ in range(size)])
        n = size
    total = 0.0
    for _ in range(count):
        xs: Any = [draw.random(), draw.random()]
        for layer in layers:
            xs = [ag.tanh(sum([w * x for w, x in zip(ws, xs)], b)) for ws, b in layer]
        total = total + (xs[0] - draw.random()) ** 2
    return backward(total)


def hostile() -> Value:
    labels = ["<b>&amp;</b>", 'a "quote"', "\\N\\l", "两层网络", "\u202egnp", "x\ny", "w" * 60]
    xs = [Value(float(i + 1), label) for i, label in enumerate(labels)]
    y = ag.sum(xs)
    y.scope = ("</TABLE>>",)
    return backward(y)


def audited() -> Any:
    """The document's network with what its published derivation has wrong."""
    network = Network()
    root = backward(network.graph())
    return ag.draw(root, report=ag.audit(root, derivation(network, published=True)))


def with_gradient() -> Any:
    x, w = Value(0.5, "x"), Value(2.0, "w")
    y, slope = ag.value_and_grad(lambda x: ag.tanh(w * x) * x)(x)
    ag.label({"y": y, "dy/dx": slope})
    return ag.draw(backward(y), gradients=slope)


def trained(steps: int) -> Network:
    network = Network()
    optimiser = ag.optim.SGD(network.weights + network.biases, lr=0.5)
    for _ in range(steps):
        optimiser.zero_grad()
        network.error().backward()
        optimiser.step()
    network.zero_grad()
    network.error().backward()
    return network


def focused() -> Any:
    network = model(2, [4, 4, 1])
    return ag.draw(loss(network, 4), focus=network.parameters()[0])


PICTURES: dict[str, Callable[[], Any]] = {
    "neuron": lambda: ag.draw(neuron()),
    "square": lambda: ag.draw(square()),
    "diamond": lambda: ag.draw(diamond()),
    "before-backward": lambda: ag.draw(Network().graph(), style="compact"),
    "document": lambda: ag.draw(document(), caption=CAPTION),
    "document-compact": lambda: ag.draw(document(), style="compact"),
    "document-gradients": lambda: ag.draw(document(), colour="grad"),
    "document-dark": lambda: ag.draw(document(), theme="dark"),
    "document-downwards": lambda: ag.draw(document(), direction="TB"),
    "audited": audited,
    "network": lambda: ag.draw_network(trained(0)),
    "network-gradients": lambda: ag.draw_network(
        trained(0), show="grad", inputs=("i1", "i2"), outputs=("o1", "o2")),
    "network-dark": lambda: ag.draw_network(model(2, [8, 8, 1]), theme="dark"),
    "network-large": lambda: ag.draw_network(model(784, [30, 10])),
    "one-sample": lambda: ag.draw(model(2, [4, 4, 1])([0.5, -1.0])),
    "sample": lambda: ag.draw(loss(model(2, [4, 4, 1]), 4)),
    "folded-60": lambda: ag.draw(loss(model(2, [8, 8, 1]), 4), max_nodes=60),
    "folded-30": lambda: ag.draw(loss(model(2, [4, 4, 1]), 4), max_nodes=30),
    "moons": lambda: ag.draw(loss(model(2, [16, 16, 1]), 100)),
    "large-layers": lambda: ag.draw(loss(model(100, [30, 10, 1]), 2)),
    "plain-66000": lambda: ag.draw(plain_network(100)),
    "chain-60": lambda: ag.draw(chain(60)),
    "chain-5000": lambda: ag.draw(chain(5000)),
    "recursion": lambda: ag.draw(recursion()),
    "recursion-dark": lambda: ag.draw(recursion(), theme="dark", colour="grad"),
    "wide-sum": lambda: ag.draw(wide_sum()),
    "focus": focused,
    "gradient": with_gradient,
    "not-a-number": lambda: ag.draw(not_a_number()),
    "hostile": lambda: ag.draw(hostile()),
}


def sheets(pngs: dict[str, bytes]) -> list[Any]:
    """Contact sheets of pictures, each shrunk to its place, with its name and its size below."""
    from PIL import Image, ImageDraw
    cells = []
    for name, png in pngs.items():
        picture = Image.open(io.BytesIO(png)).convert("RGB")
        size = picture.size
        picture.thumbnail((WIDTH, ROOM))
        cell = Image.new("RGB", (WIDTH + 20, picture.height + 40), "#808080")
        cell.paste(picture, (10, 10))
        ImageDraw.Draw(cell).text((12, picture.height + 16), f"{name}   {size[0]} x {size[1]}", fill="white")
        cells.append(cell)
    found = []
    for start in range(0, len(cells), 8):
        columns: list[list[Any]] = [[] for _ in range(COLUMNS)]
        for cell in cells[start:start + 8]:
            min(columns, key=lambda column: sum(c.height for c in column)).append(cell)
        height = max(sum(cell.height for cell in column) for column in columns)
        sheet = Image.new("RGB", (COLUMNS * (WIDTH + 20), height), "#808080")
        for i, column in enumerate(columns):
            top = 0
            for cell in column:
                sheet.paste(cell, (i * (WIDTH + 20), top))
                top += cell.height
        found.append(sheet)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="The pictures that people look at.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("pictures"))
    parser.add_argument("--docs", action="store_true", help="write those that pages show, to docs/pictures")
    parser.add_argument("--only", nargs="*", help="their names")
    options = parser.parse_args()
    folder = DOCS if options.docs else options.folder
    folder.mkdir(parents=True, exist_ok=True)
    pngs = {}
    for name in SHOWN if options.docs else options.only or PICTURES:
        drawing = PICTURES[name]()
        pngs[name] = drawing.pipe("png")
        (folder / f"{name}.png").write_bytes(pngs[name])
        if options.docs:
            (folder / f"{name}.dot").write_text(drawing.source, encoding="utf-8")
        print(f"{name:20} {math.ceil(len(pngs[name]) / 1024):>5} kB")
    for i, sheet in enumerate([] if options.docs else sheets(pngs), 1):
        sheet.save(folder / f"sheet-{i}.png")


if __name__ == "__main__":
    main()

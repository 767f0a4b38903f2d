"""The colours of pictures: light and dark, which colour-blind people can tell apart, also in grey."""
from __future__ import annotations

from typing import NamedTuple


class Theme(NamedTuple):
    """The colours of a picture.

    Attributes:
        paper, ink, faint, line: the background; text and numbers computed forward; what is said beside
            them; arrows and borders.
        backward: numbers computed backward.
        computed, leaf, frozen, folded: what fills the card of a result, of a leaf, of a node without
            gradient, and the box of a fold; leaf_line: the border of a leaf.
        alarm, alarm_line: what fills and borders a node that is not finite, or what is wrong.
        clusters, cluster_line: what fills the scopes, from the outermost in; their border.
        scale: the colours of amounts from the least to the most; of equal steps in lightness, so that they
            keep their order without hue.
    """

    paper: str
    ink: str
    faint: str
    line: str
    backward: str
    computed: str
    leaf: str
    leaf_line: str
    frozen: str
    folded: str
    alarm: str
    alarm_line: str
    clusters: tuple[str, ...]
    cluster_line: str
    scale: tuple[str, ...]

    def step(self, i: int, steps: int) -> str:
        """The colour of a step of so many, of those that stand out from the background."""
        colours = self.scale[2:]
        return colours[round((len(colours) - 1) * (i / (steps - 1) if steps > 1 else 0.5))]

    def on(self, fill: str) -> str:
        """The colour of a text that can be read on a fill."""
        return max((self.ink, self.paper), key=lambda ink: contrast(ink, fill))


def luminance(colour: str) -> float:
    """How light a colour looks, from 0 for black to 1 for white.

    >>> luminance("#000000"), round(luminance("#808080"), 3)
    (0.0, 0.216)
    """
    return sum(part * linear for part, linear in zip((0.2126, 0.7152, 0.0722), light(colour)))


def light(colour: str) -> list[float]:
    """The amounts of red, green and blue light, from 0 to 1, of a colour (of sRGB)."""
    parts = [int(colour[k:k + 2], 16) / 255.0 for k in (1, 3, 5)]
    return [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]


def contrast(a: str, b: str) -> float:
    """How well a text in one colour is read on the other: 1 is not at all, 21 black on white.

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    low, high = sorted(map(luminance, (a, b)))
    return round((high + 0.05) / (low + 0.05), 9)


THEMES = {
    "light": Theme("#ffffff", "#1f2933", "#5a6673", "#9aa5b1", "#0b62a8", "#ffffff", "#fff3d1", "#d99a00",
                   "#eef1f4", "#f7f9fb", "#fdeaea", "#c81e1e", ("#f5f7fa", "#eaeff4", "#dfe6ed"), "#cbd5df",
                   ("#f1f5f9", "#cfe3f2", "#9fc8e4", "#66a8d3", "#297aae", "#0b5a98", "#06365e")),
    "dark": Theme("#14181d", "#e6eaee", "#94a1ad", "#6f7c88", "#7cc0f5", "#1f262d", "#3a3118", "#d9a520",
                  "#252b31", "#1a2026", "#471d1f", "#ff7a73", ("#191f25", "#20272e", "#283039"), "#3b4650",
                  ("#232c34", "#22425c", "#255f88", "#3a8bbf", "#57a6d8", "#8cc9ee", "#d2ecfb")),
}

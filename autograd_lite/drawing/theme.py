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


THEMES = {
    "light": Theme("#ffffff", "#1f2933", "#7b8794", "#9aa5b1", "#0b62a8", "#ffffff", "#fff3d1", "#d99a00",
                   "#eef1f4", "#f7f9fb", "#fdeaea", "#c81e1e", ("#f5f7fa", "#eaeff4", "#dfe6ed"), "#cbd5df",
                   ("#f1f5f9", "#cfe3f2", "#9fc8e4", "#66a8d3", "#2f83bd", "#0b5a98", "#06365e")),
    "dark": Theme("#14181d", "#e6eaee", "#94a1ad", "#6f7c88", "#7cc0f5", "#1f262d", "#3a3118", "#d9a520",
                  "#252b31", "#1a2026", "#471d1f", "#ff7a73", ("#191f25", "#20272e", "#283039"), "#3b4650",
                  ("#232c34", "#22425c", "#255f88", "#3583b6", "#57a6d8", "#8cc9ee", "#d2ecfb")),
}

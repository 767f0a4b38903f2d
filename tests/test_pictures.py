"""The pictures that people look at are drawn, and those of the README and the docs are current."""
from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.image
import pytest

sys.path.insert(0, str(Path(__file__).parent / "pictures"))

import gallery  # noqa: E402

ROOT = Path(__file__).parents[1]
SLOW = {"plain-66000"}


def test_there_are_twenty_pictures_and_more():
    assert len(gallery.PICTURES) >= 20 and set(gallery.SHOWN) <= set(gallery.PICTURES)


@pytest.mark.parametrize("name", gallery.SHOWN)
def test_a_picture_of_a_page_is_current(name):
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert any([f"pictures/{name}.png)" in page.read_text(encoding="utf-8") for page in pages])
    source = (gallery.DOCS / f"{name}.dot").read_text(encoding="utf-8")
    assert source == gallery.PICTURES[name]().source, "run python tests/pictures/gallery.py --docs"
    height, width = matplotlib.image.imread(gallery.DOCS / f"{name}.png").shape[:2]
    assert 300 < height < 3000 and 600 < width < 4000


@pytest.mark.usefixtures("one_program")
@pytest.mark.filterwarnings("ignore::autograd_lite.AutogradWarning")
def test_every_picture_is_drawn_and_small_enough_to_be_looked_at():
    for name in gallery.PICTURES.keys() - SLOW:
        drawing = gallery.PICTURES[name]()
        head = drawing.pipe("svg", encoding="utf-8")[:2000]
        width, height = (float(head.split(f' {side}="')[1].split("pt")[0]) for side in ("width", "height"))
        assert width < 2200 and height < 2200, name

"""The page that `animate` writes, to the letter but for the picture, its script and the hash of that."""
from __future__ import annotations

import functools
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from golden import expected, steady

from autograd_lite import Value
from autograd_lite.drawing import animation
from test_animation import Program, page_of


def written_page(**options: Any) -> str:
    """A page but for what is the same in each: the script and its hash."""
    with tempfile.TemporaryDirectory() as folder:
        page = page_of(Value(3.0, "x") * Value(1.25, "<y>"), Path(folder), Program(), **options)
    page = re.sub("<script>.*</script>", "<script>…</script>", page, flags=re.DOTALL)
    page = re.sub("sha256-[^']*", "sha256-…", page)
    return page.replace(animation._CSS, "…") if options else page


NAME = "pages"
CASES = {"a page": written_page, "a dark page": functools.partial(
    written_page, theme="dark", caption="a & b", direction="TB", style="compact")}


@pytest.mark.parametrize("case", CASES)
def test_the_page_is_the_one_expected(case: str) -> None:
    assert steady(CASES[case]()) == expected(NAME)[case]

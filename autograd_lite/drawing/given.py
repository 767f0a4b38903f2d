"""What options of pictures must be."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite.errors import InputError, short


def one_of(given: Any, where: str, choices: Sequence[str | None]) -> None:
    """Refuse what is none of the choices."""
    if not (given is None or isinstance(given, str)) or given not in choices:
        raise InputError(f"{where}={short(given)}: choose {', '.join(map(repr, choices[:-1]))} "
                         f"or {choices[-1]!r}")


def a_text(given: Any, where: str) -> None:
    """Refuse what is no text."""
    if not isinstance(given, str):
        raise InputError(f"{where}={short(given)} must be a text")

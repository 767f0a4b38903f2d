"""`whole`: a whole number, where one is needed."""
from __future__ import annotations

import operator
from math import nan
from typing import Any

from autograd_lite.errors import InputError, short


def whole(x: Any, where: str, least: float = 0) -> Any:
    """A whole number, NumPy's too, as an int; anything else, a bool too, is an `InputError`."""
    try:
        n = nan if type(x).__name__ in ("bool", "bool_") else operator.index(x)     # (NumPy's, too)
    except TypeError:
        n = nan
    if n >= least:
        return n
    raise InputError(f"{where} must be {f'at least {least}' if n == n else 'a whole number'}, not {short(x)}")

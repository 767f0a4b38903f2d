"""Slopes that conventions chose at kinks: no second derivative may depend on one (`graph.conventions`)."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

live: set[Any] = set()          # the marks in present graphs that lie at a kink
mark: Callable[..., None]
verify_sweep: Callable[..., None]
verify_backward: Callable[..., None]

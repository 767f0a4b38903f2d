"""`wrong_points`: where a derivation is wrong, the points that tell most."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.errors import AuditError, AutogradError, short

_LOOK = 30                      # so many points are looked at first


def wrong_points(differing: Callable[[Any], int], for_all: Callable[..., None]) -> list[Any]:
    """Points at which most numbers differ, the simplest first; empty if none differs anywhere.

    Args:
        differing: how many numbers differ at a point.
        for_all: ``for_all(check, most)`` calls `check` with points, with so many at most (None: as many as it
            likes), and with simpler ones when it raises an `AuditError`.

    (At (0, 0, 0) wrong factors agree by luck: a simpler point at which less is wrong would say less.)
    """
    seen: list[tuple[int, Any]] = []

    def look(point: Any) -> None:
        try:
            seen.append((differing(point), point))
        except (AutogradError, ArithmeticError, ValueError):
            pass                                # (`hold` raises it, and simpler points are looked for)

    def hold(point: Any) -> None:
        if differing(point) >= most:
            found.append(point)
            raise AuditError(f"at the point {short(point)}")

    for_all(look, _LOOK)
    most = max([n for n, _ in seen if n], default=1)
    found = [point for n, point in seen if n == most]
    try:
        for_all(hold, None)
    except AuditError:                          # (the last is the simplest)
        pass
    return list({repr(point): point for point in [*found[-1:], *found]}.values())

"""What a function reads, apart from its arguments."""
from __future__ import annotations

import random
from typing import Any


class Environment:
    """What a function and the Python functions it calls may read, apart from their arguments."""

    def __init__(self, f: Any):
        pass

    def holds(self) -> bool:
        """Whether all is as it was."""
        return True


def random_state() -> Any:
    """The state of `random`."""
    return random.getstate()

"""Other people's packages: which extra of ours brings each, and the error where one is missing."""
from __future__ import annotations

import sys
from types import TracebackType

from autograd_lite.errors import MissingError

# By the name to import: its own name for people, and the extra.
PACKAGES = {
    "graphviz": ("graphviz", "png"), "hypothesis": ("Hypothesis", "testing"),
    "llvmlite": ("llvmlite", "fast"), "matplotlib": ("Matplotlib", "demos"), "mpmath": ("mpmath", "check"),
    "numpy": ("NumPy", "fast"), "pandas": ("pandas", "frames"), "scipy": ("SciPy", "sparse"),
    "sympy": ("SymPy", "symbolic"), "tqdm": ("tqdm", "demos")}


def install(extra: str) -> str:
    """The command that brings an extra.

    >>> install("fast")
    "pip install 'autograd-lite[fast]'"
    """
    quote = '"' if sys.platform == "win32" else "'"         # (cmd.exe knows no other)
    return f"pip install {quote}autograd-lite[{extra}]{quote}"


def missing(package: str, purpose: str, extra: str = "") -> str:
    """What the error says: the purpose, the package and the command."""
    name, usual = PACKAGES[package]
    return f"{purpose} {name}: {install(extra or usual)}"


class needed:
    """What is around an import of a package of others: where it is missing, the error says how to get it.

    Args:
        purpose: what needs it, with the verb: "sparse matrices need".
        extra: of several extras that bring it, the one that serves.

    Raises:
        MissingError: the package is not installed.

    >>> with needed("sparse matrices need"):
    ...     import scipy.sparse
    """

    def __init__(self, purpose: str, extra: str = ""):
        self.purpose, self.extra = purpose, extra

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        if isinstance(error, ImportError):
            package = (error.name or "").partition(".")[0]
            if package in PACKAGES:
                raise MissingError(missing(package, self.purpose, self.extra)) from None

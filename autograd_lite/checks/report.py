"""`Report`: the form that the reports of `audit`, `check_gradients` and `explain` share."""
from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any, Self

from autograd_lite.errors import AuditError


class Findings(tuple[Any, ...]):
    """What a report found: each entry prints as a line.

    Calling it, as reports were before version 0.2, gives the summary and warns.
    """

    summary: Callable[[], str]

    def __new__(cls, found: Iterable[Any], summary: Callable[[], str]) -> Self:
        self = super().__new__(cls, found)
        self.summary = summary
        return self

    def __call__(self) -> str:
        warnings.warn("report.findings() is report.summary() now; report.findings is a tuple of what was found",
                      DeprecationWarning, stacklevel=2)
        return self.summary()

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (tuple(self),)


class Report:
    """What a check found.

    `ok` says whether there is nothing to object, `findings` is a tuple of what was found, each entry of
    which prints as a line, `summary()` says the same in words, `str()` adds the tables, `as_dict()` is
    for JSON, and `check()` raises unless it is `ok`.
    """

    @property
    def findings(self) -> Findings:
        """What there is to object, each entry of which prints as a line."""
        return Findings(self._found(), self.summary)

    @property
    def ok(self) -> bool:
        """Whether there is nothing to object."""
        return not self._found()

    def check(self) -> None:
        """Raise `AuditError`, with the summary, unless all is well."""
        if not self.ok:
            raise AuditError(self.summary())

    def _found(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def summary(self) -> str:
        """The findings in words."""
        raise NotImplementedError

    def as_dict(self) -> dict[str, Any]:
        """The report in plain data, for JSON."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.summary()

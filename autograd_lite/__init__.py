"""Ordinary Python arithmetic on scalars, differentiated exactly, drawn and checked.

>>> import autograd_lite as ag
>>> x = ag.Value(2.0, "x")
>>> y = ag.sin(x) * x
>>> y.backward()
>>> x.grad == ag.sin(2.0) + 2.0 * ag.cos(2.0)
True
"""
import sys as _sys

if _sys.argv[:1] == ["-m"]:                     # `python -m autograd_lite` is loading; Ctrl-C ends it
    import signal as _signal
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import typing as _typing

from autograd_lite.decorators import within as _within        # (as soon as it is loaded)
from autograd_lite.errors import (AuditError, AutogradError, AutogradWarning, DivisionError, DomainError,
                                  FormatError, GradientError, InputError, LabelError, MemberError,
                                  MissingError, NumericError, RangeError, RenderError, errstate)
from autograd_lite.graph.conventions import verify_sweep as _verify_sweep     # (as soon as it is loaded)
from autograd_lite.graph.foreign import Foreign as _Foreign         # (as soon as it is loaded)
from autograd_lite.graph.labels import label
from autograd_lite.graph.quick import describe as _describe, quicken as _quicken   # (as soon as it is loaded)
from autograd_lite.graph.recording import no_grad, record_lines
from autograd_lite.graph.states import restored as _restored            # (as soon as it is loaded)
from autograd_lite.graph.value import Value, build
from autograd_lite.lines import Line as Line
from autograd_lite.locks import shared_lock as _shared_lock
from autograd_lite.ops.activations import (elu, gelu, leaky_relu, log_sigmoid, relu, sigmoid, silu, softplus)
from autograd_lite.ops.branches import select
from autograd_lite.ops.custom import custom_op
from autograd_lite.ops.elementary import (acos, acosh, asin, asinh, atan, atanh, cbrt, cos, cosh, exp, exp2,
                                          expm1, log, log1p, log2, log10, sech2, sin, sinh, sqrt, tan, tanh)
from autograd_lite.ops.elementwise import ceil, copysign, floor, isfinite, isinf, isnan, logaddexp
from autograd_lite.ops.lists import take
from autograd_lite.ops.geometry import absolute as abs, atan2, hypot, maximum, minimum
from autograd_lite.ops.op import Op as Op
from autograd_lite.ops.normal import digamma, erf, erfc, gamma, lgamma, normal_cdf, normal_pdf, polygamma
from autograd_lite.ops.selection import (equal, greater, greater_equal, less, less_equal, not_equal, sign,
                                         where)
from autograd_lite.ops.sequences import dot, log_softmax, logsumexp, mean, softmax, sum
from autograd_lite.programs.entry import compile
from autograd_lite.transforms.gradients import grad, stop_gradient, value_and_grad
from autograd_lite.transforms.structures import matched as _matched         # (as soon as it is loaded)

_describe()

# What not every program uses is loaded when it is first asked for (by `__getattr__`, below), which more than
# halves the time of an import.
if _typing.TYPE_CHECKING:
    from autograd_lite import nn, optim, testing as testing
    from autograd_lite.checks.audit import audit
    from autograd_lite.checks.check_gradients import check_gradients, check_op
    from autograd_lite.checks.explain import explain
    from autograd_lite.checks.explanation import (Explanation as Explanation, Finding as Finding,
                                                  Input as Input, Path as Path)
    from autograd_lite.checks.latent import Latent as Latent
    from autograd_lite.checks.report import Report
    from autograd_lite.checks.rows import AuditReport as AuditReport, Diagnosis as Diagnosis, Row as Row
    from autograd_lite.checks.slopes import Estimate as Estimate
    from autograd_lite.checks.verdicts import (Derivative as Derivative, GradientReport as GradientReport,
                                               Partial as Partial)
    from autograd_lite.diagnosis.diagnose import diagnose
    from autograd_lite.drawing.animation import animate
    from autograd_lite.drawing.comparison import Comparison as Comparison
    from autograd_lite.drawing.derivation import Derivation as Derivation, derive
    from autograd_lite.drawing.drawn import Drawing as Drawing
    from autograd_lite.drawing.network import draw_network
    from autograd_lite.drawing.output import draw, render
    from autograd_lite.frames import ValueArray as ValueArray, ValueDtype as ValueDtype
    from autograd_lite.programs.compiled import Compiled as Compiled
    from autograd_lite.programs.stats import Stats as Stats
    from autograd_lite.transforms.colouring import colours
    from autograd_lite.transforms.evaluation import evaluate
    from autograd_lite.transforms.jacobians import hessian, hvp, jacobian, jvp, vjp
    from autograd_lite.transforms.registered import register
    from autograd_lite.transforms.series import derivative, taylor
    from autograd_lite.uncertainty.entry import propagate
    from autograd_lite.uncertainty.result import Propagation as Propagation

__version__ = "0.2.0"

__all__ = [
    # nodes
    "Value", "build", "label", "no_grad", "stop_gradient",
    # functions
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "copysign", "cos",
    "cosh", "custom_op", "digamma", "dot", "elu", "erf", "erfc", "exp", "exp2", "expm1", "floor", "gamma",
    "gelu", "hypot", "leaky_relu", "lgamma", "log", "log10", "log1p", "log2", "log_sigmoid",
    "log_softmax", "logaddexp", "logsumexp", "maximum", "mean", "minimum", "normal_cdf", "normal_pdf",
    "polygamma", "relu", "sech2", "sigmoid", "sign", "silu", "sin", "sinh", "softmax", "softplus", "sqrt",
    "sum", "tan", "tanh",
    # questions
    "isfinite", "isinf", "isnan",
    # branches
    "equal", "greater", "greater_equal", "less", "less_equal", "not_equal", "select", "take", "where",
    # transforms
    "colours", "derivative", "evaluate", "grad", "hessian", "hvp", "jacobian", "jvp", "propagate", "register",
    "taylor", "value_and_grad", "vjp",
    # programs
    "compile",
    # checks
    "audit", "diagnose", "check_gradients", "check_op", "explain", "record_lines", "Report",
    # pictures and derivations
    "animate", "derive", "draw", "draw_network", "render",
    # errors
    "errstate", "AuditError", "AutogradError", "AutogradWarning", "DivisionError", "DomainError",
    "FormatError", "GradientError", "InputError", "LabelError", "MemberError", "MissingError",
    "NumericError", "RangeError", "RenderError",
    # modules
    "nn", "optim",
]
# What users are handed but seldom name; some of it would hide names of theirs under `import *`.
_CLASSES = ["AuditReport", "Comparison", "Compiled", "Derivation", "Derivative", "Diagnosis", "Estimate",
            "Explanation", "Finding", "GradientReport", "Input", "Latent", "Line", "Op", "Partial", "Path",
            "Propagation", "Row", "Stats"]


# Where to find what is loaded later; a test holds it against the imports for type checkers.
_LATER = {
    "": "nn optim testing",
    "checks.audit": "audit",
    "checks.check_gradients": "check_gradients check_op",
    "checks.explain": "explain",
    "checks.explanation": "Explanation Finding Input Path",
    "checks.latent": "Latent",
    "checks.report": "Report",
    "checks.rows": "AuditReport Diagnosis Row",
    "checks.slopes": "Estimate",
    "checks.verdicts": "Derivative GradientReport Partial",
    "diagnosis.diagnose": "diagnose",
    "drawing.animation": "animate",
    "drawing.comparison": "Comparison",
    "drawing.derivation": "Derivation derive",
    "drawing.drawn": "Drawing",
    "drawing.network": "draw_network",
    "drawing.output": "draw render",
    "frames": "ValueArray ValueDtype",
    "programs.compiled": "Compiled",
    "programs.stats": "Stats",
    "transforms.colouring": "colours",
    "transforms.evaluation": "evaluate",
    "transforms.jacobians": "hessian hvp jacobian jvp vjp",
    "transforms.registered": "register",
    "transforms.series": "derivative taylor",
    "uncertainty.entry": "propagate",
    "uncertainty.result": "Propagation",
}
_HOMES = {name: module for module, names in _LATER.items() for name in names.split()}
_loading = _shared_lock()                       # (a child forked meanwhile would wait for ever)


def _loaded(name: str) -> object:
    """What is asked for the first time."""
    if name not in _HOMES:
        from autograd_lite.graph.foreign import absent
        raise absent(name)
    from importlib import import_module
    with _loading:
        home = import_module(f"autograd_lite.{_HOMES[name] or name}")
        globals()[name] = found = getattr(home, name) if _HOMES[name] else home
    return found


if not _typing.TYPE_CHECKING:                   # (for which there would be any name)
    __getattr__ = _loaded


def __dir__() -> list[str]:
    columns = ["ValueArray", "ValueDtype"] if "pandas" in _sys.modules else []      # (which they would load)
    return [*__all__, *_CLASSES, *columns, "testing", "__doc__", "__file__", "__name__", "__path__",
            "__version__"]
